// Checks a value against the schema of a custom kind, with the texts of upstream's validator (kube-openapi validate, which prints the path twice).
import { jsonEqual } from '../json-equal.ts'
import type { FieldError, Json } from '../object.ts'
import { invalid, notSupported, required } from '../validation/field-error.ts'
import { goPattern, newSearchBudget, PatternError, SearchError } from './go-pattern.ts'
import { formatProblem } from './formats.ts'
import {
  isJsonList,
  isJsonObject,
  type JsonObject,
  type JsonSchema,
  schemaOfMember,
} from './json-schema.ts'

/** Errors of one answer; more say nothing new. */
const errorsMax = 100

/** Where a value is, and what was there before an update; undefined: nothing that it could be compared with. */
interface Place {
  readonly path: string
  readonly before: Json | undefined
}

/** `before`: of an update. What it did not touch may stay wrong, as when a schema has become stricter since. */
export const validateValue = (
  schema: JsonSchema,
  value: Json,
  path: string,
  before?: Json,
): FieldError[] => {
  const errors: FieldError[] = []
  searching = newSearchBudget()
  check(schema, value, { path, before }, errors)
  return errors.slice(0, errorsMax)
}

const check = (schema: JsonSchema, value: Json, place: Place, errors: FieldError[]): void => {
  if (errors.length >= errorsMax) return
  const errorsBefore = errors.length
  checkWhole(schema, value, place, errors)
  const { before } = place
  if (errors.length > errorsBefore && before !== undefined && jsonEqual(value, before)) {
    errors.length = errorsBefore
  }
}

const checkWhole = (schema: JsonSchema, value: Json, place: Place, errors: FieldError[]): void => {
  const { path } = place
  if (value === null && schema.nullable === true) return
  const typeError = checkType(schema, value, path)
  if (typeError !== undefined) {
    errors.push(typeError)
    return
  }
  checkEnum(schema, value, path, errors)
  if (typeof value === 'string') checkText(schema, value, path, errors)
  else if (typeof value === 'number') checkNumber(schema, value, path, errors)
  else if (isJsonList(value)) checkList(schema, value, place, errors)
  else if (isJsonObject(value)) checkObject(schema, value, place, errors)
  checkJunctors(schema, value, place, errors)
}

const checkType = (schema: JsonSchema, value: Json, path: string): FieldError | undefined => {
  const found = typeOf(value)
  if (schema['x-kubernetes-int-or-string'] === true) {
    return found === 'integer' || found === 'string'
      ? undefined
      : wrongType(path, 'integer,string', found)
  }
  const { type } = schema
  if (type === undefined || type === '' || type === found) return undefined
  if (type === 'number' && found === 'integer') return undefined
  return wrongType(path, type, found)
}

/** Upstream names the type that it found where the value would be. */
const wrongType = (path: string, type: string, found: string): FieldError =>
  invalid(path, found, `${bodyPath(path)} must be of type ${type}: "${found}"`)

const typeOf = (value: Json): string => {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

const bodyPath = (path: string): string => `${path === '' ? '' : path} in body`.trim()

const checkEnum = (
  { enum: values }: JsonSchema,
  value: Json,
  path: string,
  errors: FieldError[],
): void => {
  if (values === undefined || values.some((one) => jsonEqual(one, value))) return
  const texts = values.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)))
  errors.push(notSupported(path, value, texts))
}

const checkText = (schema: JsonSchema, value: string, path: string, errors: FieldError[]): void => {
  const { minLength, maxLength, pattern, format } = schema
  const length = Array.from(value).length
  if (minLength !== undefined && length < minLength) {
    errors.push(
      invalid(path, value, `${bodyPath(path)} should be at least ${minLength} chars long`),
    )
  }
  const isTooLong = maxLength !== undefined && length > maxLength
  if (isTooLong) {
    errors.push({
      reason: 'FieldValueTooLong',
      field: path,
      message: `Too long: may not be more than ${maxLength} bytes`,
    })
  }
  // A limit is there to be relied upon: what is too long is not searched.
  const mismatch =
    pattern === undefined || isTooLong ? undefined : patternMismatch(pattern, value, path)
  if (mismatch !== undefined) errors.push(invalid(path, value, mismatch))
  const problem = format === undefined ? undefined : formatProblem(format, value)
  if (problem !== undefined) {
    errors.push(
      invalid(
        path,
        value,
        `${bodyPath(path)} must be of type ${format ?? ''}: ${JSON.stringify(value)}`,
      ),
    )
  }
}

/** Of the value that is being checked: nothing else is checked meanwhile. */
let searching = newSearchBudget()

/** undefined: it matches. A pattern that is none matches nothing. */
const patternMismatch = (pattern: string, value: string, path: string): string | undefined => {
  try {
    if (goPattern(pattern).test(value, searching)) return undefined
  } catch (reason) {
    if (reason instanceof SearchError) {
      return `${bodyPath(path)} should match '${pattern}', but ${reason.message}`
    }
    if (!(reason instanceof PatternError)) throw reason
  }
  return `${bodyPath(path)} should match '${pattern}'`
}

