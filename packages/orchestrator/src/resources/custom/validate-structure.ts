// What makes a schema structural (apiextensions apiserver/schema): every value has a type that says how to prune and default it.
import type { FieldError } from '../object.ts'
import { forbidden, invalid, notSupported, required } from '../validation/field-error.ts'
import { isJsonObject, type JsonSchema } from './json-schema.ts'
import { withDefaults } from './prune.ts'
import { patternProblem } from './go-pattern.ts'
import { validateValue } from './validate-value.ts'

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string']
const depthMax = 100
const errorsMax = 50

export const validateStructure = (schema: JsonSchema, field: string): FieldError[] => {
  const errors: FieldError[] = []
  if (schema.type !== 'object') {
    errors.push(
      schema.type === undefined
        ? required(`${field}.type`, 'must not be empty at the root')
        : invalid(`${field}.type`, schema.type, 'must be object at the root'),
    )
  }
  walk(schema, { field, depth: 0, isRoot: true }, errors)
  return errors.slice(0, errorsMax)
}

interface Place {
  readonly field: string
  readonly depth: number
  readonly isRoot: boolean
}

const walk = (schema: JsonSchema, place: Place, errors: FieldError[]): void => {
  const { field, depth } = place
  if (errors.length >= errorsMax) return
  if (depth > depthMax || !isJsonObject(schema as never)) {
    errors.push(
      invalid(field, null, depth > depthMax ? 'is nested too deeply' : 'must be a schema'),
    )
    return
  }
  checkType(schema, place, errors)
  checkExtensions(schema, field, errors)
  checkMembers(schema, place, errors)
  checkJunctors(schema, field, errors)
  const problem = schema.pattern === undefined ? undefined : patternProblem(schema.pattern)
  if (problem !== undefined) {
    const text = `must be a valid regular expression, but isn't: ${problem}`
    errors.push(invalid(`${field}.pattern`, schema.pattern, text))
  }
  if (schema.default !== undefined) {
    for (const error of validateValue(schema, withDefaults(schema, schema.default), '')) {
      errors.push({
        ...error,
        field: `${field}.default${error.field === '' ? '' : `.${error.field}`}`,
      })
    }
  }
  if (schema.uniqueItems === true) {
    errors.push(
      forbidden(
        `${field}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    )
  }
}

const checkType = (schema: JsonSchema, { field, isRoot }: Place, errors: FieldError[]): void => {
  const { type } = schema
  const isFree =
    schema['x-kubernetes-int-or-string'] === true ||
    schema['x-kubernetes-preserve-unknown-fields'] === true
  if (type === undefined || type === '') {
    if (!isFree && !isRoot) {
      errors.push(required(`${field}.type`, 'must not be empty for specified object fields'))
    }
  } else if (!types.includes(type)) errors.push(notSupported(`${field}.type`, type, types))
  else if (schema['x-kubernetes-int-or-string'] === true) {
    errors.push(forbidden(`${field}.type`, 'must be empty if x-kubernetes-int-or-string is true'))
  }
}

const checkExtensions = (schema: JsonSchema, field: string, errors: FieldError[]): void => {
  const listType = schema['x-kubernetes-list-type']
  if (listType !== undefined) {
    if (!['atomic', 'set', 'map'].includes(listType)) {
      errors.push(
        notSupported(`${field}.x-kubernetes-list-type`, listType, ['atomic', 'map', 'set']),
      )
    }
    if (schema.type !== 'array') {
      errors.push(
        invalid(
          `${field}.type`,
          schema.type,
          'must be array if x-kubernetes-list-type is specified',
        ),
      )
    }
  }
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  if (listType === 'map' && keys.length === 0) {
    errors.push(
      required(
        `${field}.x-kubernetes-list-map-keys`,
        'must not be empty if x-kubernetes-list-type is map',
      ),
    )
  }
  if (listType === 'map') {
    for (const [index, key] of keys.entries()) {
      const member = schema.items?.properties?.[key]
      if (member === undefined) {
        errors.push(
          invalid(
            `${field}.x-kubernetes-list-map-keys[${index}]`,
            key,
            'entries must all be names of item properties',
          ),
        )
      } else if (member.default === undefined && !(schema.items?.required ?? []).includes(key)) {
        errors.push(
          required(
            `${field}.items.properties[${key}].default`,
            'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
          ),
        )
      }
    }
  }
  if (schema['x-kubernetes-embedded-resource'] === true && schema.type !== 'object') {
    errors.push(
      invalid(
        `${field}.type`,
        schema.type,
        'must be object if x-kubernetes-embedded-resource is true',
      ),
    )
  }
}

const checkMembers = (schema: JsonSchema, place: Place, errors: FieldError[]): void => {
  const { field, depth } = place
  const below = (at: string): Place => ({
    field: `${field}.${at}`,
    depth: depth + 1,
    isRoot: false,
  })
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    walk(member, below(`properties[${name}]`), errors)
  }
  const { additionalProperties, items } = schema
  if (additionalProperties !== undefined) {
    if (schema.properties !== undefined && Object.keys(schema.properties).length > 0) {
      errors.push(
        forbidden(
          `${field}.additionalProperties`,
          'additionalProperties and properties are mutual exclusive',
        ),
      )
    }
    if (typeof additionalProperties === 'object') {
      walk(additionalProperties, below('additionalProperties'), errors)
    }
  }
  if (items !== undefined) walk(items, below('items'), errors)
  else if (schema.type === 'array') errors.push(required(`${field}.items`, 'must be specified'))
}

/** Below allOf and its like values are only checked: what prunes or defaults stands outside. */
const checkJunctors = (schema: JsonSchema, field: string, errors: FieldError[]): void => {
  const lists = { allOf: schema.allOf, anyOf: schema.anyOf, oneOf: schema.oneOf }
  for (const [name, list] of Object.entries(lists)) {
    for (const [index, one] of (list ?? []).entries())
      checkPlain(one, `${field}.${name}[${index}]`, errors)
  }
  if (schema.not !== undefined) checkPlain(schema.not, `${field}.not`, errors)
}

const checkPlain = (schema: JsonSchema, field: string, errors: FieldError[]): void => {
  const only = (name: string): void => {
    errors.push(forbidden(`${field}.${name}`, 'must be empty to be structural'))
  }
  if (schema.default !== undefined) only('default')
  if (schema.additionalProperties !== undefined) only('additionalProperties')
  if (schema.nullable === true) only('nullable')
  if ((schema.description ?? '') !== '') only('description')
  if ((schema.type ?? '') !== '' && schema['x-kubernetes-int-or-string'] !== true) {
    // A junctor may tell integers from texts where the value is one of both.
    if (schema.type !== 'integer' && schema.type !== 'string') only('type')
  }
}
