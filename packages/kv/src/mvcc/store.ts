// The multi-version store: every change of a key is a row of its own, found through the index of keys. One write is open at a
// time and gets one revision; what it changed is seen by its own later reads and by nobody else before it ends.
import { assert } from '@balsa/raft/assert'
import { KvError } from '../errors.ts'
import { decodeKeyValue, encodeKeyValue, encodeTombstone } from '../proto/index.ts'
import type { EncodedKeyValue, PutRequest } from '../proto/messages.ts'
import type { Change } from './change.ts'
import { KeyIndex } from './key-index.ts'
import type { KeyRange } from './key-range.ts'
import type { KeyRecord } from './key-record.ts'
import { keyText } from './key-text.ts'
import { parseRowKey, rowKey } from './revision.ts'
import type { LeaseBook, Tables } from './tables.ts'

/** The revision of an empty store; the first change gets 2. */
const firstRevision = 1
/** Nothing was compacted yet. */
const neverCompacted = -1
/** There was no pair before a change. */
const nothing = { prevMain: 0, prevSub: 0 }

export class MvccStore {
  readonly index: KeyIndex = new KeyIndex()
  readonly #tables: Tables
  readonly #leases: LeaseBook
  #revision = firstRevision
  #compactRevision = neverCompacted
  /** Changes of the open write; undefined when none is open. */
  #changes: Change[] | undefined

  constructor(tables: Tables, leases: LeaseBook) {
    this.#tables = tables
    this.#leases = leases
  }

  /** The newest revision; inside a write that changed something, the revision it makes. */
  get revision(): number {
    const changed = this.#changes !== undefined && this.#changes.length > 0
    return changed ? this.#revision + 1 : this.#revision
  }

  /** Revisions below this one can no longer be read; -1: all can. */
  get compactRevision(): number {
    return this.#compactRevision
  }

