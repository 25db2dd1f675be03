// The shell that runs the core (Ready -> persist -> send -> apply): it owns the loop, the timer and the life of a member. Whatever happens
// goes into the core at once; what the core wants done is taken once a turn of the event loop, so that what arrived in one turn
// shares messages, entries and syncs.
import { isMembershipValid, isSameMembership } from '../core/membership.ts'
import { RaftCore } from '../core/raft-core.ts'
import type {
  Core,
  Membership,
  Message,
  NodeId,
  RaftConfig,
  RaftStatus,
  Ready,
  RestoredState,
  SnapshotMeta,
  Term,
} from '../core/types.ts'
import { RaftError } from '../errors.ts'
import type { WalListener } from '../wal/wal.ts'
import { Applier } from './applier.ts'
import { newOrigin } from './batch-codec.ts'
import { Checkpoints } from './checkpoints.ts'
import { nodeClock, nodeRandom } from './clock-node.ts'
import * as defaults from './defaults.ts'
import { nodeFileSystem } from './file-system-node.ts'
import { openStorage, type OpenedStorage } from './open-storage.ts'
import type { Clock, Random, TransportHandler } from './ports.ts'
import { Proposals } from './proposals.ts'
import { Reads } from './reads.ts'
import { SnapshotTransfer } from './snapshot-transfer.ts'
import type { Node, ProposalDone, RaftNodeEvent, RaftNodeOptions } from './types.ts'
import { Waiters } from './waiters.ts'

/** Readys taken in one turn; more wait for the next. */
const readysPerTurnMax = 16

interface Ports {
  readonly clock: Clock
  readonly random: Random
  readonly storage: OpenedStorage
}

interface DelayedMessages {
  readonly sequence: number
  readonly messages: readonly Message[]
}

export class RaftNode<Result> implements Node<Result> {
  readonly id: NodeId
  readonly #options: RaftNodeOptions<Result>
  readonly #clock: Clock
  readonly #storage: OpenedStorage
  readonly #core: Core
  readonly #proposals: Proposals<Result>
  readonly #reads: Reads
  readonly #applier: Applier<Result>
  readonly #checkpoints: Checkpoints<Result>
  readonly #transfer: SnapshotTransfer<Result>
  readonly #waiters = new Waiters()
  readonly #tickMs: number
  readonly #electionTimeoutMs: number
  #peers: ReadonlyMap<NodeId, string>
  /** Votes and acknowledgements, until their Ready is durable. */
  #delayed: DelayedMessages[] = []
  #isTurnDue = false
  #cancelTick: () => void = () => {}
  #restoring: Promise<void> = Promise.resolve()
  #leader: NodeId | undefined
  #leaderTerm: Term = 0
  #isStopped = false
  #stopping: Promise<void> | undefined

  /**
   * Recovers what is in the directory (or begins a new member), and starts. Throws RaftError LOCKED, CORRUPT,
   * CLUSTER_MISMATCH or VERSION_MISMATCH, and what the ports throw.
   */
  static async open<Result>(options: RaftNodeOptions<Result>): Promise<RaftNode<Result>> {
    const clock = options.clock ?? nodeClock
    const random = options.random ?? nodeRandom
    const fileSystem = options.fileSystem ?? nodeFileSystem
    let node: RaftNode<Result> | undefined
    const listener: WalListener = {
      durable: (sequence) => {
        if (node !== undefined) node.#onDurable(sequence)
      },
      synced: (durationMs, bytes) => {
        if (node !== undefined) node.#emit({ type: 'synced', durationMs, bytes })
      },
      failed: (error) => {
        if (node !== undefined) node.#fail(error)
      },
    }
    const storage = await openStorage(options, { fileSystem, clock, listener })
    node = new RaftNode(options, { clock, random, storage })
    await node.#start()
    return node
  }

