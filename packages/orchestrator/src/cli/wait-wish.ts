// What `balsa wait --for` takes, and whether an object is so.
import { hasCondition } from '../client/wait-for.ts'
import { type JsonPath, parseJsonPath, valuesAt } from '../resources/custom/json-path.ts'
import type { Json, KubeObject, Stored } from '../resources/object.ts'

export type Wish =
  | { readonly type: 'delete' }
  | { readonly type: 'create' }
  | { readonly type: 'condition'; readonly name: string; readonly status: string }
  | { readonly type: 'path'; readonly path: JsonPath; readonly value: string | undefined }

const isPathForm = `jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or --for=jsonpath='{.status.readyReplicas}'`

/** Throws Error as kubectl tells it. */
export const parseWish = (text: string): Wish => {
  const lower = text.toLowerCase()
  if (lower === 'delete' || lower === 'create') return { type: lower }
  const [, form = '', rest = ''] = /^([a-z]+)=(.*)$/s.exec(text) ?? []
  if (form === 'condition') {
    const [name = '', status = 'true'] = rest.split('=')
    return { type: 'condition', name, status }
  }
  if (form === 'jsonpath') return parsePathWish(rest)
  throw new Error(`unrecognized condition: ${JSON.stringify(text)}`)
}

const parsePathWish = (text: string): Wish => {
  if (text === '') throw new Error('jsonpath expression cannot be empty')
  const { expression, value } = splitValue(text.replaceAll("'", ''))
  if (value === '')
    throw new Error(
      `jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3`,
    )
  const inner = /^\{(.*)\}$/s.exec(expression)?.[1] ?? expression
  const path = /[{}]/.test(inner)
    ? undefined
    : parseJsonPath(/^[.[$]/.test(inner) ? inner : `.${inner}`)
  if (path === undefined)
    throw new Error(
      `unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'`,
    )
  return { type: 'path', path, value }
}

/** The value comes after the first `=` behind the braces; a path may hold some within. */
const splitValue = (
  text: string,
): { readonly expression: string; readonly value: string | undefined } => {
  const end = text.startsWith('{') ? text.lastIndexOf('}') + 1 : 0
  const at = text.indexOf('=', end)
  if (at < 0) return { expression: text, value: undefined }
  const value = text.slice(at + 1)
  if (value.includes('=')) throw new Error(isPathForm)
  return { expression: text.slice(0, at), value }
}

/** `object` undefined: it is not there. Throws Error where the path leads to what has no text. */
export const isAsWished = (wish: Wish, object: Stored<KubeObject> | undefined): boolean => {
  if (wish.type === 'delete') return object === undefined
  if (object === undefined) return false
  if (wish.type === 'create') return true
  if (wish.type === 'condition') return isOfStatus(object, wish.name, wish.status)
  const found = valuesAt(object as unknown as Json, wish.path)
  const [value, ...others] = found
  if (value === undefined) return false
  if (others.length > 0) throw new Error('given jsonpath expression matches more than one value')
  if (wish.value === undefined) return true
  if (typeof value === 'object' && value !== null)
    throw new Error('jsonpath leads to a nested object or list which is not supported')
  return String(value) === wish.value
}

/** Names and statuses in any letters. */
const isOfStatus = (object: Stored<KubeObject>, name: string, status: string): boolean => {
  const { status: state } = object as {
    readonly status?: { readonly conditions?: readonly Named[] }
  }
  const type = state?.conditions?.find((one) => one.type.toLowerCase() === name.toLowerCase())?.type
  const wanted = (['True', 'False', 'Unknown'] as const).find(
    (one) => one.toLowerCase() === status.toLowerCase(),
  )
  return type !== undefined && wanted !== undefined && hasCondition(object, type, wanted)
}

interface Named {
  readonly type: string
}
