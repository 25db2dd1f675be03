// Makes the strategic merge patch that `balsa apply` sends: three-way, so that the object becomes what the manifest says while fields
// others set stay. What the last applied manifest had and the new one has not is removed.
import { jsonEqual } from '../json-equal.ts'
import type { Json, MergeKeys } from '../object.ts'
import { isJsonList, isJsonObject, memberOf } from './patch-result.ts'
import type { JsonObject } from './patch-result.ts'

export interface ThreeWays {
  /** The manifest applied before; {} when there was none. */
  readonly lastApplied: JsonObject
  readonly modified: JsonObject
  /** The live object. */
  readonly current: JsonObject
}

/** undefined: nothing to change. Without `mergeKeys` lists are replaced, which is what a JSON merge patch does too. */
export const createApplyPatch = (
  ways: ThreeWays,
  mergeKeys: MergeKeys | undefined,
): JsonObject | undefined => objectPatch(ways, mergeKeys ?? {}, '')

const objectPatch = (
  ways: ThreeWays,
  mergeKeys: MergeKeys,
  path: string,
): JsonObject | undefined => {
  const { lastApplied, modified, current } = ways
  const patch = new Map<string, Json>()
  for (const [key, wanted] of Object.entries(modified)) {
    const found = memberOf(current, key)
    if (wanted === undefined || wanted === null) {
      if (found !== undefined) patch.set(key, null)
      continue
    }
    const at = path === '' ? key : `${path}.${key}`
    const before = memberOf(lastApplied, key)
    const mergeKey = Object.hasOwn(mergeKeys, at) ? mergeKeys[at] : undefined
    if (isJsonObject(wanted) && isJsonObject(found)) {
      const nested = objectPatch(
        { lastApplied: isJsonObject(before) ? before : {}, modified: wanted, current: found },
        mergeKeys,
        at,
      )
      if (nested !== undefined) patch.set(key, nested)
    } else if (isJsonList(wanted) && isJsonList(found) && mergeKey !== undefined) {
      const lists = {
        lastApplied: isJsonList(before) ? before : [],
        modified: wanted,
        current: found,
      }
      for (const [name, value] of mergeKey === ''
        ? scalarListPatch(lists, key)
        : objectListPatch(lists, { key, mergeKey, mergeKeys, path: at })) {
        patch.set(name, value)
      }
    } else if (!jsonEqual(wanted, found)) patch.set(key, wanted)
  }
  for (const key of Object.keys(lastApplied)) {
    const isGone = memberOf(modified, key) === undefined && memberOf(current, key) !== undefined
    if (isGone) patch.set(key, null)
  }
  return patch.size === 0 ? undefined : Object.fromEntries(patch)
}

interface ThreeLists {
  readonly lastApplied: readonly Json[]
  readonly modified: readonly Json[]
  readonly current: readonly Json[]
}

const scalarListPatch = (lists: ThreeLists, key: string): [string, Json][] => {
  const has = (list: readonly Json[], item: Json): boolean =>
    list.some((one) => jsonEqual(one, item))
  const added = lists.modified.filter((item) => !has(lists.current, item))
  const removed = lists.lastApplied.filter(
    (item) => has(lists.current, item) && !has(lists.modified, item),
  )
  const changes: [string, Json][] = []
  if (added.length > 0) changes.push([key, added])
  if (removed.length > 0) changes.push([`$deleteFromPrimitiveList/${key}`, removed])
  return changes
}

const objectListPatch = (
  lists: ThreeLists,
  at: {
    readonly key: string
    readonly mergeKey: string
    readonly mergeKeys: MergeKeys
    readonly path: string
  },
): [string, Json][] => {
  const { key, mergeKey, mergeKeys, path } = at
  const identityOf = (item: Json | undefined): Json | undefined =>
    isJsonObject(item) ? memberOf(item, mergeKey) : undefined
  const find = (list: readonly Json[], identity: Json | undefined): JsonObject | undefined => {
    const found = list.find((item) => jsonEqual(identityOf(item), identity))
    return isJsonObject(found) ? found : undefined
  }
  // Elements without their key cannot be told apart: the server refuses the list and says so.
  if (lists.modified.some((item) => identityOf(item) === undefined)) return [[key, lists.modified]]
  const items: Json[] = []
  for (const wanted of lists.modified) {
    if (!isJsonObject(wanted)) continue
    const identity = identityOf(wanted) ?? null
    const found = find(lists.current, identity)
    const change =
      found === undefined
        ? wanted
        : objectPatch(
            {
              lastApplied: find(lists.lastApplied, identity) ?? {},
              modified: wanted,
              current: found,
            },
            mergeKeys,
            path,
          )
    if (change !== undefined) items.push({ ...change, [mergeKey]: identity })
  }
  for (const before of lists.lastApplied) {
    const identity = identityOf(before) ?? null
    const isGone =
      find(lists.modified, identity) === undefined && find(lists.current, identity) !== undefined
    if (isGone) items.push({ $patch: 'delete', [mergeKey]: identity })
  }
  if (items.length === 0) return []
  const order = lists.modified.map((item) => ({ [mergeKey]: identityOf(item) ?? null }))
  return [
    [key, items],
    [`$setElementOrder/${key}`, order],
  ]
}
