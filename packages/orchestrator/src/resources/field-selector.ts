// Field selectors: `status.phase!=Failed,spec.nodeName=n1` (apimachinery fields.ParseSelector). Only =, == and !=; `\` takes the next
// of `\ , =` literally.
import type { KubeObject, ResourceType } from './object.ts'
import { decodeObject } from './schema/decode-object.ts'

export interface FieldRequirement {
  readonly field: string
  readonly operator: '=' | '!='
  readonly value: string
}
export type ParsedFieldSelector =
  | { readonly ok: true; readonly requirements: readonly FieldRequirement[] }
  /** The whole text that Kubernetes answers with 400 BadRequest. */
  | { readonly ok: false; readonly message: string }

const selectorLengthMax = 64 * 1024

/** Never throws. '' selects everything. */
export const parseFieldSelector = (text: string): ParsedFieldSelector => {
  if (text.length > selectorLengthMax) {
    return { ok: false, message: `field selector is longer than ${selectorLengthMax} characters` }
  }
  const requirements: FieldRequirement[] = []
  for (const term of splitTerms(text)) {
    if (term === '') continue
    const requirement = parseTerm(term)
    if (typeof requirement === 'string') return { ok: false, message: requirement }
    requirements.push(requirement)
  }
  return { ok: true, requirements }
}

/** What is wrong when objects of `type` cannot be selected by one of the fields, as upstream refuses it; undefined: fine. */
export const unsupportedField = (
  type: ResourceType,
  requirements: readonly FieldRequirement[],
): string | undefined => {
  if (requirements.length === 0) return undefined
  const stored = type.storage ?? type
  const empty = decodeObject(stored, { metadata: {} })
  const known = empty.ok ? selectableFieldsOf(stored, empty.object) : {}
  const unknown = requirements.find(({ field }) => !Object.hasOwn(known, field))
  return unknown === undefined ? undefined : `field label not supported: ${unknown.field}`
}

/** Whether `object` has the fields; a field it cannot be selected by counts as ''. */
export const matchesFields = (
  type: ResourceType,
  requirements: readonly FieldRequirement[],
  object: KubeObject,
): boolean => {
  if (requirements.length === 0) return true
  const fields = selectableFieldsOf(type, object)
  return requirements.every(({ field, operator, value }) => {
    const found = Object.hasOwn(fields, field) ? fields[field] : ''
    return (found === value) === (operator === '=')
  })
}

const selectableFieldsOf = (
  type: ResourceType,
  object: KubeObject,
): Readonly<Record<string, string>> => ({
  'metadata.name': object.metadata.name ?? '',
  ...(type.namespaced ? { 'metadata.namespace': object.metadata.namespace ?? '' } : {}),
  ...type.selectableFields?.(object),
})

/** Splits at commas that are not escaped. */
const splitTerms = (text: string): string[] => {
  const terms: string[] = []
  let start = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === ',') {
      terms.push(text.slice(start, at))
      start = at + 1
    }
  }
  terms.push(text.slice(start))
  return terms
}

const parseTerm = (term: string): FieldRequirement | string => {
  const match = /^((?:[^\\=!]|\\.|!(?!=))*)(!=|==|=)([\s\S]*)$/.exec(term)
  if (match === null) return `invalid selector: '${term}'; can't understand '${term}'`
  const [, field = '', operator, escaped = ''] = match
  const value = unescape(escaped)
  if (typeof value !== 'string') return value.message
  return { field, operator: operator === '!=' ? '!=' : '=', value }
}

const unescape = (text: string): string | { readonly message: string } => {
  let value = ''
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '\\') {
      const escaped = text.charAt(++at)
      if (escaped === '' || !'\\,='.includes(escaped)) {
        return { message: `invalid field selector: invalid escape sequence: \\${escaped}` }
      }
      value += escaped
    } else if (character === '=') {
      return { message: 'invalid field selector: unescaped character in value: =' }
    } else value += character
  }
  return value
}
