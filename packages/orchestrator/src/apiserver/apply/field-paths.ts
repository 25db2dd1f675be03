// The fields of an object as paths, and sets of them in the form they have in metadata.managedFields (FieldsV1): `f:NAME` a field,
// `k:{"KEY":VALUE}` the item of a list with that key, `v:VALUE` an item of a set. What has one owner is one field as a whole.
import { jsonEqual } from '../../resources/json-equal.ts'
import type { Json } from '../../resources/object.ts'
import { isJsonList, isJsonObject, type JsonObject } from '../../resources/patch/patch-result.ts'
import { itemElement } from './item-key.ts'
import type { Structure } from './structure.ts'

/** Elements as in FieldsV1, joined by `separator`. */
export type FieldPath = string

const separator = '\u0000'
const depthMax = 100
/** Fields that belong to the system or name the object: nobody owns them. */
export const ownerlessFields: readonly string[] = ['apiVersion', 'kind']
/** The same below metadata. */
export const ownerlessMetadata: ReadonlySet<string> = new Set([
  'name',
  'namespace',
  'generateName',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
])
const ownerless = new Set([
  ...ownerlessFields.map((name) => `f:${name}`),
  ...[...ownerlessMetadata].map((name) => `f:metadata${separator}f:${name}`),
])

/** Which fields of an object a write is about. Scale is about what it is about, but its owners are told apart from others. */
export type OwnedPart = 'main' | 'status' | 'scale'

export const fieldPaths = (object: Json, structure: Structure, part: OwnedPart): Set<FieldPath> => {
  const paths = new Set<FieldPath>()
  collectPaths({ part, paths }, object, structure, '')
  return paths
}

interface Collection {
  readonly part: OwnedPart
  readonly paths: Set<FieldPath>
}

const collectPaths = (to: Collection, value: Json, at: Structure, path: FieldPath): void => {
  if (isOutside(path, to.part)) return
  const members = isJsonObject(value) ? membersOf(value, at) : undefined
  if (members !== undefined) {
    for (const [name, member, below] of members) {
      collectPaths(to, member, below, join(path, `f:${name}`))
    }
  } else if (isJsonList(value) && at.items !== undefined && value.length > 0) {
    for (const item of value) collectItem(to, item, at.items, path)
  } else if (path !== '') to.paths.add(path)
}

const collectItem = (
  to: Collection,
  item: Json,
  { keys, structure }: NonNullable<Structure['items']>,
  path: FieldPath,
): void => {
  const itemPath = join(path, itemElement(item, keys))
  if (keys.length > 0) collectPaths(to, item, structure, itemPath)
  to.paths.add(itemPath)
}

/** The fields of `after` that `before` does not have or has otherwise. */
export const changedPaths = (
  before: Json,
  after: Json,
  structure: Structure,
  part: OwnedPart,
): Set<FieldPath> => {
  const paths = new Set<FieldPath>()
  collectChanges({ part, paths }, before, after, { at: structure, path: '' })
  return paths
}

const collectChanges = (
  to: Collection,
  old: Json | undefined,
  value: Json,
  { at, path }: { readonly at: Structure; readonly path: FieldPath },
): void => {
  if (old === value || isOutside(path, to.part)) return
  const members = isJsonObject(value) && isJsonObject(old) ? membersOf(value, at) : undefined
  if (members !== undefined && isJsonObject(old)) {
    for (const [name, member, below] of members) {
      collectChanges(to, old[name], member, { at: below, path: join(path, `f:${name}`) })
    }
    return
  }
  if (isJsonList(value) && isJsonList(old) && at.items !== undefined) {
    const { keys, structure } = at.items
    const known = new Map(old.map((item) => [itemElement(item, keys), item]))
    for (const item of value) {
      const element = itemElement(item, keys)
      const same = known.get(element)
      if (same === undefined) collectItem(to, item, at.items, path)
      else if (keys.length > 0) {
        collectChanges(to, same, item, { at: structure, path: join(path, element) })
      }
    }
    return
  }
  if (old === undefined || !jsonEqual(old, value)) collectPaths(to, value, at, path)
}

/** The members with their structures; undefined: the object is one field. */
const membersOf = (value: JsonObject, at: Structure): [string, Json, Structure][] | undefined => {
  const members: [string, Json, Structure][] = []
  for (const [name, member] of Object.entries(value)) {
    const below = at.member(name)
    if (below === undefined) return undefined
    if (member !== undefined) members.push([name, member, below])
  }
  return members.length === 0 ? undefined : members
}

