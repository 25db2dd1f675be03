// What a write of the status subresource may change beside status. Upstream's kinds differ: most take the new labels and annotations,
// some keep all metadata, and so does every custom kind.
import type { KubeObject, ObjectMeta, ResourceType, Stored } from '../../resources/object.ts'
import { updatedMetadata } from './object-metadata.ts'

const keepsAll: ReadonlySet<string> = new Set([
  'customresourcedefinitions.apiextensions.k8s.io',
  'flowschemas.flowcontrol.apiserver.k8s.io',
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io',
  'volumeattachments.storage.k8s.io',
])

/** Fields of metadata that a write of the status leaves, though it takes the others. */
const kept: Readonly<Record<string, 'labels' | 'ownerReferences'>> = {
  'deployments.apps': 'labels',
  'pods.': 'ownerReferences',
}

/** `current` with the status of `sent`, and what of its metadata the kind takes along. */
export const withStatusOf = (
  type: ResourceType,
  sent: KubeObject,
  current: Stored<KubeObject>,
): KubeObject => {
  const { status } = sent as KubeObject & { status?: unknown }
  return { ...current, metadata: metadataOf(type, sent, current), status } as KubeObject
}

const metadataOf = (
  type: ResourceType,
  sent: KubeObject,
  current: Stored<KubeObject>,
): ObjectMeta => {
  if (sent.metadata === current.metadata) return current.metadata
  const name = `${type.plural}.${type.group}`
  if (type.custom !== undefined || keepsAll.has(name)) {
    const { managedFields } = sent.metadata
    return managedFields === undefined ? current.metadata : { ...current.metadata, managedFields }
  }
  const metadata = updatedMetadata(sent.metadata, current.metadata)
  const field = kept[name]
  if (field === undefined) return metadata
  const { [field]: _, ...rest } = metadata
  return current.metadata[field] === undefined
    ? rest
    : { ...rest, [field]: current.metadata[field] }
}
