// From arbitrary JSON to an object of a kind, with upstream's answers for what does not fit.
import {
  decodeObject,
  type KindOf,
  strictDecodingMessage,
  strictProblem,
} from '../../resources/schema/decode-object.ts'
import type { Json, KubeObject, ResourceType } from '../../resources/object.ts'
import { apiVersionOf, toStored } from '../../resources/served-version.ts'
import type { ApiError } from '../../client/api-client.ts'
import { badRequest } from '../api-errors.ts'

/** What to do about fields the kind does not have. */
export type FieldValidation = 'Strict' | 'Warn' | 'Ignore'

export interface DecodeOptions {
  readonly fieldValidation: FieldValidation
  /** Called with a text for the client, one for each unknown field under Warn. */
  readonly warn: (text: string) => void
  /** What is wrong with the fields of the text that the value comes from, beside and with those that are unknown; asked for where it matters. */
  readonly problems?: (value: Json, unknownFields: readonly string[]) => readonly string[]
  /** Where the value is what a patch made: other answers for what does not fit. */
  readonly patch?: {
    /** What the patch itself has that it should not; asked for where it matters. */
    readonly problems: () => readonly string[]
    readonly refuse: (problem: string, patched: Json) => ApiError
  }
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
  if (!decoded.ok) {
    if (options.patch === undefined) throw badRequest(decoded.message)
    throw options.patch.refuse(decoded.message.replace(whoseProblem, ''), value)
  }
  checkFields(type, { value, unknownFields: decoded.unknownFields }, options)
  return { ...decoded.object, apiVersion: groupVersion(type), kind: type.kind }
}

/** How the messages of decoding begin. */
const whoseProblem = /^\w+ in version "\w+" cannot be handled as an? \w+: /

export const groupVersion: typeof apiVersionOf = apiVersionOf

const checkFields = (
  type: KindOf,
  { value, unknownFields }: { readonly value: Json; readonly unknownFields: readonly string[] },
  options: DecodeOptions,
): void => {
  if (options.fieldValidation === 'Ignore') return
  const { patch } = options
  const unknown = unknownFields.map((field) => `unknown field "${field}"`)
  const problems =
    patch === undefined
      ? (options.problems?.(value, unknownFields) ?? unknown)
      : [...patch.problems(), ...unknown]
  if (problems.length === 0) return
  if (options.fieldValidation === 'Strict') {
    if (patch === undefined) throw badRequest(strictDecodingMessage(type, problems))
    throw patch.refuse(strictProblem(problems), value)
  }
  for (const problem of problems) options.warn(problem)
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
