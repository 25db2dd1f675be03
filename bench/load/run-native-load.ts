// The same calls by our own client over the native wire: what a Node program gets, its promises included.
import { connect } from '../../packages/kv/src/client/connect.ts'
import { Histogram } from './histogram.ts'
import { keyOf, valueOf } from './load-plan.ts'
import type { LoadPlan, LoadResult } from './load-plan.ts'
import { resultOf } from './run-grpc-load.ts'

export async function runNativeLoad(plan: LoadPlan): Promise<LoadResult> {
  const histogram = new Histogram()
  const failures: Record<string, number> = {}
  const clients = await Promise.all(
    Array.from({ length: plan.connections }, () =>
      connect({ endpoints: plan.url, protocol: 'native' }),
    ),
  )
  let started = 0
  let answered = 0
  const startedAt = performance.now()
  const deadline = startedAt + plan.durationMs
  const work = async (kv: (typeof clients)[number]): Promise<void> => {
    while (started < plan.count && performance.now() < deadline) {
      const index = started++
      const callAt = performance.now()
      try {
        if (plan.operation === 'put') {
          const key = keyOf(plan, plan.firstKey + (index % plan.keyCount))
          await kv.put(key, valueOf(key, plan.valueSizeBytes))
        } else {
          const pair = await kv.get(keyOf(plan, Math.floor(Math.random() * plan.keyCount)))
          if (pair === undefined) throw new Error('a key that was put is missing')
        }
        answered++
        histogram.add((performance.now() - callAt) * 1000)
      } catch (reason) {
        const text = reason instanceof Error ? reason.message : String(reason)
        failures[text] = (failures[text] ?? 0) + 1
      }
    }
  }
  const perClient = Array.from({ length: Math.round(plan.inFlight / plan.connections) })
  await Promise.all(clients.flatMap((kv) => perClient.map(() => work(kv))))
  const seconds = (performance.now() - startedAt) / 1000
  await Promise.all(clients.map((kv) => kv.close()))
  return resultOf(answered, seconds, histogram, failures)
}
