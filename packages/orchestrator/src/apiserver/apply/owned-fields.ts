// The fields of an object as FieldsV1 in one walk: every creation needs them, and as sets of paths they were a sixth of what it allocates.
import type { Json } from '../../resources/object.ts'
import { isJsonList, isJsonObject, type JsonObject } from '../../resources/patch/patch-result.ts'
import { type OwnedPart, ownerlessFields, ownerlessMetadata } from './field-paths.ts'
import { itemElement } from './item-key.ts'
import type { Structure } from './structure.ts'

/** The members of an object that nobody owns. */
interface Outside {
  has(name: string): boolean
  /** Of a member's members; undefined: all are owned. */
  below(name: string): Outside | undefined
}

const inMetadata: Outside = {
  has: (name) => ownerlessMetadata.has(name),
  below: () => undefined,
}
const notMain = new Set([...ownerlessFields, 'status'])
const outsideMain: Outside = {
  has: (name) => notMain.has(name),
  below: (name) => (name === 'metadata' ? inMetadata : undefined),
}
const outsideStatus: Outside = {
  has: (name) => name !== 'status',
  below: () => undefined,
}

/** The same as encodeFields(fieldPaths(object, structure, part)). */
export const ownedFields = (object: Json, structure: Structure, part: OwnedPart): JsonObject =>
  fieldsOf(object, structure, part === 'status' ? outsideStatus : outsideMain) ?? {}

/** {}: `value` is one field; undefined: nothing of it is owned. */
const fieldsOf = (
  value: Json,
  at: Structure,
  outside: Outside | undefined,
): JsonObject | undefined => {
  if (isJsonObject(value)) return fieldsOfMembers(value, at, outside)
  return isJsonList(value) && at.items !== undefined ? fieldsOfItems(value, at.items) : {}
}

const fieldsOfMembers = (
  object: JsonObject,
  at: Structure,
  outside: Outside | undefined,
): JsonObject | undefined => {
  const fields: Record<string, Json> = {}
  let isWhole = true
  let isOwned = false
  for (const name of Object.keys(object)) {
    const below = at.member(name)
    if (below === undefined) return {}
    const member = object[name]
    if (member === undefined) continue
    isWhole = false
    if (outside?.has(name) === true) continue
    const inside = fieldsOf(member, below, outside?.below(name))
    if (inside === undefined) continue
    fields[`f:${name}`] = inside
    isOwned = true
  }
  return isOwned || isWhole ? fields : undefined
}

const fieldsOfItems = (
  items: readonly Json[],
  { keys, structure }: NonNullable<Structure['items']>,
): JsonObject => {
  const fields: Record<string, Json> = {}
  for (const item of items) {
    const element = itemElement(item, keys)
    const inside = keys.length === 0 ? {} : (fieldsOf(item, structure, undefined) ?? {})
    const own = Object.keys(inside).length === 0 ? inside : { '.': {}, ...inside }
    const same = fields[element]
    fields[element] = isJsonObject(same) ? merged(same, own) : own
  }
  return fields
}

/** Of two items with the same key. */
const merged = (left: JsonObject, right: JsonObject): JsonObject => {
  const leftNames = Object.keys(left)
  const rightNames = Object.keys(right)
  if (leftNames.length === 0) return rightNames.length === 0 ? left : { '.': {}, ...right }
  if (rightNames.length === 0) return { '.': {}, ...left }
  const both: Record<string, Json> = { ...left } as Record<string, Json>
  for (const name of rightNames) {
    const one = left[name]
    const other = right[name]
    if (isJsonObject(other)) both[name] = isJsonObject(one) ? merged(one, other) : other
  }
  return both
}
