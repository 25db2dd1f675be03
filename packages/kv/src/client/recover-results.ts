// What a txn answered, when the answer was lost: read from the history around the revision that it made.
import { KvError } from '../errors.ts'
import type { Kv, KvPair, Operation, OperationResult, RangeOptions, RangeResult } from '../kv.ts'
import { isInRange, keyRange } from '../mvcc/key-range.ts'
import type { KeyRange } from '../mvcc/key-range.ts'
import { keyText } from '../mvcc/key-text.ts'
import { deleteRequestOf, keysOf } from './convert.ts'

/** `operations` were applied at `revision`. Rejects with RESULT_LOST where history does not tell. */
export async function recoverResults(
  kv: Pick<Kv, 'range'>,
  operations: readonly Operation[],
  revision: number,
): Promise<readonly OperationResult[]> {
  const results: OperationResult[] = []
  try {
    for (const [index, operation] of operations.entries()) {
      results.push(await recover({ kv, operations, revision }, operation, index))
    }
  } catch (reason) {
    const error = KvError.from(reason)
    if (error.code !== 'COMPACTED') throw error
    throw new KvError('RESULT_LOST', { cause: error })
  }
  return results
}

interface Applied {
  readonly kv: Pick<Kv, 'range'>
  readonly operations: readonly Operation[]
  readonly revision: number
}

async function recover(
  applied: Applied,
  operation: Operation,
  index: number,
): Promise<OperationResult> {
  if (operation.op === 'put') {
    if (operation.prevKv !== true) return { op: 'put', prev: undefined }
    const [prev] = await before(applied, { key: operation.key })
    return { op: 'put', prev }
  }
  if (operation.op === 'delete') return recoverDelete(applied, operation, index)
  if (operation.op === 'range') return recoverRange(applied, operation, index)
  throw new KvError('RESULT_LOST', {
    message: 'the txn was applied; what one nested in it answered is lost',
  })
}

/** No put of the same branch touches a deleted key, but an earlier delete may have taken some of them. */
async function recoverDelete(
  applied: Applied,
  operation: Operation & { readonly op: 'delete' },
  index: number,
): Promise<OperationResult> {
  const { key, rangeEnd } = deleteRequestOf(operation.key, operation)
  const earlier = applied.operations.slice(0, index).filter(({ op }) => op === 'delete')
  const gone = earlier.map(keysWritten)
  const pairs = (await before(applied, asRange({ key, rangeEnd }))).filter(
    (pair) => !gone.some((range) => range !== undefined && isInRange(range, keyText(pair.key))),
  )
  return { op: 'delete', deleted: pairs.length, prev: operation.prevKv === true ? pairs : [] }
}

/** A range sees the writes that come before it in its branch. */
async function recoverRange(
  applied: Applied,
  operation: Operation & { readonly op: 'range' },
  index: number,
): Promise<OperationResult> {
  const { op: _, ...options } = operation
  const { kv, operations, revision } = applied
  if (options.revision !== undefined && options.revision > 0) {
    return { op: 'range', ...(await foundBy(kv, options)), revision }
  }
  const { key, rangeEnd } = keysOf(options)
  const own = keyRange(key, rangeEnd)
  const touches = (each: Operation): boolean => {
    const written = keysWritten(each)
    return written !== undefined && overlap(written, own)
  }
  const isBehindSome = operations.slice(0, index).some(touches)
  const isAheadOfSome = operations.slice(index + 1).some(touches)
  if (isBehindSome && isAheadOfSome) {
    const message = 'the txn was applied; a range between its writes cannot be told any more'
    throw new KvError('RESULT_LOST', { message })
  }
  const at = isAheadOfSome ? revision - 1 : revision
  return { op: 'range', ...(await foundBy(kv, { ...options, revision: at })), revision }
}

/** Its header speaks of another answer. */
async function foundBy(
  kv: Pick<Kv, 'range'>,
  options: RangeOptions,
): Promise<Omit<RangeResult, 'header'>> {
  const { header: _, ...found } = await kv.range(options)
  return found
}

async function before(applied: Applied, options: RangeOptions): Promise<readonly KvPair[]> {
  return (await applied.kv.range({ ...options, revision: applied.revision - 1 })).pairs
}

function keysWritten(operation: Operation): KeyRange | undefined {
  if (operation.op === 'range') return undefined
  if (operation.op === 'txn') return keyRange(new Uint8Array(1), new Uint8Array(1))
  if (operation.op === 'put') {
    const { key, rangeEnd } = keysOf({ key: operation.key })
    return keyRange(key, rangeEnd)
  }
  const { key, rangeEnd } = deleteRequestOf(operation.key, operation)
  return keyRange(key, rangeEnd)
}

function asRange({ key, rangeEnd }: { key: Uint8Array; rangeEnd: Uint8Array }): RangeOptions {
  return rangeEnd.length === 0 ? { key } : { key, rangeEnd }
}

function overlap(one: KeyRange, other: KeyRange): boolean {
  const oneEndsFirst = one.to !== undefined && one.to <= other.from
  const otherEndsFirst = other.to !== undefined && other.to <= one.from
  return !oneEndsFirst && !otherEndsFirst
}
