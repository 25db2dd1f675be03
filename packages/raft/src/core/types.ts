// The words of the consensus core: what goes in (messages), what is stored (entries, hard state, membership) and what
// comes out (Ready). Names are those of the Raft paper and thesis. Everything here is plain data.

/** A member's identity: opaque, unique for ever, at most 64 bytes of printable ASCII. @balsa/kv uses etcd's member id as 16 hex digits. */
export type NodeId = string & { readonly __brand: 'NodeId' }

/** Raft term, starts at 0 before the first election. A plain number (safe to 2^53), so that arithmetic needs no cast. */
export type Term = number

/** Position in the log; the first entry has index 1, 0 means "before the log". */
export type LogIndex = number

/** `normal` carries a payload for the state machine (empty for the entry that opens a term), `membership` an encoded Membership. */
export const entryType = { normal: 0, membership: 1 } as const
export type EntryType = (typeof entryType)[keyof typeof entryType]

/** One slot of the replicated log. `data` is encoded once and never changed: the same bytes go to the WAL and to the peers. */
export interface Entry {
  readonly term: Term
  readonly index: LogIndex
  readonly type: EntryType
  readonly data: Uint8Array
}

/** What must survive a crash besides the log (Figure 2, "persistent state"). `commit` is a hint that shortens recovery; it need not be synced. */
export interface HardState {
  readonly term: Term
  readonly vote: NodeId | undefined
  readonly commit: LogIndex
  /** The log may lack entries that this member has acknowledged: it has no vote until a leader has given them back. Term and vote are whole. */
  readonly isRecovering?: true
}

/**
 * Who takes part. `votersOutgoing` is empty except while a joint configuration (thesis 4.3) is in force: then a decision
 * needs a majority of `voters` and a majority of `votersOutgoing`. Learners receive the log and have no vote. The lists that
 * may be missing are left out when they are empty.
 */
export interface Membership {
  readonly voters: readonly NodeId[]
  readonly votersOutgoing: readonly NodeId[]
  readonly learners: readonly NodeId[]
  /** Those of the voters, outgoing ones too, that vote and count entries but hold no payloads: they never lead. Nobody becomes or ceases to be one in place. */
  readonly witnesses?: readonly NodeId[]
  /** Those of the learners that the leader makes voters by itself once they have caught up. */
  readonly promoting?: readonly NodeId[]
}

/** What a snapshot stands for: every entry up to and including `index`, and the membership in force there. */
export interface SnapshotMeta {
  readonly index: LogIndex
  readonly term: Term
  readonly membership: Membership
}

interface MessageBase {
  readonly from: NodeId
  readonly to: NodeId
  /** The sender's term; for a pre-vote request the term it would campaign in. */
  readonly term: Term
}

/**
 * Paper 5.2, 5.4.1. `preVote`: thesis 9.6, changes no state. `force`: sent after timeoutNow, bypasses the leader lease (thesis
 * 4.2.3). `priority`: of the candidate, 1 if missing.
 */
export interface RequestVote extends MessageBase {
  readonly type: 'requestVote'
  readonly lastLogIndex: LogIndex
  readonly lastLogTerm: Term
  readonly preVote: boolean
  readonly force: boolean
  readonly priority?: number
}
/**
 * `commit` and `commitTerm`: what the voter knows to be committed. A candidate whose log holds that entry learns so that, say, a
 * change of membership took effect whose leader is gone.
 */
export interface RequestVoteResult extends MessageBase {
  readonly type: 'requestVoteResult'
  readonly granted: boolean
  readonly preVote: boolean
  readonly commit: LogIndex
  readonly commitTerm: Term
}
/** Paper 5.3. Entries follow `prevLogIndex` without a gap. */
export interface AppendEntries extends MessageBase {
  readonly type: 'appendEntries'
  readonly prevLogIndex: LogIndex
  readonly prevLogTerm: Term
  readonly entries: readonly Entry[]
  readonly commit: LogIndex
}
/**
 * `rejected` false: the log matches the leader's up to `index`, durably. `rejected` true: `index` is the refused
 * prevLogIndex, and (hintIndex, hintTerm) the follower's best guess of where the logs meet (both sides skip whole terms).
 */
export interface AppendEntriesResult extends MessageBase {
  readonly type: 'appendEntriesResult'
  readonly index: LogIndex
  readonly rejected: boolean
  readonly hintIndex: LogIndex
  readonly hintTerm: Term
}
/**
 * `commit` never exceeds what the follower is known to hold. `readSequence`: the highest read index round the leader waits for, 0
 * for none. `number` rises with every broadcast, so that its echo says when the leader was heard at the earliest; 0 or missing:
 * it says nothing.
 */
export interface Heartbeat extends MessageBase {
  readonly type: 'heartbeat'
  readonly commit: LogIndex
  readonly readSequence: number
  readonly number?: number
}
/**
 * Echoes the heartbeat's `readSequence`: it confirms every round up to that number, and none that was asked later; and its
 * `number`. `promiseMs`: for how long the sender votes for nobody else from then on, whatever happens to it; 0 or missing: no promise.
 */
