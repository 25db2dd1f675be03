// The hot requests, written out by hand: Range, Put, DeleteRange. Each also has a form that reads or writes it inside a txn.
import type { CompactionRequest, DeleteRangeRequest, PutRequest, RangeRequest } from './messages.ts'
import { decodeMessage, encodeMessage } from './wire/message-codec.ts'
import { sharedWriter } from './wire/shared-writer.ts'
import { WireReader } from './wire/wire-reader.ts'
import type { WireWriter } from './wire/wire-writer.ts'

const noBytes: Uint8Array = new Uint8Array(0)
/** A range end that is given and empty: to etcd, where it answers without the log, everything from key on; elsewhere it is as if none were given. */
export const givenEmptyEnd: Uint8Array = new Uint8Array(0)
/** The usual way to say so. */
export const fromKeyOn: Uint8Array = Uint8Array.of(0)
/** Of RangeRequest and PutRequest, beyond etcd's fields, and their tags as varints. */
const maxStalenessField = 1000
const maxStalenessTag = maxStalenessField << 3
const ttlField = 1000
const ttlTag = ttlField << 3

export function decodeRangeRequest(bytes: Uint8Array): RangeRequest {
  return readRangeRequest(new WireReader(bytes), fromKeyOn)
}

export function decodePutRequest(bytes: Uint8Array): PutRequest {
  return readPutRequest(new WireReader(bytes))
}

export function decodeDeleteRangeRequest(bytes: Uint8Array): DeleteRangeRequest {
  return readDeleteRangeRequest(new WireReader(bytes))
}

export function decodeCompactionRequest(bytes: Uint8Array): CompactionRequest {
  return decodeMessage('CompactionRequest', bytes) as unknown as CompactionRequest
}

export function encodeRangeRequest(request: RangeRequest): Uint8Array {
  sharedWriter.begin(request.key.length + request.rangeEnd.length + 64)
  writeRangeRequest(sharedWriter, request)
  return sharedWriter.finish()
}

/** What behind a RangeRequest's bytes bounds its staleness: of a field that comes twice the last counts. */
export function encodeMaxStaleness(maxStalenessMs: number): Uint8Array {
  sharedWriter.begin(16)
  sharedWriter.int64(maxStalenessField, maxStalenessMs)
  return sharedWriter.finish()
}

export function encodePutRequest(request: PutRequest): Uint8Array {
  sharedWriter.begin(request.key.length + request.value.length + 40)
  writePutRequest(sharedWriter, request)
  return sharedWriter.finish()
}

export function encodeDeleteRangeRequest(request: DeleteRangeRequest): Uint8Array {
  sharedWriter.begin(request.key.length + request.rangeEnd.length + 24)
  writeDeleteRangeRequest(sharedWriter, request)
  return sharedWriter.finish()
}

export function encodeCompactionRequest(request: CompactionRequest): Uint8Array {
  return encodeMessage('CompactionRequest', request)
}

