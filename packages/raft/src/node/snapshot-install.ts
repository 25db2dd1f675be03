// A snapshot from the leader takes the place of this member's log and state, in an order that survives a crash at any point: file on disk,
// core and WAL, state machine. open-storage.ts brings a half-done one to its end.
import type { Core, NodeId, SnapshotMeta } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import type { SnapshotStore } from '../snapshot/snapshot-store.ts'
import type { Applier } from './applier.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { MemberLoop } from './member-loop.ts'
import type { SnapshotStream } from './ports.ts'
import type { Proposals } from './proposals.ts'
import type { SnapshotTransfer } from './snapshot-transfer.ts'
import type { StateMachine } from './types.ts'

export interface SnapshotInstallOptions<Result> {
  readonly id: NodeId
  readonly core: Core
  readonly snapshots: SnapshotStore
  readonly stateMachine: StateMachine<Result>
  readonly applier: Applier<Result>
  readonly proposals: Proposals<Result>
  readonly checkpoints: Checkpoints<Result>
  readonly transfer: SnapshotTransfer<Result>
  /** Throws when the member has stopped. */
  readonly mustRun: () => void
  readonly onReceived: (from: NodeId, meta: SnapshotMeta) => void
  readonly onInstalled: () => void
}

export class SnapshotInstall<Result> {
  readonly #options: SnapshotInstallOptions<Result>
  #restoring: Promise<void> = Promise.resolve()
  /** What the core has begun its log with last. */
  #newest: SnapshotMeta | undefined

  constructor(options: SnapshotInstallOptions<Result>) {
    this.#options = options
  }

  /** Resolves when it is on disk and the core knows of it. */
  async receive(loop: MemberLoop<Result>, from: NodeId, stream: SnapshotStream): Promise<void> {
    const { id, core, applier, transfer, mustRun, onReceived } = this.#options
    const { meta } = stream
    mustRun()
    if (applier.isPaused) {
      throw new RaftError('OVERLOADED', 'Another snapshot is being restored')
    }
    // The sender finds out with its next message.
    if (meta.index <= core.status().commitIndex) return
    await transfer.receive(from, stream, core.status().leader === from)
    mustRun()
    onReceived(from, meta)
    loop.input(() => {
      const { term } = core.status()
      core.step({ type: 'installSnapshot', from, to: id, term, snapshot: meta })
    })
  }

  /** The core has given up its log: the state machine follows. The promise is to be watched. */
  begin(loop: MemberLoop<Result>, meta: SnapshotMeta): Promise<void> {
    const { applier, proposals, transfer } = this.#options
    applier.pause()
    transfer.dropWaiting()
    proposals.skipped(meta.term)
    this.#newest = meta
    this.#restoring = this.#restore(loop, meta, this.#restoring)
    return this.#restoring
  }

  async #restore(
    loop: MemberLoop<Result>,
    meta: SnapshotMeta,
    before: Promise<void>,
  ): Promise<void> {
    const { snapshots, stateMachine, applier, checkpoints, mustRun, onInstalled } = this.#options
    await Promise.all([before, checkpoints.idle()])
    mustRun()
    // A newer one came while this one waited, or comes while it is restored: the state machine goes on with that one only.
    if (this.#newest !== meta) return
    // A state machine that is ahead of the log does not go back.
    if (!applier.holds(meta.index)) {
      await stateMachine.restore(meta.index, snapshots.chunks(meta))
    }
    if (this.#newest !== meta) return
    loop.input((core) => {
      applier.resume(meta)
      core.applied(meta.index)
      onInstalled()
    })
  }

  /** Settles when nothing is being restored. */
  idle(): Promise<void> {
    return this.#restoring
  }
}
