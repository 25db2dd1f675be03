// What all patch algorithms share: their result, the shape of JSON, and the check that a patch is harmless to walk.
import type { Json } from '../object.ts'

export type PatchResult =
  | { readonly ok: true; readonly value: Json }
  /** The whole text that Kubernetes answers with 400 BadRequest. */
  | { readonly ok: false; readonly message: string }

export type JsonObject = { readonly [key: string]: Json | undefined }

/** Nesting of a patch or a document; past it walking one could run out of stack. */
export const patchDepthMax = 200

/** Thrown by a patch algorithm when the patch makes no sense; `applySafely` turns it into a result. */
export class PatchError extends Error {
  override readonly name = 'PatchError'
}

/** Refuses hostile patches, runs `apply`, and makes a PatchResult of what it returns or throws. */
export const applySafely = (patch: Json, apply: () => Json): PatchResult => {
  const problem = hostileProblem(patch, patchDepthMax)
  if (problem !== undefined) return { ok: false, message: problem }
  try {
    return { ok: true, value: apply() }
  } catch (reason) {
    if (reason instanceof PatchError) return { ok: false, message: reason.message }
    throw reason
  }
}

/** What makes `patch` dangerous: keys that name the prototype, and nesting past `depth`. */
export const hostileProblem = (patch: Json, depth: number): string | undefined => {
  if (typeof patch !== 'object' || patch === null) return undefined
  if (depth === 0) return `patch is nested deeper than ${patchDepthMax} levels`
  for (const [key, value] of Object.entries(patch)) {
    if (key === '__proto__') return 'patch must not name the key "__proto__"'
    const problem = hostileProblem(value ?? null, depth - 1)
    if (problem !== undefined) return problem
  }
  return undefined
}

export const isJsonObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const isJsonList = (value: Json | undefined): value is readonly Json[] =>
  Array.isArray(value)

/** An own member; members of the prototype do not count. */
export const memberOf = (object: JsonObject, key: string): Json | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined
