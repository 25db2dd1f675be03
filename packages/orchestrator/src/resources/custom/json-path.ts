// The JSONPath of printer columns, scale and selectable fields: members, indices, wildcards and filters by equality, as kubectl reads them.
import type { Json } from '../object.ts'
import { isJsonList, isJsonObject } from './json-schema.ts'

type Step =
  | { readonly type: 'member'; readonly name: string }
  | { readonly type: 'index'; readonly index: number }
  | { readonly type: 'all' }
  | {
      readonly type: 'where'
      readonly path: JsonPath
      readonly isEqual: boolean
      readonly value: Json
    }

export type JsonPath = readonly Step[]

const stepsMax = 100
const token =
  /^(?:\.?\[\?\(@((?:\.[\w-]+)+)\s*(==|!=)\s*(?:"([^"]*)"|'([^']*)'|(-?\d+(?:\.\d+)?|true|false))\)\]|\.?\[(?:'([^']*)'|"([^"]*)")\]|\.?\[(-?\d+)\]|\.?\[\*\]|\.\*|\.((?:[^.[\]\\]|\\.)+))/

/** undefined: it is no path that Balsa reads. */
export const parseJsonPath = (text: string): JsonPath | undefined => {
  const steps: Step[] = []
  let rest = text.replace(/^\{(.*)\}$/, '$1').replace(/^\$/, '')
  if (rest !== '' && !rest.startsWith('.') && !rest.startsWith('[')) return undefined
  while (rest !== '' && rest !== '.') {
    const match = token.exec(rest)
    if (match === null || steps.length >= stepsMax) return undefined
    const step = stepOf(match)
    if (step === undefined) return undefined
    steps.push(step)
    rest = rest.slice(match[0].length)
  }
  return steps
}

const stepOf = (match: RegExpExecArray): Step | undefined => {
  const [, filter, operator, double, single, word, quoted, doubleQuoted, index, name] = match
  if (filter !== undefined) {
    const path = parseJsonPath(filter)
    const text = double ?? single
    const value: Json = text ?? (word === 'true' || (word !== 'false' && Number(word)))
    return path && { type: 'where', path, isEqual: operator === '==', value }
  }
  const member = quoted ?? doubleQuoted ?? name?.replaceAll(/\\(.)/g, '$1')
  if (member !== undefined) return { type: 'member', name: member }
  return index === undefined ? { type: 'all' } : { type: 'index', index: Number(index) }
}

/** What the path leads to, in order; nothing where it leads nowhere. */
export const valuesAt = (value: Json, path: JsonPath): readonly Json[] => {
  let values: readonly Json[] = [value]
  for (const step of path) values = values.flatMap((one) => take(one, step))
  return values
}

const take = (value: Json, step: Step): readonly Json[] => {
  switch (step.type) {
    case 'member':
      return isJsonObject(value) && Object.hasOwn(value, step.name)
        ? [value[step.name] ?? null]
        : []
    case 'index': {
      const item = isJsonList(value) ? value.at(step.index) : undefined
      return item === undefined ? [] : [item]
    }
    case 'all':
      if (isJsonList(value)) return value
      return isJsonObject(value) ? Object.values(value).map((member) => member ?? null) : []
    case 'where':
      return (isJsonList(value) ? value : []).filter((item) => {
        const [found] = valuesAt(item, step.path)
        return found !== undefined && (found === step.value) === step.isEqual
      })
  }
}

/** The object with `value` at the path, whose steps are members; the objects on the way are made. */
export const withValueAt = (object: Json, path: JsonPath, value: Json): Json => {
  const [step, ...rest] = path
  if (step === undefined) return value
  if (step.type !== 'member') return object
  const before = isJsonObject(object) ? object : {}
  return { ...before, [step.name]: withValueAt(before[step.name] ?? {}, rest, value) }
}
