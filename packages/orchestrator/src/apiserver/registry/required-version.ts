// Kinds that are never replaced unseen: a PUT of an object that is there must say which version of it was read.
import type { KubeObject, ResourceType } from '../../resources/object.ts'
import { invalid } from '../api-errors.ts'

/** As upstream's strategies say that allow no unconditional update. Kinds that users bring never do. */
const versionedKinds: ReadonlySet<string> = new Set([
  'coordination.k8s.io/leases',
  'apiextensions.k8s.io/customresourcedefinitions',
  'apiregistration.k8s.io/apiservices',
  'storage.k8s.io/csidrivers',
])

/** Throws ApiError Invalid when `sent` is to replace an object of a kind that needs a resourceVersion and has none. */
export const requireVersion = (type: ResourceType, name: string, sent: KubeObject): void => {
  const { resourceVersion = '' } = sent.metadata
  if (resourceVersion !== '' && resourceVersion !== '0') return
  if (type.custom === undefined && !versionedKinds.has(`${type.group}/${type.plural}`)) return
  // Upstream names the resource where other refusals name the kind.
  throw invalid({ group: type.group, kind: type.plural }, name, [
    {
      reason: 'FieldValueInvalid',
      field: 'metadata.resourceVersion',
      message: 'Invalid value: 0x0: must be specified for an update',
    },
  ])
}
