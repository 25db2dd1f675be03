// What is sent of a kind that users bring must say what it is: unlike other kinds it has no type that could tell.
import type { Json, ResourceType } from '../../resources/object.ts'
import { isJsonObject } from '../../resources/patch/patch-result.ts'
import { apiVersionOf } from '../../resources/served-version.ts'
import { invalid as invalidField } from '../../resources/validation/field-error.ts'
import { badRequest, invalid } from '../api-errors.ts'

/** Throws ApiError BadRequest where kind or apiVersion are left out or the latter is another, Invalid for another kind. */
export const requireTypeMeta = (type: ResourceType, value: Json): void => {
  if (type.custom === undefined) return
  const { kind = '', apiVersion = '', metadata } = isJsonObject(value) ? value : {}
  if (typeof kind !== 'string' || typeof apiVersion !== 'string') return
  if (kind === '') {
    throw badRequest(
      `${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}: Object 'Kind' is missing in '${JSON.stringify(value)}'`,
    )
  }
  const expected = apiVersionOf(type)
  if (apiVersion !== expected) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`,
    )
  }
  if (kind !== type.kind) {
    throw invalid({ group: type.group, kind }, nameOf(metadata), [
      invalidField('kind', kind, `must be ${type.kind}`),
    ])
  }
}

const nameOf = (metadata: Json | undefined): string => {
  const name = isJsonObject(metadata) ? metadata['name'] : undefined
  return typeof name === 'string' ? name : ''
}
