// How fast are linearizable reads of one key out of 10,000, 1,000 in flight over 100 connections.
import { measure } from './question.ts'
import type { Question } from './question.ts'

const keys = {
  keyPrefix: 'bench/range/',
  keyCount: 10_000,
  firstKey: 0,
  valueSizeBytes: 256,
  wire: 'grpc',
} as const

export const range: Question = {
  name: 'range',
  members: [1, 3],
  run: async (bench) => {
    for (const cluster of bench.clusters) {
      const url = await cluster.leaderUrl()
      const load = { connections: 10, inFlight: 500, count: keys.keyCount, durationMs: 60_000 }
      await bench.generator.run({ ...keys, ...load, url, operation: 'put' })
    }
    return [
      await measure(bench, 'range of 1 key, 1000 in flight', 'ranges/s', (_cluster, url) => ({
        ...keys,
        operation: 'range',
        url,
        connections: 100,
        inFlight: 1000,
        count: 10_000_000,
        durationMs: bench.durationMs,
      })),
    ]
  },
}
