// ReplicaSet: keeps `spec.replicas` active pods.
import type { Stored } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'
import { replicaSetType, type ReplicaSet } from '../resources/replica-set.ts'
import type { Failure, Reconciliation } from './action.ts'
import { reconcileReplicas } from './replicas.ts'

export interface ReplicaSetView {
  readonly replicaSet: Stored<ReplicaSet>
  /** Pods of its namespace that it controls or that nobody controls. */
  readonly pods: readonly Stored<Pod>[]
  readonly failure?: Failure | undefined
  readonly nowMs: number
}

export const reconcileReplicaSet = ({ replicaSet, ...view }: ReplicaSetView): Reconciliation =>
  reconcileReplicas({
    ...view,
    owner: replicaSet,
    ref: replicaSetType,
    selector: replicaSet.spec.selector,
    template: replicaSet.spec.template,
    replicas: replicaSet.spec.replicas ?? 1,
    minReadySeconds: replicaSet.spec.minReadySeconds ?? 0,
  })
