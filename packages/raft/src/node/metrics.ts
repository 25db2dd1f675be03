// What a member tells an observer about itself, as plain numbers: nothing is allocated for it, and what nobody listens to is not
// measured. Every call comes from within the member's loop: it must be short and must not throw.
import type { LogIndex, Message, NodeId, Term } from '../core/types.ts'
import type { RaftErrorCode } from '../errors.ts'

export interface RaftMetrics {
  /** Commands of this member that share an entry, and the size of its payload, as they go to the core. */
  proposed?(commands: number, sizeBytes: number): void
  /** They are applied here, so long after they were proposed. */
  committed?(commands: number, latencyMs: number): void
  failed?(commands: number, code: RaftErrorCode): void
  /** One write and one sync of the log. */
  synced?(durationMs: number, sizeBytes: number): void
  /** Of the payload, without what the transport adds. */
  messageSent?(type: Message['type'], sizeBytes: number): void
  messageReceived?(type: Message['type'], sizeBytes: number): void
  /** Given to another member, or taken from one; on disk. */
  snapshotSent?(to: NodeId, index: LogIndex): void
  snapshotReceived?(from: NodeId, index: LogIndex): void
  checkpointed?(index: LogIndex, durationMs: number): void
  /** This member asks for votes. */
  campaigned?(term: Term): void
  leaderChanged?(leader: NodeId | undefined, term: Term): void
  /** One slice of entries was applied; `lag` are committed ones that still wait. */
  applied?(entries: number, lag: number): void
  /** Reads were answered; `lease`: without asking a quorum. */
  readsServed?(how: 'readIndex' | 'lease', reads: number, latencyMs: number): void
  readsFailed?(reads: number, code: RaftErrorCode): void
  /** At the start: the log was cut behind a torn tail, or was damaged and comes back from the other members. */
  recovered?(what: 'tornTail' | 'damagedLog'): void
  /** The disk of the log hangs, or goes on. */
  diskStalled?(isStalled: boolean): void
  /** A connection to a peer was made; the first one and every later one. */
  connected?(peer: NodeId): void
  unreachable?(peer: NodeId): void
}
