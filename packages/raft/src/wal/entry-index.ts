// Where the entries stand in the segments, without the entries: one mark for a stretch of records. Keeps: marks ascend, and between two
// marks the records of the first one hold its entries one after another, none of them replaced. So whoever walks from a mark
// to the next one meets what counts, and nothing else.
import { assert } from '../core/assert.ts'
import type { LogIndex } from '../core/types.ts'
import type { RecordItem } from './record-body.ts'

/** Where a record stands, and its chain value. */
export interface RecordPlace {
  readonly sequence: number
  readonly offset: number
  readonly chain: number
}

export interface EntryMark extends RecordPlace {
  readonly firstIndex: LogIndex
}

/** What a read walks over. */
export interface EntryStretch {
  readonly mark: EntryMark
  /** Of the last entry before the next mark. */
  readonly lastIndex: LogIndex
}

/** A walk to an entry passes this much of other records at most, as long as there are few marks. */
const stretchSizeBytesMin = 64 * 1024

/** Beyond it the stretches grow. Where a leader's change cut the log, or a segment begins, there is a mark in any case. */
export const entryMarksMax = 8_192

interface Mark extends EntryMark {
  /** The entries before it are not in the records before it. */
  readonly isFixed: boolean
}

export class EntryIndex {
  #marks: Mark[] = []
  #lastIndex: LogIndex = 0
  #stretchSizeBytes = stretchSizeBytesMin
  #sizeSinceMark = 0

  get marksCount(): number {
    return this.#marks.length
  }

  /** A record was written. */
  addRecord(items: readonly RecordItem[], place: RecordPlace, sizeBytes: number): void {
    let size = sizeBytes
    for (const item of items) {
      if (item.type === 'compacted') this.release(item.base.index)
      else if (item.type === 'replaced') this.clear()
      else if (item.type === 'entries') {
        const first = item.entries[0]?.index ?? 0
        this.add(first, first + item.entries.length - 1, place, size)
        size = 0
      }
    }
  }

  /** Entries of one record were written; they replace what was there from the first one's index on. */
  add(firstIndex: LogIndex, lastIndex: LogIndex, place: RecordPlace, sizeBytes: number): void {
    assert(firstIndex > 0 && firstIndex <= lastIndex, 'a record holds one entry at least')
    const isFixed = this.#cut(firstIndex) || this.#isNewSegment(place)
    if (isFixed || this.#sizeSinceMark >= this.#stretchSizeBytes) {
      const { sequence, offset, chain } = place
      this.#marks.push({ firstIndex, sequence, offset, chain, isFixed })
      this.#sizeSinceMark = 0
      if (this.#marks.length > entryMarksMax) this.#thin()
    }
    this.#lastIndex = lastIndex
    this.#sizeSinceMark += sizeBytes
  }

  /** Returns whether the next entry does not follow the last one. */
  #cut(firstIndex: LogIndex): boolean {
    if (firstIndex === this.#lastIndex + 1 && this.#marks.length > 0) return false
    if (firstIndex > this.#lastIndex + 1) this.clear()
    while ((this.#marks[this.#marks.length - 1]?.firstIndex ?? 0) >= firstIndex) this.#marks.pop()
    return true
  }

  #isNewSegment({ sequence }: RecordPlace): boolean {
    return this.#marks[this.#marks.length - 1]?.sequence !== sequence
  }

  #thin(): void {
    this.#stretchSizeBytes *= 2
    let isKept = false
    this.#marks = this.#marks.filter(({ isFixed }) => {
      isKept = isFixed || !isKept
      return isKept
    })
  }

  /** A snapshot took the place of the log. */
  clear(): void {
    this.#marks = []
    this.#lastIndex = 0
    this.#sizeSinceMark = 0
  }

  /** Entries up to `index` are not read any more. */
  release(index: LogIndex): void {
    let count = 0
    while ((this.#marks[count + 1]?.firstIndex ?? Infinity) <= index + 1) count++
    if (count > 0) this.#marks.splice(0, count)
  }

  /** Undefined for what is not written, or released. */
  find(index: LogIndex): EntryStretch | undefined {
    if (index > this.#lastIndex) return undefined
    let low = 0
    let high = this.#marks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#marks[middle]?.firstIndex ?? Infinity) <= index) low = middle + 1
      else high = middle
    }
    const mark = this.#marks[low - 1]
    if (mark === undefined) return undefined
    return { mark, lastIndex: (this.#marks[low]?.firstIndex ?? this.#lastIndex + 1) - 1 }
  }
}
