// Puts the parts of a member together: core, log, state machine, snapshots, and the loop that drives them. Who calls whom is settled here
// and nowhere else; what a user may ask of a member is in raft-node.ts.
import { RaftCore } from '../core/raft-core.ts'
import type { Core, LogIndex, Membership, NodeId, RaftConfig, Term } from '../core/types.ts'
import { Applier } from './applier.ts'
import { newOrigin } from './batch-codec.ts'
import { Checkpoints } from './checkpoints.ts'
import * as defaults from './defaults.ts'
import { EntryFetcher } from './entry-fetcher.ts'
import { MemberLoop } from './member-loop.ts'
import type { OpenedStorage } from './open-storage.ts'
import type { Clock, Random } from './ports.ts'
import { Proposals } from './proposals.ts'
import { Reads } from './reads.ts'
import { SnapshotInstall } from './snapshot-install.ts'
import { SnapshotTransfer } from './snapshot-transfer.ts'
import type { RaftNodeEvent, RaftNodeOptions } from './types.ts'

export interface MemberTimes {
  readonly tickMs: number
  readonly electionTimeoutMs: number
  /** What a proposal, a read and a change wait at most. */
  readonly requestTimeoutMs: number
}

export function memberTimes<Result>(options: RaftNodeOptions<Result>): MemberTimes {
  const electionTimeoutMs = options.electionTimeoutMs ?? defaults.electionTimeoutMsDefault
  return {
    tickMs: options.heartbeatIntervalMs ?? defaults.heartbeatIntervalMsDefault,
    electionTimeoutMs,
    requestTimeoutMs: defaults.requestTimeoutBaseMs + 2 * electionTimeoutMs,
  }
}

export interface MemberPartsOptions<Result> {
  readonly options: RaftNodeOptions<Result>
  readonly times: MemberTimes
  readonly clock: Clock
  readonly random: Random
  readonly storage: OpenedStorage
  readonly emit: (event: RaftNodeEvent) => void
  /** Throws when the member has stopped. */
  readonly mustRun: () => void
  readonly fail: (reason: unknown) => void
  readonly onMembership: (membership: Membership, index: LogIndex) => void
  /** Entries were applied, or a snapshot took their place. */
  readonly onProgress: () => void
  readonly onLeaderChanged: (leader: NodeId | undefined, term: Term) => void
}

export class MemberParts<Result> {
  readonly core: Core
  readonly proposals: Proposals<Result>
  readonly reads: Reads
  readonly applier: Applier<Result>
  readonly checkpoints: Checkpoints<Result>
  readonly snapshots: SnapshotTransfer<Result>
  readonly install: SnapshotInstall<Result>
  readonly fetcher: EntryFetcher
  readonly loop: MemberLoop<Result>
  readonly #parts: MemberPartsOptions<Result>

  constructor(parts: MemberPartsOptions<Result>) {
    this.#parts = parts
    const { options, times, clock, random, storage, emit } = parts
    this.core = this.#makeCore()
    this.proposals = new Proposals({
      origin: newOrigin(random),
      limits: { ...defaults.limitsDefault, ...options.limits },
      timeoutMs: times.requestTimeoutMs,
      clock,
      onDrain: () => {
        emit({ type: 'drain' })
      },
      ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
    })
    this.reads = new Reads({
      timeoutMs: times.requestTimeoutMs,
      clock,
      ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
    })
    this.applier = new Applier({
      stateMachine: options.stateMachine,
      proposals: this.proposals,
      applied: storage.applied,
      held: storage.held,
      onMembership: (membership, index) => {
        this.core.applyMembership(membership)
        parts.onMembership(membership, index)
      },
    })
    this.snapshots = this.#makeSnapshots()
    this.checkpoints = this.#makeCheckpoints()
    this.install = this.#makeInstall()
    this.fetcher = this.#makeFetcher()
    this.loop = this.#makeLoop()
  }

