// Counts the pods of a Job exactly once, whatever happens in between: a finished pod is first written down as uncounted, by uid, then its
// finalizer is taken, then it moves from the uncounted into the counts. Of Indexed Jobs the completed indexes are the count.
import type { Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import { formatIndexes, parseIndexes } from '../../resources/workloads/indexes.ts'
import type { Job, JobStatus } from '../../resources/workloads/job.ts'
import { judgeFailure } from './failure-policy.ts'
import {
  failuresBefore,
  indexOf,
  isFailed,
  isIndexed,
  isOver,
  isSucceeded,
  isTerminating,
  isTracked,
  replacesFailedOnly,
} from './job-pods.ts'

export interface JobCounts {
  /** With those that are written down but not counted yet. */
  readonly succeeded: number
  readonly failed: number
  readonly completed: ReadonlySet<number>
  readonly failedIndexes: ReadonlySet<number>
  /** For the status. */
  readonly written: Pick<
    JobStatus,
    'succeeded' | 'failed' | 'completedIndexes' | 'failedIndexes' | 'uncountedTerminatedPods'
  >
  /** May go once the status is written. */
  readonly countedPods: readonly Stored<Pod>[]
  /** The first pod whose failure is that of the whole Job, and why. */
  readonly jobFailure: string | undefined
  readonly hasUncounted: boolean
}

/** Pods written down in one status. */
const uncountedMax = 500

export function countPods(job: Stored<Job>, pods: readonly Stored<Pod>[]): JobCounts {
  const { status, spec } = job
  const completions = spec.completions ?? 0
  const tracked = new Map(pods.filter(isTracked).map((pod) => [pod.metadata.uid, pod]))
  const succeededUids = new Set(status.uncountedTerminatedPods?.succeeded)
  const failedUids = new Set(status.uncountedTerminatedPods?.failed)
  const settle = (uids: Set<string>): number => {
    let settled = 0
    for (const uid of uids)
      if (!tracked.has(uid)) {
        uids.delete(uid)
        settled++
      }
    return settled
  }
  const settledSucceeded = settle(succeededUids)
  const settledFailed = settle(failedUids)
  const completed = new Set(parseIndexes(status.completedIndexes ?? '', completions))
  const failedIndexes = new Set(parseIndexes(status.failedIndexes ?? '', completions))
  const countedPods: Stored<Pod>[] = []
  let jobFailure: string | undefined
  for (const pod of tracked.values()) {
    const { uid } = pod.metadata
    const isKnown = succeededUids.has(uid) || failedUids.has(uid)
    if (!isKnown && succeededUids.size + failedUids.size >= uncountedMax) continue
    if (isKnown) countedPods.push(pod)
    else if (isSucceeded(pod)) {
      if (!isIndexed(job)) succeededUids.add(uid)
      else if ((indexOf(pod) ?? completions) < completions) completed.add(indexOf(pod) ?? 0)
      countedPods.push(pod)
    } else if (isEnding(job, pod)) {
      const verdict = isFailed(pod) ? judgeFailure(job, pod) : { action: 'Count', message: '' }
      if (verdict.action === 'FailJob') jobFailure ??= verdict.message
      if (verdict.action !== 'Ignore') failedUids.add(uid)
      if (isIndexFailed(job, pod, verdict.action)) failedIndexes.add(indexOf(pod) ?? 0)
      countedPods.push(pod)
    }
  }
  for (const index of completed) failedIndexes.delete(index)
  const isByIndex = isIndexed(job)
  const succeeded = isByIndex
    ? completed.size
    : (status.succeeded ?? 0) + settledSucceeded + succeededUids.size
  const countedFailed = (status.failed ?? 0) + settledFailed
  const countedSucceeded = isByIndex ? completed.size : (status.succeeded ?? 0) + settledSucceeded
  return {
    succeeded,
    failed: countedFailed + failedUids.size,
    completed,
    failedIndexes,
    countedPods: withoutLastFailures(job, countedPods, pods, completed, failedIndexes),
    jobFailure,
    hasUncounted: succeededUids.size + failedUids.size > 0,
    written: {
      ...(countedSucceeded === 0 ? {} : { succeeded: countedSucceeded }),
      ...(countedFailed === 0 ? {} : { failed: countedFailed }),
      ...(isByIndex && completed.size > 0 ? { completedIndexes: formatIndexes(completed) } : {}),
      ...(spec.backoffLimitPerIndex === undefined
        ? {}
        : { failedIndexes: formatIndexes(failedIndexes) }),
      uncountedTerminatedPods: {
        ...(succeededUids.size === 0 ? {} : { succeeded: [...succeededUids] }),
        ...(failedUids.size === 0 ? {} : { failed: [...failedUids] }),
      },
    },
  }
}

/** Failed; or on its way out, where that is enough for a replacement. */
const isEnding = (job: Stored<Job>, pod: Stored<Pod>): boolean =>
  isFailed(pod) || (isTerminating(pod) && !replacesFailedOnly(job) && !isSucceeded(pod))

const isIndexFailed = ({ spec }: Stored<Job>, pod: Stored<Pod>, action: string): boolean => {
  const limit = spec.backoffLimitPerIndex
  const index = indexOf(pod)
  if (limit === undefined || index === undefined || index >= (spec.completions ?? 0)) return false
  return action === 'FailIndex' || (action === 'Count' && failuresBefore(pod) >= limit)
}

/** With a limit for each index the last pod that failed is remembered until its index runs again or is over: it holds the number. */
function withoutLastFailures(
  { spec }: Stored<Job>,
  counted: readonly Stored<Pod>[],
  pods: readonly Stored<Pod>[],
  completed: ReadonlySet<number>,
  failedIndexes: ReadonlySet<number>,
): readonly Stored<Pod>[] {
  if (spec.backoffLimitPerIndex === undefined) return counted
  const followed = new Set(
    pods.filter((pod) => !isOver(pod) && !isTerminating(pod)).map((pod) => indexOf(pod)),
  )
  return counted.filter((pod) => {
    const index = indexOf(pod)
    if (!isFailed(pod) || index === undefined) return true
    return completed.has(index) || failedIndexes.has(index) || followed.has(index)
  })
}
