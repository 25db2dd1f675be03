// Strategic merge patch (apimachinery util/strategicpatch): like a merge patch, but lists that have a merge key are merged element by
// element. Directives: `$patch: replace|delete`, `$retainKeys`, `$deleteFromPrimitiveList/x`, `$setElementOrder/x`.
import { jsonEqual } from '../json-equal.ts'
import type { Json, MergeKeys } from '../object.ts'
import { deleteFromScalars, inOrder, mergeScalars } from './list-order.ts'
import { PatchError, applySafely, isJsonList, isJsonObject, memberOf } from './patch-result.ts'
import type { JsonObject, PatchResult } from './patch-result.ts'

const patchDirective = '$patch'
const retainKeysDirective = '$retainKeys'
const deletePrefix = '$deleteFromPrimitiveList/'
const orderPrefix = '$setElementOrder/'

/** `mergeKeys` are the kind's. `original` is not changed. */
export const applyStrategicMergePatch = (
  original: Json,
  patch: Json,
  mergeKeys: MergeKeys,
): PatchResult =>
  applySafely(patch, () => {
    if (!isJsonObject(original) || !isJsonObject(patch)) {
      throw new PatchError('cannot apply a strategic merge patch to or from what is no object')
    }
    return new StrategicMerge(mergeKeys).objects(original, patch, '')
  })

class StrategicMerge {
  readonly #mergeKeys: MergeKeys

  constructor(mergeKeys: MergeKeys) {
    this.#mergeKeys = mergeKeys
  }

  objects(original: JsonObject, patch: JsonObject, path: string): JsonObject {
    const directive = memberOf(patch, patchDirective)
    if (directive !== undefined) return this.#replaced(directive, patch, path)
    const merged = new Map<string, Json | undefined>(
      Object.entries(retained(original, memberOf(patch, retainKeysDirective), patch)),
    )
    for (const [key, value] of Object.entries(patch)) {
      if (value === undefined || key.startsWith('$')) continue
      const result = this.#member(merged.get(key), value, join(path, key))
      if (result === undefined) merged.delete(key)
      else merged.set(key, result)
    }
    this.#deleteFromLists(merged, patch)
    this.#orderLists(merged, original, patch, path)
    return Object.fromEntries(merged)
  }

  #replaced(directive: Json, patch: JsonObject, path: string): JsonObject {
    if (directive === 'delete') return {}
    if (directive !== 'replace') {
      throw new PatchError(`unknown patch type found: ${JSON.stringify(directive)}`)
    }
    const { [patchDirective]: _directive, ...rest } = patch
    return this.#fresh(rest, path)
  }

  /** undefined: the member goes. */
  #member(original: Json | undefined, patch: Json, path: string): Json | undefined {
    if (patch === null) return undefined
    if (isJsonObject(patch)) {
      return isJsonObject(original) ? this.objects(original, patch, path) : this.#fresh(patch, path)
    }
    if (!isJsonList(patch)) return patch
    const mergeKey = this.#mergeKey(path)
    if (mergeKey === undefined) return patch.map((item) => this.#freshItem(item, path))
    return this.#lists(isJsonList(original) ? original : [], patch, { path, mergeKey })
  }

  /** What a patch comes to where there was nothing: without its directives and nulls. */
  #fresh(patch: JsonObject, path: string): JsonObject {
    return this.objects({}, patch, path)
  }

  #freshItem(item: Json, path: string): Json {
    return isJsonObject(item) ? this.#fresh(item, path) : item
  }

  #lists(
    original: readonly Json[],
    patch: readonly Json[],
    at: { readonly path: string; readonly mergeKey: string },
  ): readonly Json[] {
    const { path, mergeKey } = at
    if (mergeKey === '') return inOrder(mergeScalars(original, patch), patch, original, '')
    if (patch.some((item) => isJsonObject(item) && item[patchDirective] === 'replace')) {
      return patch
        .filter((item) => !(isJsonObject(item) && item[patchDirective] !== undefined))
        .map((item) => this.#freshItem(item, path))
    }
    let merged = [...original]
    const kept: Json[] = []
    for (const item of patch) {
      if (!isJsonObject(item)) throw new PatchError(`expected an object in the list ${path}`)
      const identity = memberOf(item, mergeKey)
      if (identity === undefined || identity === null) {
        throw new PatchError(
          `map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`,
        )
      }
      const isThis = (one: Json): boolean =>
        isJsonObject(one) && jsonEqual(memberOf(one, mergeKey), identity)
      const directive = memberOf(item, patchDirective)
      if (directive === 'delete') {
        merged = merged.filter((one) => !isThis(one))
        continue
      }
      if (directive !== undefined) {
        throw new PatchError(`unknown patch type found: ${JSON.stringify(directive)}`)
      }
      const index = merged.findIndex(isThis)
      const found = merged[index]
      if (isJsonObject(found)) merged[index] = this.objects(found, item, path)
      else merged.push(this.#fresh(item, path))
      kept.push(item)
    }
    return inOrder(merged, kept, original, mergeKey)
  }

  #deleteFromLists(merged: Map<string, Json | undefined>, patch: JsonObject): void {
    for (const [key, removed] of Object.entries(patch)) {
      if (!key.startsWith(deletePrefix)) continue
      const name = key.slice(deletePrefix.length)
      if (!isJsonList(removed)) throw new PatchError(`${key} must be a list`)
      const list = merged.get(name)
      if (isJsonList(list)) merged.set(name, deleteFromScalars(list, removed))
    }
  }

  #orderLists(
    merged: Map<string, Json | undefined>,
    original: JsonObject,
    patch: JsonObject,
    path: string,
  ): void {
    for (const [key, order] of Object.entries(patch)) {
      if (!key.startsWith(orderPrefix)) continue
      const name = key.slice(orderPrefix.length)
      if (!isJsonList(order)) throw new PatchError(`${key} must be a list`)
      const list = merged.get(name)
      const mergeKey = this.#mergeKey(join(path, name))
      const before = memberOf(original, name)
      if (!isJsonList(list) || mergeKey === undefined) continue
      merged.set(name, inOrder(list, order, isJsonList(before) ? before : [], mergeKey))
    }
  }

  #mergeKey(path: string): string | undefined {
    return Object.hasOwn(this.#mergeKeys, path) ? this.#mergeKeys[path] : undefined
  }
}

/** With `$retainKeys` only those keys of the original are kept; the patch may name no others. */
const retained = (original: JsonObject, keys: Json | undefined, patch: JsonObject): JsonObject => {
  if (keys === undefined) return original
  if (!isJsonList(keys)) throw new PatchError(`${retainKeysDirective} must be a list`)
  for (const [key, value] of Object.entries(patch)) {
    if (value !== null && !key.startsWith('$') && !keys.includes(key)) {
      throw new PatchError(
        `${retainKeysDirective} list does not contain the key ${JSON.stringify(key)} of the patch`,
      )
    }
  }
  return Object.fromEntries(Object.entries(original).filter(([key]) => keys.includes(key)))
}

const join = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)
