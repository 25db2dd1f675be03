// The kinds of the core group, in the order of discovery.
import { configMapType } from '../config-map.ts'
import { endpointsType } from '../endpoints.ts'
import { eventType } from '../event.ts'
import { namespaceType } from '../namespace.ts'
import { nodeType } from '../node.ts'
import type { ResourceType } from '../object.ts'
import { persistentVolumeClaimType } from '../storage/persistent-volume-claim.ts'
import { persistentVolumeType } from '../storage/persistent-volume.ts'
import { podTemplateType } from '../pod-template.ts'
import { podType } from '../pod.ts'
import { replicationControllerType } from '../workloads/replication-controller.ts'
import { limitRangeType } from '../quota/limit-range.ts'
import { resourceQuotaType } from '../quota/resource-quota.ts'
import { secretType } from '../secret.ts'
import { serviceAccountType } from '../service-account.ts'
import { serviceType } from '../service.ts'

export const coreTypes: readonly ResourceType[] = [
  configMapType,
  endpointsType,
  eventType,
  limitRangeType,
  namespaceType,
  nodeType,
  persistentVolumeClaimType,
  persistentVolumeType,
  podType,
  replicationControllerType,
  podTemplateType,
  resourceQuotaType,
  secretType,
  serviceAccountType,
  serviceType,
]
