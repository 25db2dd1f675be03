// What a user of RaftNode sees: the state machine it brings, the options, the calls and the errors.
import type {
  Core,
  LogIndex,
  Membership,
  NodeId,
  RaftConfig,
  RaftStatus,
  RestoredState,
  Term,
} from '../core/types.ts'
import type { Clock, FileSystem, Random, Transport } from './ports.ts'

/** A committed entry: the commands that were proposed together, in order. Empty for the entry that opens a term. */
export interface CommittedEntry {
  readonly index: LogIndex
  readonly term: Term
  readonly commands: readonly Uint8Array[]
}

/**
 * What the log drives. Deterministic: the same entries give the same state on every member. `apply` is synchronous and
 * never throws for a bad command (a refusal is a result); an exception stops the member.
 */
export interface StateMachine<Result> {
  /** Every entry in order, once; returns one result per command. Empty entries come too: they move the applied index. */
  apply(entry: CommittedEntry): readonly Result[]
  /** A change of membership took effect (also called once at start with the recovered one). */
  membershipChanged(membership: Membership, index: LogIndex): void
  /**
   * A state machine with storage of its own (etcd's backend) returns what it holds durably at open, and makes what it
   * applied durable when asked, so that the log can be released without a snapshot file. One that lives in memory leaves
   * both out; the node then writes its snapshot() to a file instead.
   */
  readonly durable?: {
    readonly appliedIndex: LogIndex
    checkpoint(): Promise<LogIndex>
  }
  /** Pins the state at the last applied entry and streams it. release() is always called. */
  snapshot(): StateSnapshot
  /** Replaces the whole state. Durable (if `durable`) when it resolves. */
  restore(index: LogIndex, chunks: AsyncIterable<Uint8Array>): Promise<void>
}

export interface StateSnapshot {
  readonly index: LogIndex
  chunks(): AsyncIterable<Uint8Array>
  release(): void
}

export interface RaftNodeOptions<Result> {
  readonly id: NodeId
  /** Members of one cluster share it; data and peers of another cluster are refused. */
  readonly clusterId: string
  /** Voters of a new cluster; ignored once `directory` holds data. */
  readonly initialMembership: Membership
  /** Peer URLs by id, this member's own left out. */
  readonly peers: ReadonlyMap<NodeId, string>
  /** WAL in `directory`/wal, snapshots in `directory`/snap. */
  readonly directory: string
  readonly stateMachine: StateMachine<Result>
  readonly transport: Transport
  readonly fileSystem?: FileSystem
  readonly clock?: Clock
  readonly random?: Random
  readonly heartbeatIntervalMs?: number
  readonly electionTimeoutMs?: number
  /** Applied entries between two checkpoints or snapshots. */
  readonly snapshotEntries?: number
  /** Entries kept behind a checkpoint for slow followers. */
  readonly catchUpEntries?: number
  readonly limits?: Partial<RaftLimits>
  /** Size of a segment of the WAL. */
  readonly segmentSizeBytes?: number
  /** The core to run, RaftCore if left out: the simulator runs one that it watches. */
  readonly createCore?: (config: RaftConfig, restored: RestoredState) => Core
  readonly onEvent?: (event: RaftNodeEvent) => void
}

export interface RaftLimits {
  /** One command's bytes. */
  readonly commandSizeBytesMax: number
  /** Commands waiting for their result on this member. */
  readonly pendingCommandsMax: number
  /** Commands and bytes that share one entry. */
  readonly entryCommandsMax: number
  readonly entrySizeBytesMax: number
}

export type RaftNodeEvent =
  | { readonly type: 'leaderChanged'; readonly leader: NodeId | undefined; readonly term: Term }
  | { readonly type: 'synced'; readonly durationMs: number; readonly bytes: number }
  | { readonly type: 'checkpoint'; readonly index: LogIndex; readonly durationMs: number }
  | {
      readonly type: 'snapshotSent' | 'snapshotReceived'
      readonly peer: NodeId
      readonly index: LogIndex
    }
  | { readonly type: 'repaired'; readonly file: string; readonly offset: number }
  /** The member stopped by itself (failed sync, corruption, broken invariant). */
  | { readonly type: 'failed'; readonly error: Error }

/** Called exactly once. On error the command has not been applied, unless the code is TIMEOUT or CLOSED: then it may be, or may still become so. */
export type ProposalDone<Result> = (error: Error | undefined, result: Result | undefined) => void

/** The shell around the core: ready -> persist -> send -> apply -> advance. Implemented by RaftNode. */
export interface Node<Result> {
  readonly id: NodeId
  /**
   * Commands proposed in one turn of the event loop share an entry. On a leader change the node proposes again by itself
   * what it knows is lost, and never what may be applied. Calls back when the command is applied here.
   */
  propose(command: Uint8Array, done: ProposalDone<Result>): void
  /** Calls back without error once the local state machine has everything that was committed when read() was called. */
  read(done: (error: Error | undefined) => void): void
  changeMembership(membership: Membership, peers: ReadonlyMap<NodeId, string>): Promise<void>
  transferLeadership(to: NodeId): Promise<void>
  status(): RaftStatus
  close(): Promise<void>
}
