// What a request is refused with before it is proposed, from its own bytes alone. Order of checks and error codes are etcd's.
import { KvError } from '../errors.ts'
import type { DeleteRangeRequest, PutRequest, RequestOp, TxnRequest } from '../proto/messages.ts'
import { isInRange, type KeyRange } from './key-range.ts'
import { keyText } from './key-text.ts'
import { checkRange } from './range.ts'

export const txnOpsMax = 128
/** Nested txns have one operation less at each level, so this bounds the recursion of every decoder and walker. */
export const txnDepthMax: number = txnOpsMax

export function checkPut(request: PutRequest): void {
  if (request.key.length === 0) throw new KvError('EMPTY_KEY')
  if (request.ignoreValue && request.value.length > 0) throw new KvError('VALUE_PROVIDED')
  if (request.ignoreLease && request.lease !== 0n) throw new KvError('LEASE_PROVIDED')
}

export function checkDeleteRange(request: DeleteRangeRequest): void {
  if (request.key.length === 0) throw new KvError('EMPTY_KEY')
}

export function checkTxn(request: TxnRequest, opsMax: number = txnOpsMax): void {
  checkOps(request, opsMax)
  // Each branch on its own: they are never both applied.
  checkDuplicates(request.success)
  checkDuplicates(request.failure)
}

/** True if nothing in it can write: then it needs no log entry. A nested txn counts as a write, as in etcd. */
export function isReadOnlyTxn(request: TxnRequest): boolean {
  const isRange = (op: RequestOp): boolean => op?.type === 'range'
  return request.success.every(isRange) && request.failure.every(isRange)
}

/** True if a read-only txn needs no quorum: every range in it is serializable. */
export function isSerializableTxn(request: TxnRequest): boolean {
  const isLocal = (op: RequestOp): boolean => op?.type !== 'range' || op.request.serializable
  return request.success.every(isLocal) && request.failure.every(isLocal)
}

function checkOps(request: TxnRequest, opsMax: number): void {
  const { compare, success, failure } = request
  const opsCount = Math.max(compare.length, success.length, failure.length)
  if (opsCount > opsMax) throw new KvError('TOO_MANY_OPS')
  for (const { key } of compare) if (key.length === 0) throw new KvError('EMPTY_KEY')
  for (const op of success) checkOp(op, opsMax - opsCount)
  for (const op of failure) checkOp(op, opsMax - opsCount)
}

function checkOp(op: RequestOp, opsMax: number): void {
  if (op === undefined) throw new KvError('KEY_NOT_FOUND')
  if (op.type === 'range') checkRange(op.request)
  else if (op.type === 'put') checkTxnPut(op.request)
  else if (op.type === 'deleteRange') checkDeleteRange(op.request)
  else checkOps(op.request, opsMax)
}

function checkTxnPut(request: PutRequest): void {
  checkPut(request)
  if ((request.ttlSeconds ?? 0) > 0) {
    throw new KvError('UNIMPLEMENTED', { message: 'balsa: a put with a TTL stands alone' })
  }
}

/** What a branch writes: keys put, ranges deleted. */
interface Writes {
  readonly puts: Set<string>
  readonly deletes: KeyRange[]
}

function checkDuplicates(ops: readonly RequestOp[]): Writes {
  const deletes: KeyRange[] = []
  for (const op of ops) {
    if (op?.type === 'deleteRange') deletes.push(plainRange(op.request))
  }
  const puts = new Set<string>()
  for (const op of ops) {
    if (op?.type !== 'txn') continue
    // The two branches of one nested txn may write the same keys. A key put by one nested txn and deleted by a later one is
    // let through, as in etcd.
    const thenWrites = checkDuplicates(op.request.success)
    const elseWrites = checkDuplicates(op.request.failure)
    const nested = new Set([...thenWrites.puts, ...elseWrites.puts])
    for (const key of nested) {
      if (puts.has(key) || isCovered(deletes, key)) throw new KvError('DUPLICATE_KEY')
    }
    for (const key of nested) puts.add(key)
    deletes.push(...thenWrites.deletes, ...elseWrites.deletes)
  }
  for (const op of ops) {
    if (op?.type !== 'put') continue
    const key = keyText(op.request.key)
    if (puts.has(key) || isCovered(deletes, key)) throw new KvError('DUPLICATE_KEY')
    puts.add(key)
  }
  return { puts, deletes }
}

/** As etcd compares them here: a range end of one zero byte is just a small key, so such a delete overlaps nothing. */
function plainRange({ key, rangeEnd }: DeleteRangeRequest): KeyRange {
  const from = keyText(key)
  return { from, to: rangeEnd.length === 0 ? from + '\0' : keyText(rangeEnd) }
}

function isCovered(ranges: readonly KeyRange[], key: string): boolean {
  return ranges.some((range) => isInRange(range, key))
}
