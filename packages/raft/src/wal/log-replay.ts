// Puts the log together again from the items of all records, oldest first: later entries replace earlier ones from their index on, a
// snapshot replaces everything, and the newest base says which entries do not matter any more.
import { RaftError } from '../errors.ts'
import {
  entryType,
  type Entry,
  type HardState,
  type LogIndex,
  type SnapshotMeta,
} from '../core/types.ts'
import { decodeMembership } from '../core/membership.ts'
import type { RecordItem, WalMetadata } from './record-body.ts'

interface Place {
  readonly path: string
  readonly offset: number
}

export interface ReplayedLog {
  readonly hardState: HardState
  readonly base: SnapshotMeta
  /** After the base, without a gap. */
  readonly entries: readonly Entry[]
  /** Of the cluster; 0 until it was recovered from the loss of its quorum. */
  readonly generation: number
}

export class LogReplay {
  readonly #expected: WalMetadata
  #hardState: HardState = { term: 0, vote: undefined, commit: 0 }
  #base: SnapshotMeta | undefined
  #generation = 0
  /** Without a gap; what came before the first one is unknown, and must lie below the base in the end. */
  #entries: Entry[] = []
  #firstIndex: LogIndex = 1
  #firstPlace: Place | undefined
  /** The highest index written since it was last asked for. */
  #highestIndex: LogIndex = 0

  constructor(expected: WalMetadata) {
    this.#expected = expected
  }

  get #lastIndex(): LogIndex {
    return this.#firstIndex + this.#entries.length - 1
  }

  add(items: readonly RecordItem[], place: Place): void {
    for (const item of items) this.#addItem(item, place)
  }

  /** The highest index of the entries added since the last call, for the segment they were in. */
  takeHighestIndex(): LogIndex {
    const highest = this.#highestIndex
    this.#highestIndex = 0
    return highest
  }

  #addItem(item: RecordItem, place: Place): void {
    switch (item.type) {
      case 'metadata':
        return this.#checkMetadata(item.metadata, place)
      case 'entries':
        return this.#addEntries(item.entries, place)
      case 'hardState':
        this.#hardState = item.hardState
        return
      case 'generation':
        this.#generation = Math.max(this.#generation, item.generation)
        return
      case 'compacted':
        this.#moveBase(item.base)
        return
      case 'replaced':
        this.#base = item.base
        this.#entries = []
        this.#firstIndex = item.base.index + 1
        this.#firstPlace = place
    }
  }

  #checkMetadata(metadata: WalMetadata, place: Place): void {
    const { clusterId, nodeId } = this.#expected
    if (metadata.clusterId === clusterId && metadata.nodeId === nodeId) return
    const text =
      `WAL ${place.path} belongs to member ${metadata.nodeId} of cluster ${metadata.clusterId}, ` +
      `not to member ${nodeId} of cluster ${clusterId}`
    throw new RaftError('CLUSTER_MISMATCH', text, { file: place.path, offset: place.offset })
  }

  /** A segment begins with a copy of the base, which is never newer than the newest one. */
  #moveBase(base: SnapshotMeta): void {
    if (this.#base === undefined || base.index >= this.#base.index) this.#base = base
  }

  #addEntries(entries: readonly Entry[], place: Place): void {
    const first = entries[0]
    const last = entries[entries.length - 1]
    if (first === undefined || last === undefined) return
    this.#checkEntries(entries, place)
    this.#highestIndex = Math.max(this.#highestIndex, last.index)
    if (first.index >= this.#firstIndex && first.index <= this.#lastIndex + 1) {
      this.#entries.length = first.index - this.#firstIndex
    } else {
      this.#entries = []
      this.#firstIndex = first.index
      this.#firstPlace = place
    }
    for (const entry of entries) this.#entries.push(entry)
  }

  #checkEntries(entries: readonly Entry[], place: Place): void {
    const first = entries[0]
    let term = first === undefined ? 0 : (this.#termBefore(first.index) ?? 0)
    for (const entry of entries) {
      if (entry.term < term) throw corrupt(place, `entry ${entry.index} has too low a term`)
      if (entry.type === entryType.membership && decodeMembership(entry.data) === undefined) {
        throw corrupt(place, `entry ${entry.index} holds no membership`)
      }
      term = entry.term
    }
  }

  #termBefore(index: LogIndex): number | undefined {
    return this.#entries[index - 1 - this.#firstIndex]?.term
  }

  /** Throws CORRUPT if entries after the base are missing. */
  finish(end: Place): ReplayedLog {
    const base = this.#base
    if (base === undefined) throw corrupt(end, 'no base of the log is written')
    const isEmptyAtBase = this.#entries.length === 0 && this.#firstIndex <= base.index + 1
    if (this.#firstIndex > base.index + 1) {
      const text = `entries ${base.index + 1} to ${this.#firstIndex - 1} are missing`
      throw corrupt(this.#firstPlace ?? end, text)
    }
    if (this.#lastIndex < base.index && !isEmptyAtBase) {
      throw corrupt(end, `entries up to the base ${base.index} are missing`)
    }
    const entries = this.#entries.slice(base.index + 1 - this.#firstIndex)
    const first = entries[0]
    if (first !== undefined && first.term < base.term) {
      throw corrupt(end, `entry ${first.index} has too low a term`)
    }
    const hardState = this.#clampHardState(base, entries)
    return { hardState, base, entries, generation: this.#generation }
  }

  /** The commit index is a hint and may be older than the base; it is never newer than the log. */
  #clampHardState(base: SnapshotMeta, entries: readonly Entry[]): HardState {
    const { commit } = this.#hardState
    const last = base.index + entries.length
    return { ...this.#hardState, commit: Math.min(Math.max(commit, base.index), last) }
  }
}

function corrupt(place: Place, what: string): RaftError {
  const { path, offset } = place
  const text = `WAL ${path} is not whole at offset ${offset}: ${what}`
  return new RaftError('CORRUPT', text, { file: path, offset })
}
