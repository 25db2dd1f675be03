// TxnRequest: compares, and operations that may be transactions again, to a bounded depth.
import { compareTarget } from './messages.ts'
import type { Compare, RequestOp, TxnRequest } from './messages.ts'
import {
  fromKeyOn,
  givenEmptyEnd,
  readDeleteRangeRequest,
  readPutRequest,
  readRangeRequest,
  writeDeleteRangeRequest,
  writePutRequest,
  writeRangeRequest,
} from './kv-requests.ts'
import { malformed } from './wire/malformed.ts'
import { sharedWriter } from './wire/shared-writer.ts'
import { WireReader } from './wire/wire-reader.ts'
import type { WireWriter } from './wire/wire-writer.ts'

/** Transactions within transactions. */
export const txnDepthMax = 50
const noBytes: Uint8Array = new Uint8Array(0)
/** The operand of compare target t is field 4 + t. */
const operandBase = 4

export function decodeTxnRequest(bytes: Uint8Array): TxnRequest {
  return readTxnRequest(new WireReader(bytes), 0)
}

export function encodeTxnRequest(request: TxnRequest): Uint8Array {
  sharedWriter.begin()
  writeTxnRequest(sharedWriter, request)
  return sharedWriter.finish()
}

/** With ends that are given and empty as everything from key on. Operations other than ranges stay as they are. */
export function withGivenEnds(request: TxnRequest): TxnRequest {
  return {
    compare: request.compare.map(withGivenEnd),
    success: request.success.map(withGivenEndOfOp),
    failure: request.failure.map(withGivenEndOfOp),
  }
}

function withGivenEnd<T extends { readonly rangeEnd: Uint8Array }>(keys: T): T {
  return keys.rangeEnd === givenEmptyEnd ? { ...keys, rangeEnd: fromKeyOn } : keys
}

function withGivenEndOfOp(op: RequestOp): RequestOp {
  return op?.type === 'range' ? { type: 'range', request: withGivenEnd(op.request) } : op
}

function readTxnRequest(reader: WireReader, depth: number): TxnRequest {
  if (depth > txnDepthMax) throw malformed('transactions nested too deep')
  const compare: Compare[] = []
  const success: RequestOp[] = []
  const failure: RequestOp[] = []
  while (!reader.done()) {
    const tag = reader.tag()
    if (tag === 0x0a) compare.push(readCompare(reader.message()))
    else if (tag === 0x12) success.push(readRequestOp(reader.message(), depth))
    else if (tag === 0x1a) failure.push(readRequestOp(reader.message(), depth))
    else reader.unknown(tag, 3)
  }
  return { compare, success, failure }
}

function readCompare(reader: WireReader): Compare {
  let result = 0
  let target = 0
  let key = noBytes
  let rangeEnd = noBytes
  let operand = 0
  let number = 0
  let value = noBytes
  let lease = 0n
  while (!reader.done()) {
    const tag = reader.tag()
    if (tag === 0x08) result = reader.int32()
    else if (tag === 0x10) target = reader.int32()
    else if (tag === 0x1a) key = reader.bytes()
    else if (tag === 0x20 || tag === 0x28 || tag === 0x30) {
      operand = tag >>> 3
      number = reader.int64()
    } else if (tag === 0x3a) {
      operand = 7
      value = reader.bytes()
    } else if (tag === 0x40) {
      operand = 8
      lease = reader.bigInt64()
    } else if (tag === 0x202) {
      rangeEnd = reader.bytes()
      if (rangeEnd.length === 0) rangeEnd = givenEmptyEnd
    } else reader.unknown(tag, 8)
  }
  // Only the oneof's last member counts, and only if it is the operand of the target; else it reads as zero.
  const matches = operand === operandBase + target
  return {
    result,
    target,
    key,
    rangeEnd,
    number: matches && operand < 7 ? number : 0,
    value: matches && operand === 7 ? value : noBytes,
    lease: matches && operand === 8 ? lease : 0n,
  }
}

function readRequestOp(reader: WireReader, depth: number): RequestOp {
  let op: RequestOp
  while (!reader.done()) {
    const tag = reader.tag()
    if (tag === 0x0a) op = { type: 'range', request: readRangeRequest(reader.message()) }
    else if (tag === 0x12) op = { type: 'put', request: readPutRequest(reader.message()) }
    else if (tag === 0x1a) {
      op = { type: 'deleteRange', request: readDeleteRangeRequest(reader.message()) }
    } else if (tag === 0x22) {
      op = { type: 'txn', request: readTxnRequest(reader.message(), depth + 1) }
    } else reader.unknown(tag, 4)
  }
  return op
}

function writeTxnRequest(writer: WireWriter, request: TxnRequest): void {
  for (const compare of request.compare) writeCompare(writer, compare)
  for (const op of request.success) writeRequestOp(writer, 2, op)
  for (const op of request.failure) writeRequestOp(writer, 3, op)
}

function writeCompare(writer: WireWriter, compare: Compare): void {
  const mark = writer.open(1)
  writer.int64(1, compare.result)
  writer.int64(2, compare.target)
  writer.bytes(3, compare.key)
  if (compare.target === compareTarget.value) writer.encoded(7, compare.value)
  else if (compare.target === compareTarget.lease) writer.bigInt64Always(8, compare.lease)
  else if (compare.target >= compareTarget.version && compare.target <= compareTarget.mod) {
    writer.int64Always(operandBase + compare.target, compare.number)
  }
  writer.bytes(64, compare.rangeEnd)
  writer.close(mark)
}

function writeRequestOp(writer: WireWriter, field: number, op: RequestOp): void {
  const outer = writer.open(field)
  if (op?.type === 'range') {
    const inner = writer.open(1)
    writeRangeRequest(writer, op.request)
    writer.close(inner)
  } else if (op?.type === 'put') {
    const inner = writer.open(2)
    writePutRequest(writer, op.request)
    writer.close(inner)
  } else if (op?.type === 'deleteRange') {
    const inner = writer.open(3)
    writeDeleteRangeRequest(writer, op.request)
    writer.close(inner)
  } else if (op?.type === 'txn') {
    const inner = writer.open(4)
    writeTxnRequest(writer, op.request)
    writer.close(inner)
  }
  writer.close(outer)
}
