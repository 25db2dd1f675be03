// Drops what a structural schema does not know, names it, and fills in defaults: what upstream does with a custom object before it validates it.
import type { Json } from '../object.ts'
import {
  anything,
  embeddedMembers,
  isJsonList,
  isJsonObject,
  type JsonObject,
  type JsonSchema,
  schemaOfMember,
} from './json-schema.ts'

/** Unknown fields named in one answer. */
const unknownFieldsMax = 20

export interface Pruned {
  readonly value: Json
  /** Paths such as `spec.items[0].foo`. */
  readonly unknownFields: readonly string[]
}

/** `isRoot`: apiVersion, kind and metadata of the value are not the schema's business. */
export const prune = (schema: JsonSchema, value: Json, isRoot = true): Pruned => {
  const unknownFields: string[] = []
  const note = (path: string): void => {
    if (unknownFields.length < unknownFieldsMax) unknownFields.push(path)
  }
  const pruned = pruneValue(schema, value, { path: '', isObject: isRoot, note })
  return { value: pruned, unknownFields }
}

interface Place {
  readonly path: string
  /** A Kubernetes object with metadata of its own. */
  readonly isObject: boolean
  readonly note: (path: string) => void
}

const pruneValue = (schema: JsonSchema, value: Json, place: Place): Json => {
  if (isJsonList(value)) {
    const { items } = schema
    if (items === undefined) return value
    return value.map((item, index) =>
      pruneValue(items, item, {
        ...place,
        path: `${place.path}[${index}]`,
        isObject: items['x-kubernetes-embedded-resource'] === true,
      }),
    )
  }
  return isJsonObject(value) ? pruneObject(schema, value, place) : value
}

const pruneObject = (schema: JsonSchema, value: JsonObject, place: Place): Json => {
  const isOpen = schema['x-kubernetes-preserve-unknown-fields'] === true
  const kept: [string, Json][] = []
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue
    if (place.isObject && embeddedMembers.has(name)) {
      kept.push([name, member])
      continue
    }
    const path = place.path === '' ? name : `${place.path}.${name}`
    const known = schemaOfMember(schema, name) ?? (isOpen ? anything : undefined)
    if (known === undefined) place.note(path)
    else {
      const isObject = known['x-kubernetes-embedded-resource'] === true
      kept.push([name, pruneValue(known, member, { ...place, path, isObject })])
    }
  }
  return Object.fromEntries(kept)
}

/** Missing members get their defaults, and so do nulls where null is not allowed. */
export const withDefaults = (schema: JsonSchema, value: Json): Json => {
  if (isJsonList(value)) {
    const { items } = schema
    return items === undefined ? value : value.map((item) => withDefaults(items, item))
  }
  if (!isJsonObject(value)) return value
  const result: Record<string, Json> = {}
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue
    const known = schemaOfMember(schema, name)
    if (known === undefined) set(result, name, member)
    else if (member !== null || known.nullable === true) {
      set(result, name, withDefaults(known, member))
    } else if (known.default === undefined) set(result, name, member)
  }
  for (const [name, known] of Object.entries(schema.properties ?? {})) {
    if (known.default !== undefined && !Object.hasOwn(result, name)) {
      set(result, name, withDefaults(known, known.default))
    }
  }
  return result
}

/** Even `__proto__` is a key like any other. */
const set = (object: Record<string, Json>, name: string, value: Json): void => {
  Object.defineProperty(object, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  })
}
