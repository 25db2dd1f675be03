// What a Node program gets from our client over the native wire, its promises included. etcd has no such wire; the client runs in one thread.
import { measure } from './question.ts'
import type { Question } from './question.ts'
import type { Cluster } from './servers.ts'

const plan = {
  wire: 'native',
  connections: 10,
  inFlight: 1000,
  count: 10_000_000,
  valueSizeBytes: 256,
} as const
/** Keys put so far, by cluster: each begins at 0, where the ranges look. */
const nextKeys = new WeakMap<Cluster, number>()

export const native: Question = {
  name: 'native',
  members: [1, 3],
  run: async (bench) => [
    await measure(bench, 'put by the native client, 1000 in flight', 'puts/s', (cluster, url) => {
      if (cluster.kind !== 'balsa') return undefined
      const firstKey = nextKeys.get(cluster) ?? 0
      nextKeys.set(cluster, firstKey + plan.count)
      const keys = { keyPrefix: 'bench/native/', keyCount: plan.count, firstKey }
      return { ...plan, ...keys, operation: 'put', url, durationMs: bench.durationMs }
    }),
    await measure(
      bench,
      'range by the native client, 1000 in flight',
      'ranges/s',
      (cluster, url) => {
        if (cluster.kind !== 'balsa') return undefined
        const keys = { keyPrefix: 'bench/native/', keyCount: 1000, firstKey: 0 }
        return { ...plan, ...keys, operation: 'range', url, durationMs: bench.durationMs }
      },
    ),
  ],
}
