// From the JSON of a request to its protobuf bytes by grpc-gateway's rules, as etcd 3.4 has them, with their very words for what is
// wrong: names in etcd's form or in camelCase, 64-bit numbers plain or in quotes, enums by name or number, bytes as base64 or as an
// array, null for nothing; unknown fields are passed over.
import { encodeMessage, messageDepthMax, schemaOf } from '../../proto/index.ts'
import type { Field, FieldValue, MessageName, MessageObject } from '../../proto/index.ts'
import { base64FaultOf } from './base64-fault.ts'
import { JsonCut, readJson, textOf } from './json-reader.ts'
import type { JsonNode } from './json-reader.ts'

/** The request is JSON, but not of this message; `message` says why. */
export class BadJson extends Error {
  override readonly name = 'BadJson'
}

/** The protobuf bytes of a JSON value; throws BadJson or JsonError. */
export function encodeFromJson(message: MessageName, json: JsonNode): Uint8Array {
  return encodeMessage(message, toMessage(message, json, 0))
}

/** Go's names of the enums, which its messages show. */
const enumTypes: Readonly<Record<string, string>> = {
  EventType: 'mvccpb.Event_EventType',
  PermissionType: 'authpb.Permission_Type',
  SortOrder: 'etcdserverpb.RangeRequest_SortOrder',
  SortTarget: 'etcdserverpb.RangeRequest_SortTarget',
  CompareResult: 'etcdserverpb.Compare_CompareResult',
  CompareTarget: 'etcdserverpb.Compare_CompareTarget',
  FilterType: 'etcdserverpb.WatchCreateRequest_FilterType',
  AlarmType: 'etcdserverpb.AlarmType',
  AlarmAction: 'etcdserverpb.AlarmRequest_AlarmAction',
  DowngradeAction: 'etcdserverpb.DowngradeRequest_DowngradeAction',
}
const int64Min = -(2n ** 63n)
const int64Max = 2n ** 63n - 1n
const int32Max = 2n ** 31n - 1n

function toMessage(name: MessageName, json: JsonNode, depth: number): MessageObject {
  if (json.kind === 'null') return {}
  if (json.kind !== 'object') throw mismatch(json, 'map[string]json.RawMessage')
  if (depth > messageDepthMax) throw new BadJson('exceeded max depth')
  const { fields } = schemaOf(name)
  const message: Record<string, FieldValue> = {}
  const oneofs = new Set<string>()
  for (const field of fields) {
    const node = json.fields.get(field.jsonName) ?? json.fields.get(field.name)
    if (node === undefined) continue
    const value = toField(field, node, depth)
    if (value === undefined) continue
    if (field.oneof !== undefined) {
      // etcd takes either of them, by chance.
      if (oneofs.has(field.oneof))
        throw new BadJson(`${field.name} is set beside another of its kind`)
      oneofs.add(field.oneof)
    }
    message[field.property] = value
  }
  return message
}

function toField(field: Field, json: JsonNode, depth: number): FieldValue {
  if (!field.repeated) return toValue(field, json, depth)
  if (json.kind === 'null') return undefined
  if (json.kind !== 'array') throw mismatch(json, '[]json.RawMessage')
  return json.elements.map((element) => toValue(field, element, depth) ?? emptyOf(field))
}

/** Undefined for null. */
function toValue(field: Field, json: JsonNode, depth: number): FieldValue {
  const { type } = field
  if (type.kind === 'message') {
    return json.kind === 'null' ? undefined : toMessageField(type.message, json, depth)
  }
  if (type.kind === 'enum') return toEnum(type.name, type.values, json)
  switch (type.scalar) {
    case 'bytes':
      return toBytes(json)
    case 'string':
      if (json.kind === 'null') return undefined
      if (json.kind !== 'string') throw mismatch(json, 'string')
      return textOf(json.source)
    case 'bool':
      if (json.kind === 'null') return undefined
      if (json.kind !== 'bool') throw mismatch(json, 'bool')
      return json.value
    case 'int64':
      return numberOf(toInteger(json, 'int64', int64Min, int64Max))
    case 'int64id':
      return toInteger(json, 'int64', int64Min, int64Max)
    case 'uint64':
      return numberOf(toInteger(json, 'uint64', 0n, 2n ** 64n - 1n))
    case 'uint64id':
      return toInteger(json, 'uint64', 0n, 2n ** 64n - 1n)
    case 'uint32':
      return numberOf(toInteger(json, 'uint32', 0n, 2n ** 32n - 1n))
  }
}

function numberOf(integer: bigint | undefined): number | undefined {
  return integer === undefined ? undefined : Number(integer)
}

/** What null stands for in an array. */
function emptyOf(field: Field): FieldValue {
  const { type } = field
  if (type.kind === 'message') return toMessageField(type.message, { kind: 'null' }, 0)
  if (type.kind === 'enum') return 0
  if (type.scalar === 'bytes') return new Uint8Array(0)
  if (type.scalar === 'string') return ''
  if (type.scalar === 'bool') return false
  return type.scalar.endsWith('id') ? 0n : 0
}

function toMessageField(message: MessageName, json: JsonNode, depth: number): FieldValue {
  const nested = toMessage(message, json, depth + 1)
  return message === 'KeyValue' || message === 'Event' ? encodeMessage(message, nested) : nested
}

function toEnum(name: string, values: readonly string[], json: JsonNode): number | undefined {
  const goName = enumTypes[name] ?? name
  if (json.kind !== 'string') return numberOf(toInteger(json, goName, -int32Max - 1n, int32Max))
  const text = json.source.toString('utf8')
  const index = values.indexOf(text)
  if (index < 0) throw new BadJson(`unknown value ${JSON.stringify(text)} for enum ${goName}`)
  return index
}

function toBytes(json: JsonNode): Uint8Array | undefined {
  if (json.kind === 'null') return undefined
  if (json.kind === 'array') {
    return Uint8Array.from(json.elements, (each) => Number(toInteger(each, 'uint8', 0n, 255n) ?? 0))
  }
  if (json.kind !== 'string') throw mismatch(json, '[]uint8')
  const text = textOf(json.source)
  const fault = base64FaultOf(text)
  if (fault !== undefined) throw new BadJson(`illegal base64 data at input byte ${fault}`)
  return Buffer.from(text, 'base64')
}

/** A number, or what is one without its quotes; undefined for null. */
function toInteger(json: JsonNode, type: string, min: bigint, max: bigint): bigint | undefined {
  const isQuoted = json.kind === 'string' && type !== 'uint8'
  const node = isQuoted ? unquoted(json.source) : json
  if (node.kind === 'null') return undefined
  if (node.kind !== 'number') throw mismatch(node, type)
  const { text } = node
  const integer = /^-?\d{1,20}$/.test(text) ? BigInt(text) : undefined
  if (integer === undefined || integer < min || integer > max) {
    throw new BadJson(`json: cannot unmarshal number ${text} into Go value of type ${type}`)
  }
  return integer
}

function unquoted(source: Buffer): JsonNode {
  try {
    const node = readJson(source)
    if (node !== undefined) return node
  } catch (reason) {
    if (!(reason instanceof JsonCut)) throw reason
  }
  throw new BadJson('unexpected end of JSON input')
}

function mismatch(json: JsonNode, type: string): BadJson {
  return new BadJson(`json: cannot unmarshal ${json.kind} into Go value of type ${type}`)
}
