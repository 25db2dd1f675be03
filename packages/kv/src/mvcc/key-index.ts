// All keys in order: packed blocks, sorted, and the blocks in an array. A block that is full splits; blocks remember how many of
// their keys are live and how many have garbage, so that counting a large range and compaction do not touch each key.
import { assert } from '@balsa/raft/assert'
import { blockKeysMax, IndexBlock } from './index-block.ts'
import type { KeyRange } from './key-range.ts'
import type { DropRow, KeyRecord } from './key-record.ts'

/** Called for each record in key order; false ends the scan. */
export type VisitRecord = (record: KeyRecord) => boolean

/** Called for a live record before its tombstone is recorded; returns the sub-revision of that. */
export type BuryRecord = (record: KeyRecord) => number

export class KeyIndex {
  /** Invariant: no block is empty, except the only one. */
  readonly #blocks: IndexBlock[] = [new IndexBlock()]
  /** The first key of each block; '' for the first, which takes what is below too. */
  readonly #firsts: string[] = ['']
  #size = 0

  /** Keys held, live ones and those whose tombstones are not compacted yet. */
  get size(): number {
    return this.#size
  }

  get(key: string): KeyRecord | undefined {
    const block = this.#block(this.#blockAt(key))
    const slot = block.lowerBound(key)
    return block.isAt(slot, key) ? block.record(slot) : undefined
  }

  /** Records a put as the newest change of `key`; `before` is what get() says of it. Returns revision of creation and version. */
  put(
    key: string,
    before: KeyRecord | undefined,
    main: number,
    sub: number,
  ): { create: number; version: number } {
    const isLive = before !== undefined && before.version > 0
    const create = isLive ? before.create : main
    const version = isLive ? before.version + 1 : 1
    this.restore(key, main, sub, create, version)
    return { create, version }
  }

