// Replies of the KV service. Stored pairs are copied in as they are; nothing is decoded on the way out.
import type {
  DeleteRangeResponse,
  EncodedKeyValue,
  HeaderOnlyResponse,
  PutResponse,
  RangeResponse,
  ResponseOp,
  TxnResponse,
} from './messages.ts'
import { emptyHeader, readHeader, writeHeader } from './response-header.ts'
import { malformed } from './wire/malformed.ts'
import { txnDepthMax } from './txn-request.ts'
import { sharedWriter } from './wire/shared-writer.ts'
import { WireReader } from './wire/wire-reader.ts'
import type { WireWriter } from './wire/wire-writer.ts'

const headerSizeMax = 48

export function encodeRangeResponse(response: RangeResponse): Uint8Array {
  sharedWriter.begin(headerSizeMax + 16 + sizeOfAll(response.kvs))
  writeRangeResponse(sharedWriter, response)
  return sharedWriter.finish()
}

export function encodePutResponse(response: PutResponse): Uint8Array {
  sharedWriter.begin()
  writePutResponse(sharedWriter, response)
  return sharedWriter.finish()
}

export function encodeDeleteRangeResponse(response: DeleteRangeResponse): Uint8Array {
  sharedWriter.begin(headerSizeMax + 16 + sizeOfAll(response.prevKvs))
  writeDeleteRangeResponse(sharedWriter, response)
  return sharedWriter.finish()
}

export function encodeTxnResponse(response: TxnResponse): Uint8Array {
  sharedWriter.begin()
  writeTxnResponse(sharedWriter, response)
  return sharedWriter.finish()
}

/** CompactionResponse, LeaseRevokeResponse, DefragmentResponse and all others that are only a header. */
export function encodeHeaderOnlyResponse(response: HeaderOnlyResponse): Uint8Array {
  sharedWriter.begin()
  writeHeader(sharedWriter, response.header)
  return sharedWriter.finish()
}

export function decodeRangeResponse(bytes: Uint8Array): RangeResponse {
  return readRangeResponse(new WireReader(bytes))
}

export function decodePutResponse(bytes: Uint8Array): PutResponse {
  return readPutResponse(new WireReader(bytes))
}

export function decodeDeleteRangeResponse(bytes: Uint8Array): DeleteRangeResponse {
  return readDeleteRangeResponse(new WireReader(bytes))
}

export function decodeTxnResponse(bytes: Uint8Array): TxnResponse {
  return readTxnResponse(new WireReader(bytes), 0)
}

export function decodeHeaderOnlyResponse(bytes: Uint8Array): HeaderOnlyResponse {
  const reader = new WireReader(bytes)
  let header = emptyHeader
  while (!reader.done()) {
    const tag = reader.tag()
    if (tag === 0x0a) header = readHeader(reader.message())
    else reader.unknown(tag, 1)
  }
  return { header }
}

function writeRangeResponse(writer: WireWriter, response: RangeResponse): void {
  writeHeader(writer, response.header)
  for (const kv of response.kvs) writer.encoded(2, kv)
  writer.bool(3, response.more)
  writer.int64(4, response.count)
}

function writePutResponse(writer: WireWriter, response: PutResponse): void {
  writeHeader(writer, response.header)
  if (response.prevKv !== undefined) writer.encoded(2, response.prevKv)
}

function writeDeleteRangeResponse(writer: WireWriter, response: DeleteRangeResponse): void {
  writeHeader(writer, response.header)
  writer.int64(2, response.deleted)
  for (const kv of response.prevKvs) writer.encoded(3, kv)
}

function writeTxnResponse(writer: WireWriter, response: TxnResponse): void {
  writeHeader(writer, response.header)
  writer.bool(2, response.succeeded)
  for (const op of response.responses) writeResponseOp(writer, op)
}

function writeResponseOp(writer: WireWriter, op: ResponseOp): void {
  const outer = writer.open(3)
  switch (op.type) {
    case 'range': {
      const inner = writer.open(1)
      writeRangeResponse(writer, op.response)
      writer.close(inner)
      break
    }
    case 'put': {
      const inner = writer.open(2)
      writePutResponse(writer, op.response)
      writer.close(inner)
      break
    }
    case 'deleteRange': {
      const inner = writer.open(3)
      writeDeleteRangeResponse(writer, op.response)
      writer.close(inner)
      break
    }
    case 'txn': {
      const inner = writer.open(4)
      writeTxnResponse(writer, op.response)
      writer.close(inner)
      break
    }
  }
  writer.close(outer)
}

function readRangeResponse(reader: WireReader): RangeResponse {
  let header = emptyHeader
  const kvs: EncodedKeyValue[] = []
  let more = false
  let count = 0
  while (!reader.done()) {
    const tag = reader.tag()
    if (tag === 0x0a) header = readHeader(reader.message())
    else if (tag === 0x12) kvs.push(reader.bytes())
    else if (tag === 0x18) more = reader.bool()
    else if (tag === 0x20) count = reader.int64()
    else reader.unknown(tag, 4)
  }
  return { header, kvs, more, count }
}

function readPutResponse(reader: WireReader): PutResponse {
  let header = emptyHeader
  let prevKv: EncodedKeyValue | undefined
  while (!reader.done()) {
    const tag = reader.tag()
    if (tag === 0x0a) header = readHeader(reader.message())
    else if (tag === 0x12) prevKv = reader.bytes()
    else reader.unknown(tag, 2)
  }
  return { header, prevKv }
}

function readDeleteRangeResponse(reader: WireReader): DeleteRangeResponse {
  let header = emptyHeader
  let deleted = 0
  const prevKvs: EncodedKeyValue[] = []
  while (!reader.done()) {
    const tag = reader.tag()
    if (tag === 0x0a) header = readHeader(reader.message())
    else if (tag === 0x10) deleted = reader.int64()
    else if (tag === 0x1a) prevKvs.push(reader.bytes())
    else reader.unknown(tag, 3)
  }
  return { header, deleted, prevKvs }
}

function readTxnResponse(reader: WireReader, depth: number): TxnResponse {
  if (depth > txnDepthMax) throw malformed('transactions nested too deep')
  let header = emptyHeader
  let succeeded = false
  const responses: ResponseOp[] = []
  while (!reader.done()) {
    const tag = reader.tag()
    if (tag === 0x0a) header = readHeader(reader.message())
    else if (tag === 0x10) succeeded = reader.bool()
    else if (tag === 0x1a) responses.push(readResponseOp(reader.message(), depth))
    else reader.unknown(tag, 3)
  }
  return { header, succeeded, responses }
}

function readResponseOp(reader: WireReader, depth: number): ResponseOp {
  let op: ResponseOp | undefined
  while (!reader.done()) {
    const tag = reader.tag()
    if (tag === 0x0a) op = { type: 'range', response: readRangeResponse(reader.message()) }
    else if (tag === 0x12) op = { type: 'put', response: readPutResponse(reader.message()) }
    else if (tag === 0x1a) {
      op = { type: 'deleteRange', response: readDeleteRangeResponse(reader.message()) }
    } else if (tag === 0x22) {
      op = { type: 'txn', response: readTxnResponse(reader.message(), depth + 1) }
    } else reader.unknown(tag, 4)
  }
  if (op === undefined) throw malformed('response without a result')
  return op
}

function sizeOfAll(pairs: readonly EncodedKeyValue[]): number {
  let size = 0
  for (const pair of pairs) size += pair.length + 6
  return size
}
