import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  decodeDeleteRangeRequest,
  decodeDeleteRangeResponse,
  decodeEvent,
  decodeKeyValue,
  decodeLeaseLeasesResponse,
  decodeMessage,
  decodePutRequest,
  decodeRangeRequest,
  decodeRangeResponse,
  decodeTxnRequest,
  decodeTxnResponse,
  decodeWatchRequest,
  decodeWatchResponse,
  encodeDeleteRangeRequest,
  encodeDeleteRangeResponse,
  encodeEvent,
  encodeKeyValue,
  encodeLeaseLeasesResponse,
  encodeMessage,
  encodePutRequest,
  encodeRangeRequest,
  encodeRangeResponse,
  encodeTxnRequest,
  encodeTxnResponse,
  encodeWatchRequest,
  encodeWatchResponse,
  withoutValue,
} from './index.ts'
import { KvError } from '../errors.ts'
import { messageTable } from './wire/schema-table.ts'
import type { MessageName } from './wire/schema-table.ts'
import { schemaOf } from './wire/schema.ts'
import type { RequestOp, TxnRequest } from './messages.ts'

const seed = Number(process.env['SEED'] ?? 20_261_121)
const bytes = fc.uint8Array({ maxLength: 300 })
const int64 = fc.oneof(fc.constant(0), fc.nat(), fc.maxSafeInteger())
const id = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const keyValue = fc.record({
  key: bytes,
  createRevision: int64,
  modRevision: int64,
  version: int64,
  value: bytes,
  lease: id,
})
const rangeRequest = fc.record({
  key: bytes,
  rangeEnd: bytes,
  limit: int64,
  revision: int64,
  sortOrder: fc.nat(2),
  sortTarget: fc.nat(4),
  serializable: fc.boolean(),
  keysOnly: fc.boolean(),
  countOnly: fc.boolean(),
  minModRevision: int64,
  maxModRevision: int64,
  minCreateRevision: int64,
  maxCreateRevision: int64,
  maxStalenessMs: int64,
})
const putRequest = fc.record({
  key: bytes,
  value: bytes,
  lease: id,
  prevKv: fc.boolean(),
  ignoreValue: fc.boolean(),
  ignoreLease: fc.boolean(),
})
const ttlPutRequest = fc
  .tuple(putRequest, fc.integer({ min: 1 }))
  .map(([put, ttlSeconds]) => ({ ...put, ttlSeconds }))
const deleteRangeRequest = fc.record({ key: bytes, rangeEnd: bytes, prevKv: fc.boolean() })
const compare = fc
  .record({
    result: fc.nat(3),
    target: fc.nat(4),
    key: bytes,
    rangeEnd: bytes,
    number: int64,
    value: bytes,
    lease: id,
  })
  .map((c) => ({
    ...c,
    number: c.target < 3 ? c.number : 0,
    value: c.target === 3 ? c.value : new Uint8Array(0),
    lease: c.target === 4 ? c.lease : 0n,
  }))
const { txn } = fc.letrec<{ txn: TxnRequest; op: RequestOp }>((tie) => ({
  op: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ type: fc.constant('put' as const), request: putRequest }),
    fc.record({ type: fc.constant('range' as const), request: rangeRequest }),
    fc.record({ type: fc.constant('deleteRange' as const), request: deleteRangeRequest }),
    fc.constant(undefined),
    fc.record({ type: fc.constant('txn' as const), request: tie('txn') }),
  ),
  txn: fc.record({
    compare: fc.array(compare, { maxLength: 3 }),
    success: fc.array(tie('op'), { maxLength: 3 }),
    failure: fc.array(tie('op'), { maxLength: 3 }),
  }),
}))

