// What tells the items of a list apart, as FieldsV1 writes it.
import type { Json } from '../../resources/object.ts'
import { isJsonObject } from '../../resources/patch/patch-result.ts'
import { keyDefaults } from './structure.ts'

/** `k:{"name":"c"}` with its keys in order, or `v:VALUE` where there are no keys. */
export const itemElement = (item: Json, keys: readonly string[]): string => {
  if (keys.length === 0) return `v:${JSON.stringify(item)}`
  const members = keys.toSorted().flatMap((key): [string, Json][] => {
    const value = (isJsonObject(item) ? item[key] : undefined) ?? keyDefaults[key]
    return value === undefined ? [] : [[key, value]]
  })
  return `k:${JSON.stringify(Object.fromEntries(members))}`
}