const checkNumber = (
  schema: JsonSchema,
  value: number,
  path: string,
  errors: FieldError[],
): void => {
  const { minimum, maximum, multipleOf } = schema
  if (minimum !== undefined) {
    const isExclusive = schema.exclusiveMinimum === true
    if (isExclusive ? value <= minimum : value < minimum) {
      const than = isExclusive ? 'greater than' : 'greater than or equal to'
      errors.push(invalid(path, value, `${bodyPath(path)} should be ${than} ${minimum}`))
    }
  }
  if (maximum !== undefined) {
    const isExclusive = schema.exclusiveMaximum === true
    if (isExclusive ? value >= maximum : value > maximum) {
      const than = isExclusive ? 'less than' : 'less than or equal to'
      errors.push(invalid(path, value, `${bodyPath(path)} should be ${than} ${maximum}`))
    }
  }
  if (multipleOf !== undefined && multipleOf > 0 && !Number.isInteger(value / multipleOf)) {
    errors.push(invalid(path, value, `${bodyPath(path)} should be a multiple of ${multipleOf}`))
  }
}

const checkList = (
  schema: JsonSchema,
  value: readonly Json[],
  { path, before }: Place,
  errors: FieldError[],
): void => {
  const { minItems, maxItems, items } = schema
  if (minItems !== undefined && value.length < minItems) {
    errors.push(
      invalid(path, value.length, `${bodyPath(path)} should have at least ${minItems} items`),
    )
  }
  if (maxItems !== undefined && value.length > maxItems) {
    errors.push({
      reason: 'FieldValueInvalid',
      field: path,
      message: `Too many: ${value.length}: must have at most ${maxItems} items`,
    })
  }
  checkUnique(schema, value, path, errors)
  if (items === undefined) return
  const old = itemsByKey(schema, before)
  for (const [index, item] of value.entries()) {
    const place = { path: `${path}[${index}]`, before: old?.get(keyOf(schema, item)) }
    check(items, item, place, errors)
  }
}

/** Only items of a list that is a map can be told again; undefined: of others. */
const itemsByKey = (
  schema: JsonSchema,
  list: Json | undefined,
): ReadonlyMap<string, Json> | undefined =>
  schema['x-kubernetes-list-type'] === 'map' && isJsonList(list)
    ? new Map(list.map((item) => [keyOf(schema, item), item]))
    : undefined

const keyOf = (schema: JsonSchema, item: Json): string =>
  JSON.stringify(
    (schema['x-kubernetes-list-map-keys'] ?? []).map((name) =>
      isJsonObject(item) ? (item[name] ?? schema.items?.properties?.[name]?.default ?? null) : null,
    ),
  )

/** Sets hold a value once, maps a key once. */
const checkUnique = (
  schema: JsonSchema,
  value: readonly Json[],
  path: string,
  errors: FieldError[],
): void => {
  const listType = schema['x-kubernetes-list-type']
  const isSet = listType === 'set' || schema.uniqueItems === true
  const keys = listType === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : []
  if (!isSet && keys.length === 0) return
  const seen = new Set<string>()
  for (const [index, item] of value.entries()) {
    const key = isSet
      ? item
      : Object.fromEntries(
          keys.map((name) => [
            name,
            isJsonObject(item)
              ? (item[name] ?? schema.items?.properties?.[name]?.default)
              : undefined,
          ]),
        )
    const text = JSON.stringify(key)
    if (seen.has(text)) {
      errors.push({
        reason: 'FieldValueDuplicate',
        field: `${path}[${index}]`,
        message: `Duplicate value: ${text}`,
      })
    }
    seen.add(text)
  }
}

const checkObject = (
  schema: JsonSchema,
  value: JsonObject,
  { path, before }: Place,
  errors: FieldError[],
): void => {
  const count = Object.keys(value).length
  const { minProperties, maxProperties } = schema
  if (minProperties !== undefined && count < minProperties) {
    errors.push(
      invalid(path, count, `${bodyPath(path)} should have at least ${minProperties} properties`),
    )
  }
  if (maxProperties !== undefined && count > maxProperties) {
    errors.push(
      invalid(path, count, `${bodyPath(path)} should have at most ${maxProperties} properties`),
    )
  }
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(value, name)) errors.push(required(below(path, name)))
  }
  for (const [name, member] of Object.entries(value)) {
    const known = schemaOfMember(schema, name)
    if (known === undefined || member === undefined) continue
    const old = isJsonObject(before) && Object.hasOwn(before, name) ? before[name] : undefined
    check(known, member, { path: below(path, name), before: old }, errors)
  }
}

export const below = (path: string, name: string): string => {
  if (!/^[A-Za-z_][\w-]*$/.test(name)) return `${path}[${name}]`
  return path === '' ? name : `${path}.${name}`
}

const checkJunctors = (
  schema: JsonSchema,
  value: Json,
  place: Place,
  errors: FieldError[],
): void => {
  const { path } = place
  const isValid = (one: JsonSchema): boolean => validateValue(one, value, path).length === 0
  for (const one of schema.allOf ?? []) check(one, value, place, errors)
  const { anyOf = [], oneOf = [], not } = schema
  const fail = (text: string): void => {
    errors.push(invalid(path, value, `${JSON.stringify(path)} must validate ${text}`))
  }
  if (anyOf.length > 0 && !anyOf.some(isValid)) {
    fail('at least one schema (anyOf)')
    const [first] = anyOf
    if (first !== undefined) check(first, value, place, errors)
  }
  if (oneOf.length > 0) {
    const count = oneOf.filter(isValid).length
    if (count !== 1) {
      fail(
        `one and only one schema (oneOf). Found ${count === 0 ? 'none valid' : `${count} valid alternatives`}`,
      )
    }
  }
  if (not !== undefined && isValid(not)) {
    errors.push(invalid(path, value, `${JSON.stringify(path)} must not validate the schema (not)`))
  }
}
