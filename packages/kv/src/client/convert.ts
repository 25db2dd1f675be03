// Between the Kv interface and etcd's messages: what a program says becomes a request, what the store answers becomes plain objects.
import { prefixEnd } from '../mvcc/key-range.ts'
import { decodeEvent, decodeKeyValue, eventType } from '../proto/index.ts'
import {
  compareResult,
  compareTarget,
  sortOrder,
  sortTarget,
  watchFilter,
  type Compare,
  type DeleteRangeRequest,
  type DeleteRangeResponse,
  type EncodedEvent,
  type EncodedKeyValue,
  type PutRequest,
  type PutResponse,
  type RangeRequest,
  type RangeResponse,
  type RequestOp,
  type ResponseOp,
  type StatusResponse,
  type TxnRequest,
  type TxnResponse,
  type WatchCreateRequest,
} from '../proto/messages.ts'
import type {
  Bytes,
  Condition,
  DeleteOptions,
  DeleteResult,
  KvEvent,
  KvPair,
  KvStatus,
  Operation,
  OperationResult,
  PutOptions,
  PutResult,
  RangeOptions,
  RangeResult,
  Txn,
  TxnResult,
  WatchOptions,
} from '../kv.ts'

const noBytes: Uint8Array = new Uint8Array(0)
const results = { '=': 'equal', '!=': 'notEqual', '<': 'less', '>': 'greater' } as const

export function bytesOf(value: Bytes): Uint8Array {
  return typeof value === 'string' ? Buffer.from(value) : value
}

/** Key and range end of the three ways to name keys; '' as a prefix is everything. */
export function keysOf(options: {
  readonly key?: Bytes
  readonly rangeEnd?: Bytes
  readonly prefix?: Bytes
}): { key: Uint8Array; rangeEnd: Uint8Array } {
  if (options.prefix === undefined) {
    const rangeEnd = options.rangeEnd === undefined ? noBytes : bytesOf(options.rangeEnd)
    return { key: bytesOf(options.key ?? noBytes), rangeEnd }
  }
  const prefix = bytesOf(options.prefix)
  const key = prefix.length === 0 ? new Uint8Array(1) : prefix
  return { key, rangeEnd: prefixEnd(prefix) }
}

/** Without spreads into the literal: they make an object of many fields slow, and this is made for every read. */
export function rangeRequestOf(options: Omit<RangeOptions, 'signal'>): RangeRequest {
  const { key, rangeEnd } = keysOf(options)
  const request: RangeRequest = {
    key,
    rangeEnd,
    limit: options.limit ?? 0,
    revision: options.revision ?? 0,
    sortOrder: options.sort === undefined ? sortOrder.none : sortOrder[options.sort.order],
    sortTarget: options.sort === undefined ? sortTarget.key : sortTarget[options.sort.by],
    serializable: options.serializable ?? false,
    keysOnly: options.keysOnly ?? false,
    countOnly: options.countOnly ?? false,
    minModRevision: options.minModRevision ?? 0,
    maxModRevision: options.maxModRevision ?? 0,
    minCreateRevision: options.minCreateRevision ?? 0,
    maxCreateRevision: options.maxCreateRevision ?? 0,
  }
  const { maxStalenessMs } = options
  return maxStalenessMs === undefined ? request : { ...request, maxStalenessMs }
}

export function putRequestOf(key: Bytes, value: Bytes, options: PutOptions = {}): PutRequest {
  return {
    key: bytesOf(key),
    value: bytesOf(value),
    lease: options.lease ?? 0n,
    prevKv: options.prevKv ?? false,
    ignoreValue: options.ignoreValue ?? false,
    ignoreLease: options.ignoreLease ?? false,
    ...(options.ttlSeconds === undefined ? {} : { ttlSeconds: Math.ceil(options.ttlSeconds) }),
  }
}

export function deleteRequestOf(key: Bytes, options: DeleteOptions = {}): DeleteRangeRequest {
  const end = options.rangeEnd === undefined ? {} : { rangeEnd: options.rangeEnd }
  const keys = options.prefix === true ? keysOf({ prefix: key }) : keysOf({ key, ...end })
  return { ...keys, prevKv: options.prevKv ?? false }
}

