// PATCH with application/apply-patch+yaml: server-side apply of one object, which is created where it is missing.
import { ApiError } from '../../client/api-client.ts'
import type { Json, ResourceType } from '../../resources/object.ts'
import { hostileProblem, isJsonObject, patchDepthMax } from '../../resources/patch/patch-result.ts'
import { fromStored } from '../../resources/served-version.ts'
import { badRequest, invalid } from '../api-errors.ts'
import { applied, appliedNew, type ApplyRequest } from '../apply/server-side-apply.ts'
import { decodeAs, type DecodeOptions } from '../registry/decode.ts'
import { timestamp } from '../registry/object-metadata.ts'
import type { Place, Registry } from '../registry/registry.ts'
import type { WriteOptions } from '../registry/request-options.ts'
import type { StoredObject } from '../storage/stored-object.ts'
import type { Exchange } from './exchange.ts'
import { flag, writeOptions } from './query-options.ts'

export const applyObject = async (
  exchange: Exchange,
  registry: Registry,
  request: {
    readonly type: ResourceType
    readonly place: Place
    readonly config: Json
    readonly decoding: DecodeOptions
  },
): Promise<{ readonly stored: StoredObject; readonly isCreated: boolean }> => {
  const { type, place, config, decoding } = request
  checkConfig(config)
  // Checked as it was sent, so that what is unknown in it is told, and not what is merged from it.
  registry.checkPlace(decodeAs(type, config, decoding), place)
  const options: WriteOptions = { ...writeOptions(exchange), isApply: true }
  const apply: ApplyRequest = {
    type,
    config,
    manager: managerOf(exchange),
    force: flag(exchange.query, 'force'),
    time: timestamp(Date.now()),
  }
  const quiet: DecodeOptions = { fieldValidation: 'Ignore', warn: () => undefined }
  try {
    const stored = await registry.change(
      place,
      (current) => decodeAs(type, applied(fromStored(type, current), apply), quiet),
      options,
    )
    return { stored, isCreated: false }
  } catch (reason) {
    if (!(reason instanceof ApiError) || reason.reason !== 'NotFound') throw reason
  }
  const created = decodeAs(type, appliedNew(apply), quiet)
  const named = { ...created, metadata: { ...created.metadata, name: place.name } }
  return { stored: await registry.create(place.namespace, named, options), isCreated: true }
}

const checkConfig = (config: Json): void => {
  if (!isJsonObject(config)) throw badRequest('the body of an apply patch must be an object')
  const problem = hostileProblem(config, patchDepthMax)
  if (problem !== undefined) throw badRequest(problem)
  const { apiVersion, kind, metadata } = config
  if (typeof apiVersion !== 'string' || apiVersion === '' || typeof kind !== 'string') {
    throw badRequest('an apply patch must name apiVersion and kind')
  }
  if (isJsonObject(metadata) && (metadata['managedFields'] ?? null) !== null) {
    throw badRequest('metadata.managedFields must be nil')
  }
}

const managerOf = (exchange: Exchange): string => {
  const manager = exchange.query.get('fieldManager') ?? ''
  if (manager !== '') return manager
  throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
    {
      reason: 'FieldValueRequired',
      field: 'fieldManager',
      message: 'Required value: is required for apply patch',
    },
  ])
}
