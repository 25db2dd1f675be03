// Pod garbage: all pods that ended are looked at together.
import {
  endedPodsMax,
  isEnded,
  isStuck,
  reconcilePodGarbage,
} from '../../controllers/pod-garbage.ts'
import type { Stored } from '../../resources/object.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import { watchOf } from '../controller-loop.ts'
import type { Controller } from '../controller.ts'

const all = 'all'

/** `endedMax`: pods that ended are removed beyond that many. */
export const podGarbageCollectorOf = (endedMax: number): Controller => ({
  name: 'pod-garbage-collector',
  connect: ({ informers }) => {
    const pods = informers.of(podType)
    pods.addIndex('ended', (pod) => (isEnded(pod) ? [all] : []))
    pods.addIndex('stuck', (pod) => (isStuck(pod) ? [all] : []))
    const keysOf = (pod: Stored<Pod>): string[] => (isEnded(pod) || isStuck(pod) ? [all] : [])
    return {
      watches: [watchOf(pods, keysOf)],
      reconcile: () =>
        reconcilePodGarbage({
          ended: pods.find('ended', all),
          stuck: pods.find('stuck', all),
          endedMax,
        }),
    }
  },
})

export const podGarbageCollector: Controller = podGarbageCollectorOf(endedPodsMax)
