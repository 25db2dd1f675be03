// The JSON of grpc-gateway, as etcd 3.4 writes it, driven by the message table: etcd's field names, 64-bit numbers as strings, bytes as
// base64, enums by name, zero values left out.
import { KvError } from '../../errors.ts'
import { decodeMessage, schemaOf } from '../../proto/index.ts'
import type { Field, FieldValue, MessageName, MessageObject } from '../../proto/index.ts'

type Json = boolean | number | string | Json[] | { [name: string]: Json }

/** JSON text of a message's bytes. */
export function jsonFromMessage(message: MessageName, bytes: Uint8Array): string {
  return goJson(toJson(message, decodeMessage(message, bytes)))
}

/** As Go writes it: safe to stand in HTML. */
export function goJson(json: unknown): string {
  return JSON.stringify(json).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function toJson(name: MessageName, message: MessageObject): Json {
  const json: { [name: string]: Json } = {}
  for (const field of schemaOf(name).fields) {
    const value = message[field.property]
    if (value === undefined) continue
    if (Array.isArray(value)) {
      const elements = value as readonly FieldValue[]
      if (elements.length > 0) {
        json[field.name] = elements.map((element) => valueToJson(field, element))
      }
    } else if (field.oneof !== undefined || !isZero(value)) {
      json[field.name] = valueToJson(field, value)
    }
  }
  return json
}

function valueToJson(field: Field, value: FieldValue): Json {
  const { type } = field
  if (type.kind === 'message') {
    const nested = value instanceof Uint8Array ? decodeMessage(type.message, value) : value
    return toJson(type.message, nested as MessageObject)
  }
  if (type.kind === 'enum') return type.values[Number(value)] ?? Number(value)
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64')
  }
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number') {
    return type.scalar === 'uint32' ? value : BigInt(value).toString()
  }
  if (typeof value === 'string' || typeof value === 'boolean') return value
  throw new KvError('INTERNAL', { message: `field ${field.name} has no JSON form` })
}

/** Sub-messages are never zero: an empty one is shown as {}. */
function isZero(value: FieldValue): boolean {
  return value === 0 || value === 0n || value === '' || value === false || isNoBytes(value)
}

function isNoBytes(value: FieldValue): boolean {
  return value instanceof Uint8Array && value.length === 0
}
