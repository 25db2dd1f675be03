// From arbitrary JSON to an object of a kind, with upstream's answers for what does not fit.
import {
  decodeObject,
  type KindOf,
  strictDecodingMessage,
} from '../../resources/schema/decode-object.ts'
import type { Json, KubeObject, ResourceType } from '../../resources/object.ts'
import { apiVersionOf, toStored } from '../../resources/served-version.ts'
import { badRequest } from '../api-errors.ts'

/** What to do about fields the kind does not have. */
export type FieldValidation = 'Strict' | 'Warn' | 'Ignore'

export interface DecodeOptions {
  readonly fieldValidation: FieldValidation
  /** Called with a text for the client, one for each unknown field under Warn. */
  readonly warn: (text: string) => void
  /** Fields that the text of the value names twice; asked for where they matter. */
  readonly duplicateFields?: (value: Json) => readonly string[]
}

/** For what comes from inside the process. */
export const lenient: DecodeOptions = { fieldValidation: 'Ignore', warn: () => undefined }

/**
 * An object of the stored version from JSON of the version `type`. apiVersion and kind are checked when present and filled in when not.
 * Throws ApiError BadRequest.
 */
export const decodeAs = (type: ResourceType, value: Json, options: DecodeOptions): KubeObject =>
  toStored(type, decodeKind(type, value, options))

/** The same for a kind without storage. */
export const decodeKind = (type: KindOf, value: Json, options: DecodeOptions): KubeObject => {
  checkKind(type, value)
  const decoded = decodeObject(type, value)
  if (!decoded.ok) throw badRequest(decoded.message)
  checkFields(type, { value, unknownFields: decoded.unknownFields }, options)
  return { ...decoded.object, apiVersion: groupVersion(type), kind: type.kind }
}

export const groupVersion: typeof apiVersionOf = apiVersionOf

const checkFields = (
  type: KindOf,
  { value, unknownFields }: { readonly value: Json; readonly unknownFields: readonly string[] },
  options: DecodeOptions,
): void => {
  if (options.fieldValidation === 'Ignore') return
  const duplicates = options.duplicateFields?.(value) ?? []
  if (unknownFields.length === 0 && duplicates.length === 0) return
  if (options.fieldValidation === 'Strict') {
    throw badRequest(strictDecodingMessage(type, unknownFields, duplicates))
  }
  for (const field of duplicates) options.warn(`duplicate field "${field}"`)
  for (const field of unknownFields) options.warn(`unknown field "${field}"`)
}

const checkKind = (type: KindOf, value: Json): void => {
  if (typeof value !== 'object' || value === null || !('apiVersion' in value || 'kind' in value)) {
    return
  }
  const { apiVersion = '', kind = '' } = value as { apiVersion?: Json; kind?: Json }
  const expected = groupVersion(type)
  const isKind = kind === '' || kind === type.kind
  if (isKind && (apiVersion === '' || apiVersion === expected)) return
  if (typeof kind !== 'string' || typeof apiVersion !== 'string') {
    throw badRequest(
      "couldn't get version/kind; json parse error: json: cannot unmarshal into Go struct field .kind of type string",
    )
  }
  if (isKind) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`,
    )
  }
  throw badRequest(
    `${kind} in version ${JSON.stringify(apiVersion)} cannot be handled as a ${type.kind}: converting (${apiVersion}.${kind}) to (${expected}.${type.kind}): unknown conversion`,
  )
}
