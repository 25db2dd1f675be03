// What `kubectl explain` prints of a kind or one of its fields, from an OpenAPI v3 document.
import {
  descriptions,
  fieldsOf,
  type GroupVersionKind,
  type Schema,
  type SchemaDocument,
  schemaOfKind,
  typeName,
} from './schema-document.ts'

export interface Question {
  readonly kind: GroupVersionKind
  /** Names of fields, from the object on. */
  readonly path: readonly string[]
  readonly isRecursive: boolean
}
export interface Explanation {
  /** Printed even where there is an error. */
  readonly text: string
  readonly error?: string
}

const widthMax = 76
const indentation = '    '
/** More values than these are cut off in lists of fields. */
const shownValuesMax = 4

/** undefined: the document does not have the kind. */
export const explain = (document: SchemaDocument, question: Question): Explanation | undefined => {
  const { kind, path, isRecursive } = question
  const root = schemaOfKind(document, kind)
  if (root === undefined) return undefined
  const header = [
    ...(kind.group === '' ? [] : [`GROUP:      ${kind.group}`]),
    `KIND:       ${kind.kind}`,
    `VERSION:    ${kind.version}`,
    '\n',
  ].join('\n')
  let schema: Schema | undefined = root
  for (const name of path)
    schema = schema && new Map(fieldsOf(document, schema).properties).get(name)
  const name = path.at(-1)
  if (schema === undefined)
    return { text: header, error: `field ${JSON.stringify(name)} does not exist` }
  const title = name === undefined ? '' : fieldTitle(document, name, schema)
  const list = fieldList(document, schema, isRecursive)
  return { text: `${header}${title}${descriptionBlock(document, schema)}${list}\n` }
}

const fieldTitle = (document: SchemaDocument, name: string, schema: Schema): string => {
  const values = (schema.enum ?? []).map((value) => `${indentation}${String(value)}\n`)
  const list = values.length === 0 ? '\n' : `ENUM:\n${values.join('')}`
  return `FIELD: ${name} <${typeName(document, schema)}>\n${list}\n`
}

const descriptionBlock = (document: SchemaDocument, schema: Schema): string => {
  const texts = descriptions(document, schema)
  const text = texts.length === 0 ? '<empty>' : texts.map((each) => `${wrap(each)}\n`).join('')
  const indented = text.split('\n').map((line) => `${indentation}${line}\n`)
  return `DESCRIPTION:\n${indented.join('')}`
}

const fieldList = (document: SchemaDocument, schema: Schema, isRecursive: boolean): string => {
  const lines = fieldLines(document, schema, { isRecursive, level: 1, seen: [] })
  return lines.length === 0 ? '' : `FIELDS:\n${lines.join('')}`
}

interface Place {
  readonly isRecursive: boolean
  readonly level: number
  readonly seen: readonly string[]
}

const fieldLines = (document: SchemaDocument, schema: Schema, place: Place): readonly string[] => {
  const { isRecursive, level, seen } = place
  const { properties, required, references } = fieldsOf(document, schema, seen)
  return properties.flatMap(([name, field]) => {
    const need = required.includes(name) ? ' -required-' : ''
    const indent = '  '.repeat(level)
    const line = `${indent}${name}\t<${typeName(document, field)}>${need}\n${values(field, indent)}`
    if (isRecursive)
      return [
        line,
        ...fieldLines(document, field, { ...place, level: level + 1, seen: references }),
      ]
    const text = wrap(field.description ?? '<no description>')
    const indented = text.split('\n').map((each) => `${indentation}${each}\n`)
    return [`${line}${indented.join('')}\n`]
  })
}

const values = ({ enum: all = [] }: Schema, indent: string): string => {
  if (all.length === 0) return ''
  const shown = all.slice(0, shownValuesMax).map(String)
  const more = all.length > shownValuesMax ? ', ....' : ''
  return `${indent}enum: ${shown.join(', ')}${more}\n`
}

/** Lines break at spaces; a word that is longer than a line stands alone. */
const wrap = (text: string): string => text.split('\n').map(wrapLine).join('\n')

const wrapLine = (line: string): string => {
  const lines: string[] = []
  let current = ''
  for (const [piece = ''] of line.matchAll(/\s*\S+/g)) {
    if (current !== '' && current.length + piece.length > widthMax) {
      lines.push(current)
      current = piece.trimStart()
    } else current += piece
  }
  return [...lines, current].join('\n')
}
