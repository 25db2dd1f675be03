// One look at a cluster, of Balsa or of etcd: what its members say of themselves, their metrics, and what the keys are.
import { parseEndpoint, type ClientTls } from '../../client/endpoint.ts'
import type { Kv, KvStatus } from '../../kv.ts'
import { keyGroups, type KeyGroup } from './key-groups.ts'
import { scrape, sumMetrics } from './metrics-text.ts'

const metricNames = {
  keys: 'etcd_debugging_mvcc_keys_total',
  watchers: 'etcd_debugging_mvcc_watcher_total',
  slowWatchers: 'etcd_debugging_mvcc_slow_watcher_total',
  events: 'etcd_debugging_mvcc_events_total',
  applied: 'etcd_server_proposals_applied_total',
} as const
export type MetricName = keyof typeof metricNames
const wanted: ReadonlySet<string> = new Set(Object.values(metricNames))

export interface MemberSample {
  readonly endpoint: string
  /** Undefined: it does not answer; then `problem` says why. */
  readonly status: KvStatus | undefined
  readonly name: string
  readonly isLearner: boolean
  readonly latencyMs: number
  /** Empty where metrics cannot be had. */
  readonly metrics: Readonly<Partial<Record<MetricName, number>>>
  readonly problem: string | undefined
}

export interface Sample {
  readonly atMs: number
  readonly members: readonly MemberSample[]
  /** Of a read that a quorum confirms; undefined: it failed. */
  readonly readLatencyMs: number | undefined
  readonly leases: number | undefined
  readonly keys: number | undefined
  readonly groups: readonly KeyGroup[]
}

export interface SampleOptions {
  readonly endpoints: readonly string[]
  readonly tls: ClientTls | undefined
  readonly prefix: string
}

/** Whatever does not answer is left out; rejects only if nothing can be asked at all. */
export async function takeSample(kv: Kv, options: SampleOptions): Promise<Sample> {
  const known = await unlessFailed(kv.members())
  const memberOf = (id: bigint): { name: string; isLearner: boolean } | undefined =>
    known?.find((member) => member.id === id)
  const members = await Promise.all(
    options.endpoints.map(async (endpoint): Promise<MemberSample> => {
      const start = performance.now()
      let status: KvStatus | undefined
      let problem: string | undefined
      try {
        status = await kv.status({ endpoint })
      } catch (reason) {
        problem = reason instanceof Error ? reason.message : String(reason)
      }
      const latencyMs = performance.now() - start
      const metrics = status === undefined ? {} : await metricsOf(endpoint, options.tls)
      const { name = '', isLearner = false } = memberOf(status?.memberId ?? 0n) ?? {}
      return { endpoint, status, name, isLearner, latencyMs, metrics, problem }
    }),
  )
  const start = performance.now()
  const isRead = (await unlessFailed(kv.get('health').then(() => true))) === true
  const readLatencyMs = isRead ? performance.now() - start : undefined
  const leases = (await unlessFailed(kv.leases()))?.length
  const found = await unlessFailed(keyGroups(kv, options.prefix))
  const groups = found?.groups ?? []
  return { atMs: start, members, readLatencyMs, leases, keys: found?.total, groups }
}

async function metricsOf(
  endpoint: string,
  tls: ClientTls | undefined,
): Promise<MemberSample['metrics']> {
  const text = await unlessFailed(scrape(parseEndpoint(endpoint, tls !== undefined), tls))
  if (text === undefined) return {}
  const sums = sumMetrics(text, wanted)
  const found = Object.entries(metricNames).flatMap(([name, metric]) => {
    const sum = sums.get(metric)
    return sum === undefined ? [] : [[name, sum] as const]
  })
  return Object.fromEntries(found)
}

/** A view of what is there does without what is not. */
async function unlessFailed<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (reason) {
    if (reason instanceof Error) return undefined
    throw reason
  }
}
