// `-o custom-columns=NAME:PATH,...`: a table of the values that paths lead to, and the order of objects by such a value.
import type { KubeObject } from '../../resources/object.ts'
import { goText, jsonPathValues } from './json-path-template.ts'
import { TablePrinter } from '../table-text.ts'

interface CustomColumn {
  readonly name: string
  readonly values: (object: unknown) => readonly unknown[]
}

export type CustomColumns = readonly CustomColumn[]

/** Throws Error as kubectl tells it. */
export const parseCustomColumns = (spec: string): CustomColumns => {
  if (spec === '') throw new Error('custom-columns format specified but no custom columns given')
  return spec.split(',').map((part) => {
    const at = part.indexOf(':')
    if (at < 0)
      throw new Error(`unexpected custom-columns spec: ${part}, expected <header>:<json-path-expr>`)
    return { name: part.slice(0, at), values: jsonPathValues(part.slice(at + 1)) }
  })
}

/** What custom-columns-file holds: the headers, and below them the paths. */
export const customColumnsOfFile = (text: string): CustomColumns => {
  const [headers = [], paths = []] = text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
  if (headers.length !== paths.length)
    throw new Error(
      `number of headers (${headers.length}) and field specifications (${paths.length}) don't match`,
    )
  return parseCustomColumns(headers.map((name, index) => `${name}:${paths[index] ?? ''}`).join(','))
}

export const customColumnsText = (
  columns: CustomColumns,
  objects: readonly unknown[],
  hasHeaders: boolean,
): string =>
  new TablePrinter({ hasHeaders, keepsCase: true }).text({
    kind: 'Table',
    columnDefinitions: columns.map(({ name }) => ({ name })),
    rows: objects.map((object) => ({
      cells: columns.map(({ values }) => {
        const found = values(object)
        return found.length === 0 ? '<none>' : found.map(cellText).join(',')
      }),
    })),
    isPrintedEmpty: true,
  })

const cellText = (value: unknown): string => (value === null ? '<none>' : goText(value))

/** In the order of what the path leads to; those without a value come first. None at all where it leads to nothing in any. */
export const sortedBy = <T>(
  path: string,
  items: readonly T[],
  objectOf: (item: T) => KubeObject | undefined,
): readonly T[] => {
  const values = jsonPathValues(path)
  const keys = new Map(items.map((item) => [item, values(objectOf(item))[0]]))
  if ([...keys.values()].every((key) => key === undefined)) return []
  return items.toSorted((a, b) => compare(keys.get(a), keys.get(b)))
}

const compare = (a: unknown, b: unknown): number => {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined)
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return natural.compare(goText(a), goText(b))
}
const natural = new Intl.Collator('en', { numeric: true })
