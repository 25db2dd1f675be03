// ReplicationController: a ReplicaSet whose selector is a map of labels.
import type { Stored } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'
import {
  replicationControllerType,
  type ReplicationController,
} from '../resources/workloads/replication-controller.ts'
import type { Failure, Reconciliation } from './action.ts'
import { reconcileReplicas } from './replicas.ts'

export interface ReplicationControllerView {
  readonly controller: Stored<ReplicationController>
  /** Pods of its namespace that it controls or that nobody controls. */
  readonly pods: readonly Stored<Pod>[]
  readonly failure?: Failure | undefined
  readonly nowMs: number
}

/** The apiserver lets none without a template in. */
const noTemplate = { spec: { containers: [] } }

export const reconcileReplicationController = ({
  controller,
  ...view
}: ReplicationControllerView): Reconciliation =>
  reconcileReplicas({
    ...view,
    owner: controller,
    ref: replicationControllerType,
    selector: { matchLabels: controller.spec.selector ?? {} },
    template: controller.spec.template ?? noTemplate,
    replicas: controller.spec.replicas ?? 1,
    minReadySeconds: controller.spec.minReadySeconds ?? 0,
  })
