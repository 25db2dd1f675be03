// Makes a JSON merge patch: what `balsa apply` sends so that the object becomes what the manifest says, without touching what others
// set. Three-way: fields that the last applied manifest had and the new one has not are removed, others of the live object stay.
import { jsonEqual } from '../json-equal.ts'
import type { Json } from '../object.ts'
import { isJsonObject, memberOf } from './patch-result.ts'
import type { JsonObject } from './patch-result.ts'

/** undefined: nothing to change. */
export const createThreeWayMergePatch = (
  lastApplied: JsonObject,
  modified: JsonObject,
  current: JsonObject,
): JsonObject | undefined => {
  const patch = new Map<string, Json>()
  for (const [key, wanted] of Object.entries(modified)) {
    if (wanted === undefined) continue
    const found = memberOf(current, key)
    if (isJsonObject(wanted) && isJsonObject(found)) {
      const before = memberOf(lastApplied, key)
      const nested = createThreeWayMergePatch(isJsonObject(before) ? before : {}, wanted, found)
      if (nested !== undefined) patch.set(key, nested)
    } else if (!jsonEqual(wanted, found)) patch.set(key, wanted)
  }
  for (const key of Object.keys(lastApplied)) {
    if (memberOf(modified, key) === undefined && memberOf(current, key) !== undefined) {
      patch.set(key, null)
    }
  }
  return patch.size === 0 ? undefined : Object.fromEntries(patch)
}
