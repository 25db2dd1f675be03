// Drives the state machine: committed entries in order, each once, in slices, so that the event loop is not starved. Knows what the
// state machine holds: index, term and membership, which is what a snapshot of it stands for.
import { assert } from '../core/assert.ts'
import { decodeMembership } from '../core/membership.ts'
import {
  entryType,
  type Entry,
  type LogIndex,
  type Membership,
  type SnapshotMeta,
} from '../core/types.ts'
import { decodeBatch } from './batch-codec.ts'
import { applyBytesPerTurnMax, applyCommandsPerTurnMax } from './defaults.ts'
import type { Proposals } from './proposals.ts'
import type { StateMachine } from './types.ts'

export interface ApplierOptions<Result> {
  readonly stateMachine: StateMachine<Result>
  readonly proposals: Proposals<Result>
  /** Up to where the log is applied at the start. */
  readonly applied: SnapshotMeta
  /** What the state machine holds; more than that if a damaged log was cut before it. Left out: the same. */
  readonly held?: LogIndex
  /** Called right after a membership entry was applied. */
  readonly onMembership: (membership: Membership, index: LogIndex) => void
}

export class Applier<Result> {
  readonly #options: ApplierOptions<Result>
  #applied: SnapshotMeta
  /** What is in the state machine already is not applied to it again. */
  #held: LogIndex
  /** Committed and not yet applied; the first `#head` are done. */
  #queue: Entry[] = []
  #head = 0
  #isPaused = false
  #appliedBytes = 0

  constructor(options: ApplierOptions<Result>) {
    this.#options = options
    this.#applied = options.applied
    this.#held = options.held ?? options.applied.index
  }

  get applied(): SnapshotMeta {
    return this.#applied
  }

  /** Payload bytes applied since the start. */
  get appliedBytes(): number {
    return this.#appliedBytes
  }

  /** The state machine is ahead of the log: what it holds stands for no index that is known here. */
  get isAhead(): boolean {
    return this.#held > this.#applied.index
  }

  /** Whether the state machine holds everything up to `index`. */
  holds(index: LogIndex): boolean {
    return index <= this.#held
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Committed entries that wait. */
  get waitingCount(): number {
    return this.#queue.length - this.#head
  }

  get hasWork(): boolean {
    return !this.#isPaused && this.#head < this.#queue.length
  }

  push(entries: readonly Entry[]): void {
    for (const entry of entries) this.#queue.push(entry)
  }

  /** Applies one slice. Returns the last index applied, or undefined if there was nothing to do. */
  run(): LogIndex | undefined {
    if (!this.hasWork) return undefined
    let commands = 0
    let bytes = 0
    while (this.#head < this.#queue.length) {
      if (commands >= applyCommandsPerTurnMax || bytes >= applyBytesPerTurnMax) break
      const entry = this.#queue[this.#head++]
      assert(entry !== undefined, 'the queue has no gap')
      commands += this.#apply(entry)
      bytes += entry.data.length
    }
    if (this.#head === this.#queue.length) {
      this.#queue = []
      this.#head = 0
    }
    this.#appliedBytes += bytes
    return this.#applied.index
  }

  /** Returns the number of commands, at least 1. */
  #apply(entry: Entry): number {
    const { index, term, type, data } = entry
    assert(index === this.#applied.index + 1, 'entries are applied in order, each once')
    assert(term >= this.#applied.term, 'terms never fall along the log')
    const { proposals } = this.#options
    if (term > this.#applied.term) proposals.termApplied(term)
    this.#applied = { index, term, membership: this.#applied.membership }
    if (type === entryType.membership) {
      this.#applyMembership(entry)
      return 1
    }
    if (this.holds(index)) return 1
    if (data.length === 0) {
      this.#applyCommands(entry, [])
      return 1
    }
    const { origin, firstSequence, commands } = decodeBatch(data)
    const results = this.#applyCommands(entry, commands)
    if (proposals.isOwn(origin)) proposals.complete(firstSequence, results)
    return Math.max(1, commands.length)
  }

  #applyCommands({ index, term }: Entry, commands: readonly Uint8Array[]): readonly Result[] {
    this.#held = index
    const results = this.#options.stateMachine.apply({ index, term, commands })
    assert(results.length === commands.length, 'the state machine answers every command')
    return results
  }

  #applyMembership(entry: Entry): void {
    const membership = decodeMembership(entry.data)
    assert(membership !== undefined, 'a membership entry holds a membership')
    this.#applied = { ...this.#applied, membership }
    this.#options.stateMachine.membershipChanged(membership, entry.index)
    if (!this.holds(entry.index)) this.#applyCommands(entry, [])
    this.#options.onMembership(membership, entry.index)
  }

  /** A snapshot replaces the state: what was not applied yet is part of it. */
  pause(): void {
    this.#isPaused = true
    this.#queue = []
    this.#head = 0
  }

  /** The state machine now holds `meta`. */
  resume(meta: SnapshotMeta): void {
    assert(this.#isPaused, 'a snapshot was being restored')
    assert(meta.index >= this.#applied.index, 'a snapshot never goes back in time')
    this.#isPaused = false
    this.#applied = meta
    this.#held = Math.max(this.#held, meta.index)
    this.#options.stateMachine.membershipChanged(meta.membership, meta.index)
  }
}