  /** Records tombstones of revision `main` as the newest changes of all live keys of a range, in order. */
  delete(range: KeyRange, main: number, bury: BuryRecord): void {
    this.#walk(range, (block, from, to) => {
      for (let slot = from; slot < to; slot++) buryAt(block, slot, main, bury)
      return true
    })
  }

  /** The same for one key, if it is live. */
  deleteOne(key: string, main: number, bury: BuryRecord): void {
    const block = this.#block(this.#blockAt(key))
    const slot = block.lowerBound(key)
    if (block.isAt(slot, key)) buryAt(block, slot, main, bury)
  }

  /** Records a change as it was stored; changes of a key come in order. A version of 0 is a tombstone. */
  restore(key: string, main: number, sub: number, create: number, version: number): void {
    let blockAt = this.#blockAt(key)
    let block = this.#block(blockAt)
    let slot = block.lowerBound(key)
    const state = { main, sub, create, version }
    if (block.isAt(slot, key)) {
      block.advance(slot, state)
      return
    }
    if (block.count === blockKeysMax) {
      blockAt = this.#split(blockAt, slot, key)
      block = this.#block(blockAt)
      slot = block.lowerBound(key)
    }
    block.insert(slot, key, state)
    if (slot === 0 && blockAt > 0) this.#firsts[blockAt] = key
    this.#size++
  }

  /** Visits every record of the range, tombstones too. The visitor must not add or remove keys. */
  scan(range: KeyRange, visit: VisitRecord): void {
    this.#walk(range, (block, from, to) => {
      for (let slot = from; slot < to; slot++) if (!visit(block.record(slot))) return false
      return true
    })
  }

  /** Keys of the range that are live now. */
  countLive(range: KeyRange): number {
    let count = 0
    this.#walk(range, (block, from, to) => {
      if (from === 0 && to === block.count) count += block.live
      else for (let slot = from; slot < to; slot++) count += Number(block.isLiveAt(slot, Infinity))
      return true
    })
    return count
  }

  /** Keys of the range that were live at a revision. */
  countLiveAt(range: KeyRange, revision: number): number {
    let count = 0
    this.#walk(range, (block, from, to) => {
      for (let slot = from; slot < to; slot++) count += Number(block.isLiveAt(slot, revision))
      return true
    })
    return count
  }

  /**
   * Goes through keys with garbage from `from` on and drops what no reader at `revision` or later can see: at most `rowsMax` rows,
   * and no more than so many keys are looked at. Returns where to go on; undefined: at the end.
   */
  compact(
    from: string,
    revision: number,
    rowsMax: number,
    drop: DropRow,
  ): { rows: number; next: string | undefined } {
    let rows = 0
    let blockAt = this.#blockAt(from)
    let slot = this.#block(blockAt).lowerBound(from)
    for (let looks = 0; blockAt < this.#blocks.length; looks++) {
      const block = this.#block(blockAt)
      if (slot >= block.count || block.garbage === 0) {
        blockAt++
        slot = 0
        continue
      }
      if (looks >= rowsMax || rows >= rowsMax) return { rows, next: block.keyAt(slot) }
      if (!block.hasGarbage(slot)) slot++
      else {
        const { drops, isEmpty } = block.compact(slot, revision, rowsMax - rows, drop)
        rows += drops
        if (isEmpty) this.#removed(blockAt, slot)
        else if (rows < rowsMax) slot++
      }
    }
    return { rows, next: undefined }
  }

  /** The block with the first key that is not below `from`, and where in it: for a copy of the index made bit by bit. */
  blockFrom(from: string): { block: IndexBlock; slot: number } | undefined {
    let found: { block: IndexBlock; slot: number } | undefined
    this.#walk({ from, to: undefined }, (block, slot) => {
      found = { block, slot }
      return false
    })
    return found
  }

  /** Takes over a block while loading; blocks come in order. */
  append(block: IndexBlock): void {
    assert(block.count > 0, 'no block is empty')
    const first = block.keyAt(0)
    if (this.#size === 0) this.#blocks[0] = block
    else {
      this.#blocks.push(block)
      this.#firsts.push(first)
    }
    this.#size += block.count
  }

  /** Throws when an invariant does not hold; for tests. */
  verify(): void {
    let before = ''
    let size = 0
    for (const [i, block] of this.#blocks.entries()) {
      assert(block.count > 0 || this.#blocks.length === 1, 'no block is empty')
      block.verify()
      if (block.count > 0) {
        assert(i === 0 || block.keyAt(0) === this.#firsts[i], 'first keys are known')
        assert(size === 0 || block.keyAt(0) > before, 'keys ascend')
        before = block.keyAt(block.count - 1)
      }
      size += block.count
    }
    assert(size === this.#size && this.#firsts.length === this.#blocks.length, 'sizes are known')
  }

  /** Calls back with runs of slots that are in the range; false ends the walk. */
  #walk(range: KeyRange, visit: (block: IndexBlock, from: number, to: number) => boolean): void {
    let blockAt = this.#blockAt(range.from)
    let from = this.#block(blockAt).lowerBound(range.from)
    for (; blockAt < this.#blocks.length; blockAt++, from = 0) {
      const block = this.#block(blockAt)
      const next = this.#firsts[blockAt + 1]
      const isLast = range.to !== undefined && (next === undefined || range.to <= next)
      const to = isLast && range.to !== undefined ? block.lowerBound(range.to) : block.count
      if (from < to && !visit(block, from, to)) return
      if (isLast) return
    }
  }

  /** Makes room for `key`, which belongs at `slot` of a full block; returns the block it belongs to now. */
  #split(blockAt: number, slot: number, key: string): number {
    const block = this.#block(blockAt)
    // Keys that arrive in ascending order leave full blocks behind; others split in the middle.
    const isAppended = blockAt === this.#blocks.length - 1 && slot === block.count
    if (isAppended) {
      block.trim()
      this.#blocks.push(new IndexBlock())
      this.#firsts.push(key)
      return blockAt + 1
    }
    const middle = blockKeysMax >>> 1
    const left = new IndexBlock(block.copy(0, middle))
    const right = new IndexBlock(block.copy(middle, block.count))
    // Records made before say that they are out of date.
    block.moves++
    this.#blocks.splice(blockAt, 1, left, right)
    const first = right.keyAt(0)
    this.#firsts.splice(blockAt + 1, 0, first)
    return key < first ? blockAt : blockAt + 1
  }

  #removed(blockAt: number, slot: number): void {
    const block = this.#block(blockAt)
    this.#size--
    if (block.count === 0 && this.#blocks.length > 1) {
      this.#blocks.splice(blockAt, 1)
      this.#firsts.splice(blockAt, 1)
      this.#firsts[0] = ''
    } else if (slot === 0 && blockAt > 0) this.#firsts[blockAt] = block.keyAt(0)
  }

  /** The block that holds `key` or would. */
  #blockAt(key: string): number {
    let low = 1
    let high = this.#firsts.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const first = this.#firsts[middle]
      if (first !== undefined && first <= key) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  #block(at: number): IndexBlock {
    const block = this.#blocks[at]
    assert(block !== undefined, 'a block position is within the index')
    return block
  }
}

/** Keys stay where they are: a tombstone takes the slot of the live state. */
function buryAt(block: IndexBlock, slot: number, main: number, bury: BuryRecord): void {
  if (!block.isLiveAt(slot, Infinity)) return
  const sub = bury(block.record(slot))
  block.advance(slot, { main, sub, create: 0, version: 0 })
}
