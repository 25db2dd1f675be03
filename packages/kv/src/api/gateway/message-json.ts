// The JSON of grpc-gateway, as etcd 3.4 speaks it, driven by the message table: etcd's field names, 64-bit numbers as strings, bytes as
// base64, enums by name, zero values left out. Input may also use camelCase names, plain numbers and enum numbers.
import { KvError } from '../../errors.ts'
import { decodeMessage, encodeMessage, messageDepthMax, schemaOf } from '../../proto/index.ts'
import type { Field, FieldValue, MessageName, MessageObject } from '../../proto/index.ts'

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** The protobuf bytes of a parsed JSON value; throws BadJson. */
export function encodeFromJson(message: MessageName, json: unknown): Uint8Array {
  return encodeMessage(message, toMessage(message, json as Json, '', 0))
}

/** JSON text of a message's bytes. */
export function jsonFromMessage(message: MessageName, bytes: Uint8Array): string {
  return JSON.stringify(toJson(message, decodeMessage(message, bytes)))
}

/** The request is JSON, but not of this message; `message` says which field and why. */
export class BadJson extends Error {
  override readonly name = 'BadJson'
}

function toMessage(name: MessageName, json: Json, path: string, depth: number): MessageObject {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new BadJson(`${path === '' ? 'the request' : path} must be an object`)
  }
  if (depth > messageDepthMax) throw new BadJson(`${path} is nested too deep`)
  const schema = schemaOf(name)
  const message: Record<string, FieldValue> = {}
  const oneofs = new Set<string>()
  for (const [key, value] of Object.entries(json)) {
    const field = schema.byName.get(key)
    const at = path === '' ? key : `${path}.${key}`
    // Unknown fields are passed over, as etcd does.
    if (field === undefined || value === null) continue
    if (field.oneof !== undefined) {
      if (oneofs.has(field.oneof)) throw new BadJson(`${at} is set beside another of its kind`)
      oneofs.add(field.oneof)
    }
    message[field.property] = toField(field, value, at, depth)
  }
  return message
}

function toField(field: Field, json: Json, path: string, depth: number): FieldValue {
  if (!field.repeated) return toValue(field, json, path, depth)
  if (!Array.isArray(json)) throw new BadJson(`${path} must be an array`)
  return json.map((element, i) => toValue(field, element, `${path}[${i}]`, depth))
}

function toValue(field: Field, json: Json, path: string, depth: number): FieldValue {
  const { type } = field
  if (type.kind === 'message') return toMessageField(type.message, json, path, depth)
  if (type.kind === 'enum') return toEnum(type.values, json, path)
  switch (type.scalar) {
    case 'bytes':
      return toBytes(json, path)
    case 'string':
      if (typeof json !== 'string') throw new BadJson(`${path} must be a string`)
      return json
    case 'bool':
      if (typeof json !== 'boolean') throw new BadJson(`${path} must be true or false`)
      return json
    case 'int64':
      return Number(toInteger(json, path, -(2n ** 63n), 2n ** 63n - 1n))
    case 'int64id':
      return toInteger(json, path, -(2n ** 63n), 2n ** 63n - 1n)
    case 'uint64':
      return Number(toInteger(json, path, 0n, 2n ** 64n - 1n))
    case 'uint64id':
      return toInteger(json, path, 0n, 2n ** 64n - 1n)
    case 'uint32':
      return Number(toInteger(json, path, 0n, 2n ** 32n - 1n))
  }
}

function toMessageField(message: MessageName, json: Json, path: string, depth: number): FieldValue {
  const nested = toMessage(message, json, path, depth + 1)
  return message === 'KeyValue' || message === 'Event' ? encodeMessage(message, nested) : nested
}

function toEnum(values: readonly string[], json: Json, path: string): number {
  if (typeof json === 'number' && Number.isInteger(json)) return json
  const index = typeof json === 'string' ? values.indexOf(json) : -1
  if (index < 0) throw new BadJson(`${path} must be one of ${values.join(', ')}`)
  return index
}

function toBytes(json: Json, path: string): Uint8Array {
  if (typeof json !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(json)) {
    throw new BadJson(`${path} must be base64`)
  }
  return Buffer.from(json, 'base64')
}

function toInteger(json: Json, path: string, min: bigint, max: bigint): bigint {
  if (typeof json === 'number' && Number.isInteger(json) && !Number.isSafeInteger(json)) {
    throw new BadJson(`${path} is too large for a JSON number: write it as a string`)
  }
  const isNumber = typeof json === 'number' && Number.isInteger(json)
  const isText = typeof json === 'string' && /^-?\d{1,20}$/.test(json)
  if (!isNumber && !isText) throw new BadJson(`${path} must be a whole number`)
  const integer = BigInt(json)
  if (integer < min || integer > max) throw new BadJson(`${path} is out of range`)
  return integer
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
