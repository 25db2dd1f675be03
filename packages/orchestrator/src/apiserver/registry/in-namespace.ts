// The place that an object names and the place that a request names must be the same one.
import type { KubeObject, ResourceType } from '../../resources/object.ts'
import { badRequest } from '../api-errors.ts'

/** With the namespace of the request filled in. Throws ApiError BadRequest where it names another. */
export const inNamespace = (
  type: ResourceType,
  object: KubeObject,
  namespace: string | undefined,
): KubeObject => {
  const sent = object.metadata.namespace ?? ''
  if (sent === (namespace ?? '')) return object
  if (sent !== '' && type.namespaced) {
    throw badRequest(
      'the namespace of the provided object does not match the namespace sent on the request',
    )
  }
  const { namespace: _, ...metadata } = object.metadata
  return { ...object, metadata: namespace === undefined ? metadata : { ...metadata, namespace } }
}
