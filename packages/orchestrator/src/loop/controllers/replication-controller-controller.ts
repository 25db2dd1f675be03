// Which pods concern which ReplicationController, and what its reconcile sees of them.
import { nothing } from '../../controllers/action.ts'
import { reconcileReplicationController } from '../../controllers/replication-controller.ts'
import { matchesSelector } from '../../resources/label-selector.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import { replicationControllerType } from '../../resources/workloads/replication-controller.ts'
import { watchOf } from '../controller-loop.ts'
import { candidatesOf, controllerKeys, ownKey, type Controller } from '../controller.ts'

export const replicationControllerController: Controller = {
  name: 'replication-controller',
  connect: ({ informers }) => {
    const pods = informers.of(podType)
    const all = informers.of(replicationControllerType)
    const keysOf = controllerKeys<Pod>('ReplicationController', (pod) =>
      all
        .find('namespace', pod.metadata.namespace ?? '')
        .filter(({ spec }) =>
          matchesSelector({ matchLabels: spec.selector ?? {} }, pod.metadata.labels),
        ),
    )
    return {
      watches: [watchOf(all, ownKey), watchOf(pods, keysOf)],
      reconcile: (key, nowMs, failure) => {
        const controller = all.get(key)
        if (controller === undefined) return nothing
        const { namespace = '', uid } = controller.metadata
        const candidates = candidatesOf(pods, namespace, uid)
        return reconcileReplicationController({ controller, pods: candidates, failure, nowMs })
      },
    }
  },
}
