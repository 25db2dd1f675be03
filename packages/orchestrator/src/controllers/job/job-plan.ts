// Which pods of a Job are made and which are deleted now, and how long to wait after failures.
import type { Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import type { Job } from '../../resources/workloads/job.ts'
import type { Action } from '../action.ts'
import { podDeletion } from '../pod-actions.ts'
import { deletionOrder } from '../pod-state.ts'
import { judgeFailure } from './failure-policy.ts'
import type { JobCounts } from './job-counts.ts'
import {
  failuresBefore,
  finishedAtMs,
  indexOf,
  isFailed,
  isIndexed,
  isOver,
  isSucceeded,
  isTerminating,
  jobPodCreation,
  replacesFailedOnly,
} from './job-pods.ts'

export interface JobPlan {
  readonly actions: readonly Action[]
  /** Until the next pod may be made. */
  readonly waitMs?: number
}

/** Pods made or deleted in one reconcile. */
const burstMax = 500
const firstDelayMs = 10_000
const delayMaxMs = 600_000

export const deleteAll = (job: Stored<Job>, pods: readonly Stored<Pod>[]): Action[] =>
  pods.length === 0
    ? []
    : [
        {
          type: 'slowStart',
          actions: pods.slice(0, burstMax).map((pod) => podDeletion(job, pod)),
        },
      ]

export function planPods(
  job: Stored<Job>,
  pods: readonly Stored<Pod>[],
  counts: JobCounts,
  nowMs: number,
): JobPlan {
  const active = pods.filter((pod) => !isOver(pod) && !isTerminating(pod))
  const { doomed, kept } = isIndexed(job)
    ? splitIndexed(job, active, counts)
    : { doomed: [], kept: active }
  const wanted = wantedActive(job, counts, kept.length)
  const surplus = deletionOrder(kept).slice(0, Math.max(0, kept.length - wanted))
  const deletions = deleteAll(job, [...doomed, ...surplus])
  if (deletions.length > 0) return { actions: deletions }
  const ending = replacesFailedOnly(job)
    ? pods.filter((pod) => isTerminating(pod) && !isOver(pod)).length
    : 0
  const missing = Math.min(wanted - kept.length - ending, burstMax)
  if (missing <= 0) return { actions: [] }
  const plan = isIndexed(job)
    ? planIndexed(job, pods, kept, counts, missing, nowMs)
    : planPlain(job, pods, missing, nowMs)
  return plan
}

function wantedActive({ spec }: Stored<Job>, counts: JobCounts, active: number): number {
  const { parallelism = 1, completions } = spec
  if (completions === undefined)
    return counts.succeeded > 0 ? Math.min(active, parallelism) : parallelism
  const left = completions - counts.succeeded - counts.failedIndexes.size
  return Math.max(0, Math.min(parallelism, left))
}

/** Pods of no index, of one that is over, or of one that another pod has already. */
function splitIndexed(
  { spec }: Stored<Job>,
  active: readonly Stored<Pod>[],
  { completed, failedIndexes }: JobCounts,
): { doomed: Stored<Pod>[]; kept: Stored<Pod>[] } {
  const doomed: Stored<Pod>[] = []
  const kept = new Map<number, Stored<Pod>>()
  const byAge = active.toSorted((left, right) =>
    left.metadata.creationTimestamp < right.metadata.creationTimestamp ? -1 : 1,
  )
  for (const pod of byAge) {
    const index = indexOf(pod)
    const isWanted =
      index !== undefined &&
      index < (spec.completions ?? 0) &&
      !completed.has(index) &&
      !failedIndexes.has(index) &&
      !kept.has(index)
    if (isWanted) kept.set(index, pod)
    else doomed.push(pod)
  }
  return { doomed, kept: [...kept.values()] }
}

function planPlain(
  job: Stored<Job>,
  pods: readonly Stored<Pod>[],
  missing: number,
  nowMs: number,
): JobPlan {
  const waitMs = jobDelayMs(pods, nowMs)
  if (waitMs > 0) return { actions: [], waitMs }
  const creation = jobPodCreation(job)
  const actions = Array.from({ length: missing }, () => creation)
  return { actions: [{ type: 'slowStart', actions }] }
}

/** After failures in a row, since the last success: 10 s, 20 s, 40 s... from the last one on. */
function jobDelayMs(pods: readonly Stored<Pod>[], nowMs: number): number {
  const lastSuccessMs = Math.max(0, ...pods.filter(isSucceeded).map(finishedAtMs))
  const failures = pods
    .filter(isFailed)
    .map(finishedAtMs)
    .filter((ms) => ms > lastSuccessMs)
  return delayAfter(failures.length, Math.max(0, ...failures), nowMs)
}

const delayAfter = (failures: number, lastMs: number, nowMs: number): number =>
  failures === 0
    ? 0
    : Math.max(0, lastMs + Math.min(delayMaxMs, firstDelayMs * 2 ** (failures - 1)) - nowMs)

function planIndexed(
  job: Stored<Job>,
  pods: readonly Stored<Pod>[],
  kept: readonly Stored<Pod>[],
  counts: JobCounts,
  missing: number,
  nowMs: number,
): JobPlan {
  const { completions = 0, backoffLimitPerIndex } = job.spec
  const isByIndex = backoffLimitPerIndex !== undefined
  const commonWaitMs = isByIndex ? 0 : jobDelayMs(pods, nowMs)
  if (commonWaitMs > 0) return { actions: [], waitMs: commonWaitMs }
  const taken = new Set(kept.map(indexOf))
  if (replacesFailedOnly(job))
    for (const pod of pods) if (isTerminating(pod) && !isOver(pod)) taken.add(indexOf(pod))
  const failures = isByIndex ? lastFailures(pods) : new Map<number, Stored<Pod>>()
  const actions: Action[] = []
  const waits: number[] = []
  for (let index = 0; index < completions && actions.length < missing; index++) {
    if (taken.has(index) || counts.completed.has(index) || counts.failedIndexes.has(index)) continue
    const last = failures.get(index)
    const isIgnored = last !== undefined && judgeFailure(job, last).action === 'Ignore'
    const before = last === undefined ? 0 : failuresBefore(last) + (isIgnored ? 0 : 1)
    const waitMs = last === undefined ? 0 : delayAfter(before, finishedAtMs(last), nowMs)
    if (waitMs > 0) waits.push(waitMs)
    else actions.push(jobPodCreation(job, { index, failures: before, ignored: isIgnored ? 1 : 0 }))
  }
  return {
    actions: actions.length === 0 ? [] : [{ type: 'slowStart', actions }],
    ...(waits.length === 0 ? {} : { waitMs: Math.min(...waits) }),
  }
}

/** By index: the failed pod that had failed most often before. */
function lastFailures(pods: readonly Stored<Pod>[]): Map<number, Stored<Pod>> {
  const last = new Map<number, Stored<Pod>>()
  for (const pod of pods) {
    const index = indexOf(pod)
    if (index === undefined || !isFailed(pod)) continue
    const known = last.get(index)
    if (known === undefined || failuresBefore(known) <= failuresBefore(pod)) last.set(index, pod)
  }
  return last
}
