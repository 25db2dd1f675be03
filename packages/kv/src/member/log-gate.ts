// The way of requests into the log and back: refuses what comes too fast or is too large, counts, and turns raft's failures into the
// errors that etcd's clients know.
import { owner, type Caller } from '../auth/caller.ts'
import type { Backend } from '../backend/backend.ts'
import { KvError } from '../errors.ts'
import { defaultLimits, type Limits } from '../limits.ts'
import {
  commandKind,
  encodeCommand,
  ttlPutSince,
  type CommandName,
  type CommandResponses,
} from './command.ts'
import type { Consensus } from './consensus.ts'
import { Freshness } from './freshness.ts'
import { parseIdText } from './identity.ts'
import type { MemberClock } from './member-clock.ts'
import type { MemberMetrics } from './member-metrics.ts'
import { kvErrorFromRaft } from './raft-failure.ts'
import type { CommandResult, KvStateMachine } from './state-machine.ts'
import type { Done } from './types.ts'

/** Entries committed and not yet applied, and bytes not yet in the tables, above which writes are refused. */
const applyBacklogMax = 5000
const stagedSizeBytesMax = 64 * 2 ** 20
/** How often the backlog is looked at. */
const superviseIntervalMs = 100
/** What members say to each other: no limit of requests keeps it out of the log. */
const ownCommands: ReadonlySet<CommandName> = new Set([
  'publish',
  'cluster',
  'alarm',
  'leaseCheckpoint',
  'leaseRemaining',
  'leaseExpire',
])

export interface LogGateOptions {
  readonly consensus: Consensus<CommandResult>
  readonly stateMachine: KvStateMachine
  readonly backend: Backend
  readonly clock: MemberClock
  readonly metrics: MemberMetrics
  readonly electionTimeoutMs: number
  /** etcd's if left out. */
  readonly limits?: Readonly<Limits>
}

export interface SpaceGuard {
  /** True: it has no room for the request, and calls `refused` when the cluster knows. */
  refuse(name: CommandName, body: Uint8Array, refused: (error: KvError) => void): boolean
}

export interface WriteGuard {
  /** Throws the KvError that the write is refused with. What it returns is called when the write's fate is known. */
  admit(name: CommandName, body: Uint8Array, caller: Caller): (() => void) | undefined
}

export class LogGate {
  readonly #options: LogGateOptions
  readonly #freshness: Freshness
  /** Writes on their way. */
  #pendingCount = 0
  #isBacklogged = false
  #isClosed = false
  #leader = 0n
  /** When the present leader was first heard of. */
  #leaderSinceMs = 0
  #guard: SpaceGuard | undefined
  #writeGuard: WriteGuard | undefined
  #cancelTimer: () => void = () => undefined

