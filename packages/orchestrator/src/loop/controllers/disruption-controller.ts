// Which pods and workloads concern which PodDisruptionBudget.
import { keyOf, objectKey } from '../../client/object-cache.ts'
import { nothing } from '../../controllers/action.ts'
import { reconcileDisruptionBudget, type PodMaker } from '../../controllers/disruption-budget.ts'
import { controllerOf } from '../../controllers/owner.ts'
import { deploymentType } from '../../resources/deployment.ts'
import type { KubeObject, ResourceType, Stored } from '../../resources/object.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import { replicaSetType } from '../../resources/replica-set.ts'
import { podDisruptionBudgetType } from '../../resources/workloads/pod-disruption-budget.ts'
import { replicationControllerType } from '../../resources/workloads/replication-controller.ts'
import { statefulSetType } from '../../resources/workloads/stateful-set.ts'
import { watchChanges, watchOf } from '../controller-loop.ts'
import { ownKey, type Caches, type Controller } from '../controller.ts'
import { SelectedPods } from '../selected-pods.ts'

interface Scaled extends KubeObject {
  readonly spec: { readonly replicas?: number }
}

const makerTypes = [
  replicaSetType,
  deploymentType,
  statefulSetType,
  replicationControllerType,
] as unknown as readonly ResourceType<Scaled>[]

/** The controller of an object, of a kind that has a number of replicas. */
const makerOf = (informers: Caches, object: KubeObject): Stored<Scaled> | undefined => {
  const controller = controllerOf(object)
  const type = makerTypes.find(({ kind }) => kind === controller?.kind)
  if (controller === undefined || type === undefined) return undefined
  const maker = informers.of(type).get(keyOf(object.metadata.namespace, controller.name))
  return maker?.metadata.uid === controller.uid ? maker : undefined
}

/** Of a ReplicaSet its Deployment, if it has one: that is what says how many pods there should be. */
const podMaker = (informers: Caches, pod: Stored<Pod>): PodMaker | undefined => {
  const direct = makerOf(informers, pod)
  const maker = direct === undefined ? undefined : (makerOf(informers, direct) ?? direct)
  return maker && { uid: maker.metadata.uid, replicas: maker.spec.replicas ?? 1 }
}

export const disruptionController: Controller = {
  name: 'disruption-controller',
  component: 'controllermanager',
  connect: ({ informers }) => {
    const pods = informers.of(podType)
    const budgets = informers.of(podDisruptionBudgetType)
    const selected = new SelectedPods(budgets, pods, ({ spec }) => spec.selector)
    /** What is scaled may have pods under any budget of its namespace. */
    const scaled = (
      current: Stored<Scaled> | undefined,
      previous: Stored<Scaled> | undefined,
    ): string[] =>
      current?.spec.replicas === previous?.spec.replicas
        ? []
        : budgets.find('namespace', (current ?? previous)?.metadata.namespace ?? '').map(objectKey)
    return {
      watches: [
        watchOf(budgets, ownKey),
        watchOf(pods, (pod) => selected.ownersOf(pod)),
        ...makerTypes.map((type) => watchChanges(informers.of(type), scaled)),
      ],
      reconcile: (key, nowMs) => {
        const budget = budgets.get(key)
        if (budget === undefined) return nothing
        return reconcileDisruptionBudget({
          budget,
          pods: selected.of(key),
          makerOf: (pod) => podMaker(informers, pod),
          nowMs,
        })
      },
    }
  },
}