  private constructor(options: RaftNodeOptions<Result>, { clock, random, storage }: Ports) {
    this.id = options.id
    this.#options = options
    this.#clock = clock
    this.#storage = storage
    this.#peers = options.peers
    this.#tickMs = options.heartbeatIntervalMs ?? defaults.heartbeatIntervalMsDefault
    this.#electionTimeoutMs = options.electionTimeoutMs ?? defaults.electionTimeoutMsDefault
    const timeoutMs = defaults.requestTimeoutBaseMs + 2 * this.#electionTimeoutMs
    const { hardState, base, entries } = storage.log
    this.#core = createCore(options)(
      {
        id: options.id,
        heartbeatTicks: 1,
        electionTicks: Math.max(2, Math.round(this.#electionTimeoutMs / this.#tickMs)),
        messageSizeBytesMax: defaults.messageSizeBytesMax,
        inflightMessagesMax: defaults.inflightMessagesMax,
        uncommittedSizeBytesMax: defaults.uncommittedSizeBytesMax,
        random,
      },
      { hardState, snapshot: base, entries, appliedIndex: storage.applied.index },
    )
    const limits = { ...defaults.limitsDefault, ...options.limits }
    this.#proposals = new Proposals({ origin: newOrigin(random), limits, timeoutMs })
    this.#reads = new Reads(timeoutMs)
    this.#applier = new Applier({
      stateMachine: options.stateMachine,
      proposals: this.#proposals,
      applied: storage.applied,
      onMembership: (membership) => {
        this.#core.applyMembership(membership)
      },
    })
    this.#transfer = this.#makeTransfer()
    this.#checkpoints = this.#makeCheckpoints()
  }

  #makeTransfer(): SnapshotTransfer<Result> {
    const { stateMachine, transport } = this.#options
    return new SnapshotTransfer({
      stateMachine,
      transport,
      snapshots: this.#storage.snapshots,
      clock: this.#clock,
      retryMs: this.#electionTimeoutMs,
      applied: () => this.#applier.applied,
      onSent: (peer, { index }) => {
        this.#emit({ type: 'snapshotSent', peer, index })
        this.#guard(() => {
          this.#core.reportSnapshot(peer, true)
        })
      },
      onFailed: (peer) => {
        this.#guard(() => {
          this.#core.reportSnapshot(peer, false)
        })
      },
    })
  }

  #makeCheckpoints(): Checkpoints<Result> {
    const { stateMachine, snapshotEntries, catchUpEntries } = this.#options
    return new Checkpoints({
      stateMachine,
      snapshots: this.#storage.snapshots,
      snapshotEntries: snapshotEntries ?? defaults.snapshotEntriesDefault,
      catchUpEntries: catchUpEntries ?? defaults.catchUpEntriesDefault,
      clock: this.#clock,
      applied: () => this.#applier.applied,
      keepAfter: () => this.#transfer.keepAfter,
      compact: (index) => {
        this.#core.compact(index)
        this.#storage.wal.compact(index)
      },
      onCheckpoint: (index, durationMs) => {
        this.#emit({ type: 'checkpoint', index, durationMs })
      },
    })
  }

  async #start(): Promise<void> {
    const { transport, stateMachine } = this.#options
    const { log, applied } = this.#storage
    if (log.repaired !== undefined) this.#emit({ type: 'repaired', ...log.repaired })
    stateMachine.membershipChanged(applied.membership, applied.index)
    transport.setPeers(this.#peers)
    const handler: TransportHandler = {
      message: (message) => {
        this.#guard(() => {
          this.#core.step(message)
        })
      },
      snapshot: (from, meta, chunks) => this.#onSnapshot(from, meta, chunks),
      unreachable: (peer) => {
        this.#guard(() => {
          this.#core.reportUnreachable(peer)
        })
      },
    }
    try {
      await transport.start(handler)
    } catch (reason) {
      await this.close()
      throw reason
    }
    // A sole voter has nobody to wait for: its election is due with the first tick.
    this.#tick()
  }

  #tick(): void {
    if (this.#isStopped) return
    this.#cancelTick = this.#clock.setTimer(this.#tickMs, () => {
      this.#tick()
    })
    this.#guard(() => {
      const now = this.#clock.now()
      this.#core.tick()
      this.#proposals.expire(now)
      this.#reads.expire(now)
      this.#reads.retry()
      this.#waiters.expire(now)
    })
  }

  /** Runs an input of the core; what comes of it is taken with this turn of the event loop. */
  #guard(input: () => void): void {
    if (this.#isStopped) return
    try {
      input()
      this.#wake()
    } catch (reason) {
      this.#fail(reason)
    }
  }

  #wake(): void {
    if (this.#isTurnDue) return
    this.#isTurnDue = true
    this.#clock.defer(() => {
      this.#isTurnDue = false
      if (!this.#isStopped) this.#runTurn()
    })
  }

  #runTurn(): void {
    try {
      this.#turn()
    } catch (reason) {
      this.#fail(reason)
    }
  }

  #turn(): void {
    const core = this.#core
    this.#proposals.flush(this.#clock.now(), (payload) => core.propose([payload]))
    this.#reads.flush((context) => {
      core.readIndex(context)
    })
    for (let i = 0; i < readysPerTurnMax && core.hasReady(); i++) this.#handle(core.ready())
    this.#apply()
    this.#noticeLeader()
    if (core.hasReady() || this.#applier.hasWork || this.#reads.isDue) this.#wake()
  }

  #handle(ready: Ready): void {
    const { sequence, persist } = ready
    if (ready.send.length > 0) this.#send(ready.send)
    if (ready.sendAfterPersist.length > 0) {
      this.#delayed.push({ sequence, messages: ready.sendAfterPersist })
    }
    if (persist?.snapshot !== undefined) this.#install(persist.snapshot)
    this.#storage.wal.append(sequence, persist)
    if (ready.apply.length > 0) this.#applier.push(ready.apply)
    for (const read of ready.reads) this.#reads.answered(read)
  }

  #send(messages: readonly Message[]): void {
    const { transport } = this.#options
    if (!messages.some((message) => message.type === 'installSnapshot')) {
      transport.send(messages)
      return
    }
    transport.send(messages.filter((message) => message.type !== 'installSnapshot'))
    for (const message of messages) {
      if (message.type === 'installSnapshot') {
        this.#transfer.send(message.to, this.#applier.isPaused)
      }
    }
  }

  #onDurable(sequence: number): void {
    this.#guard(() => {
      this.#core.persisted(sequence)
      let count = 0
      for (const delayed of this.#delayed) {
        if (delayed.sequence > sequence) break
        this.#options.transport.send(delayed.messages)
        count++
      }
      if (count > 0) this.#delayed.splice(0, count)
    })
  }

  #apply(): void {
    const index = this.#applier.run()
    if (index !== undefined) {
      this.#core.applied(index)
      const checkpoint = this.#checkpoints.advance(this.#applier.appliedBytes)
      if (checkpoint !== undefined) this.#watch(checkpoint)
      this.#waiters.check()
    }
    this.#reads.applied(this.#applier.applied.index)
  }

  #watch(work: Promise<void>): void {
    work.catch((reason: unknown) => {
      this.#fail(reason)
    })
  }

  #noticeLeader(): void {
    const { leader, term } = this.#core.status()
    if (leader === this.#leader && term === this.#leaderTerm) return
    const isNews = leader !== this.#leader || leader !== undefined
    this.#leader = leader
    this.#leaderTerm = term
    if (!isNews) return
    this.#emit({ type: 'leaderChanged', leader, term })
    this.#waiters.check()
    if (leader === undefined) return
    this.#reads.retry()
    if (this.#proposals.isWaiting) this.#wake()
  }

  async #onSnapshot(
    from: NodeId,
    meta: SnapshotMeta,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<void> {
    this.#mustRun()
    if (this.#applier.isPaused) {
      throw new RaftError('OVERLOADED', 'Another snapshot is being restored')
    }
    // The sender finds out with its next message.
    if (meta.index <= this.#core.status().commitIndex) return
    await this.#transfer.receive(meta, chunks)
    this.#mustRun()
    this.#emit({ type: 'snapshotReceived', peer: from, index: meta.index })
    this.#guard(() => {
      const { term } = this.#core.status()
      this.#core.step({ type: 'installSnapshot', from, to: this.id, term, snapshot: meta })
    })
  }

  /** The core has given up its log for the snapshot, whose file is on disk: the state machine follows. */
  #install(meta: SnapshotMeta): void {
    this.#applier.pause()
    this.#proposals.skipped(meta.term)
    this.#restoring = this.#restore(meta)
    this.#watch(this.#restoring)
  }

  async #restore(meta: SnapshotMeta): Promise<void> {
    await this.#checkpoints.idle()
    if (this.#isStopped) return
    await this.#options.stateMachine.restore(meta.index, this.#storage.snapshots.chunks(meta))
    this.#guard(() => {
      this.#applier.resume(meta)
      this.#core.applied(meta.index)
      this.#waiters.check()
    })
  }

  propose(command: Uint8Array, done: ProposalDone<Result>): void {
    if (this.#isStopped) {
      done(closedError(), undefined)
      return
    }
    this.#proposals.add(command, done, this.#clock.now())
    this.#wake()
  }

  read(done: (error: Error | undefined) => void): void {
    if (this.#isStopped) {
      done(closedError())
      return
    }
    this.#reads.add(done, this.#clock.now())
    this.#wake()
  }

  /** Leader only. Resolves when the membership is in force here; on TIMEOUT it may still come. */
  async changeMembership(
    membership: Membership,
    peers: ReadonlyMap<NodeId, string>,
  ): Promise<void> {
    this.#mustRun()
    if (!isMembershipValid(membership)) throw new RangeError('The membership is not valid')
    // Those who leave are needed until they are out.
    this.#setPeers(new Map([...this.#peers, ...peers]))
    const outcome = this.#core.proposeMembership(membership)
    if (!outcome.accepted) {
      const isLeader = outcome.reason !== 'noLeader'
      const text = `The membership cannot be changed now: ${outcome.reason}`
      throw new RaftError(isLeader ? 'OVERLOADED' : 'NOT_LEADER', text)
    }
    this.#wake()
    await this.#waitFor(
      () => isSameMembership(this.#applier.applied.membership, membership),
      'The change of membership was not applied in time: it may still come',
    )
    this.#setPeers(peers)
  }

  #setPeers(peers: ReadonlyMap<NodeId, string>): void {
    this.#peers = peers
    this.#options.transport.setPeers(peers)
  }

  #waitFor(isDone: () => boolean, timeoutText: string): Promise<void> {
    const deadline = this.#clock.now() + defaults.requestTimeoutBaseMs + 2 * this.#electionTimeoutMs
    return this.#waiters.add(isDone, deadline, new RaftError('TIMEOUT', timeoutText))
  }

  /** Leader only. Resolves when `to` leads. */
  async transferLeadership(to: NodeId): Promise<void> {
    this.#mustRun()
    const { role, membership } = this.#core.status()
    if (role !== 'leader') throw new RaftError('NOT_LEADER', `Member ${this.id} does not lead`)
    if (!membership.voters.includes(to)) throw new RangeError(`Member ${to} is not a voter`)
    if (to === this.id) return
    this.#guard(() => {
      this.#core.transferLeadership(to)
    })
    await this.#waitFor(
      () => this.#core.status().leader === to,
      `Member ${to} did not take over in time`,
    )
  }

  status(): RaftStatus {
    return this.#core.status()
  }

  #mustRun(): void {
    if (this.#isStopped) throw closedError()
  }

  #emit(event: RaftNodeEvent): void {
    this.#options.onEvent?.(event)
  }

  /** Something that must not happen, or a disk that cannot be trusted any more: the member stops, its files stay as they are. */
  #fail(reason: unknown): void {
    if (this.#isStopped) return
    const error = reason instanceof Error ? reason : new Error('Member failed', { cause: reason })
    const stopped = this.#stop(new RaftError('CLOSED', 'Member has failed', { cause: error }))
    // Nobody awaits this one; close() gives the same promise to whoever does.
    stopped.catch((cause: unknown) => {
      this.#emit({ type: 'failed', error: new Error('Member did not stop cleanly', { cause }) })
    })
    this.#emit({ type: 'failed', error })
  }

  async close(): Promise<void> {
    await this.#stop(closedError())
  }

  /** Whoever waits is answered before it returns; the files are given back when the promise resolves. */
  #stop(answer: RaftError): Promise<void> {
    if (this.#stopping !== undefined) return this.#stopping
    this.#isStopped = true
    this.#cancelTick()
    this.#transfer.close()
    this.#proposals.failAll(answer)
    this.#reads.failAll(answer)
    this.#waiters.failAll(answer)
    this.#stopping = this.#release()
    return this.#stopping
  }

  async #release(): Promise<void> {
    const { wal, release } = this.#storage
    await this.#options.transport.close()
    await Promise.allSettled([this.#checkpoints.idle(), this.#restoring])
    await wal.close()
    await release()
  }
}

function closedError(): RaftError {
  return new RaftError('CLOSED', 'Member is closed')
}

function createCore<Result>(
  options: RaftNodeOptions<Result>,
): (config: RaftConfig, restored: RestoredState) => Core {
  return options.createCore ?? ((config, restored) => new RaftCore(config, restored))
}