test('the hand-written codecs agree with the table for every request', () => {
  const anyPut = fc.oneof(putRequest, ttlPutRequest)
  const check = fc.property(rangeRequest, anyPut, deleteRangeRequest, (range, put, del) => {
    expect(decodeRangeRequest(encodeRangeRequest(range))).toEqual(range)
    expect(encodeMessage('RangeRequest', range)).toEqual(encodeRangeRequest(range))
    expect(decodeMessage('RangeRequest', encodeRangeRequest(range))).toEqual(range)
    expect(decodePutRequest(encodePutRequest(put))).toEqual(put)
    expect(encodeMessage('PutRequest', put)).toEqual(encodePutRequest(put))
    expect(decodeDeleteRangeRequest(encodeDeleteRangeRequest(del))).toEqual(del)
    expect(encodeMessage('DeleteRangeRequest', del)).toEqual(encodeDeleteRangeRequest(del))
  })
  fc.assert(check, { seed })
})

test('pairs and events come back and agree with the table', () => {
  const check = fc.property(keyValue, keyValue, (pair, before) => {
    const encoded = encodeKeyValue(pair)
    expect(decodeKeyValue(encoded)).toEqual(pair)
    expect(encodeMessage('KeyValue', pair)).toEqual(encoded)
    expect(decodeKeyValue(withoutValue(encoded))).toEqual({ ...pair, value: new Uint8Array(0) })
    const prevKv = encodeKeyValue(before)
    const event = encodeEvent(1, encoded, prevKv)
    expect(decodeEvent(event)).toEqual({ type: 1, kv: encoded, prevKv })
    expect(decodeMessage('Event', event)).toEqual({ type: 1, kv: encoded, prevKv })
    expect(decodeEvent(encodeEvent(0, encoded, undefined)).prevKv).toBeUndefined()
  })
  fc.assert(check, { seed })
})

test('transactions of any shape come back', () => {
  const check = fc.property(txn, (request) => {
    const encoded = encodeTxnRequest(request)
    expect(decodeTxnRequest(encoded)).toEqual(request)
    const again = encodeMessage('TxnRequest', decodeMessage('TxnRequest', encoded))
    expect(decodeTxnRequest(again)).toEqual(request)
  })
  fc.assert(check, { seed })
})

test('an operand that does not belong to the target of a compare reads as zero', () => {
  const encoded = encodeMessage('TxnRequest', {
    compare: [{ target: 1, key: Uint8Array.of(1), version: 7 }],
  })
  expect(decodeTxnRequest(encoded).compare[0]?.number).toBe(0)
})

test('responses embed stored pairs and events as they are', () => {
  const header = { clusterId: 2n ** 63n + 5n, memberId: 77n, revision: 9, raftTerm: 3 }
  const other = { clusterId: 0n, memberId: 0n, revision: 4, raftTerm: 0 }
  const kvs = [1, 2].map((n) =>
    encodeKeyValue({
      key: Uint8Array.of(n),
      createRevision: n,
      modRevision: n,
      version: 1,
      value: new Uint8Array(n * 200),
      lease: 5n,
    }),
  )
  const range = { header, kvs, more: true, count: 9 }
  expect(decodeRangeResponse(encodeRangeResponse(range))).toEqual(range)
  expect(decodeMessage('RangeResponse', encodeRangeResponse(range))).toEqual(range)
  const deleted = { header: other, deleted: 2, prevKvs: kvs }
  expect(decodeDeleteRangeResponse(encodeDeleteRangeResponse(deleted))).toEqual(deleted)
  const txnResponse = {
    header,
    succeeded: true,
    responses: [
      { type: 'range' as const, response: { ...range, header: other } },
      { type: 'put' as const, response: { header: other, prevKv: kvs[0] } },
      { type: 'deleteRange' as const, response: deleted },
      { type: 'txn' as const, response: { header: other, succeeded: false, responses: [] } },
    ],
  }
  expect(decodeTxnResponse(encodeTxnResponse(txnResponse))).toEqual(txnResponse)
  const watch = {
    header,
    watchId: -1,
    created: true,
    canceled: false,
    compactRevision: 3,
    cancelReason: 'gone',
    fragment: true,
    events: kvs.map((kv) => encodeEvent(0, kv, undefined)),
  }
  expect(decodeWatchResponse(encodeWatchResponse(watch))).toEqual(watch)
  const leases = { header, leases: [1n, -1n] }
  expect(decodeLeaseLeasesResponse(encodeLeaseLeasesResponse(leases))).toEqual(leases)
})