export interface HeartbeatResult extends MessageBase {
  readonly type: 'heartbeatResult'
  readonly readSequence: number
  readonly number?: number
  readonly promiseMs?: number
}
/**
 * Outgoing: the follower needs entries that are compacted; the shell streams a snapshot at least as new as `snapshot` and
 * then calls reportSnapshot(). Incoming: the shell steps this only after every chunk is on disk and synced.
 */
export interface InstallSnapshot extends MessageBase {
  readonly type: 'installSnapshot'
  readonly snapshot: SnapshotMeta
}
/** Thesis 3.10: the receiver campaigns at once. */
export interface TimeoutNow extends MessageBase {
  readonly type: 'timeoutNow'
}
/**
 * Proposals forwarded by a follower. The leader takes them only if `term` is its own term; else it drops them. So a member
 * that applies the first entry of a newer term knows that whatever it proposed in an older term and has not applied never will
 * be, and may propose it again without applying it twice. `sequence` sets one sender's messages apart (random at start, then
 * counting up): the leader takes a message that the network repeats only once.
 */
export interface Propose extends MessageBase {
  readonly type: 'propose'
  readonly sequence: number
  readonly payloads: readonly Uint8Array[]
}
/** A follower asks the leader of `term` for a read index (thesis 6.4). `context` is the follower's own, echoed in the result. */
export interface ReadIndexRequest extends MessageBase {
  readonly type: 'readIndex'
  readonly context: number
}
export interface ReadIndexResult extends MessageBase {
  readonly type: 'readIndexResult'
  readonly context: number
  readonly index: LogIndex
}
/**
 * A recovering member asks the leader of `term` how much log makes it whole again. `nonce` sets its questions apart (random at
 * start, then counting up): an answer to an older one says nothing.
 */
export interface RecoverRequest extends MessageBase {
  readonly type: 'recoverRequest'
  readonly nonce: number
}
/** Once the asker's log is durably that of this leader up to `lastIndex`, it holds everything it ever acknowledged. */
export interface RecoverResult extends MessageBase {
  readonly type: 'recoverResult'
  readonly nonce: number
  readonly lastIndex: LogIndex
}

export type Message =
  | RequestVote
  | RequestVoteResult
  | AppendEntries
  | AppendEntriesResult
  | Heartbeat
  | HeartbeatResult
  | InstallSnapshot
  | TimeoutNow
  | Propose
  | ReadIndexRequest
  | ReadIndexResult
  | RecoverRequest
  | RecoverResult

/** What the shell must write, in this order: snapshot marker, entries (replacing any suffix from the first one's index on), hard state. */
export interface Persist {
  readonly snapshot: SnapshotMeta | undefined
  readonly entries: readonly Entry[]
  readonly hardState: HardState | undefined
  /** False when only `hardState.commit` moved: then no sync is needed. */
  readonly mustSync: boolean
}

/** A linearizable read may be served once `appliedIndex >= index`. `index` is undefined if the read must be asked again (no leader, leader changed). */
export interface ReadState {
  readonly context: number
  readonly index: LogIndex | undefined
  /** Answered by the leader's lease, without a round to a quorum. */
  readonly byLease?: true
}

/** Entries that a follower needs and the core has in memory no more: from `from` on, at least one, as many as fit. */
export interface FetchRequest {
  readonly to: NodeId
  readonly from: LogIndex
  readonly sizeBytesMax: number
}

/**
 * One batch of work for the shell (async storage form). The shell may take the next Ready before this one is persisted;
 * it must persist Readys in order and report each with `persisted(sequence)`.
 */
export interface Ready {
  readonly sequence: number
  readonly persist: Persist | undefined
  /** May be sent at once, before `persist` is durable (the leader sends entries while it syncs its own, thesis 10.2.1). */
  readonly send: readonly Message[]
  /** Votes and acknowledgements: only once this Ready and all before it are durable. */
  readonly sendAfterPersist: readonly Message[]
  /** Committed and locally durable entries, in order, each handed out once. Report them with `applied(index)`. */
  readonly apply: readonly Entry[]
  readonly reads: readonly ReadState[]
  /** To be read back from the log on disk; each is answered with `fetched()`. At most one per follower is open. */
  readonly fetch: readonly FetchRequest[]
}

export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader'

export interface ElectionState {
  readonly term: Term
  readonly vote: NodeId | undefined
  readonly leader: NodeId | undefined
}

export interface RaftStatus extends ElectionState {
  readonly id: NodeId
  readonly role: Role
  /** It has no vote until a leader has given back what it may have lost. */
  readonly isRecovering: boolean
  readonly firstIndex: LogIndex
  readonly lastIndex: LogIndex
  readonly persistedIndex: LogIndex
  readonly commitIndex: LogIndex
  readonly appliedIndex: LogIndex
  /** Entries in memory: the applied ones within their limit, and all that are not applied yet. */
  readonly entryCacheSizeBytes: number
  readonly membership: Membership
  /** The leader's view of the others; empty on other roles. */
  readonly progress: readonly {
    readonly id: NodeId
    readonly state: 'probe' | 'replicate' | 'snapshot'
    readonly matchIndex: LogIndex
    readonly nextIndex: LogIndex
    readonly recentActive: boolean
  }[]
}

