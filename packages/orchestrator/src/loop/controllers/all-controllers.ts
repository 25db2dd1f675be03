// Every controller that runs: to add one, write its file beside this and add its line.
import type { Controller } from '../controller.ts'
import { autoscalerController } from './autoscaler-controller.ts'
import { clusterRoleAggregation } from './cluster-role-aggregation.ts'
import { cronJobController } from './cron-job-controller.ts'
import { certificateController } from './certificate-controller.ts'
import { resourceQuotaController } from './resource-quota-controller.ts'
import { daemonSetController } from './daemon-set-controller.ts'
import { deploymentController } from './deployment-controller.ts'
import { endpointSliceController } from './endpoint-slice-controller.ts'
import { endpointSliceMirroringController } from './endpoint-slice-mirroring-controller.ts'
import { disruptionController } from './disruption-controller.ts'
import { endpointsController } from './endpoints-controller.ts'
import { garbageCollector } from './garbage-collector.ts'
import { jobController, ttlAfterFinishedController } from './job-controller.ts'
import { namespaceController } from './namespace-controller.ts'
import { nodeController } from './node-controller.ts'
import { podGarbageCollector } from './pod-garbage-collector.ts'
import {
  rootCertificatePublisher,
  serviceAccountController,
} from './service-account-controllers.ts'
import { replicaSetController } from './replica-set-controller.ts'
import { replicationControllerController } from './replication-controller-controller.ts'
import { statefulSetController } from './stateful-set-controller.ts'
import { claimProtection, volumeBinder, volumeProtection } from './volume-controllers.ts'

export const allControllers: readonly Controller[] = [
  replicationControllerController,
  replicaSetController,
  deploymentController,
  statefulSetController,
  daemonSetController,
  jobController,
  ttlAfterFinishedController,
  cronJobController,
  disruptionController,
  autoscalerController,
  nodeController,
  namespaceController,
  endpointsController,
  endpointSliceController,
  endpointSliceMirroringController,
  serviceAccountController,
  rootCertificatePublisher,
  volumeBinder,
  claimProtection,
  volumeProtection,
  podGarbageCollector,
  clusterRoleAggregation,
  resourceQuotaController,
  certificateController,
  // Last: it watches every kind, and those that others asked for have their indexes by then.
  garbageCollector,
]
