// The fields of an object as paths, and sets of them in the form they have in metadata.managedFields (FieldsV1): `f:NAME` a field,
// `k:{"KEY":VALUE}` the item of a list with that key, `v:VALUE` an item of a set. Lists without a key are one field as a whole.
import { jsonEqual } from '../../resources/json-equal.ts'
import type { Json, MergeKeys } from '../../resources/object.ts'
import { isJsonList, isJsonObject, type JsonObject } from '../../resources/patch/patch-result.ts'

/** Elements as in FieldsV1, joined by `separator`. */
export type FieldPath = string

const separator = '\u0000'
const depthMax = 100
/** Fields that belong to the system or name the object: nobody owns them. */
const ownerless = new Set([
  'f:apiVersion',
  'f:kind',
  'f:status',
  ...[
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
  ].map((name) => `f:metadata${separator}f:${name}`),
])

export const fieldPaths = (object: Json, mergeKeys: MergeKeys): Set<FieldPath> => {
  const paths = new Set<FieldPath>()
  const walk = (value: Json, path: FieldPath, keyPath: string): void => {
    if (ownerless.has(path)) return
    if (isJsonObject(value) && Object.keys(value).length > 0) {
      for (const [name, member] of Object.entries(value)) {
        if (member !== undefined) walk(member, join(path, `f:${name}`), below(keyPath, name))
      }
      return
    }
    const mergeKey = Object.hasOwn(mergeKeys, keyPath) ? mergeKeys[keyPath] : undefined
    if (!isJsonList(value) || mergeKey === undefined) {
      if (path !== '') paths.add(path)
      return
    }
    for (const item of value) {
      if (mergeKey === '') paths.add(join(path, `v:${JSON.stringify(item)}`))
      else if (isJsonObject(item)) {
        const itemPath = join(path, `k:${JSON.stringify({ [mergeKey]: item[mergeKey] ?? null })}`)
        paths.add(itemPath)
        for (const [name, member] of Object.entries(item)) {
          if (member !== undefined) walk(member, join(itemPath, `f:${name}`), below(keyPath, name))
        }
      }
    }
  }
  walk(object, '', '')
  return paths
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
  return value.find(
    (item) =>
      isJsonObject(item) &&
      Object.entries(wanted).every(([key, one]) => jsonEqual(item[key] ?? null, one)),
  )
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

const below = (keyPath: string, name: string): string =>
  keyPath === '' ? name : `${keyPath}.${name}`

const parseJson = (text: string): Json | undefined => {
  try {
    return JSON.parse(text) as Json
  } catch (reason) {
    if (reason instanceof SyntaxError) return undefined
    throw reason
  }
}
