// etcd's Range: which pairs, in which order, how many. Filters, sort and limit interact exactly as in etcd's apply code.
import { KvError } from '../errors.ts'
import { decodeKeyValue, withoutValue } from '../proto/index.ts'
import {
  sortOrder,
  sortTarget,
  type EncodedKeyValue,
  type KeyValue,
  type RangeRequest,
} from '../proto/messages.ts'
import { keyRange } from './key-range.ts'
import type { KeyRecord } from './key-record.ts'
import { keyText } from './key-text.ts'
import type { MvccStore } from './store.ts'

/** Rows read in one step of a range. */
export const rangeStepRowsMax = 500

export interface RangeResult {
  readonly kvs: readonly EncodedKeyValue[]
  readonly more: boolean
  readonly count: number
  /** The store's revision, whatever revision was read. */
  readonly revision: number
}

/** What can be refused without looking at the store. */
export function checkRange(request: RangeRequest): void {
  if (request.key.length === 0) throw new KvError('EMPTY_KEY')
  const { sortOrder: order, sortTarget: target } = request
  const isKnown = order >= 0 && order <= 2 && target >= 0 && target <= 4
  if (!isKnown || !Number.isInteger(order) || !Number.isInteger(target)) {
    throw new KvError('INVALID_SORT_OPTION')
  }
}

/** Throws COMPACTED or FUTURE_REVISION. */
export function range(store: MvccStore, request: RangeRequest): RangeResult {
  const steps = rangeSteps(store, request)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/**
 * The same in steps of at most rangeStepRowsMax rows, for a caller that lets others run in between: what comes out is the state
 * at the first step. Until the last one no compaction step may run on the store.
 */
export function* rangeSteps(
  store: MvccStore,
  request: RangeRequest,
): Generator<undefined, RangeResult> {
  store.checkRevision(request.revision)
  const revision = store.revision
  const at = request.revision > 0 ? request.revision : revision
  if (request.countOnly) {
    return { kvs: [], more: false, count: count(store, request, at), revision }
  }
  const found = yield* find(store, request, at)
  let { kvs } = found
  const more = request.limit > 0 && kvs.length > request.limit
  if (more) kvs = kvs.slice(0, request.limit)
  if (request.keysOnly) kvs = kvs.map(withoutValue)
  return { kvs, more, count: found.count, revision }
}

function count(store: MvccStore, request: RangeRequest, at: number): number {
  const keys = keyRange(request.key, request.rangeEnd)
  if (at >= store.revision) return store.index.countLive(keys)
  return store.index.countLiveAt(keys, at)
}

/** Up to limit + 1 pairs in their final order, as far as the limit may be applied that early. */
function* find(
  store: MvccStore,
  request: RangeRequest,
  at: number,
): Generator<undefined, { kvs: EncodedKeyValue[]; count: number }> {
  const filter = filterOf(request)
  const wanted = request.limit > 0 ? request.limit + 1 : Infinity
  const { sortOrder: order, sortTarget: target } = request
  if (filter === undefined && target === sortTarget.key && order === sortOrder.descend) {
    const records = recordsAt(store, request, at, Infinity)
    const kvs = records.reverse().slice(0, wanted)
    return { kvs: yield* read(store, kvs, at), count: records.length }
  }
  const isEarly = order === sortOrder.none && filter === undefined
  const records = recordsAt(store, request, at, isEarly ? wanted : Infinity)
  const total = records.length < wanted || !isEarly ? records.length : count(store, request, at)
  const kvs = yield* read(store, records, at)
  // Target KEY ascending is the order they come in; any other target sorts, ascending unless told otherwise.
  const isSorted = target === sortTarget.key && order !== sortOrder.descend
  if (filter === undefined && isSorted) return { kvs, count: total }
  let decoded = kvs.map((bytes) => ({ bytes, kv: decodeKeyValue(bytes) }))
  if (filter !== undefined) decoded = decoded.filter(({ kv }) => filter(kv))
  if (!isSorted) {
    const compare = compareBy(target)
    const sign = order === sortOrder.descend ? -1 : 1
    decoded.sort((a, b) => sign * compare(a.kv, b.kv))
  }
  return { kvs: decoded.map(({ bytes }) => bytes), count: total }
}

function recordsAt(
  store: MvccStore,
  request: RangeRequest,
  at: number,
  recordsMax: number,
): KeyRecord[] {
  if (request.rangeEnd.length === 0) {
    const record = store.index.get(keyText(request.key))
    return record?.isLiveAt(at) === true ? [record] : []
  }
  const records: KeyRecord[] = []
  store.index.scan(keyRange(request.key, request.rangeEnd), (record) => {
    if (record.isLiveAt(at)) records.push(record)
    return records.length < recordsMax
  })
  return records
}

function* read(
  store: MvccStore,
  records: readonly KeyRecord[],
  at: number,
): Generator<undefined, EncodedKeyValue[]> {
  const kvs: EncodedKeyValue[] = []
  for (const record of records) {
    if (kvs.length > 0 && kvs.length % rangeStepRowsMax === 0) yield undefined
    kvs.push(store.read(record.mainAt(at), record.subAt(at)))
  }
  return kvs
}

/** Zero means no bound. */
function filterOf(request: RangeRequest): ((kv: KeyValue) => boolean) | undefined {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request
  if (!minModRevision && !maxModRevision && !minCreateRevision && !maxCreateRevision) {
    return undefined
  }
  return (kv) =>
    (!minModRevision || kv.modRevision >= minModRevision) &&
    (!maxModRevision || kv.modRevision <= maxModRevision) &&
    (!minCreateRevision || kv.createRevision >= minCreateRevision) &&
    (!maxCreateRevision || kv.createRevision <= maxCreateRevision)
}

function compareBy(target: number): (a: KeyValue, b: KeyValue) => number {
  if (target === sortTarget.version) return (a, b) => a.version - b.version
  if (target === sortTarget.create) return (a, b) => a.createRevision - b.createRevision
  if (target === sortTarget.mod) return (a, b) => a.modRevision - b.modRevision
  if (target === sortTarget.value) return (a, b) => compareBytes(a.value, b.value)
  return (a, b) => compareBytes(a.key, b.key)
}

/** Negative, zero or positive, as memcmp. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