  constructor(options: LogGateOptions) {
    this.#options = options
    const { clock, consensus } = options
    this.#freshness = new Freshness({ clock, read: (done) => consensus.read(done) })
    options.metrics.watchPending(() => this.#pendingCount)
    this.#supervise()
  }

  /** By member id; 0n: none is known. */
  get leader(): bigint {
    return this.#leader
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  propose<Name extends CommandName>(
    name: Name,
    body: Uint8Array,
    done: Done<CommandResponses[Name]>,
    caller: Caller = owner,
  ): void {
    const { consensus, metrics } = this.#options
    const refusal = this.#refusal(name, body)
    if (refusal !== undefined) {
      metrics.proposalFailed()
      done(refusal, undefined)
      return
    }
    if (this.#guard?.refuse(name, body, (error) => done(error, undefined)) === true) return
    let release: (() => void) | undefined
    try {
      release = this.#writeGuard?.admit(name, body, caller)
    } catch (reason) {
      done(KvError.from(reason), undefined)
      return
    }
    this.#pendingCount++
    consensus.propose(encodeCommand(name, body, caller), (error, result) => {
      this.#pendingCount--
      release?.()
      if (error !== undefined) {
        metrics.proposalFailed()
        done(this.#failure(error), undefined)
      } else if (result instanceof KvError) done(result, undefined)
      else {
        if (name === 'leaseRevoke' || name === 'leaseExpire') metrics.leaseRevoked()
        // The state machine answers each command with its own kind of response.
        done(undefined, result as CommandResponses[Name])
      }
    })
  }

  /** Every member applies this kind of command: what some pass over must not be proposed, or their data differs. */
  knows(name: CommandName): boolean {
    return this.#options.stateMachine.cluster.commands >= commandKind[name]
  }

  /** The same of puts with a TTL. */
  get knowsTtlPuts(): boolean {
    return this.#options.stateMachine.cluster.commands >= ttlPutSince
  }

  /** From now on `guard` is asked before anything is proposed. */
  guardSpace(guard: SpaceGuard): void {
    this.#guard = guard
  }

  /** The same with `guard`, who is asked after it. */
  guardWrites(guard: WriteGuard): void {
    this.#writeGuard = guard
  }

  /** Goes on when this member has everything that was committed up to now. */
  afterRead(done: Done<never>, next: () => void): void {
    this.#freshness.read((error) => {
      if (error === undefined) next()
      else done(this.#failure(error), undefined)
    })
  }

  /** Goes on when this member has everything that was committed so long ago: at once, if it is known to. */
  afterStaleRead(maxStalenessMs: number, done: Done<never>, next: () => void): void {
    this.#freshness.readStale(maxStalenessMs, (error) => {
      if (error === undefined) next()
      else done(this.#failure(error), undefined)
    })
  }

  leaderChanged(leader: string | undefined): void {
    const id = leader === undefined ? 0n : parseIdText(leader)
    if (id === this.#leader) return
    if (id !== 0n) this.#leaderSinceMs = this.#options.clock.now()
    this.#leader = id
    this.#options.metrics.leaderChanged()
  }

  /** No write is taken any more. */
  close(): void {
    this.#isClosed = true
    this.#cancelTimer()
  }

  #refusal(name: CommandName, body: Uint8Array): KvError | undefined {
    if (this.#isClosed) return new KvError('STOPPED')
    const { requestSizeBytesMax } = this.#options.limits ?? defaultLimits
    const isTooLarge = body.length >= requestSizeBytesMax && !ownCommands.has(name)
    if (isTooLarge) return new KvError('REQUEST_TOO_LARGE')
    const isFull = this.#options.backend.pendingSizeBytes > stagedSizeBytesMax
    return isFull || this.#isBacklogged ? new KvError('TOO_MANY_REQUESTS') : undefined
  }

  #supervise(): void {
    const { clock, consensus, stateMachine } = this.#options
    this.#cancelTimer = clock.setTimer(superviseIntervalMs, () => {
      const { commitIndex } = consensus.status()
      this.#isBacklogged = commitIndex - stateMachine.applied.index > applyBacklogMax
      if (!this.#isClosed) this.#supervise()
    })
  }

  #failure(reason: Error): KvError {
    const error = kvErrorFromRaft(reason)
    return error.code === 'TIMEOUT' ? this.#timeoutError(reason) : error
  }

  /** etcd's guess at why no answer came. */
  #timeoutError(cause: Error): KvError {
    const { consensus, clock, electionTimeoutMs } = this.#options
    const startMs = clock.now() - requestTimeoutMs(electionTimeoutMs)
    const lostMs = this.#leaderSinceMs - 2 * electionTimeoutMs
    if (startMs > lostMs && startMs < this.#leaderSinceMs) {
      return new KvError('TIMEOUT_LEADER_FAILED', { cause })
    }
    const { role, id, membership, progress } = consensus.status()
    if (role !== 'leader') return new KvError('TIMEOUT', { cause })
    const voters = progress.filter((peer) => peer.id !== id && membership.voters.includes(peer.id))
    const reachable = voters.filter((peer) => peer.recentActive).length + 1
    const isQuorum = reachable * 2 > membership.voters.length
    return new KvError(isQuorum ? 'TIMEOUT' : 'TIMEOUT_CONNECTION_LOST', { cause })
  }
}

/** How long raft lets a request wait: etcd's rule. */
function requestTimeoutMs(electionTimeoutMs: number): number {
  return 5000 + 2 * electionTimeoutMs
}