test('watch requests of each kind come back', () => {
  const request = {
    key: Uint8Array.of(1),
    rangeEnd: Uint8Array.of(2),
    startRevision: 5,
    progressNotify: true,
    filters: [0, 1],
    prevKv: true,
    watchId: 9,
    fragment: true,
  }
  for (const watch of [
    { type: 'create' as const, request },
    { type: 'cancel' as const, watchId: 3 },
    { type: 'progress' as const },
  ]) {
    expect(decodeWatchRequest(encodeWatchRequest(watch))).toEqual(watch)
  }
  expect(decodeWatchRequest(new Uint8Array(0))).toBeUndefined()
  const unpacked = Uint8Array.from([0x0a, 4, 0x28, 1, 0x28, 0])
  expect(decodeWatchRequest(unpacked)).toMatchObject({ request: { filters: [1, 0] } })
})

test('unknown fields are passed over and known fields of a wrong wire type refused', () => {
  const put = Uint8Array.from([0x0a, 1, 107, 0x9a, 0x06, 2, 1, 1, 0xa1, 6, 1, 2, 3, 4, 5, 6, 7, 8])
  expect(decodePutRequest(put).key).toEqual(Uint8Array.of(107))
  expect(() => decodePutRequest(Uint8Array.of(0x08, 1))).toThrow('wire type')
  expect(() => decodeMessage('PutRequest', Uint8Array.of(0x08, 1))).toThrow('wire type')
})

test('a transaction nested too deep is refused and one at the limit is not', () => {
  const nest = (depth: number): TxnRequest => {
    let request: TxnRequest = { compare: [], success: [], failure: [] }
    for (let i = 0; i < depth; i++) {
      request = { compare: [], success: [{ type: 'txn', request }], failure: [] }
    }
    return request
  }
  expect(decodeTxnRequest(encodeTxnRequest(nest(50)))).toEqual(nest(50))
  expect(() => decodeTxnRequest(encodeTxnRequest(nest(51)))).toThrow('nested too deep')
  expect(() => decodeMessage('TxnRequest', encodeTxnRequest(nest(60)))).toThrow('nested too deep')
})

test('no decoder does anything but answer or throw MALFORMED for random bytes', () => {
  const names = Object.keys(messageTable) as MessageName[]
  const decoders = [
    decodeRangeRequest,
    decodePutRequest,
    decodeDeleteRangeRequest,
    decodeTxnRequest,
    decodeKeyValue,
    decodeEvent,
    decodeTxnResponse,
    withoutValue,
    ...names.map((name) => (input: Uint8Array) => decodeMessage(name, input)),
  ]
  const soup = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.array(fc.constantFrom(0x0a, 0x12, 0x1a, 0x22, 0x08, 0x10, 1, 2, 3, 5, 0xff, 0x80), {
      maxLength: 60,
    }),
  )
  const check = fc.property(soup, (input) => {
    for (const decode of decoders) {
      try {
        decode(Uint8Array.from(input))
      } catch (reason) {
        if (!(reason instanceof KvError) || reason.code !== 'MALFORMED') throw reason
      }
    }
  })
  fc.assert(check, { seed, numRuns: 500 })
})

test('every message of the table has distinct fields and known types', () => {
  for (const name of Object.keys(messageTable) as MessageName[]) {
    const schema = schemaOf(name)
    expect(schema.byNumber.size).toBe(schema.fields.length)
    expect(new Set(schema.fields.map((field) => field.property)).size).toBe(schema.fields.length)
    expect(decodeMessage(name, new Uint8Array(0))).toBeTypeOf('object')
  }
  const member = schemaOf('Member').fields.map((field) => field.property)
  expect(member).toEqual(['id', 'name', 'peerUrls', 'clientUrls', 'isLearner'])
})
