// The part of a log that is in memory: its end, without a gap. What was dropped at the front is read back from the disk if somebody still
// needs it.
import { assert } from './assert.ts'
import type { Entry, LogIndex } from './types.ts'

/** What an entry costs beside its payload, in every size limit of the core. */
export const entryOverheadBytes = 32

/** Dropped entries hold on to their memory until they are this part of the array. */
const wasteDivisor = 8

export function entrySizeBytes(entry: Entry): number {
  return entry.data.length + entryOverheadBytes
}

export class EntryCache {
  /** The entry at `#head` has index `#beforeIndex + 1`; the array is trimmed only now and then. */
  #entries: Entry[]
  #head = 0
  #beforeIndex: LogIndex
  #sizeBytes = 0

  constructor(beforeIndex: LogIndex, entries: readonly Entry[]) {
    this.#beforeIndex = beforeIndex
    this.#entries = [...entries]
    for (const entry of entries) this.#sizeBytes += entrySizeBytes(entry)
  }

  /** Entries up to and including this one are not held. */
  get beforeIndex(): LogIndex {
    return this.#beforeIndex
  }

  get lastIndex(): LogIndex {
    return this.#beforeIndex + this.#entries.length - this.#head
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  at(index: LogIndex): Entry | undefined {
    if (index <= this.#beforeIndex) return undefined
    return this.#entries[this.#head + index - this.#beforeIndex - 1]
  }

  /** From `index` to `last`, as many as fit `sizeBytesMax`; one larger entry still comes alone. */
  slice(index: LogIndex, last: LogIndex, sizeBytesMax: number): readonly Entry[] {
    assert(index > this.#beforeIndex, 'only entries in memory are taken from there')
    const start = this.#head + index - this.#beforeIndex - 1
    const limit = Math.min(start + last - index + 1, this.#entries.length)
    let size = 0
    let end = start
    while (end < limit) {
      const entry = this.#entries[end]
      assert(entry !== undefined, 'the log has no gap')
      size += entrySizeBytes(entry)
      if (size > sizeBytesMax && end > start) break
      end++
    }
    return this.#entries.slice(start, end)
  }

  /** Of the entries in memory from `first` to `last`. */
  sizeBytesOf(first: LogIndex, last: LogIndex): number {
    let size = 0
    for (let i = Math.max(first, this.#beforeIndex + 1); i <= last; i++) {
      const entry = this.at(i)
      assert(entry !== undefined, 'the log has no gap')
      size += entrySizeBytes(entry)
    }
    return size
  }

  push(entry: Entry): void {
    this.#entries.push(entry)
    this.#sizeBytes += entrySizeBytes(entry)
  }

  /** Drops `index` and everything after it. */
  cut(index: LogIndex): void {
    assert(index > this.#beforeIndex, 'what is not in memory is not cut')
    this.#sizeBytes -= this.sizeBytesOf(index, this.lastIndex)
    this.#entries.length = this.#head + index - this.#beforeIndex - 1
  }

  /** Drops everything up to `index`. */
  drop(index: LogIndex): void {
    if (index <= this.#beforeIndex) return
    assert(index <= this.lastIndex, 'only what was there is dropped')
    this.#sizeBytes -= this.sizeBytesOf(this.#beforeIndex + 1, index)
    this.#head += index - this.#beforeIndex
    this.#beforeIndex = index
    if (this.#head * wasteDivisor <= this.#entries.length) return
    this.#entries = this.#entries.slice(this.#head)
    this.#head = 0
  }

  /** Nothing is held any more; the next entry follows `beforeIndex`. */
  reset(beforeIndex: LogIndex): void {
    this.#entries = []
    this.#head = 0
    this.#beforeIndex = beforeIndex
    this.#sizeBytes = 0
  }

  verify(): void {
    assert(this.#head <= this.#entries.length, 'the head lies within the entries')
    assert(this.#sizeBytes >= 0, 'the size of entries is not negative')
    assert(this.#sizeBytes > 0 || this.lastIndex === this.#beforeIndex, 'entries have a size')
  }
}
