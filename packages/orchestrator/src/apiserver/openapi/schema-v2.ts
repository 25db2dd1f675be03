// Schemas of custom kinds as OpenAPI v2 can say them: what clients of v2 would take for a limit that is not there is left out.
import type { Json } from '../../resources/object.ts'
import type { Schema } from './scalar-schemas.ts'

const openMark = 'x-kubernetes-preserve-unknown-fields'
/** v2 has no words for alternatives, and its clients set no defaults. */
const unsaid = new Set(['allOf', 'anyOf', 'oneOf', 'not', 'nullable', 'default'])
const inside = new Set(['items', 'properties', 'additionalProperties'])

/** Whether objects may have fields that the schema does not name. */
export const isOpen = (schema: Schema): boolean => schema[openMark] === true

export const schemaV2 = (schema: Schema): Schema => {
  const isNullable = schema['nullable'] === true
  const isAny = isNullable || schema['x-kubernetes-int-or-string'] === true
  const members = Object.entries(schema).flatMap(([key, value]): [string, Json | undefined][] => {
    if (unsaid.has(key) || (isAny && key === 'type')) return []
    if (!inside.has(key)) return [[key, value]]
    if (isNullable || isOpen(schema)) return []
    return [[key, key === 'properties' ? eachV2(value) : childV2(value)]]
  })
  return Object.fromEntries(members)
}

const eachV2 = (properties: Json | undefined): Json =>
  isObject(properties)
    ? Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, childV2(one)]))
    : {}

const childV2 = (value: Json | undefined): Json =>
  isObject(value) ? schemaV2(value) : (value ?? {})

const isObject = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
