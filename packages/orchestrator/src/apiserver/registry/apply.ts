// Server-side apply of one object, which is created where it is missing: what the wire and the in-process client both stand on.
import { ApiError } from '../../client/api-client.ts'
import type { Json, KubeObject, ResourceType, Stored } from '../../resources/object.ts'
import { hostileProblem, isJsonObject, patchDepthMax } from '../../resources/patch/patch-result.ts'
import { apiVersionOf } from '../../resources/served-version.ts'
import { badRequest, conflict } from '../api-errors.ts'
import { decodeObject } from '../../resources/schema/decode-object.ts'
import { declaredPath } from '../apply/declared-path.ts'
import type { OwnedPart } from '../apply/field-paths.ts'
import { applied, appliedNew, type ApplyRequest } from '../apply/server-side-apply.ts'
import { changeFor, decodeFor } from './converted.ts'
import { decodeAs, type DecodeOptions, lenient } from './decode.ts'
import { timestamp } from './object-metadata.ts'
import type { Change, Place, Registry, Written } from './registry.ts'
import type { WriteOptions } from './request-options.ts'

export interface ApplyOrder {
  /** The version that `config` is of: of the registry's kind. */
  readonly type: ResourceType
  readonly place: Place
  /** The fields that the manager wants to own; the manager is `options.fieldManager`. */
  readonly config: Json
  /** Takes what others own instead of failing with a conflict. */
  readonly force: boolean
  readonly options: WriteOptions
  /** Epoch milliseconds. */
  readonly nowMs: number
  readonly decoding: DecodeOptions
  /** Left out: everything but status. */
  readonly part?: OwnedPart
}

/** Throws ApiError Conflict that names the fields and their owners. */
export const applyTo = async (registry: Registry, order: ApplyOrder): Promise<Written> => {
  const { type, place, config, force, decoding, part = 'main' } = order
  checkConfig(config, type)
  // Checked as it was sent, so that what is unknown in it is told, and not what is merged from it.
  refuseUndeclared(type, config, place)
  registry.checkPlace(decodeAs(type, config, { ...decoding, problems: () => [] }), place)
  const options: WriteOptions = { ...order.options, isApply: true }
  const manager = options.fieldManager
  const time = timestamp(order.nowMs)
  const apply: ApplyRequest = { type, config, manager, force, time, part }
  const change: Change = changeFor(
    registry,
    type,
    (shown) => applied(shown as unknown as Stored<KubeObject>, apply),
    lenient,
  )
  if (part === 'status') {
    return { stored: await registry.changeStatus(place, change, options), isCreated: false }
  }
  try {
    return { stored: await registry.change(place, change, options), isCreated: false }
  } catch (reason) {
    if (!(reason instanceof ApiError) || reason.reason !== 'NotFound') throw reason
  }
  refuseUid(registry, config, place)
  const created = await decodeFor(registry, type, appliedNew(apply), lenient)
  const named = { ...created, metadata: { ...created.metadata, name: place.name } }
  const creation: WriteOptions = { ...options, isCreateOnUpdate: true }
  return { stored: await registry.create(place.namespace, named, creation), isCreated: true }
}

/** An object that is named by its uid is not made anew. */
const refuseUid = ({ type }: Registry, config: Json, { name }: Place): void => {
  const metadata = isJsonObject(config) ? config['metadata'] : undefined
  const uid = isJsonObject(metadata) ? (metadata['uid'] ?? '') : ''
  if (typeof uid !== 'string' || uid === '') return
  const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`
  throw conflict({ group: type.group, resource: type.plural }, name, why)
}

/** Who applies what a kind does not have would own nothing of it: refused whatever is asked to be done about unknown fields. */
const refuseUndeclared = (type: ResourceType, config: Json, { namespace, name }: Place): void => {
  const decoded = decodeObject(type, config)
  if (!decoded.ok || decoded.unknownFields.length === 0) return
  const problems = decoded.unknownFields.map(
    (path) => `${declaredPath(type, config, path)}: field not declared in schema`,
  )
  const of = `${namespace ?? ''}/${name}; ${apiVersionOf(type)}, Kind=${type.kind}`
  const text = problems.length === 1 ? problems.join('') : `errors:\n  ${problems.join('\n  ')}`
  throw badRequest(`failed to create typed patch object (${of}): ${text}`)
}

const checkConfig = (config: Json, type: ResourceType): void => {
  if (!isJsonObject(config)) {
    const found = Array.isArray(config) ? 'array' : config === null ? 'null' : typeof config
    throw badRequest(
      `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${found} into Go value of type map[string]interface {}`,
    )
  }
  const problem = hostileProblem(config, patchDepthMax)
  if (problem !== undefined) throw badRequest(problem)
  const { apiVersion = '', kind = '', metadata } = config
  const text = (value: Json): string => (typeof value === 'string' ? value : '')
  if (kind !== type.kind || apiVersion !== apiVersionOf(type)) {
    const [version = '', group = ''] = text(apiVersion).split('/').toReversed()
    throw badRequest(`invalid object type: ${group}/${version}, Kind=${text(kind)}`)
  }
  if (isJsonObject(metadata) && (metadata['managedFields'] ?? null) !== null) {
    throw badRequest('metadata.managedFields must be nil')
  }
}