  #makeCore(): Core {
    const { options, times, random, storage } = this.#parts
    const config: RaftConfig = {
      id: options.id,
      heartbeatTicks: 1,
      electionTicks: Math.max(2, Math.round(times.electionTimeoutMs / times.tickMs)),
      messageSizeBytesMax: defaults.messageSizeBytesMax,
      inflightMessagesMax: defaults.inflightMessagesMax,
      inflightSizeBytesMax: defaults.inflightSizeBytesMax,
      uncommittedSizeBytesMax: defaults.uncommittedSizeBytesMax,
      entryCacheSizeBytesMax: defaults.entryCacheSizeBytesMax,
      random,
      ...this.#electionConfig(),
    }
    const { hardState, base } = storage.log
    const restored = {
      hardState,
      snapshot: base,
      entries: storage.takeEntries(),
      appliedIndex: storage.applied.index,
    }
    return options.createCore?.(config, restored) ?? new RaftCore(config, restored)
  }

  #electionConfig(): Pick<RaftConfig, 'priority' | 'leaseReads'> {
    const { options, times, clock } = this.#parts
    const { electionPriority, leaseReads } = options
    return {
      ...(electionPriority === undefined ? {} : { priority: electionPriority }),
      ...(leaseReads === undefined
        ? {}
        : {
            leaseReads: {
              monotonicMs: () => clock.now(),
              wallMs: () => clock.wallMs?.() ?? clock.now(),
              tickMs: times.tickMs,
              driftRateMax: leaseReads.maxDriftRate,
            },
          }),
    }
  }

  #makeSnapshots(): SnapshotTransfer<Result> {
    const { options, times, clock, random, storage, emit } = this.#parts
    return new SnapshotTransfer({
      stateMachine: options.stateMachine,
      transport: options.transport,
      snapshots: storage.snapshots,
      clock,
      random,
      retryMs: times.electionTimeoutMs,
      applied: () => this.applier.applied,
      onSent: (peer, { index }) => {
        options.metrics?.snapshotSent?.(peer, index)
        emit({ type: 'snapshotSent', peer, index })
        this.loop.input((core) => {
          core.reportSnapshot(peer, true)
        })
      },
      onFailed: (peer) => {
        this.loop.input((core) => {
          core.reportSnapshot(peer, false)
        })
      },
    })
  }

  #makeCheckpoints(): Checkpoints<Result> {
    const { options, clock, storage, emit } = this.#parts
    return new Checkpoints({
      stateMachine: options.stateMachine,
      snapshots: storage.snapshots,
      snapshotEntries: options.snapshotEntries ?? defaults.snapshotEntriesDefault,
      catchUpEntries: options.catchUpEntries ?? defaults.catchUpEntriesDefault,
      clock,
      applied: () => this.applier.applied,
      keepAfter: () => this.snapshots.keepAfter,
      retention: { ...defaults.limitsDefault, ...options.limits },
      slowestFollower: () => this.#slowestFollower(),
      compact: (index) => {
        this.core.compact(index)
        storage.wal.compact(index)
      },
      onCheckpoint: (index, durationMs) => {
        options.metrics?.checkpointed?.(index, durationMs)
        emit({ type: 'checkpoint', index, durationMs })
      },
    })
  }

  /** Of those that answer; one that gets a snapshot, or will have to, needs no older log. */
  #slowestFollower(): LogIndex {
    const { firstIndex, progress } = this.core.status()
    const indexes = progress
      .filter(({ state, recentActive }) => recentActive && state !== 'snapshot')
      .map(({ matchIndex }) => matchIndex)
      .filter((matchIndex) => matchIndex + 1 >= firstIndex)
    return Math.min(Number.MAX_SAFE_INTEGER, ...indexes)
  }

  #makeFetcher(): EntryFetcher {
    const { storage, fail } = this.#parts
    return new EntryFetcher({
      read: (from, sizeBytesMax) => storage.wal.read(from, sizeBytesMax),
      onFetched: (to, entries) => {
        this.loop.input((core) => {
          core.fetched(to, entries)
        })
      },
      onFailure: fail,
    })
  }

  #makeInstall(): SnapshotInstall<Result> {
    const { options, storage, emit, mustRun, onMembership, onProgress } = this.#parts
    return new SnapshotInstall({
      id: options.id,
      core: this.core,
      snapshots: storage.snapshots,
      stateMachine: options.stateMachine,
      applier: this.applier,
      proposals: this.proposals,
      checkpoints: this.checkpoints,
      transfer: this.snapshots,
      mustRun,
      onReceived: (peer, { index }) => {
        options.metrics?.snapshotReceived?.(peer, index)
        emit({ type: 'snapshotReceived', peer, index })
      },
      onInstalled: () => {
        const { membership, index } = this.applier.applied
        onMembership(membership, index)
        onProgress()
      },
    })
  }

  #makeLoop(): MemberLoop<Result> {
    const { options, clock, storage, fail, onProgress, onLeaderChanged } = this.#parts
    return new MemberLoop({
      core: this.core,
      wal: storage.wal,
      transport: options.transport,
      clock,
      proposals: this.proposals,
      reads: this.reads,
      applier: this.applier,
      ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
      onSendSnapshot: (to) => {
        this.snapshots.send(to, this.applier.isPaused || this.applier.isAhead)
      },
      onInstall: (meta) => {
        this.#watch(this.install.begin(this.loop, meta))
      },
      onFetch: (request) => {
        this.fetcher.fetch(request)
      },
      onApplied: () => {
        const checkpoint = this.checkpoints.advance(this.applier.appliedBytes)
        if (checkpoint !== undefined) this.#watch(checkpoint)
        onProgress()
      },
      onLeaderChanged,
      onFailure: fail,
    })
  }

  #watch(work: Promise<void>): void {
    work.catch((reason: unknown) => {
      this.#parts.fail(reason)
    })
  }
}
