// PATCH with application/apply-patch+yaml: server-side apply of one object, which is created where it is missing.
import type { Json, ResourceType } from '../../resources/object.ts'
import { badRequest, invalid } from '../api-errors.ts'
import type { OwnedPart } from '../apply/field-paths.ts'
import { applyTo } from '../registry/apply.ts'
import type { DecodeOptions } from '../registry/decode.ts'
import type { Place, Registry } from '../registry/registry.ts'
import type { StoredObject } from '../storage/stored-object.ts'
import type { Exchange } from './exchange.ts'
import { flag, writeOptions } from './query-options.ts'
import { applyDuplicates } from './request-body.ts'

export const applyObject = async (
  exchange: Exchange,
  registry: Registry,
  request: {
    readonly type: ResourceType
    readonly place: Place
    readonly config: Json
    readonly decoding: DecodeOptions
    readonly part?: OwnedPart
  },
): Promise<{ readonly stored: StoredObject; readonly isCreated: boolean }> => {
  checkDuplicates(exchange, request)
  return applyTo(registry, {
    ...request,
    options: {
      ...writeOptions(exchange),
      servedType: request.type,
      fieldManager: managerOf(exchange),
    },
    force: flag(exchange.query, 'force'),
    nowMs: Date.now(),
  })
}

const checkDuplicates = (
  exchange: Exchange,
  { config, decoding }: { readonly config: Json; readonly decoding: DecodeOptions },
): void => {
  if (decoding.fieldValidation === 'Ignore') return
  const problem = applyDuplicates(exchange, config)
  if (problem === '') return
  const text = `error strict decoding YAML: error converting YAML to JSON: ${problem}`
  if (decoding.fieldValidation === 'Strict') throw badRequest(text)
  decoding.warn(problem.replaceAll(/\s+/g, ' '))
}

export const managerOf = (exchange: Exchange): string => {
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
