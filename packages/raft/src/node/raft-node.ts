// A member of a cluster: opens what is on disk, puts the parts together, and is what a user calls. The loop is in member-loop.ts.
import { isMembershipValid, isSameMembership, isVoter } from '../core/membership.ts'
import { RaftCore } from '../core/raft-core.ts'
import type { Core, Membership, NodeId, RaftConfig, RaftStatus } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import type { WalListener } from '../wal/wal.ts'
import { Applier } from './applier.ts'
import { newOrigin } from './batch-codec.ts'
import { checkOptions } from './check-options.ts'
import { Checkpoints } from './checkpoints.ts'
import { nodeClock, nodeRandom } from './clock-node.ts'
import * as defaults from './defaults.ts'
import { nodeFileSystem } from './file-system-node.ts'
import { MemberLoop } from './member-loop.ts'
import { openStorage, type OpenedStorage } from './open-storage.ts'
import type { Clock, Random } from './ports.ts'
import { Proposals } from './proposals.ts'
import { Reads } from './reads.ts'
import { SnapshotInstall } from './snapshot-install.ts'
import { SnapshotTransfer } from './snapshot-transfer.ts'
import type { Node, ProposalDone, RaftNodeEvent, RaftNodeOptions } from './types.ts'
import { Waiters } from './waiters.ts'

interface Ports {
  readonly clock: Clock
  readonly random: Random
  readonly storage: OpenedStorage
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
  readonly #install: SnapshotInstall<Result>
  readonly #loop: MemberLoop<Result>
  readonly #waiters = new Waiters()
  readonly #tickMs: number
  readonly #electionTimeoutMs: number
  /** Of a proposal, a read and a change. */
  readonly #timeoutMs: number
  #peers: ReadonlyMap<NodeId, string>
  /** Without a log, and not among the first voters: it takes on the generation of the cluster that it meets. */
  #isJoining: boolean
  #cancelTick: () => void = () => {}
  #isStopped = false
  #stopping: Promise<void> | undefined

  /**
   * Recovers what is in the directory (or begins a new member), and starts. Throws RaftError LOCKED, CORRUPT,
   * CLUSTER_MISMATCH or VERSION_MISMATCH, and what the ports throw.
   */
  static async open<Result>(options: RaftNodeOptions<Result>): Promise<RaftNode<Result>> {
    checkOptions(options)
    const clock = options.clock ?? nodeClock
    const random = options.random ?? nodeRandom
    const fileSystem = options.fileSystem ?? nodeFileSystem
    let node: RaftNode<Result> | undefined
    const listener: WalListener = {
      durable: (sequence) => {
        if (node !== undefined) node.#loop.durable(sequence)
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
    this.#timeoutMs = defaults.requestTimeoutBaseMs + 2 * this.#electionTimeoutMs
    this.#core = this.#makeCore(random)
    const isEmpty = storage.wal.lastIndex === 0 && storage.log.hardState.term === 0
    this.#isJoining = isEmpty && !isVoter(options.initialMembership, this.id)
    const limits = { ...defaults.limitsDefault, ...options.limits }
    const origin = newOrigin(random)
    this.#proposals = new Proposals({ origin, limits, timeoutMs: this.#timeoutMs })
    this.#reads = new Reads(this.#timeoutMs)
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
    this.#install = this.#makeInstall()
    this.#loop = this.#makeLoop()
  }

  #makeCore(random: Random): Core {
    const config: RaftConfig = {
      id: this.id,
      heartbeatTicks: 1,
      electionTicks: Math.max(2, Math.round(this.#electionTimeoutMs / this.#tickMs)),
      messageSizeBytesMax: defaults.messageSizeBytesMax,
      inflightMessagesMax: defaults.inflightMessagesMax,
      uncommittedSizeBytesMax: defaults.uncommittedSizeBytesMax,
      random,
    }
    const { log, applied } = this.#storage
    const { hardState, base, entries } = log
    const restored = { hardState, snapshot: base, entries, appliedIndex: applied.index }
    return this.#options.createCore?.(config, restored) ?? new RaftCore(config, restored)
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
        this.#loop.input((core) => {
          core.reportSnapshot(peer, true)
        })
      },
      onFailed: (peer) => {
        this.#loop.input((core) => {
          core.reportSnapshot(peer, false)
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

  #makeInstall(): SnapshotInstall<Result> {
    return new SnapshotInstall({
      id: this.id,
      core: this.#core,
      snapshots: this.#storage.snapshots,
      stateMachine: this.#options.stateMachine,
      applier: this.#applier,
      proposals: this.#proposals,
      checkpoints: this.#checkpoints,
      transfer: this.#transfer,
      mustRun: () => {
        this.#mustRun()
      },
      onReceived: (peer, { index }) => {
        this.#emit({ type: 'snapshotReceived', peer, index })
      },
      onInstalled: () => {
        this.#waiters.check()
      },
    })
  }

  #makeLoop(): MemberLoop<Result> {
    return new MemberLoop({
      core: this.#core,
      wal: this.#storage.wal,
      transport: this.#options.transport,
      clock: this.#clock,
      proposals: this.#proposals,
      reads: this.#reads,
      applier: this.#applier,
      onSendSnapshot: (to) => {
        this.#transfer.send(to, this.#applier.isPaused)
      },
      onInstall: (meta) => {
        this.#watch(this.#install.begin(this.#loop, meta))
      },
      onApplied: () => {
        const checkpoint = this.#checkpoints.advance(this.#applier.appliedBytes)
        if (checkpoint !== undefined) this.#watch(checkpoint)
        this.#waiters.check()
      },
      onLeaderChanged: (leader, term) => {
        this.#emit({ type: 'leaderChanged', leader, term })
        this.#waiters.check()
      },
      onFailure: (reason) => {
        this.#fail(reason)
      },
    })
  }

