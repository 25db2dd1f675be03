// Snapshots between members. Sending: a pinned view of the state machine, streamed while the log goes on, and kept for a while when the
// stream breaks, so that it goes on where it stopped. Receiving: the file is on disk and synced before the core hears of it.
import { isWitness } from '../core/membership.ts'
import { emptySnapshot } from './witness-machine.ts'
import type { LogIndex, NodeId, SnapshotMeta } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import type { SnapshotStore } from '../snapshot/snapshot-store.ts'
import { snapshotPinnedMsMax, snapshotRetryMsMax, snapshotsSentMax } from './defaults.ts'
import type { Clock, Random, SnapshotStream, StreamPosition, Transport } from './ports.ts'
import { interruptible } from './interruptible-stream.ts'
import { SnapshotSession } from './snapshot-session.ts'
import type { StateMachine } from './types.ts'

export interface SnapshotTransferOptions<Result> {
  readonly stateMachine: StateMachine<Result>
  readonly snapshots: SnapshotStore
  readonly transport: Transport
  readonly clock: Clock
  readonly random: Random
  /** What waits before a failed stream is reported, so that it is not tried again at once; twice as long each time it comes no further. */
  readonly retryMs: number
  /** What the state machine holds, now. */
  readonly applied: () => SnapshotMeta
  readonly onSent: (to: NodeId, meta: SnapshotMeta) => void
  readonly onFailed: (to: NodeId) => void
}

interface Receiving {
  readonly from: NodeId
  readonly interrupt: () => void
  readonly done: Promise<void>
}

export class SnapshotTransfer<Result> {
  readonly #options: SnapshotTransferOptions<Result>
  /** At most snapshotsSentMax, those that broke off and may go on among them; the oldest first. */
  readonly #sessions = new Map<NodeId, SnapshotSession>()
  readonly #timers = new Set<() => void>()
  #receiving: Receiving | undefined
  #isClosed = false

  constructor(options: SnapshotTransferOptions<Result>) {
    this.#options = options
  }

  /** The log after this index is needed by a follower that is getting a snapshot. */
  get keepAfter(): LogIndex {
    const indexes = [...this.#sessions.values()].map(({ meta }) => meta.index)
    return Math.min(Number.MAX_SAFE_INTEGER, ...indexes)
  }

  /** `isBusy`: the state machine is being replaced itself. Throws what the state machine throws. */
  send(to: NodeId, isBusy: boolean): void {
    const begun = this.#sessions.get(to)
    if (begun?.isStreaming === true) return
    const session = isBusy ? undefined : (begun ?? this.#pin(to))
    if (session === undefined) {
      this.#failLater(to, 0)
      return
    }
    session.cancelExpiry?.()
    session.isStreaming = true
    void this.#stream(session)
  }

  /** Undefined if too many are on their way; one that waits to go on makes room. */
  #pin(to: NodeId): SnapshotSession | undefined {
    if (this.#sessions.size >= snapshotsSentMax) {
      const waiting = [...this.#sessions.values()].find(({ isStreaming }) => !isStreaming)
      if (waiting === undefined) return undefined
      this.#drop(waiting)
    }
    const { stateMachine, applied, clock, random } = this.#options
    const meta = applied()
    const isEmpty = isWitness(meta.membership, to)
    const snapshot = isEmpty ? emptySnapshot(meta.index) : stateMachine.snapshot()
    const session = new SnapshotSession({ to, meta, snapshot, clock, random })
    this.#sessions.set(to, session)
    return session
  }

  #drop(session: SnapshotSession): void {
    if (this.#sessions.get(session.to) === session) this.#sessions.delete(session.to)
    session.release()
  }

  async #stream(session: SnapshotSession): Promise<void> {
    const { transport, onSent } = this.#options
    const { to, meta } = session
    const isSent = await transport.sendSnapshot(to, session).then(
      () => true,
      // Whatever broke it: the follower still needs one, this or the next.
      () => false,
    )
    session.isStreaming = false
    if (isSent || session.isSpoilt || this.#isClosed) this.#drop(session)
    if (this.#isClosed) return
    if (isSent) {
      onSent(to, meta)
      return
    }
    session.cancelExpiry = this.#later(snapshotPinnedMsMax, () => {
      this.#drop(session)
    })
    this.#failLater(to, session.failures++)
  }

  #failLater(to: NodeId, failures: number): void {
    const { retryMs, onFailed } = this.#options
    const waitMs = Math.min(retryMs * 2 ** failures, Math.max(retryMs, snapshotRetryMsMax))
    this.#later(waitMs, () => {
      onFailed(to)
    })
  }

  #later(ms: number, action: () => void): () => void {
    const cancelTimer = this.#options.clock.setTimer(ms, () => {
      this.#timers.delete(cancel)
      action()
    })
    const cancel = (): void => {
      this.#timers.delete(cancel)
      cancelTimer()
    }
    this.#timers.add(cancel)
    return cancel
  }

  /**
   * Durable when it resolves. One at a time: a stream of the same member, or of the leader (`isLeader`), takes the place of one that may
   * hang on a dead connection; others are refused.
   */
  async receive(from: NodeId, stream: SnapshotStream, isLeader: boolean): Promise<void> {
    const before = this.#receiving
    if (before !== undefined) {
      if (before.from !== from && !isLeader) throw busy()
      before.interrupt()
      await before.done
      // Another one was faster.
      if (this.#receiving !== undefined) throw busy()
    }
    const { chunks, interrupt } = interruptible((position: StreamPosition) =>
      stream.chunks(position),
    )
    const { meta, id } = stream
    const work = this.#options.snapshots.receive(from, { meta, id, chunks })
    const settle = (): void => {
      this.#receiving = undefined
    }
    this.#receiving = { from, interrupt, done: work.then(settle, settle) }
    await work
  }

  /** Nobody goes on with what broke off: the state machine is replaced, or the member stops. */
  dropWaiting(): void {
    for (const session of this.#sessions.values()) {
      if (!session.isStreaming) this.#drop(session)
    }
  }

  close(): void {
    this.#isClosed = true
    for (const cancel of this.#timers) cancel()
    this.dropWaiting()
  }
}

function busy(): RaftError {
  return new RaftError('OVERLOADED', 'Another snapshot is being received')
}
