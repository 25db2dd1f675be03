// CronJob: makes a Job at every time of its schedule. Jobs are named after their time, so that none is made twice, and what is written in the
// status follows from the Jobs there are: after a crash nothing is lost.
import { jsonEqual } from '../resources/json-equal.ts'
import type { Stored } from '../resources/object.ts'
import { timestamp } from '../resources/timestamp.ts'
import { parseCronSchedule, type CronSchedule } from '../resources/workloads/cron-schedule.ts'
import {
  cronJobType,
  type CronJob,
  type CronJobStatus,
  type JobReference,
} from '../resources/workloads/cron-job.ts'
import { isJobFinished, jobCondition, jobType, type Job } from '../resources/workloads/job.ts'
import { isTimeZone, offsetMs } from '../resources/workloads/time-zone.ts'
import { deletionOf, type Action, type Announcement, type Reconciliation } from './action.ts'
import { controllerReference, regarding } from './owner.ts'

export interface CronJobView {
  readonly cronJob: Stored<CronJob>
  /** Those that it controls. */
  readonly jobs: readonly Stored<Job>[]
  /** The one that has a name, whoever made it. */
  readonly findJob: (name: string) => Stored<Job> | undefined
  readonly nowMs: number
}

const scheduledAnnotation = 'batch.kubernetes.io/cronjob-scheduled-timestamp'
const minuteMs = 60_000
/** More than so many missed times are worth a warning. */
const missedMax = 100
/** Times looked at one by one when many were missed. */
const looksMax = 200

export function reconcileCronJob(view: CronJobView): Reconciliation {
  const { cronJob, jobs } = view
  const follow = followJobs(cronJob, jobs)
  const actions: Action[] = [...follow.actions]
  if (!jsonEqual(follow.status, cronJob.status)) {
    const object: CronJob = { ...cronJob, status: follow.status }
    actions.push({ type: 'update', ref: cronJobType, object, subresource: 'status' })
  }
  actions.push(...removeOld(cronJob, jobs))
  if (cronJob.metadata.deletionTimestamp !== undefined) return { actions }
  const { schedule, timeZone = 'UTC' } = cronJob.spec
  if (!isTimeZone(timeZone)) {
    const message = `invalid timeZone: "${timeZone}": unknown time zone ${timeZone}`
    return { actions: [...actions, warning(cronJob, 'UnknownTimeZone', message)] }
  }
  if (cronJob.spec.suspend === true) return { actions }
  const parsed = parseCronSchedule(schedule)
  if (parsed.schedule === undefined) {
    const message = `unparseable schedule: "${schedule}" : ${parsed.error}`
    return { actions: [...actions, warning(cronJob, 'UnparseableSchedule', message)] }
  }
  const started = startDue({ ...view, status: follow.status }, parsed.schedule, timeZone)
  const nextMs = parsed.schedule.next(view.nowMs, timeZone)
  return {
    actions: [...actions, ...started],
    // A little late is never too early.
    ...(nextMs === undefined ? {} : { requeueAfterMs: nextMs - view.nowMs + 100 }),
  }
}

const event = (
  cronJob: Stored<CronJob>,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
): Action => ({
  type: 'event',
  event: { regarding: regarding(cronJob), type, reason, message },
})
const warning = (cronJob: Stored<CronJob>, reason: string, message: string): Action =>
  event(cronJob, 'Warning', reason, message)

