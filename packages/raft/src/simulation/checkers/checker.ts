// What a checker is: it watches every member of a simulated cluster and throws a Violation at the first step after which the property it
// stands for does not hold.
import type { Entry, LogIndex, NodeId, RaftStatus, SnapshotMeta, Term } from '../../core/types.ts'

/** What checkers read of a core. */
export interface InspectedCore {
  status(): RaftStatus
  readonly log: {
    entryAt(index: LogIndex): Entry | undefined
    termAt(index: LogIndex): Term | undefined
  }
}

/** One life of a member: from a start to the next crash. */
export interface ObservedMember {
  readonly id: NodeId
  /** Unique in the run. */
  readonly life: number
  readonly core: InspectedCore
}

/** What a state machine was given. */
export interface AppliedEntry {
  readonly index: LogIndex
  readonly term: Term
  readonly content: string
}

/** A write that a client was told is done. */
export interface AcknowledgedWrite {
  readonly command: string
  readonly index: LogIndex
}

/** Hooks are called while it happens; a checker has those that it needs. */
export interface Checker {
  readonly property: string
  /** A member has recovered what its disk holds. */
  started?(member: ObservedMember): void
  /** After every input of the member's core. */
  stepped?(member: ObservedMember, status: RaftStatus): void
  /** Entries on their way to the member's disk. */
  persisting?(member: ObservedMember, entries: readonly Entry[]): void
  /** The member's state machine has taken the entry. */
  applied?(member: ObservedMember, entry: AppliedEntry): void
  /** The member's state machine was replaced by a snapshot. */
  restored?(member: ObservedMember, snapshot: Pick<SnapshotMeta, 'index'>): void
  acknowledged?(write: AcknowledgedWrite): void
  /** A client was told that its write has not been done and never will be. */
  refused?(command: string): void
  /** A client's read began; returns what to call when it is answered by a state at `appliedIndex`. */
  reading?(): (appliedIndex: LogIndex) => void
  /** Faults have ended and the members agree: the commands each has applied, in order. */
  finished?(commands: ReadonlyMap<NodeId, readonly string[]>): void
}

/** A property does not hold. */
export class Violation extends Error {
  override readonly name = 'Violation'
  readonly property: string

  constructor(property: string, detail: string) {
    super(`${property}: ${detail}`)
    this.property = property
  }
}
