// Request bodies: JSON, YAML or Kubernetes' protobuf, to JSON values. Hostile bytes end in a BadRequest.
import { parse } from 'yaml'
import type { Json } from '../../resources/object.ts'
import type { PatchType } from '../../client/api-client.ts'
import { ApiError } from '../../client/api-client.ts'
import { badRequest, unsupportedMediaType } from '../api-errors.ts'
import { decodeProtobuf } from '../protobuf/decode-protobuf.ts'
import type { Exchange } from './exchange.ts'
import { contentTypeOf, jsonType, protobufType, yamlType } from './media-types.ts'

const objectTypes = [jsonType, yamlType, protobufType]
const patchTypes: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
}
/** Aliases of a YAML document may not blow it up. */
const yamlAliasesMax = 50

/** An object of any kind; undefined for an empty body. */
export const readObject = (exchange: Exchange): Json | undefined => {
  const type = contentTypeOf(exchange.header('content-type'))
  if (!objectTypes.includes(type)) throw unsupportedMediaType(objectTypes)
  const { body } = exchange
  if (body.length === 0) return undefined
  if (type === protobufType) return decodeProtobuf(body)
  return type === yamlType ? parseYaml(body) : parseJson(body)
}

export const readPatch = (
  exchange: Exchange,
): { readonly type: PatchType | 'apply'; readonly patch: Json } => {
  const mediaType = contentTypeOf(exchange.header('content-type'))
  if (mediaType === 'application/apply-patch+yaml') {
    return { type: 'apply', patch: parseYaml(exchange.body) }
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

/** YAML 1.1 as Kubernetes reads it: `yes` and `on` are booleans, but no value becomes a date. */
const parseYaml = (body: Buffer): Json => {
  try {
    const value: unknown = parse(body.toString('utf8'), {
      version: '1.1',
      maxAliasCount: yamlAliasesMax,
      customTags: (tags) => tags.filter((tag) => !isTimestamp(tag)),
    })
    // Through JSON, so that what is no JSON (maps with other keys, sets, undefined) cannot come in.
    return JSON.parse(JSON.stringify(value ?? null)) as Json
  } catch (reason) {
    if (reason instanceof ApiError) throw reason
    const text = reason instanceof Error ? (reason.message.split('\n', 1)[0] ?? '') : String(reason)
    throw badRequest(`error converting YAML to JSON: yaml: ${text}`)
  }
}

const isTimestamp = (tag: unknown): boolean =>
  typeof tag === 'object' &&
  tag !== null &&
  'tag' in tag &&
  tag.tag === 'tag:yaml.org,2002:timestamp'
