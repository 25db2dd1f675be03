// Which pods concern which Job, and what its reconcile sees of them.
import { keyOf, objectKey } from '../../client/object-cache.ts'
import { nothing } from '../../controllers/action.ts'
import { claimPods, isTracked } from '../../controllers/job/job-pods.ts'
import { reconcileJob, reconcileTrackedOrphans } from '../../controllers/job/job.ts'
import { controllerOf } from '../../controllers/owner.ts'
import { reconcileFinishedJob } from '../../controllers/ttl-after-finished.ts'
import type { Stored } from '../../resources/object.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import { jobType } from '../../resources/workloads/job.ts'
import { watchOf } from '../controller-loop.ts'
import { candidatesOf, controllerKey, ownKey, type Controller } from '../controller.ts'

const jobNameLabel = 'batch.kubernetes.io/job-name'

/** The Job that a pod belongs to, or belonged to while it is still held for it. */
const jobKeyOf = (pod: Stored<Pod>): string | undefined => {
  const key = controllerKey(pod, 'Job')
  if (key !== undefined || controllerOf(pod) !== undefined || !isTracked(pod)) return key
  const name = pod.metadata.labels?.[jobNameLabel]
  return name === undefined ? undefined : keyOf(pod.metadata.namespace, name)
}

export const jobController: Controller = {
  name: 'job-controller',
  connect: ({ informers }) => {
    const pods = informers.of(podType)
    const jobs = informers.of(jobType)
    pods.addIndex('tracked', (pod) => {
      const key = isTracked(pod) ? jobKeyOf(pod) : undefined
      return key === undefined ? [] : [key]
    })
    return {
      watches: [
        watchOf(jobs, ownKey),
        watchOf(pods, (pod) => {
          const key = jobKeyOf(pod)
          return key === undefined ? [] : [key]
        }),
      ],
      reconcile: (key, nowMs) => {
        const job = jobs.get(key)
        const uid = job?.metadata.uid
        const candidates =
          job === undefined
            ? []
            : candidatesOf(pods, job.metadata.namespace ?? '', job.metadata.uid)
        const claims = job === undefined ? [] : claimPods(job, candidates)
        if (claims.length > 0) return { actions: claims }
        const orphans = pods.find('tracked', key).filter((pod) => controllerOf(pod)?.uid !== uid)
        if (orphans.length > 0) return reconcileTrackedOrphans(orphans)
        if (job === undefined) return nothing
        const own = pods
          .find('owner', job.metadata.uid)
          .filter((pod) => controllerOf(pod)?.uid === uid)
        return reconcileJob({ job, pods: own, nowMs })
      },
    }
  },
}

export const ttlAfterFinishedController: Controller = {
  name: 'ttl-after-finished-controller',
  connect: ({ informers }) => {
    const jobs = informers.of(jobType)
    return {
      watches: [
        watchOf(jobs, (job) =>
          job.spec.ttlSecondsAfterFinished === undefined ? [] : [objectKey(job)],
        ),
      ],
      reconcile: (key, nowMs) => {
        const job = jobs.get(key)
        return job === undefined ? nothing : reconcileFinishedJob(job, nowMs)
      },
    }
  },
}
