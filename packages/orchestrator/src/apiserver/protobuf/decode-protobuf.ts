// Decodes Kubernetes' protobuf bodies to the JSON that the same object has: an envelope ("k8s\0" and a message Unknown), and in it a
// message found by its kind in a table of field numbers. Takes hostile bytes: what is malformed ends in a BadRequest.
import type { Json } from '../../resources/object.ts'
import { badRequest } from '../api-errors.ts'
import { protobufFields } from './protobuf-fields.ts'
import { ProtobufReader } from './protobuf-reader.ts'

interface Field {
  readonly name: string
  readonly shape: 'one' | 'list' | 'map' | 'inline'
  readonly type: string
}
type Message = ReadonlyMap<number, Field>
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
  const message = messages.get(kind)
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

const decodeMessage = (message: Message, bytes: Buffer, depth: number): JsonEntries => {
  if (depth > depthMax) throw new RangeError('the message is nested too deeply')
  const reader = new ProtobufReader(bytes)
  const single = new Map<string, Json>()
  const lists = new Map<string, Json[]>()
  const maps = new Map<string, JsonEntries>()
  while (reader.next()) {
    const field = message.get(reader.field)
    if (field === undefined) {
      reader.skip()
      continue
    }
    switch (field.shape) {
      case 'one': {
        const value = decodeValue(field.type, reader, depth)
        if (value !== undefined) single.set(field.name, value)
        break
      }
      case 'inline':
        for (const [name, value] of decodeMessage(
          messageOf(field.type),
          reader.bytes(),
          depth + 1,
        )) {
          single.set(name, value)
        }
        break
      case 'list':
        append(lists, field.name, decodeItem(field.type, reader, depth))
        break
      case 'map':
        append(maps, field.name, decodeEntry(field.type, reader.bytes(), depth))
        break
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
const decodeValue = (type: string, reader: ProtobufReader, depth: number): Json | undefined => {
  switch (type) {
    case 's': {
      const text = reader.text()
      return text === '' ? undefined : text
    }
    case 'i': {
      const number = reader.integer()
      return number === 0 ? undefined : number
    }
    case 'b':
      return reader.integer() === 0 ? undefined : true
    case 'Time':
    case 'MicroTime':
      return decodeTime(reader.bytes(), type === 'MicroTime')
    default:
      return decodeItem(type, reader, depth)
  }
}

/** An item of a list or map, where zero values count. */
const decodeItem = (type: string, reader: ProtobufReader, depth: number): Json => {
  switch (type) {
    case 's':
      return reader.text()
    case 'b':
    case 'b!':
      return reader.integer() !== 0
    case 'i':
    case 'i!':
      return reader.integer()
    case 'y':
      return reader.bytes().toString('base64')
    case 'Time':
    case 'MicroTime':
      return decodeTime(reader.bytes(), type === 'MicroTime') ?? null
    case 'Quantity':
      return firstText(reader.bytes()) ?? '0'
    case 'IntOrString':
      return decodeIntOrString(reader.bytes())
    case 'FieldsV1':
    case 'RawExtension':
      return decodeRawJson(reader.bytes())
    case 'ExtraValue':
      return decodeMessage(extraValue, reader.bytes(), depth + 1)[0]?.[1] ?? []
    default:
      return Object.fromEntries(decodeMessage(messageOf(type), reader.bytes(), depth + 1))
  }
}

const decodeEntry = (type: string, bytes: Buffer, depth: number): [string, Json] => {
  const reader = new ProtobufReader(bytes)
  let key = ''
  let value: Json = type === 's' || type === 'y' ? '' : {}
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

const firstText = (bytes: Buffer): string | undefined => {
  const reader = new ProtobufReader(bytes)
  let text: string | undefined
  while (reader.next()) {
    if (reader.field === 1) text = reader.text()
    else reader.skip()
  }
  return text
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
  const text = firstText(bytes) ?? 'null'
  try {
    return JSON.parse(text) as Json
  } catch {
    throw new RangeError('an embedded value is not JSON')
  }
}

const parseField = (text: string): [number, Field] => {
  const [number = '', name = '', type = ''] = text.split(':')
  const [, prefix, bare = ''] = /^(\[\]|\{\}|\^)?(.+)$/.exec(type) ?? []
  const shape =
    prefix === '[]' ? 'list' : prefix === '{}' ? 'map' : prefix === '^' ? 'inline' : 'one'
  return [Number(number), { name, shape, type: bare }]
}

const messages: ReadonlyMap<string, Message> = new Map(
  protobufFields
    .trim()
    .split(/\n(?! )/)
    .map((paragraph) => {
      const [name = '', ...fields] = paragraph.split(/\s+/)
      return [name, new Map(fields.map(parseField))]
    }),
)
const extraValue: Message = new Map([[1, { name: 'items', shape: 'list', type: 's' }]])

/** A message the table does not have is read as one without fields. */
const messageOf = (name: string): Message => messages.get(name) ?? new Map()
