// All keys in order: blocks of records, sorted, and the blocks in an array. A block that is full splits; blocks remember how many
// of their keys are live, so that counting a large range does not touch each key.
import { assert } from '@balsa/raft/assert'
import { isInRange, type KeyRange } from './key-range.ts'
import { KeyRecord } from './key-record.ts'

const blockRecordsMax = 256

interface Block {
  records: KeyRecord[]
  /** Records whose newest state is not a tombstone. */
  live: number
}

/** Called for each record in key order; false ends the scan. */
export type VisitRecord = (record: KeyRecord) => boolean

export class KeyIndex {
  /** Invariant: no block is empty, except the only one. */
  readonly #blocks: Block[] = [{ records: [], live: 0 }]
  /** Records with older revisions or a tombstone: the only ones compaction has to look at. */
  readonly #withGarbage = new Set<KeyRecord>()
  #size = 0

  /** Keys held, live ones and those whose tombstones are not compacted yet. */
  get size(): number {
    return this.#size
  }

  get withGarbage(): ReadonlySet<KeyRecord> {
    return this.#withGarbage
  }

  get(key: string): KeyRecord | undefined {
    const record = this.#recordAt(key)
    return record?.key === key ? record : undefined
  }

  /** Records a put as the newest change of `key`. */
  put(key: string, main: number, sub: number): KeyRecord {
    const record = this.get(key)
    if (record !== undefined && record.version > 0) {
      record.advance(main, sub, record.create, record.version + 1)
      this.#withGarbage.add(record)
      return record
    }
    return this.restore(key, main, sub, main, 1)
  }

  /** Records a tombstone as the newest change of a live record. */
  delete(record: KeyRecord, main: number, sub: number): void {
    assert(record.version > 0, 'only a live key is deleted')
    this.restore(record.key, main, sub, 0, 0)
  }

  /** Records a change as it was stored; changes of a key come in order. A version of 0 is a tombstone. */
  restore(key: string, main: number, sub: number, create: number, version: number): KeyRecord {
    const blockAt = this.#blockAt(key)
    const block = this.#block(blockAt)
    const at = lowerBound(block.records, key)
    let record = block.records[at]
    if (record?.key === key) {
      block.live += Number(version > 0) - Number(record.version > 0)
      record.advance(main, sub, create, version)
    } else {
      record = new KeyRecord(key, main, sub, create, version)
      block.records.splice(at, 0, record)
      block.live += Number(version > 0)
      this.#size++
      if (block.records.length > blockRecordsMax) this.#split(blockAt)
    }
    if (record.hasGarbage()) this.#withGarbage.add(record)
    return record
  }

  /** Visits every record of the range, tombstones too. The visitor must not add or remove keys. */
  scan(range: KeyRange, visit: VisitRecord): void {
    let blockAt = this.#blockAt(range.from)
    let at = lowerBound(this.#block(blockAt).records, range.from)
    for (; blockAt < this.#blocks.length; blockAt++, at = 0) {
      const { records } = this.#block(blockAt)
      for (; at < records.length; at++) {
        const record = records[at]
        if (record === undefined || !isInRange(range, record.key)) return
        if (!visit(record)) return
      }
    }
  }

  /** Keys of the range that are live now. */
  countLive(range: KeyRange): number {
    let count = 0
    for (let blockAt = this.#blockAt(range.from); blockAt < this.#blocks.length; blockAt++) {
      const { records, live } = this.#block(blockAt)
      const first = records[0]
      const last = records.at(-1)
      if (first === undefined || last === undefined) break
      if (range.to !== undefined && first.key >= range.to) break
      if (isInRange(range, first.key) && isInRange(range, last.key)) count += live
      else for (const r of records) count += Number(r.version > 0 && isInRange(range, r.key))
    }
    return count
  }

  /** Takes a record whose rows are all gone out of the index. */
  remove(record: KeyRecord): void {
    assert(record.version === 0, 'a live key stays in the index')
    const blockAt = this.#blockAt(record.key)
    const { records } = this.#block(blockAt)
    const at = lowerBound(records, record.key)
    assert(records[at] === record, 'the record to remove is in the index')
    records.splice(at, 1)
    if (records.length === 0 && this.#blocks.length > 1) this.#blocks.splice(blockAt, 1)
    this.#withGarbage.delete(record)
    this.#size--
  }

  /** Compaction is through with this record for now. */
  forgetGarbage(record: KeyRecord): void {
    if (!record.hasGarbage()) this.#withGarbage.delete(record)
  }

  /** Throws when an invariant does not hold; for tests. */
  verify(): void {
    let before = ''
    let size = 0
    for (const [i, block] of this.#blocks.entries()) {
      assert(block.records.length > 0 || this.#blocks.length === 1, 'no block is empty')
      assert(block.records.length <= blockRecordsMax, 'no block is over its limit')
      const live = block.records.filter((record) => record.version > 0).length
      assert(live === block.live, 'a block knows its live keys')
      for (const record of block.records) {
        assert(size === 0 || record.key > before, 'keys ascend')
        assert(this.#blockAt(record.key) === i, 'a key is found in its block')
        assert(record.hasGarbage() === this.#withGarbage.has(record), 'garbage is known')
        before = record.key
        size++
      }
    }
    assert(size === this.#size, 'the index knows its size')
  }

  #split(blockAt: number): void {
    const block = this.#block(blockAt)
    // Keys that arrive in ascending order leave full blocks behind; others split in the middle.
    const isLast = blockAt === this.#blocks.length - 1
    const at = isLast ? blockRecordsMax - 1 : blockRecordsMax >>> 1
    const records = block.records.slice(at)
    block.records = block.records.slice(0, at)
    const live = records.filter((record) => record.version > 0).length
    block.live -= live
    this.#blocks.splice(blockAt + 1, 0, { records, live })
  }

  #recordAt(key: string): KeyRecord | undefined {
    const { records } = this.#block(this.#blockAt(key))
    return records[lowerBound(records, key)]
  }

  /** The block that holds `key` or would. */
  #blockAt(key: string): number {
    let low = 1
    let high = this.#blocks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const first = this.#blocks[middle]?.records[0]
      if (first !== undefined && first.key <= key) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  #block(at: number): Block {
    const block = this.#blocks[at]
    assert(block !== undefined, 'a block position is within the index')
    return block
  }
}

/** Position of the first record whose key is not below `key`. */
function lowerBound(records: readonly KeyRecord[], key: string): number {
  let low = 0
  let high = records.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const record = records[middle]
    if (record !== undefined && record.key < key) low = middle + 1
    else high = middle
  }
  return low
}
