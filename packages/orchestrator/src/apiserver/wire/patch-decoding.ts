// What is answered where a patched object does not fit its kind: upstream names the patch, not the kind, and shows what came of it.
import type { PatchType } from '../../client/api-client.ts'
import type { Json } from '../../resources/object.ts'
import { invalid as invalidField } from '../../resources/validation/field-error.ts'
import { invalid } from '../api-errors.ts'
import type { DecodeOptions } from '../registry/decode.ts'
import { duplicateFields } from './duplicate-fields.ts'
import type { Exchange } from './exchange.ts'
import { decoding } from './sent-object.ts'

const operationFields = ['op', 'path', 'from', 'value']

export const patchDecoding = (exchange: Exchange, type: PatchType, patch: Json): DecodeOptions => ({
  ...decoding(exchange),
  patch: {
    problems: () => {
      const duplicates = duplicateFields(exchange.body, patch)
      const problems = duplicates.map((field) => `duplicate field "${field}"`)
      if (type !== 'json') return problems
      return [...problems, ...unknownMembers(patch)].map((problem) => `json patch ${problem}`)
    },
    refuse: (problem, patched) => {
      const error =
        type === 'strategic'
          ? invalidField('patch', goText(patch), conversionProblem(problem))
          : invalidField('patch', JSON.stringify(patched), problem)
      return invalid({ group: '', kind: '' }, '', [error])
    },
  },
})

/** Of the operations of a JSON patch. */
const unknownMembers = (patch: Json): readonly string[] =>
  (patch as readonly Json[]).flatMap((operation, index) =>
    Object.keys(operation as object)
      .filter((name) => !operationFields.includes(name))
      .map((name) => `unknown field "[${index}].${name}"`),
  )

/** A value as Go prints it: `map[spec:map[replicas:3]]`. */
const goText = (value: Json | undefined): string => {
  if (value === undefined || value === null) return '<nil>'
  if (Array.isArray(value)) return `[${value.map((item) => goText(item as Json)).join(' ')}]`
  if (typeof value !== 'object') return String(value)
  const members = Object.entries(value as { readonly [key: string]: Json | undefined })
  const sorted = members.toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `map[${sorted.map(([name, member]) => `${name}:${goText(member)}`).join(' ')}]`
}

const goKinds: Readonly<Record<string, string>> = {
  number: 'int64',
  array: 'slice',
  object: 'map',
}

/** Strategic patches make values, not texts: upstream converts those by other means than JSON, which complain in other words. */
const conversionProblem = (problem: string): string => {
  const [, from = '', to = ''] =
    /^json: cannot unmarshal (\w+)(?: \S+)? into Go .* of type (\S+)$/.exec(problem) ?? []
  if (to === '') return problem
  const kind = goKinds[from] ?? from
  if (to.startsWith('[]')) return `cannot restore slice from ${kind}`
  if (to.startsWith('map[')) return `cannot restore map from ${kind}`
  if (to === 'string' && kind === 'int64') return 'cannot convert int64 to string'
  return /^(?:string|bool|int32|int64|float64)$/.test(to)
    ? `unrecognized type: ${to}`
    : `cannot restore struct from: ${kind}`
}
