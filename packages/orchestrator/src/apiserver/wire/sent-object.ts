// The object that a request brings, decoded as the version that its path names.
import type { Json, KubeObject, ResourceType } from '../../resources/object.ts'
import { badRequest } from '../api-errors.ts'
import { requireTypeMeta } from '../custom/require-type-meta.ts'
import { decodeFor } from '../registry/converted.ts'
import type { DecodeOptions } from '../registry/decode.ts'
import type { Registry } from '../registry/registry.ts'
import type { Exchange } from './exchange.ts'
import { fieldValidation } from './query-options.ts'
import { bodyProblems, readObject } from './request-body.ts'

/** Of the stored version. Throws ApiError, or rejects with it. */
export const readObjectOf = ({
  exchange,
  registry,
  type,
}: {
  readonly exchange: Exchange
  readonly registry: Registry
  readonly type: ResourceType
}): KubeObject | Promise<KubeObject> => {
  const value = readRequired(exchange)
  requireTypeMeta(type, value)
  return decodeFor(registry, type, value, decoding(exchange))
}

/** Throws ApiError BadRequest for an empty body. */
export const readRequired = (exchange: Exchange): Json => {
  const value = readObject(exchange)
  if (value === undefined) throw badRequest('the request body is empty')
  return value
}

/** What the query asks to be done about unknown fields; each warning is told once. */
export const decoding = (exchange: Exchange): DecodeOptions => {
  const warned = new Set<string>()
  return {
    fieldValidation: fieldValidation(exchange),
    problems: (value, unknown) => bodyProblems(exchange, value, unknown),
    warn: (text) => {
      if (warned.has(text)) return
      warned.add(text)
      exchange.warn(text)
    },
  }
}
