// The kinds that Balsa serves, and what else the apiserver, the controllers, the scheduler, the agent and the CLI use of this folder.
import { configMapType } from './config-map.ts'
import { deploymentType } from './deployment.ts'
import { endpointsType } from './endpoints.ts'
import { eventType } from './event.ts'
import { admissionregistrationTypes } from './groups/admissionregistration.ts'
import { apiextensionsTypes } from './groups/apiextensions.ts'
import { apiregistrationTypes } from './groups/apiregistration.ts'
import { appsTypes } from './groups/apps.ts'
import { authenticationTypes } from './groups/authentication.ts'
import { authorizationTypes } from './groups/authorization.ts'
import { autoscalingTypes } from './groups/autoscaling.ts'
import { batchTypes } from './groups/batch.ts'
import { certificatesTypes } from './groups/certificates.ts'
import { coordinationTypes } from './groups/coordination.ts'
import { coreTypes } from './groups/core.ts'
import { discoveryTypes } from './groups/discovery.ts'
import { eventsTypes } from './groups/events.ts'
import { flowcontrolTypes } from './groups/flowcontrol.ts'
import { networkingTypes } from './groups/networking.ts'
import { nodeTypes } from './groups/node.ts'
import { policyTypes } from './groups/policy.ts'
import { rbacTypes } from './groups/rbac.ts'
import { schedulingTypes } from './groups/scheduling.ts'
import { storageTypes } from './groups/storage.ts'
import { leaseType } from './lease.ts'
import { namespaceType } from './namespace.ts'
import { nodeType } from './node.ts'
import type { ResourceType } from './object.ts'
import { podType } from './pod.ts'
import { replicaSetType } from './replica-set.ts'
import { secretType } from './secret.ts'
import { serviceAccountType } from './service-account.ts'
import { serviceType } from './service.ts'
import { withBetas } from './versions/beta-versions.ts'

/** Every version of every kind, in the order of discovery. A kind joins by a line in the file of its group. */
export const resourceTypes: readonly ResourceType[] = withBetas([
  ...coreTypes,
  ...appsTypes,
  ...batchTypes,
  ...autoscalingTypes,
  ...networkingTypes,
  ...policyTypes,
  ...rbacTypes,
  ...coordinationTypes,
  ...discoveryTypes,
  ...eventsTypes,
  ...nodeTypes,
  ...schedulingTypes,
  ...storageTypes,
  ...certificatesTypes,
  ...authenticationTypes,
  ...authorizationTypes,
  ...flowcontrolTypes,
  ...admissionregistrationTypes,
  ...apiextensionsTypes,
  ...apiregistrationTypes,
])

export {
  configMapType,
  deploymentType,
  endpointsType,
  eventType,
  leaseType,
  namespaceType,
  nodeType,
  podType,
  replicaSetType,
  secretType,
  serviceAccountType,
  serviceType,
}
export type { ConfigMap } from './config-map.ts'
export type { Deployment, DeploymentSpec, DeploymentStatus } from './deployment.ts'
export type { Endpoints } from './endpoints.ts'
export { eventTtlSeconds } from './event.ts'
export type { Event, ObjectReference } from './event.ts'
export { matchesFields, parseFieldSelector, unsupportedField } from './field-selector.ts'
export type { FieldRequirement } from './field-selector.ts'
export { ageOf, humanDuration } from './human-duration.ts'
export { scaledValue } from './int-or-percent.ts'
export { jsonEqual } from './json-equal.ts'
export { formatSelector, matchesRequirements, matchesSelector } from './label-selector.ts'
export type { LabelRequirement } from './label-selector.ts'
export { parseLabelSelector } from './label-selector-text.ts'
export type { Lease } from './lease.ts'
export { generateName } from './names.ts'
export type { Namespace } from './namespace.ts'
export type { Node, NodeStatus, Taint } from './node.ts'
export { createApplyPatch } from './patch/create-apply-patch.ts'
export { applyJsonMergePatch } from './patch/json-merge-patch.ts'
export { applyStrategicMergePatch } from './patch/strategic-merge-patch.ts'
export { mergeKeysOf } from './schema/merge-keys.ts'
export { decodeObject, strictDecodingMessage } from './schema/decode-object.ts'
export { podTemplateHash } from './pod-template-hash.ts'
export type {
  Container,
  EnvVar,
  PodSpec,
  PodTemplateSpec,
  Probe,
  ResourceList,
  Toleration,
  Volume,
} from './pod-spec/pod-spec.ts'
export type { ContainerState, ContainerStatus, Pod, PodPhase, PodStatus } from './pod.ts'
export {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  quantityMilli,
  quantityUnits,
  subtractQuantities,
} from './quantity.ts'
export type { Quantity } from './quantity.ts'
export type { ReplicaSet, ReplicaSetSpec, ReplicaSetStatus } from './replica-set.ts'
export type { Secret } from './secret.ts'
export type { ServiceAccount } from './service-account.ts'
export type { Service, ServicePort, ServiceSpec } from './service.ts'
