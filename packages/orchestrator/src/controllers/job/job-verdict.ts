// Whether a Job is decided, and how: the condition that says so before its pods are gone.
import type { Condition, Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import { parseIndexes } from '../../resources/workloads/indexes.ts'
import { jobCondition, type Job } from '../../resources/workloads/job.ts'
import type { JobCounts } from './job-counts.ts'
import { isIndexed } from './job-pods.ts'

export interface Verdict {
  readonly isSuccess: boolean
  readonly reason: string
  readonly message: string
}

export const deadlineMs = ({ spec, status }: Job): number | undefined =>
  spec.activeDeadlineSeconds === undefined || status.startTime === undefined
    ? undefined
    : Date.parse(status.startTime) + spec.activeDeadlineSeconds * 1000

/** Undefined: it goes on. What was decided once stays. */
export function judgeJob(
  job: Stored<Job>,
  counts: JobCounts,
  active: readonly Stored<Pod>[],
  nowMs: number,
): Verdict | undefined {
  const decided = earlier(job)
  if (decided !== undefined) return decided
  if (counts.jobFailure !== undefined) return failure('PodFailurePolicy', counts.jobFailure)
  if (counts.failed > (job.spec.backoffLimit ?? 6) || isPastRestarts(job, active))
    return failure('BackoffLimitExceeded', 'Job has reached the specified backoff limit')
  const deadline = deadlineMs(job)
  if (job.spec.suspend !== true && deadline !== undefined && nowMs >= deadline)
    return failure('DeadlineExceeded', 'Job was active longer than specified deadline')
  return judgeIndexes(job, counts) ?? success(job, counts, active)
}

const failure = (reason: string, message: string): Verdict => ({
  isSuccess: false,
  reason,
  message,
})

function earlier(job: Stored<Job>): Verdict | undefined {
  const of = (condition: Condition | undefined, isSuccess: boolean): Verdict | undefined =>
    condition === undefined
      ? undefined
      : { isSuccess, reason: condition.reason ?? '', message: condition.message ?? '' }
  return (
    of(jobCondition(job, 'FailureTarget'), false) ??
    of(jobCondition(job, 'SuccessCriteriaMet'), true)
  )
}

/** Containers that start again within their pods count as failures, too. */
function isPastRestarts({ spec }: Stored<Job>, active: readonly Stored<Pod>[]): boolean {
  if (spec.template.spec.restartPolicy !== 'OnFailure') return false
  const restarts = active
    .flatMap(({ status }) => [
      ...(status.containerStatuses ?? []),
      ...(status.initContainerStatuses ?? []),
    ])
    .reduce((sum, { restartCount }) => sum + restartCount, 0)
  const limit = spec.backoffLimit ?? 6
  return limit === 0 ? restarts > 0 : restarts >= limit
}

function judgeIndexes({ spec }: Stored<Job>, counts: JobCounts): Verdict | undefined {
  const { backoffLimitPerIndex, maxFailedIndexes, completions = 0 } = spec
  if (backoffLimitPerIndex === undefined) return undefined
  const { size } = counts.failedIndexes
  if (maxFailedIndexes !== undefined && size > maxFailedIndexes)
    return failure(
      'MaxFailedIndexesExceeded',
      'Job has exceeded the specified maximal number of failed indexes',
    )
  return size > 0 && size + counts.completed.size >= completions
    ? failure('FailedIndexes', 'Job has failed indexes')
    : undefined
}

function success(
  job: Stored<Job>,
  { succeeded, completed }: JobCounts,
  active: readonly Stored<Pod>[],
): Verdict | undefined {
  const { completions, successPolicy } = job.spec
  const reached: Verdict = {
    isSuccess: true,
    reason: 'CompletionsReached',
    message: 'Reached expected number of succeeded pods',
  }
  // Without a number of completions one success means that the work is done, and the other pods end by themselves.
  if (completions === undefined) return succeeded > 0 && active.length === 0 ? reached : undefined
  if (succeeded >= completions) return reached
  if (!isIndexed(job) || successPolicy === undefined) return undefined
  const matched = successPolicy.rules.findIndex(({ succeededIndexes, succeededCount }) => {
    const wanted =
      succeededIndexes === undefined ? undefined : parseIndexes(succeededIndexes, completions)
    const done =
      wanted === undefined
        ? completed.size
        : [...wanted].filter((index) => completed.has(index)).length
    return done >= (succeededCount ?? wanted?.size ?? completions)
  })
  return matched < 0
    ? undefined
    : { isSuccess: true, reason: 'SuccessPolicy', message: `Matched rules at index ${matched}` }
}
