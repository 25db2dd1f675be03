// The replicated log of one member and its cursors (paper 5.3). Its terms are in memory from the last snapshot on, its entries from some
// applied one on; what is durable is told by persisted(). Keeps: snapshot <= evicted <= applied..applying <= commit <= last,
// applying <= persisted <= handed <= last, terms never fall.
import { assert } from './assert.ts'
import { EntryCache } from './entry-cache.ts'
import { TermRuns } from './term-runs.ts'
import {
  entryType,
  type Entry,
  type LogIndex,
  type RaftStatus,
  type SnapshotMeta,
  type Term,
} from './types.ts'

const applySizeBytesMax = 4 * 1024 * 1024

/** Where two logs may meet: the last position at or before some index with a term at most as high as some term. */
export interface Meeting {
  readonly index: LogIndex
  readonly term: Term
}

/** Entries handed to the shell with one Ready and not yet reported durable. `lastIndex` falls when the log is cut below it. */
interface Flight {
  readonly sequence: number
  lastIndex: LogIndex
}

export class RaftLog {
  readonly #cache: EntryCache
  readonly #cacheSizeBytesMax: () => number
  /** Of the applied entries in memory. */
  #appliedSizeBytes = 0
  #runs: TermRuns
  #commitIndex: LogIndex
  #appliedIndex: LogIndex
  /** Handed out to be applied. */
  #applyingIndex: LogIndex
  #persistedIndex: LogIndex
  /** Handed out to be persisted. */
  #handedIndex: LogIndex
  #unhandedSnapshot: SnapshotMeta | undefined
  readonly #flights: Flight[] = []

  constructor(options: {
    readonly snapshot: { readonly index: LogIndex; readonly term: Term }
    readonly entries: readonly Entry[]
    readonly commitIndex: LogIndex
    readonly appliedIndex: LogIndex
    /** Of the applied entries that stay in memory; evict() when it has become less. Left out: all of them. */
    readonly cacheSizeBytesMax?: () => number
  }) {
    const { snapshot, entries } = options
    this.#runs = new TermRuns(snapshot)
    for (const entry of entries) this.#runs.append(entry.term)
    this.#cache = new EntryCache(snapshot.index, entries)
    this.#cacheSizeBytesMax = options.cacheSizeBytesMax ?? (() => Infinity)
    this.#persistedIndex = snapshot.index + entries.length
    this.#handedIndex = this.#persistedIndex
    this.#appliedIndex = options.appliedIndex
    this.#appliedSizeBytes = this.#cache.sizeBytesOf(snapshot.index + 1, options.appliedIndex)
    this.#applyingIndex = options.appliedIndex
    // The commit index on disk is a hint that may be older than what the state machine holds.
    this.#commitIndex = Math.max(options.commitIndex, options.appliedIndex, snapshot.index)
    this.evict()
    this.verify()
  }

  get firstIndex(): LogIndex {
    return this.#runs.baseIndex + 1
  }

  get lastIndex(): LogIndex {
    return this.#runs.lastIndex
  }

  get lastTerm(): Term {
    return this.#runs.lastTerm
  }

  get commitIndex(): LogIndex {
    return this.#commitIndex
  }

  get appliedIndex(): LogIndex {
    return this.#appliedIndex
  }

  get persistedIndex(): LogIndex {
    return this.#persistedIndex
  }

  /** Undefined for what is compacted or not yet there. */
  termAt(index: LogIndex): Term | undefined {
    return this.#runs.termAt(index)
  }

  /** Undefined for what is compacted, not in memory any more or not yet there. */
  entryAt(index: LogIndex): Entry | undefined {
    return this.#cache.at(index)
  }

  /** Entries up to and including this one can only be read back from the disk. */
  get evictedIndex(): LogIndex {
    return this.#cache.beforeIndex
  }

  /** Entries from `index` (> evictedIndex) on, as many as fit `sizeBytesMax`; one larger entry still comes alone. */
  slice(index: LogIndex, sizeBytesMax: number): readonly Entry[] {
    return this.#cache.slice(index, this.lastIndex, sizeBytesMax)
  }

  /** Paper 5.4.1: the later last term wins, then the longer log. */
  isUpToDate(lastLogIndex: LogIndex, lastLogTerm: Term): boolean {
    const lastTerm = this.lastTerm
    return lastLogTerm > lastTerm || (lastLogTerm === lastTerm && lastLogIndex >= this.lastIndex)
  }

  /** Thesis 3.5's consistency check. */
  matches(prevLogIndex: LogIndex, prevLogTerm: Term): boolean {
    return this.termAt(prevLogIndex) === prevLogTerm
  }

