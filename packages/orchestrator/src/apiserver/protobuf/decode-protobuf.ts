// Decodes Kubernetes' protobuf bodies to the JSON that the same object has: an envelope ("k8s\0" and a message Unknown), and in it a
// message found by its kind in the schemas. Takes hostile bytes: what is malformed ends in a BadRequest.
import type { Json } from '../../resources/object.ts'
import { badRequest } from '../api-errors.ts'
import {
  type Field,
  type FieldType,
  type Message,
  messageOfKind,
} from '../../resources/schema/messages.ts'
import { ProtobufReader } from './protobuf-reader.ts'

type JsonEntries = [string, Json][]

const magic = Buffer.from([0x6b, 0x38, 0x73, 0x00])
const depthMax = 32

/** Throws ApiError BadRequest. */
export const decodeProtobuf = (body: Buffer): Json => {
  if (body.length < magic.length || !body.subarray(0, magic.length).equals(magic)) {
    throw badRequest(
      'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
    )
  }
  try {
    return decodeEnvelope(body.subarray(magic.length))
  } catch (reason) {
    if (reason instanceof RangeError) throw badRequest(`proto: ${reason.message}`)
    throw reason
  }
}

const decodeEnvelope = (bytes: Buffer): Json => {
  const reader = new ProtobufReader(bytes)
  let apiVersion = ''
  let kind = ''
  let raw: Buffer = Buffer.alloc(0)
  while (reader.next()) {
    if (reader.field === 1) {
      const typeMeta = new ProtobufReader(reader.bytes())
      while (typeMeta.next()) {
        if (typeMeta.field === 1) apiVersion = typeMeta.text()
        else if (typeMeta.field === 2) kind = typeMeta.text()
        else typeMeta.skip()
      }
    } else if (reader.field === 2) raw = reader.bytes()
    else reader.skip()
  }
  const message = messageOfKind({ ...groupVersionOf(apiVersion), kind })
  if (message === undefined) {
    throw badRequest(
      `no kind ${JSON.stringify(kind)} is registered for protobuf in version ${JSON.stringify(apiVersion)}`,
    )
  }
  return Object.fromEntries([
    ['apiVersion', apiVersion],
    ['kind', kind],
    ...decodeMessage(message, raw, 0),
  ])
}

const groupVersionOf = (apiVersion: string): { group: string; version: string } => {
  const slash = apiVersion.indexOf('/')
  return { group: apiVersion.slice(0, Math.max(0, slash)), version: apiVersion.slice(slash + 1) }
}

const decodeMessage = (message: Message, bytes: Buffer, depth: number): JsonEntries => {
  if (depth > depthMax) throw new RangeError('the message is nested too deeply')
  const reader = new ProtobufReader(bytes)
  const single = new Map<string, Json>()
  const lists = new Map<string, Json[]>()
  const maps = new Map<string, JsonEntries>()
  while (reader.next()) {
    const field = message.byNumber.get(reader.field)
    if (field === undefined) reader.skip()
    else if ('fields' in field) {
      for (const [name, value] of decodeMessage(field, reader.bytes(), depth + 1)) {
        single.set(name, value)
      }
    } else if (field.shape === 'list')
      append(lists, field.name, decodeItem(field.type, reader, depth))
    else if (field.shape === 'map') {
      append(maps, field.name, decodeEntry(field.type, reader.bytes(), depth))
    } else {
      const value = decodeValue(field, reader, depth)
      if (value !== undefined) single.set(field.name, value)
    }
  }
  return [
    ...single,
    ...lists,
    ...[...maps].map(([name, entries]): [string, Json] => [name, Object.fromEntries(entries)]),
  ]
}

const append = <T>(to: Map<string, T[]>, name: string, item: T): void => {
  const items = to.get(name)
  if (items === undefined) to.set(name, [item])
  else items.push(item)
}

/** undefined: Go's zero value of a field that is not a pointer, which JSON leaves out. */
const decodeValue = (
  { type, isPointer }: Field,
  reader: ProtobufReader,
  depth: number,
): Json | undefined => {
  const value = decodeItem(type, reader, depth)
  if (type === 'time' || type === 'microTime') return value ?? undefined
  return !isPointer && (value === '' || value === 0 || value === false) && isNumberTextOrFlag(type)
    ? undefined
    : value
}

const isNumberTextOrFlag = (type: FieldType): boolean =>
  type === 'string' || type === 'bool' || type === 'int32' || type === 'int64' || type === 'double'

/** A value where zero counts. */
const decodeItem = (type: FieldType, reader: ProtobufReader, depth: number): Json => {
  if (typeof type !== 'string') {
    return Object.fromEntries(decodeMessage(type.message(), reader.bytes(), depth + 1))
  }
  switch (type) {
    case 'string':
      return reader.text()
    case 'bool':
      return reader.integer() !== 0
    case 'int32':
    case 'int64':
      return reader.integer()
    case 'double':
      return reader.double()
    case 'bytes':
      return reader.bytes().toString('base64')
    case 'time':
    case 'microTime':
      return decodeTime(reader.bytes(), type === 'microTime') ?? null
    case 'quantity':
      return texts(reader.bytes())[0] ?? '0'
    case 'intOrString':
      return decodeIntOrString(reader.bytes())
    case 'strings':
      return texts(reader.bytes())
    case 'json':
    case 'raw':
      return decodeRawJson(reader.bytes())
  }
}

const decodeEntry = (type: FieldType, bytes: Buffer, depth: number): [string, Json] => {
  const reader = new ProtobufReader(bytes)
  let key = ''
  let value: Json = type === 'string' || type === 'bytes' ? '' : {}
  while (reader.next()) {
    if (reader.field === 1) key = reader.text()
    else if (reader.field === 2) value = decodeItem(type, reader, depth)
    else reader.skip()
  }
  return [key, value]
}

const decodeTime = (bytes: Buffer, isMicro: boolean): string | undefined => {
  const reader = new ProtobufReader(bytes)
  let seconds = 0
  let nanos = 0
  while (reader.next()) {
    if (reader.field === 1) seconds = reader.integer()
    else if (reader.field === 2) nanos = reader.integer()
    else reader.skip()
  }
  if (seconds === 0 && nanos === 0) return undefined
  const date = new Date(seconds * 1000)
  if (Number.isNaN(date.getTime())) throw new RangeError('a time is out of range')
  const text = date.toISOString().slice(0, 19)
  const micros = String(Math.floor(nanos / 1000)).padStart(6, '0')
  return isMicro ? `${text}.${micros}Z` : `${text}Z`
}

/** What field 1 holds, each time it is there. */
const texts = (bytes: Buffer): string[] => {
  const reader = new ProtobufReader(bytes)
  const found: string[] = []
  while (reader.next()) {
    if (reader.field === 1) found.push(reader.text())
    else reader.skip()
  }
  return found
}

const decodeIntOrString = (bytes: Buffer): Json => {
  const reader = new ProtobufReader(bytes)
  let isText = false
  let number = 0
  let text = ''
  while (reader.next()) {
    if (reader.field === 1) isText = reader.integer() === 1
    else if (reader.field === 2) number = reader.integer()
    else if (reader.field === 3) text = reader.text()
    else reader.skip()
  }
  return isText ? text : number
}

const decodeRawJson = (bytes: Buffer): Json => {
  const text = texts(bytes)[0] ?? 'null'
  try {
    return JSON.parse(text) as Json
  } catch {
    throw new RangeError('an embedded value is not JSON')
  }
}
