// Snapshots between members. Sending: a pinned view of the state machine, streamed while the log goes on. Receiving: the file is on disk
// and synced before the core hears of it.
import { assert } from '../core/assert.ts'
import type { LogIndex, NodeId, SnapshotMeta } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import type { SnapshotStore } from '../snapshot/snapshot-store.ts'
import { snapshotsSentMax } from './defaults.ts'
import type { Clock, Transport } from './ports.ts'
import type { StateMachine, StateSnapshot } from './types.ts'

export interface SnapshotTransferOptions<Result> {
  readonly stateMachine: StateMachine<Result>
  readonly snapshots: SnapshotStore
  readonly transport: Transport
  readonly clock: Clock
  /** What waits before a failed stream is reported, so that it is not tried again at once. */
  readonly retryMs: number
  /** What the state machine holds, now. */
  readonly applied: () => SnapshotMeta
  readonly onSent: (to: NodeId, meta: SnapshotMeta) => void
  readonly onFailed: (to: NodeId) => void
}

export class SnapshotTransfer<Result> {
  readonly #options: SnapshotTransferOptions<Result>
  readonly #sending = new Map<NodeId, LogIndex>()
  readonly #timers = new Set<() => void>()
  #isReceiving = false
  #isClosed = false

  constructor(options: SnapshotTransferOptions<Result>) {
    this.#options = options
  }

  /** The log after this index is needed by a follower that is getting a snapshot. */
  get keepAfter(): LogIndex {
    return Math.min(Number.MAX_SAFE_INTEGER, ...this.#sending.values())
  }

  /** `isBusy`: the state machine is being replaced itself. Throws what the state machine throws. */
  send(to: NodeId, isBusy: boolean): void {
    if (this.#sending.has(to)) return
    if (isBusy || this.#sending.size >= snapshotsSentMax) {
      this.#failLater(to)
      return
    }
    const meta = this.#options.applied()
    const snapshot = this.#options.stateMachine.snapshot()
    assert(snapshot.index === meta.index, 'a snapshot stands for the last applied entry')
    this.#sending.set(to, meta.index)
    void this.#stream(to, meta, snapshot)
  }

  async #stream(to: NodeId, meta: SnapshotMeta, snapshot: StateSnapshot): Promise<void> {
    const { transport, onSent } = this.#options
    const isSent = await transport.sendSnapshot(to, meta, snapshot.chunks()).then(
      () => true,
      // Whatever broke it: the follower still needs one, and gets the next.
      () => false,
    )
    this.#sending.delete(to)
    snapshot.release()
    if (this.#isClosed) return
    if (isSent) onSent(to, meta)
    else this.#failLater(to)
  }

  #failLater(to: NodeId): void {
    const { clock, retryMs, onFailed } = this.#options
    const cancel = clock.setTimer(retryMs, () => {
      this.#timers.delete(cancel)
      onFailed(to)
    })
    this.#timers.add(cancel)
  }

  /** Durable when it resolves. One at a time. */
  async receive(meta: SnapshotMeta, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    if (this.#isReceiving) {
      throw new RaftError('OVERLOADED', 'Another snapshot is being received')
    }
    this.#isReceiving = true
    try {
      await this.#options.snapshots.write(meta, chunks)
    } finally {
      this.#isReceiving = false
    }
  }

  close(): void {
    this.#isClosed = true
    for (const cancel of this.#timers) cancel()
    this.#timers.clear()
  }
}