  /** Skips whole terms backwards (paper 5.3, last paragraphs). Term 0 when the position is compacted: it is committed. */
  findMeeting(index: LogIndex, term: Term): Meeting {
    return this.#runs.lastUpTo(index, term)
  }

  /** The leader's own append (leader append-only: it never cuts its log). */
  append(entry: Entry): void {
    assert(entry.index === this.lastIndex + 1, 'an entry follows the last one')
    this.#runs.append(entry.term)
    this.#cache.push(entry)
  }

  /** A follower's append after matches(): skips what is there, cuts what conflicts. Returns the last index it now shares. */
  accept(prevLogIndex: LogIndex, entries: readonly Entry[]): LogIndex {
    let i = 0
    while (i < entries.length) {
      const entry = entries[i]
      assert(entry !== undefined, 'a message has no gap')
      assert(entry.index === prevLogIndex + 1 + i, 'entries of a message follow prevLogIndex')
      // What is compacted is committed, so it is the same.
      if (entry.index >= this.firstIndex && this.termAt(entry.index) !== entry.term) break
      i++
    }
    const conflict = entries[i]
    if (conflict !== undefined) {
      this.#cut(conflict.index)
      for (; i < entries.length; i++) {
        const entry = entries[i]
        if (entry !== undefined) this.append(entry)
      }
    }
    return prevLogIndex + entries.length
  }

