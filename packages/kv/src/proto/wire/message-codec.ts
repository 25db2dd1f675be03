// The general codec, driven by the message table: right for every message, for those that are not hot. An object has the properties of
// messages.ts; absent sub-messages and members of a oneof that are not set are undefined.
import { malformed } from './malformed.ts'
import type { Field, MessageSchema, ScalarType } from './schema.ts'
import { schemaOf, staysEncoded } from './schema.ts'
import type { MessageName } from './schema-table.ts'
import { sharedWriter } from './shared-writer.ts'
import { WireReader, wireType } from './wire-reader.ts'
import type { WireWriter } from './wire-writer.ts'

export type FieldValue =
  | Uint8Array
  | string
  | boolean
  | number
  | bigint
  | MessageObject
  | readonly FieldValue[]
  | undefined
export interface MessageObject {
  readonly [property: string]: FieldValue
}

/** Messages within messages; a txn in a txn costs two levels. */
export const messageDepthMax = 100
const noBytes: Uint8Array = new Uint8Array(0)

export function encodeMessage(name: MessageName, message: object): Uint8Array {
  sharedWriter.begin()
  writeMessage(sharedWriter, schemaOf(name), message as MessageObject)
  return sharedWriter.finish()
}

/** Throws MALFORMED for bytes that are not such a message. */
export function decodeMessage(name: MessageName, bytes: Uint8Array): MessageObject {
  return readMessage(new WireReader(bytes), schemaOf(name), 0)
}

function writeMessage(writer: WireWriter, schema: MessageSchema, message: MessageObject): void {
  for (const field of schema.fields) {
    const value = message[field.property]
    if (value === undefined) continue
    if (!field.repeated) {
      writeField(writer, field, value, field.oneof !== undefined)
    } else if (Array.isArray(value) && value.length > 0) {
      writeList(writer, field, value as readonly FieldValue[])
    }
  }
}

function writeList(writer: WireWriter, field: Field, values: readonly FieldValue[]): void {
  if (field.type.kind !== 'enum') {
    for (const value of values) writeField(writer, field, value, true)
    return
  }
  const mark = writer.open(field.number)
  for (const value of values) writer.packed(Number(value))
  writer.close(mark)
}

function writeField(writer: WireWriter, field: Field, value: FieldValue, always: boolean): void {
  if (value instanceof Uint8Array) {
    if (always || field.type.kind === 'message') writer.encoded(field.number, value)
    else writer.bytes(field.number, value)
  } else if (typeof value === 'object' && field.type.kind === 'message') {
    const mark = writer.open(field.number)
    writeMessage(writer, schemaOf(field.type.message), value as MessageObject)
    writer.close(mark)
  } else if (typeof value === 'number') {
    if (always) writer.int64Always(field.number, value)
    else writer.int64(field.number, value)
  } else if (typeof value === 'bigint') {
    if (always) writer.bigInt64Always(field.number, value)
    else writer.bigInt64(field.number, value)
  } else if (typeof value === 'boolean') {
    writer.bool(field.number, value)
  } else if (typeof value === 'string') {
    if (always && value === '') writer.encoded(field.number, noBytes)
    else writer.string(field.number, value)
  }
}

function readMessage(reader: WireReader, schema: MessageSchema, depth: number): MessageObject {
  if (depth > messageDepthMax) throw malformed('nested too deep')
  const message: Record<string, FieldValue> = {}
  for (const field of schema.fields) message[field.property] = defaultOf(field)
  while (!reader.done()) {
    const tag = reader.tag()
    const field = schema.byNumber.get(tag >>> 3)
    if (field === undefined) {
      reader.skip(tag)
    } else if (field.repeated) {
      readElements(reader, field, tag & 7, message[field.property] as FieldValue[], depth)
    } else {
      if (field.oneof !== undefined) {
        for (const other of schema.fields) {
          if (other.oneof === field.oneof) message[other.property] = undefined
        }
      }
      message[field.property] = readValue(reader, field, tag & 7, depth)
    }
  }
  return message
}

function readElements(
  reader: WireReader,
  field: Field,
  type: number,
  into: FieldValue[],
  depth: number,
): void {
  if (field.type.kind !== 'enum' || type !== wireType.bytes) {
    into.push(readValue(reader, field, type, depth))
    return
  }
  const packed = reader.message()
  while (!packed.done()) into.push(packed.int32())
}

function readValue(reader: WireReader, field: Field, type: number, depth: number): FieldValue {
  const isDelimited = field.type.kind === 'message' || isBytes(field)
  if (type !== (isDelimited ? wireType.bytes : wireType.varint)) {
    throw malformed(`wire type of ${field.name}`)
  }
  if (field.type.kind === 'enum') return reader.int32()
  if (field.type.kind === 'scalar') return readScalar(reader, field.type.scalar)
  if (staysEncoded(field.type.message)) return reader.bytes()
  return readMessage(reader.message(), schemaOf(field.type.message), depth + 1)
}

function readScalar(reader: WireReader, scalar: ScalarType): FieldValue {
  switch (scalar) {
    case 'bytes':
      return reader.bytes()
    case 'string':
      return reader.string()
    case 'bool':
      return reader.bool()
    case 'int64':
      return reader.int64()
    case 'uint64':
      return reader.uint64()
    case 'int64id':
      return reader.bigInt64()
    case 'uint64id':
      return reader.bigUint64()
    case 'uint32':
      return reader.uint32()
  }
}

function isBytes(field: Field): boolean {
  if (field.type.kind !== 'scalar') return false
  return field.type.scalar === 'bytes' || field.type.scalar === 'string'
}

function defaultOf(field: Field): FieldValue {
  if (field.repeated) return []
  if (field.oneof !== undefined || field.type.kind === 'message') return undefined
  if (field.type.kind === 'enum') return 0
  switch (field.type.scalar) {
    case 'bytes':
      return noBytes
    case 'string':
      return ''
    case 'bool':
      return false
    case 'int64':
    case 'uint64':
    case 'uint32':
      return 0
    case 'int64id':
    case 'uint64id':
      return 0n
  }
}
