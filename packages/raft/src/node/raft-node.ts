// A member of a cluster as its user sees it: opens what is on disk, takes commands, reads and changes, and stops. The parts are put together
// in member-parts.ts, the loop is in member-loop.ts.
import { isMember, isVoter, isWitness } from '../core/membership.ts'
import type { Membership, NodeId } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import type { WalListener } from '../wal/wal.ts'
import { checkOptions } from './check-options.ts'
import { nodeClock, nodeRandom } from './clock-node.ts'
import { DiskWatch } from './disk-watch.ts'
import { nodeFileSystem } from './file-system-node.ts'
import { LeadershipTransfer } from './leadership-transfer.ts'
import { MemberParts, memberTimes, type MemberTimes } from './member-parts.ts'
import { MembershipChanges } from './membership-changes.ts'
import { openStorage, type OpenedStorage } from './open-storage.ts'
import type { Clock, Random, TransportHandler } from './ports.ts'
import type {
  CloseOptions,
  Node,
  NodeStatus,
  ProposalDone,
  RaftNodeEvent,
  RaftNodeOptions,
} from './types.ts'
import { Waiters } from './waiters.ts'
import { WitnessMachine } from './witness-machine.ts'

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
  readonly #times: MemberTimes
  readonly #parts: MemberParts<Result>
  readonly #changes: MembershipChanges<Result>
  readonly #transfer: LeadershipTransfer<Result>
  readonly #diskWatch: DiskWatch
  readonly #waiters = new Waiters()
  readonly #listeners = new Set<(event: RaftNodeEvent) => void>()
  /** Without a log, and not among the first voters: it takes on the generation of the cluster that it meets. */
  #isJoining: boolean
  #cancelTick: () => void = () => {}
  /** Nothing new is taken. */
  #isClosing = false
  #isStopped = false
  #closing: Promise<void> | undefined
  #stopping: Promise<void> | undefined

  /**
   * Recovers what is in the directory (or begins a new member), and starts. Throws RaftError LOCKED, CORRUPT,
   * CLUSTER_MISMATCH or VERSION_MISMATCH, and what the ports throw.
   */
  static async open<Result>(given: RaftNodeOptions<Result>): Promise<RaftNode<Result>> {
    checkOptions(given)
    const stateMachine = given.witness === true ? new WitnessMachine<Result>() : given.stateMachine
    const options = { ...given, stateMachine }
    const clock = options.clock ?? nodeClock
    const random = options.random ?? nodeRandom
    const fileSystem = options.fileSystem ?? nodeFileSystem
    let node: RaftNode<Result> | undefined
    const listener: WalListener = {
      durable: (sequence) => {
        if (node !== undefined) node.#parts.loop.durable(sequence)
      },
      synced: (durationMs, sizeBytes) => {
        options.metrics?.synced?.(durationMs, sizeBytes)
        if (node !== undefined && node.#diskWatch.isStalled) node.#diskWatch.check(clock.now())
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
    this.#times = memberTimes(options)
    const isEmpty = storage.wal.lastIndex === 0 && storage.log.hardState.term === 0
    this.#isJoining = isEmpty && !isVoter(options.initialMembership, this.id)
    if (options.onEvent !== undefined) this.#listeners.add(options.onEvent)
    this.#parts = this.#makeParts(random)
    const { core, loop, applier } = this.#parts
    const waiters = this.#waiters
    this.#changes = new MembershipChanges({
      core,
      loop,
      waiters,
      peers: options.peers,
      setPeers: (peers) => {
        options.transport.setPeers(peers)
      },
      membership: () => applier.applied.membership,
    })
    const { electionTimeoutMs, tickMs } = this.#times
    this.#transfer = new LeadershipTransfer({
      id: this.id,
      core,
      loop,
      waiters,
      clock,
      electionTimeoutMs,
    })
    this.#diskWatch = new DiskWatch({
      patienceMs: electionTimeoutMs,
      tickMs,
      pendingWrite: () => storage.wal.pendingWrite,
      onChange: (isStalled) => {
        options.metrics?.diskStalled?.(isStalled)
        loop.input(() => {
          core.diskStalled(isStalled)
        })
        this.#emit({ type: 'diskStalled', isStalled })
      },
    })
  }

  #makeParts(random: Random): MemberParts<Result> {
    return new MemberParts({
      options: this.#options,
      times: this.#times,
      clock: this.#clock,
      random,
      storage: this.#storage,
      emit: (event) => {
        this.#emit(event)
      },
      mustRun: () => {
        this.#mustRun()
      },
      fail: (reason) => {
        this.#fail(reason)
      },
      onMembership: (membership, index) => {
        const error = this.#kindError(membership)
        if (error !== undefined) this.#fail(error)
        this.#changes.applied(membership)
        this.#emit({ type: 'membershipChanged', membership, index })
      },
      onProgress: () => {
        this.#changes.advance()
        this.#waiters.check()
      },
      onLeaderChanged: (leader, term) => {
        this.#changes.leaderChanged()
        this.#emit({ type: 'leaderChanged', leader, term })
        this.#waiters.check()
      },
    })
  }

  async #start(): Promise<void> {
    const { transport, stateMachine, peers, metrics } = this.#options
    const { log, applied, isolated } = this.#storage
    if (log.repaired !== undefined) {
      metrics?.recovered?.('tornTail')
      this.#emit({ type: 'repaired', ...log.repaired })
    }
    for (const place of isolated) {
      metrics?.recovered?.('damagedLog')
      this.#emit({ type: 'isolated', ...place })
    }
    try {
      const error = this.#kindError(applied.membership)
      if (error !== undefined) throw error
      stateMachine.membershipChanged(applied.membership, applied.index)
      transport.setPeers(peers)
      await transport.start(this.#transportHandler())
    } catch (reason) {
      await this.close({ transfer: false })
      throw reason
    }
    // A sole voter has nobody to wait for: its election is due with the first tick.
    this.#tick()
  }

  /** Entries without payloads went to whom the membership calls a witness, and to nobody else. */
  #kindError(membership: Membership): RaftError | undefined {
    const isListed = isWitness(membership, this.id)
    const isRight = isListed === (this.#options.witness === true)
    if (isRight || !isMember(membership, this.id)) return undefined
    const [listed, runs] = isListed ? ['a witness', 'none'] : ['no witness', 'one']
    const text = `Member ${this.id} is ${listed} by the membership, but runs as ${runs}: start it with an empty folder and the right option`
    return new RaftError('INVALID_MEMBERSHIP', text)
  }

  #transportHandler(): TransportHandler {
    const { metrics } = this.#options
    const { wal } = this.#storage
    const { loop, install } = this.#parts
    return {
      generation: () => (this.#isJoining ? undefined : wal.generation),
      joined: (generation) => {
        this.#isJoining = false
        wal.joinGeneration(generation)
      },
      message: (message) => {
        loop.received(message)
      },
      snapshot: (from, stream) => install.receive(loop, from, stream),
      connected: (peer) => {
        metrics?.connected?.(peer)
      },
      unreachable: (peer) => {
        metrics?.unreachable?.(peer)
        loop.input((core) => {
          core.reportUnreachable(peer)
        })
      },
    }
  }

  #tick(): void {
    if (this.#isStopped) return
    this.#cancelTick = this.#clock.setTimer(this.#times.tickMs, () => {
      this.#tick()
    })
    const { loop, proposals, reads } = this.#parts
    loop.input((core) => {
      const now = this.#clock.now()
      this.#diskWatch.check(now)
      core.tick()
      proposals.expire(now)
      reads.expire(now)
      reads.retry()
      this.#waiters.check()
      this.#waiters.expire(now)
    })
  }

  propose(command: Uint8Array, done: ProposalDone<Result>): boolean {
    if (this.#isClosing) {
      done(closedError(), undefined)
      return true
    }
    if (this.#options.witness === true) {
      done(witnessError(this.id), undefined)
      return true
    }
    const { loop, proposals } = this.#parts
    const mayGoOn = proposals.add(command, done, this.#clock.now())
    loop.wake()
    return mayGoOn
  }

  read(done: (error: Error | undefined) => void): void {
    if (this.#isClosing) {
      done(closedError())
      return
    }
    if (this.#options.witness === true) {
      done(witnessError(this.id))
      return
    }
    const { loop, reads } = this.#parts
    reads.add(done, this.#clock.now())
    loop.wakeLater()
  }

  async changeMembership(target: Membership, peers: ReadonlyMap<NodeId, string>): Promise<void> {
    this.#mustRun()
    const deadline = this.#clock.now() + this.#times.requestTimeoutMs
    await this.#changes.run(target, peers, deadline)
  }

  async transferLeadership(to?: NodeId): Promise<NodeId> {
    this.#mustRun()
    return await this.#transfer.run(to)
  }

  status(): NodeStatus {
    const { core, proposals } = this.#parts
    return {
      ...core.status(),
      pendingCommands: proposals.count,
      pendingSizeBytes: proposals.sizeBytes,
      isDiskStalled: this.#diskWatch.isStalled,
      generation: this.#storage.wal.generation,
    }
  }

  subscribe(listener: (event: RaftNodeEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  #mustRun(): void {
    if (this.#isClosing) throw closedError()
  }

  #emit(event: RaftNodeEvent): void {
    for (const listener of this.#listeners) listener(event)
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

  close({ transfer = true }: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(transfer)
    return this.#closing
  }

  async #close(mustTransfer: boolean): Promise<void> {
    if (!this.#isClosing && mustTransfer) {
      this.#isClosing = true
      const { proposals } = this.#parts
      const deadline = this.#clock.now() + this.#times.electionTimeoutMs
      await this.#transfer.handOver(() => proposals.count === 0, deadline)
    }
    await this.#stop(closedError())
  }

  /** Whoever waits is answered before it returns; the files are given back when the promise resolves. */
  #stop(answer: RaftError): Promise<void> {
    if (this.#stopping !== undefined) return this.#stopping
    this.#isClosing = true
    this.#isStopped = true
    const { loop, snapshots, proposals, reads } = this.#parts
    loop.stop()
    this.#cancelTick()
    snapshots.close()
    proposals.failAll(answer)
    reads.failAll(answer)
    this.#waiters.failAll(answer)
    this.#stopping = this.#release()
    return this.#stopping
  }

  async #release(): Promise<void> {
    const { wal, release } = this.#storage
    const { checkpoints, install, fetcher } = this.#parts
    await this.#options.transport.close()
    await Promise.allSettled([checkpoints.idle(), install.idle(), fetcher.idle()])
    await wal.close()
    await release()
  }
}

function witnessError(id: NodeId): RaftError {
  return new RaftError('WITNESS', `Member ${id} is a witness: ask another member`)
}

function closedError(): RaftError {
  return new RaftError('CLOSED', 'Member is closed')
}
