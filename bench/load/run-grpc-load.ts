// Puts and ranges by prepared frames over raw connections.
import {
  decodePutResponse,
  decodeRangeResponse,
  decodeKeyValue,
  encodePutRequest,
  encodeRangeRequest,
} from '../../packages/kv/src/proto/index.ts'
import { putRequestOf, rangeRequestOf } from '../../packages/kv/src/client/convert.ts'
import { Histogram } from './histogram.ts'
import { LoadConnection } from './load-connection.ts'
import { keyOf, noiseOf, valueOf } from './load-plan.ts'
import type { LoadPlan, LoadResult } from './load-plan.ts'

/** One of so many answers is decoded and compared. */
const sampleEvery = 64

export async function runGrpcLoad(plan: LoadPlan): Promise<LoadResult> {
  const { hostname, port } = new URL(plan.url)
  const histogram = new Histogram()
  const failures: Record<string, number> = {}
  const failed = (text: string): void => {
    failures[text] = (failures[text] ?? 0) + 1
  }
  const value = valueOf('', plan.valueSizeBytes)
  let started = 0
  let answered = 0
  let deadline = Number.POSITIVE_INFINITY
  const next = (): Uint8Array | undefined => {
    if (started >= plan.count || performance.now() >= deadline) return undefined
    const index = started++
    if (plan.operation === 'put') {
      const key = keyOf(plan, plan.firstKey + (index % plan.keyCount))
      const made = plan.noise === true ? noiseOf : valueOf
      return encodePutRequest(
        putRequestOf(key, plan.keyCount === 1 ? value : made(key, plan.valueSizeBytes)),
      )
    }
    const key = keyOf(plan, Math.floor(Math.random() * plan.keyCount))
    return encodeRangeRequest(rangeRequestOf({ key }))
  }
  const check = plan.operation === 'put' ? checkPut : checkRange
  const connections = await Promise.all(
    Array.from({ length: plan.connections }, () =>
      LoadConnection.open({
        host: hostname,
        port: Number(port),
        path: plan.operation === 'put' ? '/etcdserverpb.KV/Put' : '/etcdserverpb.KV/Range',
        inFlight: Math.round(plan.inFlight / plan.connections),
        next,
        answered: (_request, reply, us) => {
          histogram.add(us)
          if (answered++ % sampleEvery !== 0) return
          const problem = check(reply, plan.valueSizeBytes)
          if (problem !== undefined) failed(problem)
        },
        failed,
      }),
    ),
  )
  const startedAt = performance.now()
  deadline = startedAt + plan.durationMs
  await Promise.all(connections.map((connection) => connection.run()))
  const seconds = (performance.now() - startedAt) / 1000
  for (const connection of connections) connection.close()
  return resultOf(answered, seconds, histogram, failures)
}

export function resultOf(
  count: number,
  seconds: number,
  histogram: Histogram,
  failures: Readonly<Record<string, number>>,
): LoadResult {
  return {
    count,
    perSecond: count / seconds,
    meanMs: histogram.meanMs(),
    p50Ms: histogram.percentileMs(0.5),
    p99Ms: histogram.percentileMs(0.99),
    failures,
  }
}

function checkPut(reply: Buffer): string | undefined {
  return decodePutResponse(reply).header.revision > 1 ? undefined : 'a put without a revision'
}

function checkRange(reply: Buffer, sizeBytes: number): string | undefined {
  const [encoded] = decodeRangeResponse(reply).kvs
  if (encoded === undefined) return 'a key that was put is missing'
  const { key, value } = decodeKeyValue(encoded)
  const want = valueOf(Buffer.from(key).toString(), sizeBytes)
  return want.equals(value) ? undefined : 'a value that was not put'
}
