// JSON as CEL sees it: by its schema integers are ints and times are timestamps, and names that CEL could not write are escaped.
import type { Json } from '../../resources/object.ts'
import { isJsonList, isJsonObject, type JsonSchema } from '../../resources/custom/json-schema.ts'

/** Words that CEL keeps for itself. */
const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)
const escapes: Readonly<Record<string, string>> = {
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
}

/** The name of a property in an expression. */
export const celName = (name: string): string => {
  if (reserved.has(name)) return `__${name}__`
  return name.replaceAll('__', '__underscores__').replaceAll(/[./-]/g, (one) => escapes[one] ?? one)
}

export const celValue = (schema: JsonSchema | undefined, value: Json): unknown => {
  if (typeof value === 'number') {
    const isDouble = schema?.type === 'number' || !Number.isSafeInteger(value)
    return isDouble ? value : BigInt(value)
  }
  if (typeof value === 'string') return textValue(schema, value)
  if (isJsonList(value)) return value.map((item) => celValue(schema?.items, item))
  if (!isJsonObject(value)) return value
  const properties = schema?.properties
  const more = schema?.additionalProperties
  const others = typeof more === 'object' ? more : undefined
  // A map: an object's members would be read with the help of its prototype.
  const result = new Map<string, unknown>()
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue
    const known = properties !== undefined && Object.hasOwn(properties, name)
    result.set(known ? celName(name) : name, celValue(known ? properties[name] : others, member))
  }
  return result
}

const textValue = (schema: JsonSchema | undefined, value: string): unknown => {
  if (schema?.format !== 'date-time' && schema?.format !== 'date') return value
  const time = new Date(value)
  return Number.isNaN(time.getTime()) ? value : time
}