export function txnRequestOf(txn: Txn): TxnRequest {
  return {
    compare: (txn.if ?? []).map(compareOf),
    success: (txn.then ?? []).map(requestOpOf),
    failure: (txn.else ?? []).map(requestOpOf),
  }
}

/** Whatever branch is taken. */
export function isReadOnly(txn: Pick<Txn, 'then' | 'else'>): boolean {
  return [...(txn.then ?? []), ...(txn.else ?? [])].every((operation) =>
    operation.op === 'txn' ? isReadOnly(operation.txn) : operation.op === 'range',
  )
}

export function watchRequestOf(options: WatchOptions): WatchCreateRequest {
  return {
    ...keysOf(options),
    startRevision: options.startRevision ?? 0,
    progressNotify: options.progressNotify ?? false,
    filters: (options.filters ?? []).map((name) => watchFilter[name]),
    prevKv: options.prevKv ?? false,
    watchId: 0,
    fragment: false,
  }
}

export function pairOf(encoded: EncodedKeyValue): KvPair {
  return decodeKeyValue(encoded)
}

export function eventOf(encoded: EncodedEvent): KvEvent {
  const { type, kv, prevKv } = decodeEvent(encoded)
  return {
    type: type === eventType.put ? 'put' : 'delete',
    kv: pairOf(kv),
    prev: prevKv === undefined ? undefined : pairOf(prevKv),
  }
}

export function rangeResultOf(response: RangeResponse): RangeResult {
  const { kvs, count, more, header } = response
  return { pairs: kvs.map(pairOf), count, more, revision: header.revision, header }
}

export function putResultOf({ header, prevKv }: PutResponse): PutResult {
  const prev = prevKv === undefined ? undefined : pairOf(prevKv)
  return { revision: header.revision, prev, header }
}

export function deleteResultOf({ header, deleted, prevKvs }: DeleteRangeResponse): DeleteResult {
  return { revision: header.revision, deleted, prev: prevKvs.map(pairOf), header }
}

export function txnResultOf(response: TxnResponse): TxnResult {
  return {
    succeeded: response.succeeded,
    results: response.responses.map(operationResultOf),
    revision: response.header.revision,
    header: response.header,
  }
}

export function statusOf({ header, ...status }: StatusResponse): KvStatus {
  return {
    clusterId: header.clusterId,
    memberId: header.memberId,
    version: status.version,
    dbSizeBytes: status.dbSize,
    dbSizeInUseBytes: status.dbSizeInUse,
    leader: status.leader,
    isLearner: status.isLearner,
    raftTerm: status.raftTerm,
    raftIndex: status.raftIndex,
    raftAppliedIndex: status.raftAppliedIndex,
    revision: header.revision,
    errors: status.errors,
  }
}

function compareOf(condition: Condition): Compare {
  const base = {
    result: compareResult[results[condition.is]],
    target: compareTarget[condition.target],
    key: bytesOf(condition.key),
    rangeEnd: noBytes,
    number: 0,
    value: noBytes,
    lease: 0n,
  }
  if (condition.target === 'value') return { ...base, value: bytesOf(condition.than) }
  if (condition.target === 'lease') return { ...base, lease: condition.than }
  return { ...base, number: condition.than }
}

function requestOpOf(operation: Operation): RequestOp {
  if (operation.op === 'range') return { type: 'range', request: rangeRequestOf(operation) }
  if (operation.op === 'put') {
    return { type: 'put', request: putRequestOf(operation.key, operation.value, operation) }
  }
  if (operation.op === 'txn') return { type: 'txn', request: txnRequestOf(operation.txn) }
  return { type: 'deleteRange', request: deleteRequestOf(operation.key, operation) }
}

function operationResultOf(op: ResponseOp): OperationResult {
  if (op.type === 'range') {
    const { header: _, ...found } = rangeResultOf(op.response)
    return { op: 'range', ...found }
  }
  if (op.type === 'put') {
    const { prevKv } = op.response
    return { op: 'put', prev: prevKv === undefined ? undefined : pairOf(prevKv) }
  }
  if (op.type === 'deleteRange') {
    const { deleted, prevKvs } = op.response
    return { op: 'delete', deleted, prev: prevKvs.map(pairOf) }
  }
  const { header: _, ...result } = txnResultOf(op.response)
  return { op: 'txn', ...result }
}
