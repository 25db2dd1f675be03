// The kinds of the group apps.
import { deploymentType } from '../deployment.ts'
import type { ResourceType } from '../object.ts'
import { replicaSetType } from '../replica-set.ts'
import { controllerRevisionType } from '../workloads/controller-revision.ts'
import { daemonSetType } from '../workloads/daemon-set.ts'
import { statefulSetType } from '../workloads/stateful-set.ts'

export const appsTypes: readonly ResourceType[] = [
  controllerRevisionType,
  daemonSetType,
  deploymentType,
  replicaSetType,
  statefulSetType,
]
