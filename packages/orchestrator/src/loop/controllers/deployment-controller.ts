// Which ReplicaSets and pods concern which Deployment, and what its reconcile sees of them.
import { keyOf } from '../../client/object-cache.ts'
import { nothing } from '../../controllers/action.ts'
import { reconcileDeployment } from '../../controllers/deployment/deployment.ts'
import { newReplicaSetName } from '../../controllers/deployment/replica-sets.ts'
import { deploymentType } from '../../resources/deployment.ts'
import { matchesSelector } from '../../resources/label-selector.ts'
import type { Stored } from '../../resources/object.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import { replicaSetType, type ReplicaSet } from '../../resources/replica-set.ts'
import { watchOf } from '../controller-loop.ts'
import { controllerKey, controllerKeys, ownKey, type Controller } from '../controller.ts'

export const deploymentController: Controller = {
  name: 'deployment-controller',
  connect: ({ informers }) => {
    const all = informers.of(deploymentType)
    const sets = informers.of(replicaSetType)
    const pods = informers.of(podType)
    const deploymentsOf = controllerKeys<ReplicaSet>('Deployment', (set) =>
      all
        .find('namespace', set.metadata.namespace ?? '')
        .filter(({ spec }) => matchesSelector(spec.selector, set.metadata.labels)),
    )
    /** Recreate waits for the last old pod. */
    const recreatedBy = (pod: Stored<Pod>): string[] => {
      const set = sets.get(controllerKey(pod, 'ReplicaSet') ?? '')
      const key = set === undefined ? undefined : controllerKey(set, 'Deployment')
      return key !== undefined && all.get(key)?.spec.strategy.type === 'Recreate' ? [key] : []
    }
    return {
      watches: [watchOf(all, ownKey), watchOf(sets, deploymentsOf), watchOf(pods, recreatedBy)],
      reconcile: (key, nowMs) => {
        const deployment = all.get(key)
        if (deployment === undefined) return nothing
        const { namespace = '', uid } = deployment.metadata
        const named = sets.get(keyOf(namespace, newReplicaSetName(deployment)))
        const candidates = [
          ...sets.find('owner', uid),
          ...sets.find('uncontrolled', namespace),
          ...(named === undefined ? [] : [named]),
        ]
        const replicaSets = [...new Set(candidates)]
        // Only Recreate looks at pods; listing them for every step of a large rolling update would be for nothing.
        const owned =
          deployment.spec.strategy.type === 'Recreate'
            ? replicaSets.flatMap((set) => pods.find('owner', set.metadata.uid))
            : []
        return reconcileDeployment({ deployment, replicaSets, pods: owned, nowMs })
      },
    }
  },
}
