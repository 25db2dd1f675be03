// Merges the configuration of an applier into an object: members into objects, items into lists by their keys, everything else replaces
// what is there. Items stand in the order of the configuration; those of others stay behind the item that they followed.
import type { Json } from '../../resources/object.ts'
import { isJsonList, isJsonObject, type JsonObject } from '../../resources/patch/patch-result.ts'
import { itemElement } from './item-key.ts'
import type { Structure } from './structure.ts'

export const mergeConfig = (live: Json | undefined, config: Json, structure: Structure): Json => {
  if (isJsonObject(config) && isJsonObject(live)) return mergeObjects(live, config, structure)
  const { items } = structure
  return isJsonList(config) && isJsonList(live) && items !== undefined
    ? mergeLists(live, config, items)
    : config
}

const mergeObjects = (live: JsonObject, config: JsonObject, structure: Structure): Json => {
  const merged = new Map<string, Json | undefined>(Object.entries(live))
  for (const [name, value] of Object.entries(config)) {
    if (value === undefined) continue
    const member = structure.member(name)
    if (member === undefined) return config
    merged.set(name, mergeConfig(merged.get(name), value, member))
  }
  return Object.fromEntries(merged)
}

const mergeLists = (
  live: readonly Json[],
  config: readonly Json[],
  { keys, structure }: NonNullable<Structure['items']>,
): Json[] => {
  const liveByKey = new Map(live.map((item) => [itemElement(item, keys), item]))
  const wanted = new Set(config.map((item) => itemElement(item, keys)))
  /** Items of others by the item before them; '' for those at the start. */
  const others = new Map<string, Json[]>()
  let before = ''
  for (const [key, item] of liveByKey) {
    if (wanted.has(key)) before = key
    else others.set(before, [...(others.get(before) ?? []), item])
  }
  return [
    ...(others.get('') ?? []),
    ...config.flatMap((item) => {
      const key = itemElement(item, keys)
      return [mergeConfig(liveByKey.get(key), item, structure), ...(others.get(key) ?? [])]
    }),
  ]
}
