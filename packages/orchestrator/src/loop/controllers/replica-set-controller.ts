// Which pods concern which ReplicaSet, and what its reconcile sees of them.
import { nothing } from '../../controllers/action.ts'
import { reconcileReplicaSet } from '../../controllers/replica-set.ts'
import { matchesSelector } from '../../resources/label-selector.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import { replicaSetType } from '../../resources/replica-set.ts'
import { watchOf } from '../controller-loop.ts'
import { candidatesOf, controllerKeys, ownKey, type Controller } from '../controller.ts'

export const replicaSetController: Controller = {
  name: 'replicaset-controller',
  connect: ({ informers }) => {
    const pods = informers.of(podType)
    const sets = informers.of(replicaSetType)
    const setsOf = controllerKeys<Pod>('ReplicaSet', (pod) =>
      sets
        .find('namespace', pod.metadata.namespace ?? '')
        .filter((set) => matchesSelector(set.spec.selector, pod.metadata.labels)),
    )
    return {
      watches: [watchOf(sets, ownKey), watchOf(pods, setsOf)],
      reconcile: (key, nowMs, failure) => {
        const replicaSet = sets.get(key)
        if (replicaSet === undefined) return nothing
        const { namespace = '', uid } = replicaSet.metadata
        const candidates = candidatesOf(pods, namespace, uid)
        return reconcileReplicaSet({ replicaSet, pods: candidates, failure, nowMs })
      },
    }
  },
}
