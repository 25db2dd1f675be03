// TTL after finished: a Job that ended goes when the time that it is to be kept is over.
import type { Stored } from '../resources/object.ts'
import { jobCondition, jobType, type Job } from '../resources/workloads/job.ts'
import { deletionOf, type Reconciliation } from './action.ts'

export function reconcileFinishedJob(job: Stored<Job>, nowMs: number): Reconciliation {
  const { ttlSecondsAfterFinished: ttlSeconds } = job.spec
  const ended = jobCondition(job, 'Complete') ?? jobCondition(job, 'Failed')
  if (ttlSeconds === undefined || ended === undefined) return { actions: [] }
  if (job.metadata.deletionTimestamp !== undefined) return { actions: [] }
  const endedMs = Date.parse(job.status.completionTime ?? ended.lastTransitionTime ?? '') || 0
  const leftMs = endedMs + ttlSeconds * 1000 - nowMs
  if (leftMs > 0) return { actions: [], requeueAfterMs: leftMs }
  return { actions: [deletionOf(jobType, job, { propagationPolicy: 'Foreground' })] }
}