/** What the status says of Jobs that began and ended since, and what is told of them. */
function followJobs(
  cronJob: Stored<CronJob>,
  jobs: readonly Stored<Job>[],
): { status: CronJobStatus; actions: Action[] } {
  const { status } = cronJob
  const actions: Action[] = []
  const known = new Set((status.active ?? []).map(({ uid }) => uid))
  const active: JobReference[] = []
  for (const job of jobs) {
    const { name, uid } = job.metadata
    if (!isJobFinished(job)) {
      active.push(referenceTo(job))
      if (!known.has(uid) && scheduledMs(job) === undefined)
        actions.push(
          warning(
            cronJob,
            'UnexpectedJob',
            `Saw a job that the controller did not create or forgot: ${name}`,
          ),
        )
    } else if (known.has(uid)) {
      const how = jobCondition(job, 'Complete') === undefined ? 'Failed' : 'Complete'
      actions.push(
        event(
          cronJob,
          'Normal',
          'SawCompletedJob',
          `Saw completed job: ${name}, condition: ${how}`,
        ),
      )
    }
    known.delete(uid)
  }
  // One that made room for the next was not lost.
  const isReplaced = cronJob.spec.concurrencyPolicy === 'Replace' && active.length > 0
  for (const { uid, name } of status.active ?? [])
    if (known.has(uid) && !isReplaced)
      actions.push(event(cronJob, 'Normal', 'MissingJob', `Active job went missing: ${name ?? ''}`))
  const lastScheduleMs = Math.max(
    Date.parse(status.lastScheduleTime ?? '') || 0,
    ...jobs.map((job) => scheduledMs(job) ?? 0),
  )
  const lastSuccessMs = Math.max(
    Date.parse(status.lastSuccessfulTime ?? '') || 0,
    ...jobs.map(({ status: of }) => Date.parse(of.completionTime ?? '') || 0),
  )
  active.sort((left, right) => ((left.name ?? '') < (right.name ?? '') ? -1 : 1))
  return {
    actions,
    status: {
      ...(active.length === 0 ? {} : { active }),
      ...(lastScheduleMs === 0 ? {} : { lastScheduleTime: timestamp(lastScheduleMs) }),
      ...(lastSuccessMs === 0 ? {} : { lastSuccessfulTime: timestamp(lastSuccessMs) }),
    },
  }
}

/** The uid tells which; the version of it would change all the time. */
const referenceTo = ({ apiVersion, kind, metadata }: Stored<Job>): JobReference => ({
  apiVersion,
  kind,
  ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
  name: metadata.name,
  uid: metadata.uid,
})

const scheduledMs = (job: Stored<Job>): number | undefined => {
  const ms = Date.parse(job.metadata.annotations?.[scheduledAnnotation] ?? '')
  return Number.isNaN(ms) ? undefined : ms
}

export const scheduledJobName = ({ metadata }: Stored<CronJob>, atMs: number): string =>
  `${metadata.name}-${Math.floor(atMs / minuteMs)}`

type DueView = CronJobView & { readonly status: CronJobStatus }

function startDue(view: DueView, schedule: CronSchedule, timeZone: string): Action[] {
  const { cronJob, status, nowMs } = view
  const { startingDeadlineSeconds, concurrencyPolicy } = cronJob.spec
  const deadlineMs =
    startingDeadlineSeconds === undefined
      ? Number.POSITIVE_INFINITY
      : startingDeadlineSeconds * 1000
  const { dueMs, missed } = lastDue(view, schedule, timeZone, deadlineMs)
  if (dueMs === undefined) return []
  const actions: Action[] = []
  if (missed > missedMax)
    actions.push(
      warning(
        cronJob,
        'TooManyMissedTimes',
        `too many missed start times: ${missed}. Set or decrease .spec.startingDeadlineSeconds or check clock skew`,
      ),
    )
  if (dueMs + deadlineMs < nowMs)
    return [
      ...actions,
      warning(
        cronJob,
        'MissSchedule',
        `Missed scheduled time to start a job: ${new Date(dueMs).toUTCString()}`,
      ),
    ]
  const name = scheduledJobName(cronJob, dueMs)
  const isMade = view.findJob(name) !== undefined
  if (isMade || (status.active ?? []).some((each) => each.name === name)) return actions
  const active = view.jobs.filter((job) => !isJobFinished(job))
  if (concurrencyPolicy === 'Forbid' && active.length > 0)
    return [
      ...actions,
      event(
        cronJob,
        'Normal',
        'JobAlreadyActive',
        'Not starting job because prior execution is running and concurrency policy is Forbid',
      ),
    ]
  const replaced =
    concurrencyPolicy === 'Replace' ? active.map((job) => jobDeletion(cronJob, job)) : []
  return [...actions, ...replaced, jobCreation(cronJob, name, dueMs, timeZone)]
}

