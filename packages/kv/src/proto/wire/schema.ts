// The message table, parsed once: fields by number and by name, with the property each has in our typed messages.
import { enumTable, messageTable } from './schema-table.ts'
import type { EnumName, MessageName } from './schema-table.ts'

export type ScalarType =
  | 'bytes'
  | 'string'
  | 'bool'
  | 'int64'
  | 'uint64'
  | 'int64id'
  | 'uint64id'
  | 'uint32'

export interface Field {
  readonly number: number
  /** etcd's name: cluster_id, ID, peerURLs. */
  readonly name: string
  /** What protoc makes of the name for JSON: clusterId, ID, peerURLs. */
  readonly jsonName: string
  /** The property in our messages: clusterId, id, peerUrls. */
  readonly property: string
  readonly repeated: boolean
  readonly oneof: string | undefined
  readonly type:
    | { readonly kind: 'scalar'; readonly scalar: ScalarType }
    | { readonly kind: 'enum'; readonly name: EnumName; readonly values: readonly string[] }
    | { readonly kind: 'message'; readonly message: MessageName }
}
export interface MessageSchema {
  readonly name: MessageName
  readonly fields: readonly Field[]
  readonly byNumber: ReadonlyMap<number, Field>
  readonly byName: ReadonlyMap<string, Field>
}

const fieldPattern = /^(\w+)=(\d+):(\w+)(\[\])?(?:\|(\w+))?$/
const schemas = new Map<string, MessageSchema>(
  Object.entries(messageTable).map(([name, text]) => [name, parseMessage(name, text)]),
)

/** Messages that stay encoded inside other messages: pairs and events are made once and never decoded on their way out. */
export function staysEncoded(message: MessageName): boolean {
  return message === 'KeyValue' || message === 'Event'
}

export function schemaOf(name: MessageName): MessageSchema {
  const schema = schemas.get(name)
  if (schema === undefined) throw new RangeError(`no message ${name}`)
  return schema
}

function parseMessage(name: string, text: string): MessageSchema {
  const fields = text === '' ? [] : text.split(' ').map(parseField)
  return {
    name: name as MessageName,
    fields,
    byNumber: new Map(fields.map((field) => [field.number, field])),
    byName: new Map(
      fields.flatMap((field) => [
        [field.jsonName, field],
        [field.name, field],
      ]),
    ),
  }
}

function parseField(text: string): Field {
  const match = fieldPattern.exec(text)
  const [, name, number, type, repeated, oneof] = match ?? []
  if (name === undefined || type === undefined) throw new RangeError(`bad field "${text}"`)
  const jsonName = name.replace(/_+(\w)/g, (_, letter: string) => letter.toUpperCase())
  return {
    number: Number(number),
    name,
    jsonName,
    property: jsonName
      .replace(/[A-Z]{2,}/g, (word) => word.charAt(0) + word.slice(1).toLowerCase())
      .replace(/^[A-Z]/, (letter) => letter.toLowerCase()),
    repeated: repeated !== undefined,
    oneof,
    type: parseType(type),
  }
}

function parseType(type: string): Field['type'] {
  if (type in messageTable) return { kind: 'message', message: type as MessageName }
  if (type in enumTable) {
    const name = type as EnumName
    return { kind: 'enum', name, values: enumTable[name] }
  }
  return { kind: 'scalar', scalar: type as ScalarType }
}
