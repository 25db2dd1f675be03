// DeleteOptions, from the body and the query of a DELETE.
import { badRequest } from '../api-errors.ts'
import type { Json } from '../../resources/object.ts'
import type { DeleteOptions } from '../registry/request-options.ts'
import type { Exchange } from './exchange.ts'
import { flag, invalidOption, wholeNumber, writeOptions } from './query-options.ts'
import { readObject } from './request-body.ts'

type JsonObject = { readonly [key: string]: Json | undefined }
const policies = ['Background', 'Foreground', 'Orphan'] as const

/** Throws ApiError. */
export const readDeleteOptions = (exchange: Exchange): DeleteOptions =>
  deleteOptionsOf(exchange, readObject(exchange))

/** Of options that came within another body, too. Throws ApiError. */
export const deleteOptionsOf = (exchange: Exchange, sent: Json | undefined): DeleteOptions => {
  const body = objectOf(sent, 'DeleteOptions')
  const { query } = exchange
  const preconditions = objectOf(body['preconditions'], 'Preconditions')
  const dryRun = body['dryRun'] ?? []
  if (!Array.isArray(dryRun)) throw wrongType('dryRun', '[]string')
  const grace = body['gracePeriodSeconds'] ?? wholeNumber(query, 'gracePeriodSeconds')
  if (grace !== undefined && grace !== null && !Number.isSafeInteger(grace)) {
    throw wrongType('gracePeriodSeconds', 'int64')
  }
  return {
    ...writeOptions(exchange, dryRun.map(String)),
    gracePeriodSeconds: typeof grace === 'number' ? grace : undefined,
    uid: textOf(preconditions, 'uid'),
    resourceVersion: textOf(preconditions, 'resourceVersion'),
    propagationPolicy: policyOf(exchange, body),
  }
}

const policyOf = (exchange: Exchange, body: JsonObject): DeleteOptions['propagationPolicy'] => {
  const { query } = exchange
  const asked = query.has('orphanDependents') ? flag(query, 'orphanDependents') : undefined
  const orphan = body['orphanDependents'] ?? asked
  const policy = textOf(body, 'propagationPolicy') ?? query.get('propagationPolicy') ?? ''
  if (policy === '') {
    if (orphan === undefined) return undefined
    return orphan === true ? 'Orphan' : 'Background'
  }
  if (orphan !== undefined) {
    const message = `Invalid value: ${JSON.stringify(policy)}: orphanDependents and deletionPropagation cannot be both set`
    throw invalidOption(exchange, {
      reason: 'FieldValueInvalid',
      field: 'propagationPolicy',
      message,
    })
  }
  const known = policies.find((one) => one === policy)
  if (known !== undefined) return known
  const message = `Unsupported value: ${JSON.stringify(policy)}: supported values: "Foreground", "Background", "Orphan", "nil"`
  throw invalidOption(exchange, {
    reason: 'FieldValueNotSupported',
    field: 'propagationPolicy',
    message,
  })
}

const objectOf = (value: Json | undefined, name: string): JsonObject => {
  if (value === undefined || value === null) return {}
  if (typeof value === 'object' && !Array.isArray(value)) return value as JsonObject
  throw badRequest(`json: cannot unmarshal into Go value of type v1.${name}`)
}

const textOf = (object: JsonObject, field: string): string | undefined => {
  const value = object[field] ?? undefined
  if (value === undefined || typeof value === 'string') return value
  throw wrongType(field, 'string')
}

const wrongType = (field: string, goType: string): Error =>
  badRequest(`json: cannot unmarshal into Go struct field DeleteOptions.${field} of type ${goType}`)