  /**
   * Drops the entry at `index` and all after it. Entries in flight to the disk from there on count as never handed out, even
   * when the same position is filled again before the shell reports them durable (the append ABA race).
   */
  #cut(index: LogIndex): void {
    assert(index > this.#commitIndex, 'a committed entry is never cut')
    assert(index <= this.lastIndex + 1, 'the log has no gap')
    const last = index - 1
    this.#runs.cut(index)
    this.#cache.cut(index)
    this.#persistedIndex = Math.min(this.#persistedIndex, last)
    this.#handedIndex = Math.min(this.#handedIndex, last)
    for (const flight of this.#flights) flight.lastIndex = Math.min(flight.lastIndex, last)
  }

  /** Moves the commit index forward, never past the last entry. Returns whether it moved. */
  commitTo(index: LogIndex): boolean {
    if (index <= this.#commitIndex) return false
    assert(index <= this.lastIndex, 'only what is in the log can be committed')
    this.#commitIndex = index
    return true
  }

  /** Replaces the log by a snapshot that is newer than what is committed here. */
  restore(snapshot: SnapshotMeta): void {
    assert(snapshot.index > this.#commitIndex, 'a snapshot never goes back in time')
    this.#runs = new TermRuns(snapshot)
    this.#cache.reset(snapshot.index)
    this.#appliedSizeBytes = 0
    this.#commitIndex = snapshot.index
    this.#applyingIndex = snapshot.index
    this.#persistedIndex = snapshot.index
    this.#handedIndex = snapshot.index
    this.#unhandedSnapshot = snapshot
    for (const flight of this.#flights)
      flight.lastIndex = Math.min(flight.lastIndex, snapshot.index)
  }

  compact(index: LogIndex): void {
    assert(index <= this.#appliedIndex, 'only applied entries are compacted')
    if (index < this.firstIndex) return
    this.#runs.compact(index)
    this.#evictTo(index)
  }

  /** Of what is applied the oldest goes first; what is not stays, whatever its size. */
  evict(): void {
    const sizeBytesMax = this.#cacheSizeBytesMax()
    let index = this.evictedIndex
    let size = this.#appliedSizeBytes
    while (size > sizeBytesMax) size -= this.#cache.sizeBytesOf(++index, index)
    this.#evictTo(index)
  }

  #evictTo(index: LogIndex): void {
    this.#appliedSizeBytes -= this.#cache.sizeBytesOf(this.evictedIndex + 1, index)
    this.#cache.drop(index)
  }

  hasUnhanded(): boolean {
    return this.#unhandedSnapshot !== undefined || this.#handedIndex < this.lastIndex
  }

  /** What must be written with the Ready of `sequence`; each entry is handed out once, unless it was cut since. */
  handOut(sequence: number): {
    readonly snapshot: SnapshotMeta | undefined
    readonly entries: readonly Entry[]
  } {
    const snapshot = this.#unhandedSnapshot
    const isNews = this.#handedIndex < this.lastIndex
    const entries = isNews ? this.slice(this.#handedIndex + 1, Infinity) : []
    this.#unhandedSnapshot = undefined
    this.#handedIndex = this.lastIndex
    if (entries.length > 0) this.#flights.push({ sequence, lastIndex: this.#handedIndex })
    return { snapshot, entries }
  }

  /** Everything handed out up to the Ready of `sequence` is durable. Returns whether the persisted index moved. */
  persisted(sequence: number): boolean {
    let done = 0
    let last = this.#persistedIndex
    for (const flight of this.#flights) {
      if (flight.sequence > sequence) break
      last = Math.max(last, flight.lastIndex)
      done++
    }
    if (done > 0) this.#flights.splice(0, done)
    if (last === this.#persistedIndex) return false
    this.#persistedIndex = last
    return true
  }

  hasUnapplied(): boolean {
    return this.#applyingIndex < Math.min(this.#commitIndex, this.#persistedIndex)
  }

  /** Committed and locally durable entries, each handed out once. */
  nextApply(): readonly Entry[] {
    if (!this.hasUnapplied()) return []
    const last = Math.min(this.#commitIndex, this.#persistedIndex)
    const entries = this.#cache.slice(this.#applyingIndex + 1, last, applySizeBytesMax)
    this.#applyingIndex += entries.length
    return entries
  }

  appliedTo(index: LogIndex): void {
    assert(index <= this.#applyingIndex, 'only what was handed out is applied')
    if (index <= this.#appliedIndex) return
    this.#appliedSizeBytes += this.#cache.sizeBytesOf(this.#appliedIndex + 1, index)
    this.#appliedIndex = index
    this.evict()
  }

  /** Whether a change of membership up to `last`, the commit index if left out, is not yet applied. */
  hasUnappliedMembership(last: LogIndex = this.#commitIndex): boolean {
    for (let i = Math.max(this.#appliedIndex + 1, this.firstIndex); i <= last; i++) {
      if (this.entryAt(i)?.type === entryType.membership) return true
    }
    return false
  }

  /** Payload bytes after `index` (>= evictedIndex), with the overhead of their entries. */
  sizeBytesAfter(index: LogIndex, last: LogIndex = this.lastIndex): number {
    assert(index >= this.evictedIndex, 'only entries in memory are measured')
    return this.#cache.sizeBytesOf(index + 1, last)
  }

  status(): Pick<
    RaftStatus,
    | 'firstIndex'
    | 'lastIndex'
    | 'persistedIndex'
    | 'commitIndex'
    | 'appliedIndex'
    | 'entryCacheSizeBytes'
  > {
    return {
      firstIndex: this.firstIndex,
      lastIndex: this.lastIndex,
      persistedIndex: this.#persistedIndex,
      commitIndex: this.#commitIndex,
      appliedIndex: this.#appliedIndex,
      entryCacheSizeBytes: this.#cache.sizeBytes,
    }
  }

  /** Cheap checks of every cursor; the terms are checked over what is not yet applied. */
  verify(): void {
    this.#cache.verify()
    this.#runs.verify()
    const { evictedIndex, lastIndex } = this
    const snapshotIndex = this.#runs.baseIndex
    assert(this.#cache.lastIndex === lastIndex, 'the end of the log is in memory')
    assert(snapshotIndex <= evictedIndex, 'compacted entries are not in memory')
    assert(snapshotIndex <= this.#commitIndex, 'a snapshot holds committed entries only')
    assert(this.#commitIndex <= this.lastIndex, 'committed entries are in the log')
    assert(this.#appliedIndex <= this.#applyingIndex, 'applied entries were handed out')
    assert(this.#applyingIndex <= this.#commitIndex, 'only committed entries are applied')
    assert(this.#applyingIndex <= this.#persistedIndex, 'only durable entries are applied')
    assert(this.#persistedIndex <= this.#handedIndex, 'durable entries were handed out')
    assert(this.#handedIndex <= this.lastIndex, 'entries handed out are in the log')
    assert(evictedIndex <= this.#applyingIndex, 'entries that are not in memory were applied')
    assert(this.#appliedSizeBytes <= this.#cacheSizeBytesMax(), 'the cache keeps its limit')
    for (let i = Math.max(this.#appliedIndex, evictedIndex) + 1; i <= lastIndex; i++) {
      const entry = this.entryAt(i)
      assert(entry !== undefined && entry.index === i, 'an entry stands at its index')
      assert(entry.term === this.termAt(i), 'an entry has the term that is known of it')
    }
    let sequence = 0
    for (const flight of this.#flights) {
      assert(flight.sequence > sequence, 'flights are in order')
      assert(flight.lastIndex <= this.#handedIndex, 'a flight carries what was handed out')
      sequence = flight.sequence
    }
  }
}
