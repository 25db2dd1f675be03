// Text for people: names and values below each other, values of one level in one column, deeper ones indented.
import type { Json } from '../../resources/object.ts'

/** A text, several under each other, or a block of its own. */
export type BlockValue = string | readonly string[] | { readonly block: Block }
export type Block = readonly (readonly [string, BlockValue])[]

const indentation = '  '

export const blockText = (block: Block, indent = ''): string => {
  const short = block.filter(([, value]) => typeof value === 'string' || Array.isArray(value))
  const width = Math.max(0, ...short.map(([name]) => name.length)) + 3
  return block
    .map(([name, value]) => {
      if (typeof value !== 'string' && 'block' in value)
        return `${indent}${name}:\n${blockText(value.block, `${indent}${indentation}`)}`
      const [first = '', ...more] = typeof value === 'string' ? value.split('\n') : value
      const start = `${indent}${`${name}:`.padEnd(width)}`
      const next = more.map((line) => `${' '.repeat(start.length)}${line}\n`).join('')
      return `${`${start}${first}`.trimEnd()}\n${next}`
    })
    .join('')
}

/** `creationTimestamp` as `Creation Timestamp`. */
const titleOf = (field: string): string =>
  field
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/^./, (letter) => letter.toUpperCase())
    .replaceAll(/\b(?:Uid|Api|Ip)\b/g, (word) => word.toUpperCase())

/** Any object, its fields in the order of their names. Lists of objects stand under their name, one after the other. */
export const blockOf = (object: { readonly [key: string]: Json | undefined }): Block =>
  Object.keys(object)
    .toSorted((left, right) => (left < right ? -1 : 1))
    .flatMap((field) => {
      const value = object[field]
      return value === undefined || value === null
        ? []
        : [[titleOf(field), valueOf(value)] as const]
    })

const valueOf = (value: Json): BlockValue => {
  if (typeof value !== 'object' || value === null) return String(value)
  if (!Array.isArray(value)) return { block: blockOf(value as { readonly [key: string]: Json }) }
  const items = value as readonly Json[]
  const isOfObjects = items.some((item) => typeof item === 'object')
  if (!isOfObjects) return items.map(String)
  return {
    block: items.flatMap((item) =>
      typeof item === 'object' && item !== null && !Array.isArray(item)
        ? blockOf(item as { readonly [key: string]: Json })
        : [['-', String(item)] as const],
    ),
  }
}