/** Status has owners of its own. */
const isOutside = (path: FieldPath, part: OwnedPart): boolean => {
  if (path === '') return false
  if (part !== 'status') return path === 'f:status' || ownerless.has(path)
  return path !== 'f:status' && !path.includes(separator)
}

/** `paths` and all paths that lead to them. */
export const pathsAround = (paths: readonly FieldPath[]): Set<FieldPath> => {
  const around = new Set<FieldPath>()
  for (const path of paths) {
    for (let end = path.length; end > 0; end = path.lastIndexOf(separator, end - 1)) {
      around.add(path.slice(0, end))
    }
  }
  return around
}

/** What is at `path`; undefined: nothing. */
export const valueAt = (object: Json, path: FieldPath): Json | undefined => {
  let value: Json | undefined = object
  for (const element of path.split(separator)) {
    if (value === undefined) return undefined
    value = memberAt(value, element)
  }
  return value
}

/** `object` without what is at `path`. */
export const withoutPath = (object: Json, path: FieldPath): Json => {
  const [first = '', ...rest] = path.split(separator)
  return withoutElements(object, first, rest)
}

const withoutElements = (value: Json, first: string, rest: readonly string[]): Json => {
  const member = memberAt(value, first)
  if (member === undefined) return value
  const [next, ...others] = rest
  const replaced = next === undefined ? undefined : withoutElements(member, next, others)
  if (isJsonList(value)) {
    return value.flatMap((item) =>
      item !== member ? [item] : replaced === undefined ? [] : [replaced],
    )
  }
  if (!isJsonObject(value)) return value
  const name = first.slice(2)
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]): [string, Json][] => {
      if (key === name) return replaced === undefined ? [] : [[key, replaced]]
      return one === undefined ? [] : [[key, one]]
    }),
  )
}

const memberAt = (value: Json, element: string): Json | undefined => {
  const text = element.slice(2)
  if (element.startsWith('f:')) {
    return isJsonObject(value) && Object.hasOwn(value, text) ? value[text] : undefined
  }
  const wanted = parseJson(text)
  if (!isJsonList(value) || wanted === undefined) return undefined
  if (element.startsWith('v:')) return value.find((item) => jsonEqual(item, wanted))
  if (!isJsonObject(wanted)) return undefined
  const keys = Object.keys(wanted)
  return value.find((item) => itemElement(item, keys) === `k:${text}`)
}

export const encodeFields = (paths: Iterable<FieldPath>): JsonObject => {
  interface Node {
    readonly children: Map<string, Node>
    isOwned: boolean
  }
  const root: Node = { children: new Map(), isOwned: false }
  for (const path of paths) {
    let node = root
    for (const element of path.split(separator)) {
      let child = node.children.get(element)
      if (child === undefined) {
        child = { children: new Map(), isOwned: false }
        node.children.set(element, child)
      }
      node = child
    }
    node.isOwned = true
  }
  const encode = ({ children, isOwned }: Node): JsonObject =>
    Object.fromEntries([
      ...(isOwned && children.size > 0 ? [['.', {}] as const] : []),
      ...[...children].map(([element, child]) => [element, encode(child)] as const),
    ])
  return encode(root)
}

/** Takes what clients may have written: what is no field set is no path. */
export const decodeFields = (fields: Json | undefined): Set<FieldPath> => {
  const paths = new Set<FieldPath>()
  const walk = (value: Json | undefined, path: FieldPath, depth: number): void => {
    if (!isJsonObject(value) || depth > depthMax) return
    const names = Object.keys(value)
    if (path !== '' && (names.length === 0 || names.includes('.'))) paths.add(path)
    for (const name of names) {
      if (/^[fkv]:/.test(name)) walk(value[name], join(path, name), depth + 1)
    }
  }
  walk(fields, '', 0)
  return paths
}

/** As upstream shows a path: `.spec.containers[name="c"].image`. */
export const pathText = (path: FieldPath): string =>
  path
    .split(separator)
    .map((element) => {
      const text = element.slice(2)
      if (element.startsWith('f:')) return `.${text}`
      const value = parseJson(text)
      if (element.startsWith('v:') || !isJsonObject(value)) return `[=${text}]`
      const keys = Object.entries(value).map(([key, one]) => `${key}=${JSON.stringify(one)}`)
      return `[${keys.join(',')}]`
    })
    .join('')

const join = (path: FieldPath, element: string): FieldPath =>
  path === '' ? element : path + separator + element

const parseJson = (text: string): Json | undefined => {
  try {
    return JSON.parse(text) as Json
  } catch (reason) {
    if (reason instanceof SyntaxError) return undefined
    throw reason
  }
}
