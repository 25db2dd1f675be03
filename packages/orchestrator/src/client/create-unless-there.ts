// For objects that several may want to be there: whoever comes second is content.
import type { KubeObject } from '../resources/object.ts'
import type { ApiClient, ResourceRef } from './api-client.ts'
import { isConflict } from './is-api-error.ts'

/** Whether it was made; false: there is one of that name. */
export const createUnlessThere = async (
  client: ApiClient,
  ref: ResourceRef,
  object: KubeObject,
): Promise<boolean> => {
  try {
    await client.create(ref, object)
    return true
  } catch (reason) {
    if (!isConflict(reason)) throw reason
    return false
  }
}
