// How fast are durable writes: one at a time, and 1,000 in flight over 100 connections; 256-byte values, every key new.
import { measure } from './question.ts'
import type { Bench, Question, Row } from './question.ts'

const valueSizeBytes = 256
let nextKey = 0

export const put: Question = {
  name: 'put',
  members: [1, 3],
  run: async (bench) => [await puts(bench, 1, 1), await puts(bench, 100, 1000)],
}

function puts(bench: Bench, connections: number, inFlight: number): Promise<Row> {
  const question = inFlight === 1 ? 'put, 1 in flight' : `put, ${inFlight} in flight`
  return measure(bench, question, 'puts/s', (_cluster, url) => {
    const firstKey = nextKey
    nextKey += 10_000_000
    return {
      wire: 'grpc',
      operation: 'put',
      url,
      connections,
      inFlight,
      count: 10_000_000,
      durationMs: bench.durationMs,
      keyPrefix: 'bench/put/',
      keyCount: 10_000_000,
      firstKey,
      valueSizeBytes,
    }
  })
}
