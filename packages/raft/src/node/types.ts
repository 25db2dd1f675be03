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
import type { RaftMetrics } from './metrics.ts'
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
  /** The same bytes every time: a transfer that broke off goes on in the middle. Bytes that differ make it begin anew. */
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
  /** Not used by a witness. */
  readonly stateMachine: StateMachine<Result>
  /** Votes and keeps the log without payloads; commands and reads are refused with WITNESS. Must be listed as one in the membership, for ever. */
  readonly witness?: true
  readonly transport: Transport
  readonly fileSystem?: FileSystem
  readonly clock?: Clock
  readonly random?: Random
  readonly heartbeatIntervalMs?: number
  readonly electionTimeoutMs?: number
  /** Of two members that could lead the one with more is preferred; 0 never campaigns by itself. 1 if left out. */
  readonly electionPriority?: number
  /**
   * Reads without a round to a quorum while the leader's lease holds. `maxDriftRate`: by how much the rates of any two members'
   * clocks may differ, 0 to 0.5. All members or none; who turns it off waits for an election timeout before it starts again.
   */
  readonly leaseReads?: { readonly maxDriftRate: number }
  /** Applied entries between two checkpoints or snapshots. */
  readonly snapshotEntries?: number
  /** Entries kept behind a checkpoint for slow followers. */
  readonly catchUpEntries?: number
  readonly limits?: Partial<RaftLimits>
  /** Size of a segment of the WAL. */
  readonly segmentSizeBytes?: number
  /** The core to run, RaftCore if left out: the simulator runs one that it watches. */
  readonly createCore?: (config: RaftConfig, restored: RestoredState) => Core
  /** From before the first event on; RaftNode.subscribe() adds more listeners. */
  readonly onEvent?: (event: RaftNodeEvent) => void
  /** Told what the member does, as numbers. */
  readonly metrics?: RaftMetrics
}

export interface RaftLimits {
  /** One command's bytes. */
  readonly commandSizeBytesMax: number
  /** Commands waiting for their result on this member. */
  readonly pendingCommandsMax: number
  /** Their bytes; an empty queue takes any one command. */
  readonly pendingSizeBytesMax: number
  /** Commands and bytes that share one entry. */
  readonly entryCommandsMax: number
  readonly entrySizeBytesMax: number
  /** Log that a leader keeps for a follower that answers and is behind; further behind it gets a snapshot. */
  readonly logRetentionSizeBytesMax: number
  readonly logRetentionEntriesMax: number
}

export type RaftNodeEvent =
  | { readonly type: 'leaderChanged'; readonly leader: NodeId | undefined; readonly term: Term }
  /** In force on this member from now on. */
  | {
      readonly type: 'membershipChanged'
      readonly membership: Membership
      readonly index: LogIndex
    }
  /** propose() returned false before; from now on it may go on. */
  | { readonly type: 'drain' }
  /** A write of the log has not come back for an election timeout, or has after all. Meanwhile this member does not lead. */
  | { readonly type: 'diskStalled'; readonly isStalled: boolean }
  | { readonly type: 'checkpoint'; readonly index: LogIndex; readonly durationMs: number }
  | {
      readonly type: 'snapshotSent' | 'snapshotReceived'
      readonly peer: NodeId
      readonly index: LogIndex
    }
  /** `isolated`: what did not check out was set aside, and the member gets it from the others again. */
  | { readonly type: 'repaired' | 'isolated'; readonly file: string; readonly offset: number }
  /** The member stopped by itself (failed sync, corruption, broken invariant). */
  | { readonly type: 'failed'; readonly error: Error }

/** Called exactly once. On error the command has not been applied, unless the code is TIMEOUT or CLOSED: then it may be, or may still become so. */
export type ProposalDone<Result> = (error: Error | undefined, result: Result | undefined) => void

export interface NodeStatus extends RaftStatus {
  /** Commands of this member without an answer, and their bytes. */
  readonly pendingCommands: number
  readonly pendingSizeBytes: number
  readonly isDiskStalled: boolean
  /** Of the cluster: how often it was recovered from the loss of its quorum. */
  readonly generation: number
}

export interface CloseOptions {
  /** A leader hands its lead over before it closes; `false`: it does not. */
  readonly transfer?: boolean
}

/**
 * A member of a cluster: the shell around the core (ready -> persist -> send -> apply -> advance). Implemented by RaftNode. Errors
 * are RaftErrors with a `code` from a closed set.
 */
export interface Node<Result> {
  readonly id: NodeId
  /**
   * Any member takes commands, and hands them to the leader. Those proposed in one turn of the event loop share an entry. On a
   * leader change the node proposes again by itself what it knows is lost, and never what may be applied. Calls back when the
   * command is applied here. Returns false when the caller should wait for the event 'drain' before it goes on: at half of
   * the limits of pending commands. Whoever does not wait gets OVERLOADED at the limits.
   */
  propose(command: Uint8Array, done: ProposalDone<Result>): boolean
  /** Calls back without error once the local state machine has everything that was committed when read() was called. */
  read(done: (error: Error | undefined) => void): void
  /**
   * Leader only. From any set of members to any other; the steps in between (a joint configuration) come and go by themselves.
   * Resolves when `target` is in force on this member. Rejects at once with NOT_LEADER, CHANGE_PENDING, TRANSFERRING,
   * OVERLOADED or INVALID_MEMBERSHIP; then nothing was changed. On TIMEOUT and CLOSED it may still come.
   * `peers`: where the others of `target` are; who leaves is reached until it is out.
   */
  changeMembership(target: Membership, peers: ReadonlyMap<NodeId, string>): Promise<void>
  /**
   * Leader only. Without `to`, the voter that is furthest along takes over. Resolves with the member that leads when it does.
   * What is proposed meanwhile waits for the new leader. Rejects with NOT_LEADER, or TIMEOUT: then this member may lead on.
   */
  transferLeadership(to?: NodeId): Promise<NodeId>
  status(): NodeStatus
  /** Hears of everything from now on; returns what ends it. */
  subscribe(listener: (event: RaftNodeEvent) => void): () => void
  /**
   * A leader takes no more commands, hands its lead over and waits until what was proposed before is answered, for an election
   * timeout at most; everybody who still waits then gets CLOSED. Resolves when the files are given back.
   */
  close(options?: CloseOptions): Promise<void>
}
