// The replicated log of one member and its cursors (paper 5.3). In memory from the last snapshot on; what is durable is told by
// persisted(). Keeps: snapshot <= applied..applying <= commit <= last, applying <= persisted <= handed <= last, terms never fall.
import { assert } from './assert.ts'
import {
  entryType,
  type Entry,
  type LogIndex,
  type RaftStatus,
  type SnapshotMeta,
  type Term,
} from './types.ts'

/** What an entry costs beside its payload, in every size limit of the core. */
export const entryOverheadBytes = 32

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

export function entrySizeBytes(entry: Entry): number {
  return entry.data.length + entryOverheadBytes
}

export class RaftLog {
  /** The entry at `#head` has index `#snapshotIndex + 1`; compaction moves the head and trims the array only now and then. */
  #entries: Entry[]
  #head = 0
  #snapshotIndex: LogIndex
  #snapshotTerm: Term
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
  }) {
    const { snapshot, entries } = options
    this.#snapshotIndex = snapshot.index
    this.#snapshotTerm = snapshot.term
    this.#entries = [...entries]
    this.#persistedIndex = snapshot.index + entries.length
    this.#handedIndex = this.#persistedIndex
    this.#appliedIndex = options.appliedIndex
    this.#applyingIndex = options.appliedIndex
    // The commit index on disk is a hint that may be older than what the state machine holds.
    this.#commitIndex = Math.max(options.commitIndex, options.appliedIndex, snapshot.index)
    this.verify()
  }

  get firstIndex(): LogIndex {
    return this.#snapshotIndex + 1
  }

  get lastIndex(): LogIndex {
    return this.#snapshotIndex + this.#entries.length - this.#head
  }

  get lastTerm(): Term {
    return this.#entries[this.#entries.length - 1]?.term ?? this.#snapshotTerm
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
    if (index === this.#snapshotIndex) return this.#snapshotTerm
    return this.entryAt(index)?.term
  }

  /** Undefined for what is compacted or not yet there. */
  entryAt(index: LogIndex): Entry | undefined {
    if (index <= this.#snapshotIndex) return undefined
    return this.#entries[this.#head + index - this.#snapshotIndex - 1]
  }

  /** Entries from `index` on, as many as fit `sizeBytesMax`; one larger entry still comes alone. */
  slice(index: LogIndex, sizeBytesMax: number): readonly Entry[] {
    assert(index > this.#snapshotIndex, 'compacted entries cannot be read')
    const start = this.#head + index - this.#snapshotIndex - 1
    return this.#entries.slice(start, this.#sliceEnd(start, this.#entries.length, sizeBytesMax))
  }

  #sliceEnd(start: number, limit: number, sizeBytesMax: number): number {
    let size = 0
    let end = start
    while (end < limit) {
      const entry = this.#entries[end]
      assert(entry !== undefined, 'the log has no gap')
      size += entrySizeBytes(entry)
      if (size > sizeBytesMax && end > start) break
      end++
    }
    return end
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
    let at = Math.min(index, this.lastIndex)
    while (at > this.#snapshotIndex) {
      const entry = this.entryAt(at)
      assert(entry !== undefined, 'the log has no gap')
      if (entry.term <= term) return { index: at, term: entry.term }
      at--
    }
    return { index: at, term: this.termAt(at) ?? 0 }
  }

  /** The leader's own append (leader append-only: it never cuts its log). */
  append(entry: Entry): void {
    assert(entry.index === this.lastIndex + 1, 'an entry follows the last one')
    assert(entry.term >= this.lastTerm, 'terms never fall along the log')
    this.#entries.push(entry)
  }

  /** A follower's append after matches(): skips what is there, cuts what conflicts. Returns the last index it now shares. */
  accept(prevLogIndex: LogIndex, entries: readonly Entry[]): LogIndex {
    let i = 0
    while (i < entries.length) {
      const entry = entries[i]
      assert(entry !== undefined, 'a message has no gap')
      assert(entry.index === prevLogIndex + 1 + i, 'entries of a message follow prevLogIndex')
      // What is compacted is committed, so it is the same.
      if (entry.index > this.#snapshotIndex && this.termAt(entry.index) !== entry.term) break
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
    this.#entries.length = this.#head + last - this.#snapshotIndex
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
    this.#entries = []
    this.#head = 0
    this.#snapshotIndex = snapshot.index
    this.#snapshotTerm = snapshot.term
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
    if (index <= this.#snapshotIndex) return
    const term = this.termAt(index)
    assert(term !== undefined, 'the log has no gap')
    this.#head += index - this.#snapshotIndex
    this.#snapshotIndex = index
    this.#snapshotTerm = term
    if (this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
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
    const start = this.#head + this.#handedIndex - this.#snapshotIndex
    const entries = start < this.#entries.length ? this.#entries.slice(start) : []
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
    const base = this.#head - this.#snapshotIndex
    const limit = base + Math.min(this.#commitIndex, this.#persistedIndex)
    const start = base + this.#applyingIndex
    assert(start >= this.#head, 'entries to apply are not compacted')
    const entries = this.#entries.slice(start, this.#sliceEnd(start, limit, applySizeBytesMax))
    this.#applyingIndex += entries.length
    return entries
  }

  appliedTo(index: LogIndex): void {
    assert(index <= this.#applyingIndex, 'only what was handed out is applied')
    this.#appliedIndex = Math.max(this.#appliedIndex, index)
  }

  /** Whether a change of membership up to `last`, the commit index if left out, is not yet applied. */
  hasUnappliedMembership(last: LogIndex = this.#commitIndex): boolean {
    for (let i = Math.max(this.#appliedIndex + 1, this.firstIndex); i <= last; i++) {
      if (this.entryAt(i)?.type === entryType.membership) return true
    }
    return false
  }

  /** Payload bytes after `index`, with the overhead of their entries. */
  sizeBytesAfter(index: LogIndex, last: LogIndex = this.lastIndex): number {
    let size = 0
    for (let i = Math.max(index + 1, this.firstIndex); i <= last; i++) {
      const entry = this.entryAt(i)
      assert(entry !== undefined, 'the log has no gap')
      size += entrySizeBytes(entry)
    }
    return size
  }

  status(): Pick<
    RaftStatus,
    'firstIndex' | 'lastIndex' | 'persistedIndex' | 'commitIndex' | 'appliedIndex'
  > {
    return {
      firstIndex: this.firstIndex,
      lastIndex: this.lastIndex,
      persistedIndex: this.#persistedIndex,
      commitIndex: this.#commitIndex,
      appliedIndex: this.#appliedIndex,
    }
  }

  /** Cheap checks of every cursor; the terms are checked over what is not yet applied. */
  verify(): void {
    assert(this.#head <= this.#entries.length, 'the head lies within the entries')
    assert(this.#snapshotIndex <= this.#commitIndex, 'a snapshot holds committed entries only')
    assert(this.#commitIndex <= this.lastIndex, 'committed entries are in the log')
    assert(this.#appliedIndex <= this.#applyingIndex, 'applied entries were handed out')
    assert(this.#applyingIndex <= this.#commitIndex, 'only committed entries are applied')
    assert(this.#applyingIndex <= this.#persistedIndex, 'only durable entries are applied')
    assert(this.#persistedIndex <= this.#handedIndex, 'durable entries were handed out')
    assert(this.#handedIndex <= this.lastIndex, 'entries handed out are in the log')
    assert(this.#snapshotIndex <= this.#applyingIndex, 'compacted entries were applied')
    let term = this.termAt(Math.max(this.#appliedIndex, this.#snapshotIndex)) ?? 0
    for (let i = Math.max(this.#appliedIndex, this.#snapshotIndex) + 1; i <= this.lastIndex; i++) {
      const entry = this.entryAt(i)
      assert(entry !== undefined && entry.index === i, 'an entry stands at its index')
      assert(entry.term >= term, 'terms never fall along the log')
      term = entry.term
    }
    let sequence = 0
    for (const flight of this.#flights) {
      assert(flight.sequence > sequence, 'flights are in order')
      assert(flight.lastIndex <= this.#handedIndex, 'a flight carries what was handed out')
      sequence = flight.sequence
    }
  }
}
