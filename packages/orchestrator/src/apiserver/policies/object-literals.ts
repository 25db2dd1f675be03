// `Object.spec{replicas: 3}` and `JSONPatch{op: "remove", path: "/spec/x"}` in expressions of mutations. The language's package has no
// literals of messages, so they are written as calls with a map before an expression is compiled: `__object("spec", {"replicas": 3})`.
import type { Environment } from '@marcbachmann/cel-js'
import type { Json } from '../../resources/object.ts'

/** Of the type that its name says: the place of the object in the root object, '' for the root itself. */
export class ObjectLiteral {
  readonly place: string
  readonly fields: ReadonlyMap<string, unknown>

  constructor(place: string, fields: ReadonlyMap<string, unknown>) {
    this.place = place
    this.fields = present(fields)
  }
}

export class PatchLiteral {
  readonly fields: ReadonlyMap<string, unknown>

  constructor(fields: ReadonlyMap<string, unknown>) {
    this.fields = present(fields)
  }
}

class JsonPatchFunctions {
  readonly name = 'jsonpatch'
}

interface Optional {
  hasValue(): boolean
  value(): unknown
}

/** Members that are written `?name: value` are there if their optional value is. */
const present = (fields: ReadonlyMap<string, unknown>): ReadonlyMap<string, unknown> =>
  new Map(
    [...fields].flatMap(([name, value]): [string, unknown][] => {
      if (!name.startsWith('?')) return [[name, value]]
      const optional = value as Optional
      return optional.hasValue() ? [[name.slice(1), optional.value()]] : []
    }),
  )

export const registerObjectLiterals = (environment: Environment): void => {
  environment.registerType('Object', { ctor: ObjectLiteral, fields: {} })
  environment.registerType('JSONPatch', { ctor: PatchLiteral, fields: {} })
  environment.registerType('JsonPatchFunctions', { ctor: JsonPatchFunctions, fields: {} })
  environment.registerConstant('jsonpatch', 'JsonPatchFunctions', new JsonPatchFunctions())
  environment.registerFunction(
    '__object(string, map): Object',
    (place: string, fields: unknown) => new ObjectLiteral(place, asMap(fields)),
  )
  environment.registerFunction(
    '__jsonPatch(map): JSONPatch',
    (fields: unknown) => new PatchLiteral(asMap(fields)),
  )
  environment.registerFunction(
    'JsonPatchFunctions.escapeKey(string): string',
    (_functions: JsonPatchFunctions, key: string) =>
      key.replaceAll('~', '~0').replaceAll('/', '~1'),
  )
}

const asMap = (fields: unknown): ReadonlyMap<string, unknown> =>
  fields instanceof Map ? fields : new Map(Object.entries(fields as object))

/** Texts, comments and what opens or closes something; the first group is a literal's name. */
const token =
  /[rRbB]{0,2}(?:"""[^]*?"""|'''[^]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|\/\/[^\n]*|(?<![\w.])(Object(?:\.\w+)*|JSONPatch)\s*\{|\w+|[{}()[\],]/g
const fieldName = /\s*(\??)\s*(?:(\w+)|`([^`\n]+)`)\s*:/y

/** The expression with its literals written as calls. */
export const withCalls = (expression: string): string => {
  let written = ''
  let at = 0
  /** What is open; `{` with a literal's name is `literal`. */
  const open: string[] = []
  const takeName = (): void => {
    fieldName.lastIndex = at
    const found = fieldName.exec(expression)
    if (found === null) return
    const [, optional = '', plain = '', quoted = ''] = found
    written += `${JSON.stringify(`${optional}${plain}${quoted}`)}:`
    at = fieldName.lastIndex
  }
  for (const found of expression.matchAll(token)) {
    // Within a name that was just written.
    if (found.index < at) continue
    const [text, literal] = found
    written += expression.slice(at, found.index)
    at = found.index + text.length
    if (literal !== undefined) {
      open.push('literal')
      written +=
        literal === 'JSONPatch'
          ? '__jsonPatch({'
          : `__object(${JSON.stringify(literal.slice('Object.'.length))}, {`
      takeName()
    } else if ('{(['.includes(text)) {
      open.push(text)
      written += text
    } else if ('})]'.includes(text)) {
      written += open.pop() === 'literal' ? '})' : text
    } else {
      written += text
      if (text === ',' && open.at(-1) === 'literal') takeName()
    }
  }
  return written + expression.slice(at)
}

/** Values of expressions as JSON. Throws Error where a literal is not of the type of its place below `place`. */
export const jsonOf = (value: unknown, place = ''): Json => {
  if (value instanceof ObjectLiteral) {
    if (value.place !== place) {
      const [found, wanted] = [value.place, place].map((one) =>
        JSON.stringify(one === '' ? 'Object' : `Object.${one}`),
      )
      throw new Error(
        `type mismatch: unexpected type name ${found ?? ''}, expected ${wanted ?? ''}, which matches field name path from root Object type`,
      )
    }
    return jsonOf(value.fields, place)
  }
  if (typeof value === 'bigint') return Number(value)
  if (value === null || value === undefined) return null
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return value
  }
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.map((item) => jsonOf(item, place))
  if (value instanceof Map || Object.getPrototypeOf(value) === Object.prototype) {
    const members = [...asMap(value)]
    return Object.fromEntries(
      members.map(([name, member]) => [
        name,
        jsonOf(member, place === '' ? name : `${place}.${name}`),
      ]),
    )
  }
  throw new Error('evaluated to a type that could not marshal to JSON')
}
