// mvccpb.KeyValue and Event: the stored form of a pair and what watchers get. Field order and left-out zeros are etcd's, because
// HashKV is computed over these bytes.
import type { EncodedEvent, EncodedKeyValue, KeyValue } from './messages.ts'
import { sharedWriter } from './wire/shared-writer.ts'
import { WireReader } from './wire/wire-reader.ts'

export const eventType = { put: 0, delete: 1 } as const

/** A decoded Event; the pairs stay encoded. */
export interface DecodedEvent {
  /** One of `eventType`. */
  readonly type: number
  readonly kv: EncodedKeyValue
  readonly prevKv: EncodedKeyValue | undefined
}

const noBytes: Uint8Array = new Uint8Array(0)
const keyTag = 0x0a
const valueTag = 0x2a

/** A tombstone is a pair with key and modRevision only (in an event) or key only (as stored): leave the rest zero. */
export function encodeKeyValue(pair: KeyValue): EncodedKeyValue {
  const writer = sharedWriter.begin(pair.key.length + pair.value.length + 64)
  writer.bytes(1, pair.key)
  writer.int64(2, pair.createRevision)
  writer.int64(3, pair.modRevision)
  writer.int64(4, pair.version)
  writer.bytes(5, pair.value)
  writer.bigInt64(6, pair.lease)
  return writer.finish()
}

/** The stored row of a tombstone: its key and nothing else. `key` has one character per byte, and one at least. */
export function encodeTombstone(key: string): EncodedKeyValue {
  const { length } = key
  const lengthBytes = length < 128 ? 1 : length < 128 ** 2 ? 2 : length < 128 ** 3 ? 3 : 4
  const row = new Uint8Array(1 + lengthBytes + length)
  row[0] = keyTag
  let at = 1
  for (let rest = length; at <= lengthBytes; rest >>>= 7) {
    row[at] = (rest & 127) | (at < lengthBytes ? 128 : 0)
    at++
  }
  for (let i = 0; i < length; i++) row[at + i] = key.charCodeAt(i)
  return row
}

/** `key` and `value` are views of the input. */
export function decodeKeyValue(bytes: EncodedKeyValue): KeyValue {
  const reader = new WireReader(bytes)
  let key = noBytes
  let createRevision = 0
  let modRevision = 0
  let version = 0
  let value = noBytes
  let lease = 0n
  while (!reader.done()) {
    const tag = reader.tag()
    if (tag === keyTag) key = reader.bytes()
    else if (tag === 0x10) createRevision = reader.int64()
    else if (tag === 0x18) modRevision = reader.int64()
    else if (tag === 0x20) version = reader.int64()
    else if (tag === valueTag) value = reader.bytes()
    else if (tag === 0x30) lease = reader.bigInt64()
    else reader.unknown(tag, 6)
  }
  return { key, createRevision, modRevision, version, value, lease }
}

/** The same pair without its value: what a keys_only range answers. */
export function withoutValue(bytes: EncodedKeyValue): EncodedKeyValue {
  const reader = new WireReader(bytes)
  while (!reader.done()) {
    const start = reader.offset
    const tag = reader.tag()
    reader.skip(tag)
    if (tag !== valueTag) continue
    const rest = new Uint8Array(bytes.length - (reader.offset - start))
    rest.set(bytes.subarray(0, start))
    rest.set(bytes.subarray(reader.offset), start)
    return rest
  }
  return bytes
}

/** `type` is one of `eventType`. */
export function encodeEvent(
  type: number,
  kv: EncodedKeyValue,
  prevKv: EncodedKeyValue | undefined,
): EncodedEvent {
  const writer = sharedWriter.begin(kv.length + (prevKv === undefined ? 0 : prevKv.length) + 24)
  writer.int64(1, type)
  writer.encoded(2, kv)
  if (prevKv !== undefined) writer.encoded(3, prevKv)
  return writer.finish()
}

export function decodeEvent(bytes: EncodedEvent): DecodedEvent {
  const reader = new WireReader(bytes)
  let type = 0
  let kv = noBytes
  let prevKv: Uint8Array | undefined
  while (!reader.done()) {
    const tag = reader.tag()
    if (tag === 0x08) type = reader.int32()
    else if (tag === 0x12) kv = reader.bytes()
    else if (tag === 0x1a) prevKv = reader.bytes()
    else reader.unknown(tag, 3)
  }
  return { type, kv, prevKv }
}
