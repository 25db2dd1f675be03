// The kinds of the group batch.
import type { ResourceType } from '../object.ts'
import { cronJobType } from '../workloads/cron-job.ts'
import { jobType } from '../workloads/job.ts'

export const batchTypes: readonly ResourceType[] = [cronJobType, jobType]
