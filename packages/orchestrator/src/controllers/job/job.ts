// Job: runs pods until enough of them succeeded, or too much failed. The status is written first, then finalizers are taken from the pods
// that it counts, then pods are made or deleted: a crash between any two of them loses no count and counts nothing twice.
import { jsonEqual } from '../../resources/json-equal.ts'
import type { Condition, Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import { timestamp } from '../../resources/timestamp.ts'
import {
  isJobFinished,
  jobCondition,
  jobType,
  type Job,
  type JobStatus,
} from '../../resources/workloads/job.ts'
import type { Action, Reconciliation } from '../action.ts'
import { regarding } from '../owner.ts'
import { isReady } from '../pod-state.ts'
import { countPods, type JobCounts } from './job-counts.ts'
import { deleteAll, planPods } from './job-plan.ts'
import { isOver, isTerminating, isTracked, untrack } from './job-pods.ts'
import { deadlineMs, judgeJob, type Verdict } from './job-verdict.ts'

export interface JobView {
  readonly job: Stored<Job>
  /** Those that it controls. */
  readonly pods: readonly Stored<Pod>[]
  readonly nowMs: number
}

const ownController = 'kubernetes.io/job-controller'

export function reconcileJob({ job, pods, nowMs }: JobView): Reconciliation {
  if ((job.spec.managedBy ?? ownController) !== ownController) return { actions: [] }
  const isGoing = job.metadata.deletionTimestamp !== undefined
  if (isGoing || isJobFinished(job)) return { actions: letGo(pods.filter(isTracked)) }
  const counts = countPods(job, pods)
  const active = pods.filter((pod) => !isOver(pod) && !isTerminating(pod))
  const verdict = judgeJob(job, counts, active, nowMs)
  const state: JobState = { job, pods, active, counts, verdict, nowMs }
  const status = statusOf(state)
  const actions: Action[] = []
  if (!jsonEqual(status, job.status)) {
    const object: Job = { ...job, status }
    actions.push({ type: 'update', ref: jobType, object, subresource: 'status' })
    actions.push(...newsOf(job, status))
  }
  actions.push(...letGo(counts.countedPods))
  if (verdict !== undefined || job.spec.suspend === true)
    return { actions: [...actions, ...deleteAll(job, active)] }
  const plan = planPods(job, pods, counts, nowMs)
  actions.push(...plan.actions)
  const deadline = deadlineMs({ ...job, status })
  const waits = [plan.waitMs, deadline === undefined ? undefined : Math.max(0, deadline - nowMs)]
  const known = waits.filter((wait) => wait !== undefined)
  return known.length === 0 ? { actions } : { actions, requeueAfterMs: Math.min(...known) }
}

/** Pods whose Job is gone keep nobody's count. */
export const reconcileTrackedOrphans = (pods: readonly Stored<Pod>[]): Reconciliation => ({
  actions: letGo(pods),
})

const letGo = (pods: readonly Stored<Pod>[]): Action[] =>
  pods.length === 0 ? [] : [{ type: 'slowStart', actions: pods.map(untrack) }]

interface JobState {
  readonly job: Stored<Job>
  readonly pods: readonly Stored<Pod>[]
  readonly active: readonly Stored<Pod>[]
  readonly counts: JobCounts
  readonly verdict: Verdict | undefined
  readonly nowMs: number
}

function statusOf(state: JobState): JobStatus {
  const { job, pods, active, counts, verdict, nowMs } = state
  const { spec } = job
  const now = timestamp(nowMs)
  const terminating = pods.filter((pod) => isTerminating(pod) && !isOver(pod)).length
  const isResumed = spec.suspend !== true && jobCondition(job, 'Suspended') !== undefined
  const startTime = isResumed
    ? now
    : (job.status.startTime ?? (spec.suspend === true ? undefined : now))
  // The end is told when nothing runs any more and everything is counted.
  const isEnded =
    verdict !== undefined && active.length === 0 && terminating === 0 && !counts.hasUncounted
  const conditions = conditionsOf(state, isEnded, now)
  return {
    ...(conditions.length === 0 ? {} : { conditions }),
    ...(startTime === undefined ? {} : { startTime }),
    ...(isEnded && verdict.isSuccess ? { completionTime: now } : {}),
    ...(active.length === 0 ? {} : { active: active.length }),
    terminating,
    ready: active.filter(isReady).length,
    ...counts.written,
  }
}

function conditionsOf(
  { job, verdict }: JobState,
  isEnded: boolean,
  now: string,
): readonly Condition[] {
  const made = (
    type: string,
    status: Condition['status'],
    reason: string,
    message: string,
  ): Condition => ({
    type,
    status,
    lastProbeTime: now,
    lastTransitionTime: now,
    reason,
    message,
  })
  const conditions = [...(job.status.conditions ?? [])]
  const suspended = conditions.findIndex(({ type }) => type === 'Suspended')
  if (verdict === undefined && job.spec.suspend === true) {
    const condition = made('Suspended', 'True', 'JobSuspended', 'Job suspended')
    if (suspended < 0) conditions.push(condition)
    else if (conditions[suspended]?.status !== 'True') conditions[suspended] = condition
  } else if (conditions[suspended]?.status === 'True')
    conditions[suspended] = made('Suspended', 'False', 'JobResumed', 'Job resumed')
  if (verdict === undefined) return conditions
  const { isSuccess, reason, message } = verdict
  const target = isSuccess ? 'SuccessCriteriaMet' : 'FailureTarget'
  if (jobCondition(job, target) === undefined)
    conditions.push(made(target, 'True', reason, message))
  if (isEnded) conditions.push(made(isSuccess ? 'Complete' : 'Failed', 'True', reason, message))
  return conditions
}

/** Events for conditions that are new in `status`. */
function newsOf(job: Stored<Job>, status: JobStatus): Action[] {
  const after: Job = { ...job, status }
  const isNew = (type: string): Condition | undefined =>
    jobCondition(job, type) === undefined ? jobCondition(after, type) : undefined
  const told: Action[] = []
  const tell = (type: 'Normal' | 'Warning', reason: string, message: string): void => {
    told.push({ type: 'event', event: { regarding: regarding(job), type, reason, message } })
  }
  const failed = isNew('Failed')
  if (isNew('Complete') !== undefined) tell('Normal', 'Completed', 'Job completed')
  if (failed !== undefined) tell('Warning', failed.reason ?? '', failed.message ?? '')
  if (isNew('Suspended') !== undefined) tell('Normal', 'Suspended', 'Job suspended')
  const wasSuspended = jobCondition(job, 'Suspended') !== undefined
  if (wasSuspended && jobCondition(after, 'Suspended') === undefined)
    tell('Normal', 'Resumed', 'Job resumed')
  return told
}