/** `emptyEnd`: what stands for a range end that is given and empty. */
export function readRangeRequest(
  reader: WireReader,
  emptyEnd: Uint8Array = givenEmptyEnd,
): RangeRequest {
  let key = noBytes
  let rangeEnd = noBytes
  let limit = 0
  let revision = 0
  let sortOrder = 0
  let sortTarget = 0
  let serializable = false
  let keysOnly = false
  let countOnly = false
  let minModRevision = 0
  let maxModRevision = 0
  let minCreateRevision = 0
  let maxCreateRevision = 0
  let maxStalenessMs = 0
  while (!reader.done()) {
    const tag = reader.tag()
    if (tag === 0x0a) key = reader.bytes()
    else if (tag === 0x12) {
      rangeEnd = reader.bytes()
      if (rangeEnd.length === 0) rangeEnd = emptyEnd
    } else if (tag === 0x18) limit = reader.int64()
    else if (tag === 0x20) revision = reader.int64()
    else if (tag === 0x28) sortOrder = reader.int32()
    else if (tag === 0x30) sortTarget = reader.int32()
    else if (tag === 0x38) serializable = reader.bool()
    else if (tag === 0x40) keysOnly = reader.bool()
    else if (tag === 0x48) countOnly = reader.bool()
    else if (tag === 0x50) minModRevision = reader.int64()
    else if (tag === 0x58) maxModRevision = reader.int64()
    else if (tag === 0x60) minCreateRevision = reader.int64()
    else if (tag === 0x68) maxCreateRevision = reader.int64()
    else if (tag === maxStalenessTag) maxStalenessMs = reader.int64()
    else reader.unknown(tag, 13)
  }
  return {
    key,
    rangeEnd,
    limit,
    revision,
    sortOrder,
    sortTarget,
    serializable,
    keysOnly,
    countOnly,
    minModRevision,
    maxModRevision,
    minCreateRevision,
    maxCreateRevision,
    maxStalenessMs,
  }
}

export function readPutRequest(reader: WireReader): PutRequest {
  let key = noBytes
  let value = noBytes
  let lease = 0n
  let prevKv = false
  let ignoreValue = false
  let ignoreLease = false
  let ttlSeconds = 0
  while (!reader.done()) {
    const tag = reader.tag()
    if (tag === 0x0a) key = reader.bytes()
    else if (tag === 0x12) value = reader.bytes()
    else if (tag === 0x18) lease = reader.bigInt64()
    else if (tag === 0x20) prevKv = reader.bool()
    else if (tag === 0x28) ignoreValue = reader.bool()
    else if (tag === 0x30) ignoreLease = reader.bool()
    else if (tag === ttlTag) ttlSeconds = reader.int64()
    else reader.unknown(tag, 6)
  }
  const request = { key, value, lease, prevKv, ignoreValue, ignoreLease }
  return ttlSeconds > 0 ? { ...request, ttlSeconds } : request
}

export function readDeleteRangeRequest(reader: WireReader): DeleteRangeRequest {
  let key = noBytes
  let rangeEnd = noBytes
  let prevKv = false
  while (!reader.done()) {
    const tag = reader.tag()
    if (tag === 0x0a) key = reader.bytes()
    else if (tag === 0x12) rangeEnd = reader.bytes()
    else if (tag === 0x18) prevKv = reader.bool()
    else reader.unknown(tag, 3)
  }
  return { key, rangeEnd, prevKv }
}

export function writeRangeRequest(writer: WireWriter, request: RangeRequest): void {
  writer.bytes(1, request.key)
  writer.bytes(2, request.rangeEnd)
  writer.int64(3, request.limit)
  writer.int64(4, request.revision)
  writer.int64(5, request.sortOrder)
  writer.int64(6, request.sortTarget)
  writer.bool(7, request.serializable)
  writer.bool(8, request.keysOnly)
  writer.bool(9, request.countOnly)
  writer.int64(10, request.minModRevision)
  writer.int64(11, request.maxModRevision)
  writer.int64(12, request.minCreateRevision)
  writer.int64(13, request.maxCreateRevision)
  writer.int64(maxStalenessField, request.maxStalenessMs ?? 0)
}

export function writePutRequest(writer: WireWriter, request: PutRequest): void {
  writer.bytes(1, request.key)
  writer.bytes(2, request.value)
  writer.bigInt64(3, request.lease)
  writer.bool(4, request.prevKv)
  writer.bool(5, request.ignoreValue)
  writer.bool(6, request.ignoreLease)
  writer.int64(ttlField, request.ttlSeconds ?? 0)
}

export function writeDeleteRangeRequest(writer: WireWriter, request: DeleteRangeRequest): void {
  writer.bytes(1, request.key)
  writer.bytes(2, request.rangeEnd)
  writer.bool(3, request.prevKv)
}
