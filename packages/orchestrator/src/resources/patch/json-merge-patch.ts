// JSON merge patch, RFC 7386: objects merge, null removes, everything else replaces.
import type { Json } from '../object.ts'
import { applySafely, isJsonObject, memberOf } from './patch-result.ts'
import type { JsonObject, PatchResult } from './patch-result.ts'

/** `target` is not changed; the result shares what the patch does not touch. */
export const applyJsonMergePatch = (target: Json, patch: Json): PatchResult =>
  applySafely(patch, () => mergePatch(target, patch))

const mergePatch = (target: Json | undefined, patch: Json): Json => {
  if (!isJsonObject(patch)) return patch
  const original: JsonObject = isJsonObject(target) ? target : {}
  const merged = new Map<string, Json | undefined>(Object.entries(original))
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || value === undefined) merged.delete(key)
    else merged.set(key, mergePatch(memberOf(original, key), value))
  }
  return Object.fromEntries(merged)
}
