// How many pods bring a metric to its target (upstream's replica calculator). Pods that are not measured are taken to use what makes the
// change smaller: nothing when it would grow, all of the target when it would shrink.
import { groupPods, type Sample } from './metrics.ts'
import type { Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'

export interface PodMetric {
  readonly pods: readonly Stored<Pod>[]
  readonly samples: ReadonlyMap<string, Sample>
  readonly isCpu: boolean
  readonly currentReplicas: number
  /** For one pod. */
  readonly targetMilli: number
  /** Of a utilisation: what each pod requests, by name; targets and averages are then shares of it in percent. */
  readonly requestsMilli?: ReadonlyMap<string, number>
  readonly tolerance: number
  readonly nowMs: number
}
export interface Proposal {
  readonly replicas: number
  readonly averageMilli: number
  readonly utilization?: number
}

/** Undefined: no pod that counts is measured. */
export function proposeByPods(metric: PodMetric): Proposal | undefined {
  const { pods, currentReplicas, tolerance, nowMs, requestsMilli, targetMilli } = metric
  const { readyCount, ignored, unready, missing } = groupPods(
    pods,
    metric.samples,
    metric.isCpu,
    nowMs,
  )
  const values = new Map<string, number>()
  for (const [name, { milli }] of metric.samples)
    if (!ignored.has(name) && !unready.has(name)) values.set(name, milli)
  if (values.size === 0) return undefined
  const ratioOf = (): number => {
    const used = sum(values.values())
    if (requestsMilli === undefined) return used / values.size / targetMilli
    const requested = sum([...values.keys()].map((name) => requestsMilli.get(name) ?? 0))
    return (used * 100) / requested / targetMilli
  }
  const ratio = ratioOf()
  const averageMilli = Math.floor(sum(values.values()) / values.size)
  const measured = {
    averageMilli,
    ...(requestsMilli === undefined ? {} : { utilization: Math.floor(ratio * targetMilli) }),
  }
  const isWithin = (value: number): boolean => Math.abs(value - 1) <= tolerance
  const unreadyCounts = unready.size > 0 && ratio > 1
  if (!unreadyCounts && missing.size === 0)
    return {
      replicas: isWithin(ratio) ? currentReplicas : Math.ceil(round(ratio * readyCount)),
      ...measured,
    }
  const full = (name: string): number =>
    requestsMilli === undefined
      ? targetMilli
      : ((requestsMilli.get(name) ?? 0) * Math.max(100, targetMilli)) / 100
  for (const name of missing) values.set(name, ratio > 1 ? 0 : full(name))
  if (unreadyCounts) for (const name of unready) values.set(name, 0)
  const newRatio = ratioOf()
  const replicas = Math.ceil(round(newRatio * values.size))
  const turnsAround = (ratio < 1 && newRatio > 1) || (ratio > 1 && newRatio < 1)
  const goesWrong =
    (newRatio < 1 && replicas > currentReplicas) || (newRatio > 1 && replicas < currentReplicas)
  const stays = isWithin(newRatio) || turnsAround || goesWrong
  return { replicas: stays ? currentReplicas : replicas, ...measured }
}

/** A value of the whole workload; `target` is for all (`isAverage` false) or for one pod. */
export function proposeByTotal(view: {
  readonly milli: number
  readonly targetMilli: number
  readonly isAverage: boolean
  readonly currentReplicas: number
  readonly readyCount: number
  readonly tolerance: number
}): Proposal {
  const { milli, targetMilli, isAverage, currentReplicas, readyCount, tolerance } = view
  const ratio = milli / (targetMilli * (isAverage ? Math.max(1, currentReplicas) : 1))
  const averageMilli = Math.ceil(milli / Math.max(1, currentReplicas))
  const isWithin = currentReplicas > 0 && Math.abs(ratio - 1) <= tolerance
  if (isWithin) return { replicas: currentReplicas, averageMilli }
  const replicas = isAverage
    ? Math.ceil(round(milli / targetMilli))
    : Math.ceil(round(currentReplicas === 0 ? ratio : ratio * readyCount))
  return { replicas, averageMilli }
}

const sum = (values: Iterable<number>): number => {
  let total = 0
  for (const value of values) total += value
  return total
}

/** Without the last digits, which are noise: 3.0000000000000004 pods are three. */
const round = (value: number): number => Number(value.toPrecision(12))