export interface RaftConfig {
  readonly id: NodeId
  /** Ticks without a leader before a campaign; each timeout is drawn from [electionTicks, 2 * electionTicks - 1]. */
  readonly electionTicks: number
  readonly heartbeatTicks: number
  /** Payload bytes of one appendEntries; one larger entry is still sent alone. */
  readonly messageSizeBytesMax: number
  /** appendEntries in flight to one follower, and their payload bytes; beyond either it gets no more until it answers. */
  readonly inflightMessagesMax: number
  readonly inflightSizeBytesMax: number
  /** Payload bytes of the leader's uncommitted tail; more proposals are refused with 'overloaded'. */
  readonly uncommittedSizeBytesMax: number
  /** Applied and durable entries kept in memory for slow followers; older ones are fetched. Left out: all of them. */
  readonly entryCacheSizeBytesMax?: number
  /** Of two members that could lead the one with more is preferred; 0: never campaigns by itself. Left out: 1. */
  readonly priority?: number
  /** Reads without a round to a quorum while a lease holds. Left out: none, and no promise to a leader that wants one. */
  readonly leaseReads?: LeaseReadsConfig
  /** Uniform in [0, 1); the core's only source of randomness. */
  readonly random: () => number
}

/** The core's only clocks. A member that turns leases off must have been down for an election timeout. */
export interface LeaseReadsConfig {
  /** Milliseconds from any start; never goes back. */
  readonly monotonicMs: () => number
  /** Goes on while the machine is suspended, when a monotonic clock may stand still. */
  readonly wallMs?: () => number
  /** Of the shell's ticks. */
  readonly tickMs: number
  /** By how much the rates of any two members' monotonic clocks may differ, 0 to 0.5. */
  readonly driftRateMax: number
}

/** What a member recovers before it starts: from the snapshot on, gap-free. A new member has index 0, term 0 and its initial membership. */
export interface RestoredState {
  readonly hardState: HardState
  readonly snapshot: SnapshotMeta
  /** Entries after `snapshot.index`, all durable. */
  readonly entries: readonly Entry[]
  /** What the state machine holds already (>= snapshot.index); entries up to it are not handed out again. */
  readonly appliedIndex: LogIndex
}

/**
 * `accepted` true: the payloads are in the leader's log, or on their way to the leader of `term`. Of membership: `changePending`;
 * `leaderLeaves`: a leader beside witnesses does not remove itself; `kindChanges`: a member becomes or ceases to be a witness.
 */
export type ProposeOutcome =
  | { readonly accepted: true; readonly term: Term }
  | {
      readonly accepted: false
      readonly reason:
        | 'noLeader'
        | 'transferring'
        | 'overloaded'
        | 'notMember'
        | 'changePending'
        | 'leaderLeaves'
        | 'kindChanges'
    }

/**
 * The sans-I/O consensus state machine: synchronous, deterministic, no clock. Inputs are tick(), step(), propose(),
 * readIndex(), transferLeadership(), persisted(), applied(), report...(); output is ready(). Implemented by RaftCore.
 */
export interface Core {
  tick(): void
  step(message: Message): void
  propose(payloads: readonly Uint8Array[]): ProposeOutcome
  /** One change at a time; takes effect when applied (thesis 4.1). Leader only. */
  proposeMembership(membership: Membership): ProposeOutcome
  /** Asks for a read index; the answer comes as a ReadState with the same context, for ever increasing contexts. */
  readIndex(context: number): void
  /** Leader only. Undefined: to the voter that is most up to date. Given up after an election timeout. */
  transferLeadership(to: NodeId | undefined): void
  /** Writes or syncs have been pending for too long, or no longer are: a leader hands over or steps down, nobody campaigns. */
  diskStalled(isStalled: boolean): void
  hasReady(): boolean
  ready(): Ready
  /** Everything up to the Ready of this sequence is durable. */
  persisted(sequence: number): void
  applied(index: LogIndex): void
  /** A membership entry was applied; the shell calls this right after it, before `applied`. */
  applyMembership(membership: Membership): void
  reportUnreachable(id: NodeId): void
  reportSnapshot(id: NodeId, succeeded: boolean): void
  /** Answers a FetchRequest: the entries, or undefined if they are gone (compacted meanwhile) or nobody needs them any more. */
  fetched(to: NodeId, entries: readonly Entry[] | undefined): void
  /** Drops entries up to and including `index` (<= appliedIndex) from memory; followers that need them get a snapshot. */
  compact(index: LogIndex): void
  /** The part of status() that costs nothing, for a look after every step. */
  election(): ElectionState
  status(): RaftStatus
  /** Throws when an invariant of the core does not hold; called by tests and the simulator after every step. */
  verify(): void
}
