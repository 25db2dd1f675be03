// Applies a txn. Which branch is taken, at every level, is decided before the first write; then everything that could refuse an
// operation is checked; only then is anything changed. So a txn is applied whole or not at all.
import { assert } from '@balsa/raft/assert'
import { KvError } from '../errors.ts'
import { decodeKeyValue } from '../proto/index.ts'
import {
  compareResult,
  compareTarget,
  type Compare,
  type RequestOp,
  type ResponseHeader,
  type ResponseOp,
  type TxnRequest,
  type TxnResponse,
} from '../proto/messages.ts'
import { keyRange } from './key-range.ts'
import type { KeyRecord } from './key-record.ts'
import { compareBytes, range } from './range.ts'
import type { MvccStore } from './store.ts'
import type { LeaseBook } from './tables.ts'

/** The branch taken, and the same for each nested txn in it, in order. */
interface Path {
  readonly succeeded: boolean
  readonly ops: readonly RequestOp[]
  readonly nested: readonly Path[]
}

/** Applies a checked txn inside an open write (a read-only one needs none). Throws a KvError before anything has changed. */
export function applyTxn(store: MvccStore, leases: LeaseBook, request: TxnRequest): TxnResponse {
  const path = decide(store, leases, request)
  checkPath(store, path)
  const response = applyPath(store, path)
  return { ...response, header: innerHeader(store.revision) }
}

/** Headers inside a txn's response carry the revision only. */
export function innerHeader(revision: number): ResponseHeader {
  return { clusterId: 0n, memberId: 0n, revision, raftTerm: 0 }
}

function decide(store: MvccStore, leases: LeaseBook, request: TxnRequest): Path {
  const succeeded = request.compare.every((compare) => holds(store, leases, compare))
  const ops = succeeded ? request.success : request.failure
  const nested: Path[] = []
  for (const op of ops) if (op?.type === 'txn') nested.push(decide(store, leases, op.request))
  return { succeeded, ops, nested }
}

/** All puts first, then all ranges: which refusal wins is etcd's. */
function checkPath(store: MvccStore, path: Path): void {
  walk(path, (op) => {
    if (op?.type !== 'put') return
    store.checkPutKey(op.request)
    store.checkPutLease(op.request)
  })
  walk(path, (op) => {
    if (op?.type !== 'range') return
    const { revision } = op.request
    store.checkRevision(revision)
    // Outside a txn a negative revision asks for the newest; inside, etcd takes it for one long gone.
    const { compactRevision } = store
    if (revision < 0 && revision < compactRevision)
      throw new KvError('COMPACTED', { compactRevision })
  })
}

/** Visits the operations that will be applied, in order. */
function walk(path: Path, visit: (op: RequestOp) => void): void {
  let nestedAt = 0
  for (const op of path.ops) {
    const nested = op?.type === 'txn' ? path.nested[nestedAt++] : undefined
    if (nested === undefined) visit(op)
    else walk(nested, visit)
  }
}

function applyPath(store: MvccStore, path: Path): TxnResponse {
  const responses: ResponseOp[] = []
  let nestedAt = 0
  for (const op of path.ops) {
    if (op?.type === 'txn') {
      const nested = path.nested[nestedAt++]
      assert(nested !== undefined, 'every nested txn was decided')
      responses.push({ type: 'txn', response: applyPath(store, nested) })
    } else responses.push(applyOp(store, op))
  }
  return { header: innerHeader(0), succeeded: path.succeeded, responses }
}

function applyOp(store: MvccStore, op: Exclude<RequestOp, { type: 'txn' }>): ResponseOp {
  assert(op !== undefined, 'an empty operation was refused before')
  if (op.type === 'range') {
    const { revision, ...result } = range(store, op.request)
    return { type: 'range', response: { header: innerHeader(revision), ...result } }
  }
  if (op.type === 'put') {
    const prevKv = store.put(op.request)
    return { type: 'put', response: { header: innerHeader(store.revision), prevKv } }
  }
  const { key, rangeEnd, prevKv } = op.request
  const { deleted, prevs } = store.delete(keyRange(key, rangeEnd), prevKv)
  const response = { header: innerHeader(store.revision), deleted, prevKvs: prevs }
  return { type: 'deleteRange', response }
}

/** With a rangeEnd every key of the range must pass; an empty range counts as a missing key. */
function holds(store: MvccStore, leases: LeaseBook, compare: Compare): boolean {
  let isEmpty = true
  let isTrue = true
  store.index.scan(keyRange(compare.key, compare.rangeEnd), (record) => {
    if (record.version === 0) return true
    isEmpty = false
    isTrue = holdsForKey(store, leases, compare, record)
    return isTrue
  })
  if (!isEmpty) return isTrue
  // A missing key has no value to compare, so even "not equal" is false; all else of it is zero.
  if (compare.target === compareTarget.value) return false
  const isLease = compare.target === compareTarget.lease
  return judge(compare.result, isLease ? compareBig(0n, compare.lease) : 0 - compare.number)
}

function holdsForKey(
  store: MvccStore,
  leases: LeaseBook,
  compare: Compare,
  record: KeyRecord,
): boolean {
  const { target, result } = compare
  if (target === compareTarget.version) return judge(result, record.version - compare.number)
  if (target === compareTarget.create) return judge(result, record.create - compare.number)
  if (target === compareTarget.mod) return judge(result, record.main - compare.number)
  if (target === compareTarget.lease) {
    return judge(result, compareBig(leases.leaseOf(record.key), compare.lease))
  }
  if (target !== compareTarget.value) return judge(result, 0)
  const { value } = decodeKeyValue(store.read(record.main, record.sub))
  return judge(result, compareBytes(value, compare.value))
}

function compareBig(a: bigint, b: bigint): number {
  return a === b ? 0 : a < b ? -1 : 1
}

/** Unknown operators hold, as in etcd. */
function judge(result: number, difference: number): boolean {
  if (result === compareResult.equal) return difference === 0
  if (result === compareResult.notEqual) return difference !== 0
  if (result === compareResult.greater) return difference > 0
  return result === compareResult.less ? difference < 0 : true
}
