// Which Jobs concern which CronJob, and what its reconcile sees of them.
import { keyOf } from '../../client/object-cache.ts'
import { nothing } from '../../controllers/action.ts'
import { reconcileCronJob } from '../../controllers/cron-job.ts'
import { controllerOf } from '../../controllers/owner.ts'
import { cronJobType } from '../../resources/workloads/cron-job.ts'
import { jobType, type Job } from '../../resources/workloads/job.ts'
import { watchOf } from '../controller-loop.ts'
import { controllerKeys, ownKey, type Controller } from '../controller.ts'

export const cronJobController: Controller = {
  name: 'cronjob-controller',
  connect: ({ informers }) => {
    const all = informers.of(cronJobType)
    const jobs = informers.of(jobType)
    return {
      // A Job without a controller is nobody's: CronJobs adopt none.
      watches: [
        watchOf(all, ownKey),
        watchOf(
          jobs,
          controllerKeys<Job>('CronJob', () => []),
        ),
      ],
      reconcile: (key, nowMs) => {
        const cronJob = all.get(key)
        if (cronJob === undefined) return nothing
        const { uid, namespace } = cronJob.metadata
        return reconcileCronJob({
          cronJob,
          jobs: jobs.find('owner', uid).filter((job) => controllerOf(job)?.uid === uid),
          findJob: (name) => jobs.get(keyOf(namespace, name)),
          nowMs,
        })
      },
    }
  },
}
