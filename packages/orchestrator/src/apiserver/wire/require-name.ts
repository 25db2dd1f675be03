// A PUT says the name of its object in the body, too.
import type { KubeObject } from '../../resources/object.ts'
import { badRequest } from '../api-errors.ts'
import type { Place } from '../registry/registry.ts'

/** Throws ApiError BadRequest. */
export const requireName = ({ metadata }: KubeObject, { name }: Place): void => {
  if ((metadata.name ?? '') !== '') return
  throw badRequest(
    `the name of the object (${name} based on URL) was undeterminable: name must be provided`,
  )
}
