// The schemas of the server behind an APIService, for the merged OpenAPI documents. Clients refuse a whole document for one reference that
// leads nowhere, and find a kind by the names in it, so of what a server says only its own kinds and what they are made of are kept.
import type { Json } from '../../resources/object.ts'
import { isJsonObject } from '../../resources/patch/patch-result.ts'
import type { Schema } from '../openapi/scalar-schemas.ts'
import type { ApiBackend } from './api-backend.ts'

export interface RemoteOpenApi {
  /** Of the document of version 2; '' where it has none. */
  readonly etag: string
  readonly hash: string
  readonly definitions: ReadonlyMap<string, Schema>
  /** Paths of objects, each with the kind that its patch takes. */
  readonly patches: ReadonlyMap<string, Schema>
  /** Where the document of version 3 is; undefined: there is none. */
  readonly v3Url: string | undefined
}

const timeoutMs = 10_000
const bytesMax = 16 * 1024 * 1024
const definitionsMax = 5000
const depthMax = 64
const urlLengthMax = 512
const refPrefix = '#/definitions/'
const gvkKey = 'x-kubernetes-group-version-kind'

/** `known`: what was read before, which is returned again where it still holds. Rejects where the server cannot be asked. */
export const readOpenApi = async (
  backend: ApiBackend,
  known: RemoteOpenApi | undefined,
): Promise<RemoteOpenApi> => {
  const limits = { accept: 'application/json', timeoutMs, bytesMax }
  const { group = '', version = '' } = backend.spec
  const index = await backend.document({ ...limits, path: '/openapi/v3' })
  const v3Url = v3UrlOf(index.json, `${group === '' ? 'api' : `apis/${group}`}/${version}`)
  const answer = await backend.document({
    ...limits,
    path: '/openapi/v2',
    ...(known === undefined || known.etag === '' ? {} : { etag: known.etag }),
  })
  if (known !== undefined && (answer.status === 304 || answer.hash === known.hash)) {
    return known.v3Url === v3Url ? known : { ...known, v3Url }
  }
  const { etag, hash } = answer
  return { etag, hash, v3Url, ...readDocument(answer.json ?? null, group, version) }
}

const v3UrlOf = (index: Json | undefined, place: string): string | undefined => {
  const paths = isJsonObject(index) ? index['paths'] : undefined
  const found = isJsonObject(paths) ? paths[place] : undefined
  const url = isJsonObject(found) ? found['serverRelativeURL'] : undefined
  if (typeof url !== 'string') return undefined
  const isOwn = url === `/openapi/v3/${place}` || url.startsWith(`/openapi/v3/${place}?`)
  return isOwn && url.length <= urlLengthMax ? url : undefined
}

/** Exported for its test. */
export const readDocument = (
  document: Json,
  group: string,
  version: string,
): Pick<RemoteOpenApi, 'definitions' | 'patches'> => {
  const sent =
    isJsonObject(document) && isJsonObject(document['definitions']) ? document['definitions'] : {}
  const isOwn = (gvk: Json): boolean =>
    isJsonObject(gvk) && gvk['group'] === group && gvk['version'] === version
  const ownKinds = (schema: Json): Json[] =>
    isJsonObject(schema) && Array.isArray(schema[gvkKey])
      ? (schema[gvkKey] as readonly Json[]).filter(isOwn)
      : []
  const definitions = new Map<string, Schema>()
  const waiting = Object.entries(sent).flatMap(([name, schema = null]) =>
    ownKinds(schema).length > 0 ? [name] : [],
  )
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const schema = Object.hasOwn(sent, name) ? sent[name] : undefined
    if (definitions.has(name) || definitions.size >= definitionsMax || !isJsonObject(schema))
      continue
    const { [gvkKey]: _kinds, ...rest } = schema
    const kinds = ownKinds(schema)
    const kept = withKnownReferences(rest, sent, waiting)
    definitions.set(name, kinds.length === 0 ? kept : { ...kept, [gvkKey]: kinds })
  }
  return { definitions: closed(definitions), patches: patchesOf(document, group, version, isOwn) }
}

/** Puts the names that are referred to in `found`; what leads nowhere becomes an object of any kind. */
const withKnownReferences = (schema: Schema, sent: Schema, found: string[], depth = 0): Schema => {
  const convert = (value: Json | undefined, at: number): Json | undefined => {
    if (at > depthMax) return null
    if (Array.isArray(value)) {
      return (value as readonly Json[]).map((one) => convert(one, at + 1) ?? null)
    }
    if (!isJsonObject(value)) return value
    const { $ref: ref } = value
    if (typeof ref === 'string') {
      const name = ref.startsWith(refPrefix) ? ref.slice(refPrefix.length) : ''
      if (!Object.hasOwn(sent, name) || !isJsonObject(sent[name])) return { type: 'object' }
      found.push(name)
      return { $ref: refPrefix + name }
    }
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, convert(member, at + 1)]),
    )
  }
  const converted = convert(schema, depth)
  return isJsonObject(converted) ? converted : {}
}

/** Where there were too many, references to those that were left out are taken away again. */
const closed = (definitions: Map<string, Schema>): ReadonlyMap<string, Schema> => {
  if (definitions.size < definitionsMax) return definitions
  const kept = Object.fromEntries(definitions)
  return new Map(
    [...definitions].map(([name, schema]) => [name, withKnownReferences(schema, kept, [])]),
  )
}

const patchesOf = (
  document: Json,
  group: string,
  version: string,
  isOwn: (gvk: Json) => boolean,
): ReadonlyMap<string, Schema> => {
  const paths = isJsonObject(document) && isJsonObject(document['paths']) ? document['paths'] : {}
  const prefix = group === '' ? `/api/${version}/` : `/apis/${group}/${version}/`
  const patches = new Map<string, Schema>()
  for (const [path, item] of Object.entries(paths)) {
    const patch = isJsonObject(item) ? item['patch'] : undefined
    const gvk = isJsonObject(patch) ? patch[gvkKey] : undefined
    if (!path.startsWith(prefix) || patches.size >= definitionsMax) continue
    if (gvk !== undefined && isJsonObject(gvk) && isOwn(gvk)) patches.set(path, gvk)
  }
  return patches
}
