// Makes upstream's field errors (apimachinery util/validation/field): the reason, the path and the text after it.
import type { FieldError } from '../object.ts'

export const required = (field: string, detail = ''): FieldError => ({
  reason: 'FieldValueRequired',
  field,
  message: withDetail('Required value', detail),
})

export const invalid = (field: string, value: unknown, detail: string): FieldError => ({
  reason: 'FieldValueInvalid',
  field,
  message: withDetail(`Invalid value: ${valueText(value)}`, detail),
})

export const duplicate = (field: string, value: unknown): FieldError => ({
  reason: 'FieldValueDuplicate',
  field,
  message: `Duplicate value: ${valueText(value)}`,
})

export const forbidden = (field: string, detail: string): FieldError => ({
  reason: 'FieldValueForbidden',
  field,
  message: withDetail('Forbidden', detail),
})

export const notFound = (field: string, value: unknown): FieldError => ({
  reason: 'FieldValueNotFound',
  field,
  message: `Not found: ${valueText(value)}`,
})

export const notSupported = (
  field: string,
  value: unknown,
  supported: readonly string[],
): FieldError => ({
  reason: 'FieldValueNotSupported',
  field,
  message: `Unsupported value: ${valueText(value)}: supported values: ${supported
    .toSorted()
    .map((text) => JSON.stringify(text))
    .join(', ')}`,
})

export const tooLong = (field: string, bytesMax: number): FieldError => ({
  reason: 'FieldValueTooLong',
  field,
  message: `Too long: may not be more than ${bytesMax} bytes`,
})

const withDetail = (text: string, detail: string): string =>
  detail === '' ? text : `${text}: ${detail}`

/** As the newer servers print values: JSON. */
const valueText = (value: unknown): string => (value === undefined ? 'null' : JSON.stringify(value))

/** One error per problem of a name or number: what the checks of names.ts return. */
export const invalidEach = (
  field: string,
  value: unknown,
  problems: readonly string[],
): FieldError[] => problems.map((problem) => invalid(field, value, problem))

/** Nothing where `value` is one of `supported`; `Required value` where it is empty. */
export const oneOf = (
  field: string,
  value: string | undefined,
  supported: readonly string[],
): FieldError[] => {
  if (value === undefined || value === '') return [required(field)]
  return supported.includes(value) ? [] : [notSupported(field, value, supported)]
}

export const notNegative = (field: string, value: number | undefined): FieldError[] =>
  value === undefined || value >= 0
    ? []
    : [invalid(field, value, 'must be greater than or equal to 0')]

/** A text that must not be empty. */
export const notEmpty = (field: string, value: string | undefined): FieldError[] =>
  value === undefined || value === '' ? [required(field)] : []