  async #start(): Promise<void> {
    const { transport, stateMachine } = this.#options
    const { wal, log, applied } = this.#storage
    if (log.repaired !== undefined) this.#emit({ type: 'repaired', ...log.repaired })
    try {
      stateMachine.membershipChanged(applied.membership, applied.index)
      transport.setPeers(this.#peers)
      await transport.start({
        generation: () => (this.#isJoining ? undefined : wal.generation),
        joined: (generation) => {
          this.#isJoining = false
          wal.joinGeneration(generation)
        },
        message: (message) => {
          this.#loop.input((core) => {
            core.step(message)
          })
        },
        snapshot: (from, meta, chunks) => this.#install.receive(this.#loop, { from, meta }, chunks),
        unreachable: (peer) => {
          this.#loop.input((core) => {
            core.reportUnreachable(peer)
          })
        },
      })
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
    this.#loop.input((core) => {
      const now = this.#clock.now()
      core.tick()
      this.#proposals.expire(now)
      this.#reads.expire(now)
      this.#reads.retry()
      this.#waiters.expire(now)
    })
  }

  #watch(work: Promise<void>): void {
    work.catch((reason: unknown) => {
      this.#fail(reason)
    })
  }

  propose(command: Uint8Array, done: ProposalDone<Result>): void {
    if (this.#isStopped) {
      done(closedError(), undefined)
      return
    }
    this.#proposals.add(command, done, this.#clock.now())
    this.#loop.wake()
  }

  read(done: (error: Error | undefined) => void): void {
    if (this.#isStopped) {
      done(closedError())
      return
    }
    this.#reads.add(done, this.#clock.now())
    this.#loop.wake()
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
    this.#loop.wake()
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
    const deadline = this.#clock.now() + this.#timeoutMs
    return this.#waiters.add(isDone, deadline, new RaftError('TIMEOUT', timeoutText))
  }

  /** Leader only. Resolves when `to` leads. */
  async transferLeadership(to: NodeId): Promise<void> {
    this.#mustRun()
    const { role, membership } = this.#core.status()
    if (role !== 'leader') throw new RaftError('NOT_LEADER', `Member ${this.id} does not lead`)
    if (!membership.voters.includes(to)) throw new RangeError(`Member ${to} is not a voter`)
    if (to === this.id) return
    this.#loop.input((core) => {
      core.transferLeadership(to)
    })
    const isDone = (): boolean => this.#core.status().leader === to
    await this.#waitFor(isDone, `Member ${to} did not take over in time`)
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
    this.#loop.stop()
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
    await Promise.allSettled([this.#checkpoints.idle(), this.#install.idle()])
    await wal.close()
    await release()
  }
}

function closedError(): RaftError {
  return new RaftError('CLOSED', 'Member is closed')
}