/** The last time up to now for which no Job was made; `missed` counts those before it, up to more than enough. */
function lastDue(
  { cronJob, status, nowMs }: DueView,
  schedule: CronSchedule,
  timeZone: string,
  deadlineMs: number,
): { dueMs?: number; missed: number } {
  const sinceMs = Math.max(
    Date.parse(status.lastScheduleTime ?? cronJob.metadata.creationTimestamp) || 0,
    nowMs - deadlineMs,
  )
  let dueMs: number | undefined
  let missed = 0
  let afterMs = sinceMs
  for (;;) {
    const nextMs = schedule.next(afterMs, timeZone)
    if (nextMs === undefined || nextMs > nowMs) break
    dueMs = nextMs
    missed++
    // Too many to look at all: halve what is left, which still ends at the last one.
    afterMs = missed < looksMax ? nextMs : Math.max(nextMs, nextMs + (nowMs - nextMs) / 2)
  }
  return dueMs === undefined ? { missed: 0 } : { dueMs, missed: missed - 1 }
}

function jobCreation(
  cronJob: Stored<CronJob>,
  name: string,
  dueMs: number,
  timeZone: string,
): Action {
  const { metadata, spec } = cronJob.spec.jobTemplate
  const { namespace } = cronJob.metadata
  const object: Job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(metadata?.labels === undefined ? {} : { labels: metadata.labels }),
      annotations: { ...metadata?.annotations, [scheduledAnnotation]: zonedTime(dueMs, timeZone) },
      ownerReferences: [controllerReference(cronJob)],
    },
    spec,
    status: {},
  }
  return { type: 'create', ref: jobType, object, ...told(cronJob, 'Create', 'Created', 'creating') }
}

const jobDeletion = (cronJob: Stored<CronJob>, job: Stored<Job>): Action =>
  deletionOf(jobType, job, {
    propagationPolicy: 'Background',
    ...told(cronJob, 'Delete', 'Deleted', 'deleting'),
  })

const told = (
  cronJob: Stored<CronJob>,
  verb: string,
  done: string,
  doing: string,
): { done: Announcement; failed: Announcement } => ({
  done: {
    regarding: regarding(cronJob),
    type: 'Normal',
    reason: `Successful${verb}`,
    message: `${done} job NAME`,
  },
  failed: {
    regarding: regarding(cronJob),
    type: 'Warning',
    reason: `Failed${verb}`,
    message: `Error ${doing} job: ERROR`,
  },
})

/** RFC 3339 by the clocks of the zone. */
function zonedTime(atMs: number, timeZone: string): string {
  const aheadMs = offsetMs(atMs, timeZone)
  const wall = timestamp(atMs + aheadMs)
  if (aheadMs === 0) return wall
  const minutes = Math.abs(aheadMs) / minuteMs
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0')
  return `${wall.slice(0, -1)}${aheadMs < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`
}

/** Ended Jobs beyond the limits, oldest first. */
function removeOld(cronJob: Stored<CronJob>, jobs: readonly Stored<Job>[]): Action[] {
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cronJob.spec
  const beyond = (type: string, limit: number | undefined): Stored<Job>[] => {
    if (limit === undefined) return []
    const ended = jobs
      .filter((job) => jobCondition(job, type) !== undefined)
      .filter((job) => job.metadata.deletionTimestamp === undefined)
      .toSorted((left, right) => startMs(left) - startMs(right))
    return ended.slice(0, Math.max(0, ended.length - limit))
  }
  const old = [
    ...beyond('Complete', successfulJobsHistoryLimit),
    ...beyond('Failed', failedJobsHistoryLimit),
  ]
  return old.map((job) => jobDeletion(cronJob, job))
}

const startMs = ({ status, metadata }: Stored<Job>): number =>
  Date.parse(status.startTime ?? metadata.creationTimestamp) || 0