  beginWrite(): void {
    assert(this.#changes === undefined, 'one write is open at a time')
    this.#changes = []
  }

  /** Returns the changes in order; if there are any, they made a new revision. */
  endWrite(): readonly Change[] {
    assert(this.#changes !== undefined, 'a write is open')
    const changes = this.#changes
    this.#changes = undefined
    if (changes.length > 0) this.#revision++
    return changes
  }

  /** Throws LEASE_NOT_FOUND if the put's lease does not exist. */
  checkPutLease(request: PutRequest): void {
    const isMissing = request.lease !== 0n && !this.#leases.exists(request.lease)
    if (isMissing) throw new KvError('LEASE_NOT_FOUND')
  }

  /** Throws KEY_NOT_FOUND if the put keeps something of a pair that does not exist. */
  checkPutKey(request: PutRequest): void {
    if (!request.ignoreValue && !request.ignoreLease) return
    const record = this.index.get(keyText(request.key))
    if (record === undefined || record.version === 0) throw new KvError('KEY_NOT_FOUND')
  }

  /** A checked put; returns the pair that was there before if `prevKv` asks for it. */
  put(request: PutRequest): EncodedKeyValue | undefined {
    const changes = this.#openChanges()
    const key = keyText(request.key)
    const before = this.index.get(key)
    const isPrevNeeded = request.prevKv || request.ignoreValue
    const isLive = before !== undefined && before.version > 0
    const prev = isPrevNeeded && isLive ? this.read(before.main, before.sub) : undefined
    const oldLease = this.#leases.leaseOf(key)
    const lease = request.ignoreLease ? oldLease : request.lease
    const value =
      request.ignoreValue && prev !== undefined ? decodeKeyValue(prev).value : request.value

    const main = this.#revision + 1
    const sub = changes.length
    const earlier = previousOf(before, main)
    const made = this.index.put(key, before, main, sub)
    // A pair that is created has none before it, even if this very revision deleted one.
    const previous = made.create === main ? nothing : earlier
    const row = encodeKeyValue({
      key: request.key,
      createRevision: made.create,
      modRevision: main,
      version: made.version,
      value,
      lease,
    })
    this.#tables.put(rowKey(main, sub), row)
    if (oldLease !== lease) {
      if (oldLease !== 0n) this.#leases.detach(key)
      if (lease !== 0n) this.#leases.attach(lease, key)
    }
    const { prevMain, prevSub } = previous
    changes.push({ key, main, sub, deleted: false, row, prevMain, prevSub })
    return request.prevKv ? prev : undefined
  }

  /** Deletes every live key of the range in key order; returns them (`prevs` only if asked for). */
  delete(range: KeyRange, prevKv: boolean): { deleted: number; prevs: EncodedKeyValue[] } {
    const changes = this.#openChanges()
    const before = changes.length
    const prevs: EncodedKeyValue[] = []
    const main = this.#revision + 1
    this.index.delete(range, main, (record) => {
      if (prevKv) prevs.push(this.read(record.main, record.sub))
      return this.#bury(record.key, record, changes)
    })
    return { deleted: changes.length - before, prevs }
  }

  /** Deletes those of the keys that are live, in the order they are given. */
  deleteKeys(keys: Iterable<string>): void {
    const changes = this.#openChanges()
    const main = this.#revision + 1
    for (const key of keys) {
      this.index.deleteOne(key, main, (record) => this.#bury(key, record, changes))
    }
  }

  /** The row of a live change that the index names. */
  read(main: number, sub: number): EncodedKeyValue {
    const row = this.#tables.get(rowKey(main, sub))
    if (row === undefined) {
      throw new KvError('CORRUPT', { message: `The row of revision ${main}.${sub} is missing` })
    }
    return row
  }

  /** The pair before a change; undefined if there was none or compaction took it. */
  readPrevious(change: Change): EncodedKeyValue | undefined {
    if (change.prevMain === 0) return undefined
    return this.#tables.get(rowKey(change.prevMain, change.prevSub))
  }

  /** Throws COMPACTED or FUTURE_REVISION; 0 and below ask for the newest. */
  checkRevision(revision: number): void {
    if (revision <= 0) return
    if (revision > this.revision) throw new KvError('FUTURE_REVISION')
    if (revision < this.#compactRevision) throw this.#compacted()
  }

  /** From now on nothing below `revision` can be read; the rows go in steps (Compaction). */
  compact(revision: number): void {
    assert(this.#changes === undefined, 'no write is open')
    if (revision <= this.#compactRevision) throw this.#compacted()
    if (revision > this.#revision) throw new KvError('FUTURE_REVISION')
    this.#compactRevision = revision
  }

  /**
   * Takes in a stored row while loading; rows come in key order. Leases must be loaded before. What a saved index has of the row
   * already is passed over.
   */
  loadRow(row: string, value: Uint8Array): void {
    const position = parseRowKey(row)
    if (position === undefined) throw new KvError('CORRUPT', { message: 'A row key is malformed' })
    const { main, sub } = position
    this.#revision = Math.max(this.#revision, main)
    const kv = decodeKeyValue(value)
    const key = keyText(kv.key)
    this.#leases.detach(key)
    if (kv.lease !== 0n && this.#leases.exists(kv.lease)) this.#leases.attach(kv.lease, key)
    const known = this.index.get(key)
    const isKnown =
      known !== undefined && (known.main > main || (known.main === main && known.sub >= sub))
    if (isKnown) return
    if (position.tombstone) this.index.restore(key, main, sub, 0, 0)
    else this.index.restore(key, main, sub, kv.createRevision, kv.version)
  }

  /** Ends the loading; the revision never falls behind what was recorded, whatever rows compaction took. */
  loaded(revision: number, compactRevision: number): void {
    this.#compactRevision = compactRevision
    this.#revision = Math.max(this.#revision, revision, compactRevision, firstRevision)
  }

  #compacted(): KvError {
    return new KvError('COMPACTED', { compactRevision: this.#compactRevision })
  }

  /** Writes the tombstone of a live key; returns its sub-revision. */
  #bury(key: string, record: KeyRecord, changes: Change[]): number {
    const main = this.#revision + 1
    const sub = changes.length
    const { prevMain, prevSub } = previousOf(record, main)
    const row = encodeTombstone(key)
    this.#tables.put(rowKey(main, sub, true), row)
    this.#leases.detach(key)
    changes.push({ key, main, sub, deleted: true, row, prevMain, prevSub })
    return sub
  }

  #openChanges(): Change[] {
    assert(this.#changes !== undefined, 'a change belongs to an open write')
    return this.#changes
  }
}

/** Where the pair before revision `main` is: what an earlier change of the same revision made does not count. */
function previousOf(
  record: KeyRecord | undefined,
  main: number,
): { prevMain: number; prevSub: number } {
  const prevMain = record?.mainAt(main - 1) ?? 0
  if (record === undefined || prevMain === 0) return nothing
  return { prevMain, prevSub: record.subAt(main - 1) }
}
