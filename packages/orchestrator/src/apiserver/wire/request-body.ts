// Request bodies: JSON, YAML or Kubernetes' protobuf, to JSON values. Hostile bytes end in a BadRequest.
import type { Json } from '../../resources/object.ts'
import type { PatchType } from '../../client/api-client.ts'
import { badRequest, unsupportedMediaType } from '../api-errors.ts'
import { decodeProtobuf } from '../protobuf/decode-protobuf.ts'
import { duplicateFields, fieldProblems } from './duplicate-fields.ts'
import type { Exchange } from './exchange.ts'
import { contentTypeOf, jsonType, protobufType, yamlType } from './media-types.ts'
import { parseYaml, yamlDuplicates } from './parse-yaml.ts'

const objectTypes = [jsonType, yamlType, protobufType]
const patchTypes: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
}
/** An object of any kind; undefined for an empty body. */
export const readObject = (exchange: Exchange): Json | undefined => {
  const type = contentTypeOf(exchange.header('content-type'))
  if (!objectTypes.includes(type)) throw unsupportedMediaType(objectTypes)
  const { body } = exchange
  if (body.length === 0) return undefined
  if (type === protobufType) return decodeProtobuf(body)
  return type === yamlType ? parseYaml(body.toString('utf8')) : parseJson(body)
}

/** What is wrong with the fields of a body; `value` is what it parses to, `unknown` the fields of it that its kind does not have. */
export const bodyProblems = (
  exchange: Exchange,
  value: Json,
  unknown: readonly string[],
): readonly string[] => {
  const type = contentTypeOf(exchange.header('content-type'))
  if (type === jsonType) return fieldProblems(exchange.body, value, unknown)
  const duplicates = type === yamlType ? yamlDuplicates(exchange.body.toString('utf8')) : []
  return [
    ...(duplicates.length === 0 ? [] : [unmarshalErrors(duplicates)]),
    ...unknown.map((path) => `unknown field "${path}"`),
  ]
}

/** Keys that a server-side apply names twice; '': none. */
export const applyDuplicates = ({ body }: Exchange, value: Json): string => {
  const text = body.toString('utf8')
  const isTwice = !text.startsWith('{') || duplicateFields(body, value).length > 0
  const duplicates = isTwice ? yamlDuplicates(text) : []
  return duplicates.length === 0 ? '' : unmarshalErrors(duplicates)
}

const unmarshalErrors = (lines: readonly string[]): string =>
  `yaml: unmarshal errors:\n  ${lines.join('\n  ')}`

export const readPatch = (
  exchange: Exchange,
): { readonly type: PatchType | 'apply'; readonly patch: Json } => {
  const mediaType = contentTypeOf(exchange.header('content-type'))
  if (mediaType === 'application/apply-patch+yaml') {
    return { type: 'apply', patch: parseYaml(exchange.body.toString('utf8')) }
  }
  const type = patchTypes[mediaType]
  if (type === undefined) {
    throw unsupportedMediaType([...Object.keys(patchTypes), 'application/apply-patch+yaml'])
  }
  return { type, patch: parseJson(exchange.body) }
}

const parseJson = (body: Buffer): Json => {
  try {
    // JSON.parse makes nothing but JSON.
    return JSON.parse(body.toString('utf8')) as Json
  } catch (reason) {
    if (!(reason instanceof SyntaxError)) throw reason
    throw badRequest(
      `the object provided is unrecognized: couldn't get version/kind; json parse error: ${reason.message}`,
    )
  }
}
