// Lets go of the log: now and then the state machine makes durable what it has applied (or, if it lives in memory, its snapshot is
// written), and then entries before that are given up, except a few for followers that are a little behind, and on a leader, within
// limits, those that a follower that answers does not have yet.
import { assert } from '../core/assert.ts'
import type { LogIndex, SnapshotMeta } from '../core/types.ts'
import type { SnapshotStore } from '../snapshot/snapshot-store.ts'
import { catchUpSizeBytesMax, checkpointSizeBytes } from './defaults.ts'
import type { Clock } from './ports.ts'
import type { RaftLimits, StateMachine } from './types.ts'

/** How far apart the marks are that tell the size of the log behind an index. */
const markSizeBytes = 1024 * 1024

interface Mark {
  readonly index: LogIndex
  readonly appliedBytes: number
}

export interface CheckpointsOptions<Result> {
  readonly stateMachine: StateMachine<Result>
  readonly snapshots: SnapshotStore
  readonly snapshotEntries: number
  readonly catchUpEntries: number
  /** Of the log that stays for followers that are further behind. */
  readonly retention: Pick<RaftLimits, 'logRetentionSizeBytesMax' | 'logRetentionEntriesMax'>
  readonly clock: Clock
  /** What the state machine holds, now. */
  readonly applied: () => SnapshotMeta
  /** Entries after this index must stay, whatever else is decided. */
  readonly keepAfter: () => LogIndex
  /** How far the slowest follower is that answers and still needs the log; any high number if there is none. */
  readonly slowestFollower: () => LogIndex
  /** Entries up to `index` may go. */
  readonly compact: (index: LogIndex) => void
  readonly onCheckpoint: (index: LogIndex, durationMs: number) => void
}

export class Checkpoints<Result> {
  readonly #options: CheckpointsOptions<Result>
  #last: Mark
  #marks: Mark[] = []
  #running: Promise<void> | undefined

  constructor(options: CheckpointsOptions<Result>) {
    this.#options = options
    this.#last = { index: options.applied().index, appliedBytes: 0 }
  }

  /** Settles when no checkpoint is under way. */
  async idle(): Promise<void> {
    await this.#running
  }

  /** Called as entries are applied. Returns the work to wait for if a checkpoint begins. */
  advance(appliedBytes: number): Promise<void> | undefined {
    const { index } = this.#options.applied()
    const lastMark = this.#marks[this.#marks.length - 1] ?? this.#last
    if (appliedBytes - lastMark.appliedBytes >= markSizeBytes)
      this.#marks.push({ index, appliedBytes })
    const isDue =
      index - this.#last.index >= this.#options.snapshotEntries ||
      appliedBytes - this.#last.appliedBytes >= checkpointSizeBytes
    if (!isDue || this.#running !== undefined) return undefined
    this.#last = { index, appliedBytes }
    this.#running = this.#run(appliedBytes)
    return this.#running
  }

  async #run(appliedBytes: number): Promise<void> {
    try {
      const { stateMachine, snapshots, applied, clock, onCheckpoint } = this.#options
      const startedAt = clock.now()
      const before = applied()
      const held =
        stateMachine.durable === undefined
          ? await this.#writeSnapshot(before)
          : await stateMachine.durable.checkpoint()
      // It may be ahead of a log that was damaged.
      const index = Math.min(held, applied().index)
      // Entries after a snapshot are applied only when they are durable in the log, and with them that it begins there.
      await snapshots.removeUpTo(before, false)
      this.#compact(index, appliedBytes)
      onCheckpoint(index, clock.now() - startedAt)
    } finally {
      this.#running = undefined
    }
  }

  async #writeSnapshot(meta: SnapshotMeta): Promise<LogIndex> {
    const { stateMachine, snapshots } = this.#options
    const snapshot = stateMachine.snapshot()
    try {
      assert(snapshot.index === meta.index, 'a snapshot stands for the last applied entry')
      await snapshots.write(meta, snapshot.chunks())
    } finally {
      snapshot.release()
    }
    return meta.index
  }

  #compact(index: LogIndex, appliedBytes: number): void {
    const { catchUpEntries, retention, slowestFollower, keepAfter, compact } = this.#options
    const sizeBytesMax = Math.max(retention.logRetentionSizeBytesMax, catchUpSizeBytesMax)
    const byCount = index - catchUpEntries
    const bySize = this.#markBefore(appliedBytes - catchUpSizeBytesMax)
    // Whoever is further behind than this gets a snapshot.
    const first = this.#markBefore(appliedBytes - sizeBytesMax)
    const oldest = Math.max(index - retention.logRetentionEntriesMax, first)
    this.#marks = this.#marks.filter((mark) => mark.index >= first)
    const held = Math.max(oldest, slowestFollower())
    const wanted = Math.min(Math.max(byCount, bySize), held)
    const limit = Math.min(wanted, index, keepAfter())
    if (limit > 0) compact(limit)
  }

  /** The last index that is known to lie at or before so many applied bytes. */
  #markBefore(appliedBytes: number): LogIndex {
    return this.#marks.findLast((mark) => mark.appliedBytes <= appliedBytes)?.index ?? 0
  }
}
