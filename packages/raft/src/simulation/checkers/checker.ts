// What a checker is: it watches every member of a simulated cluster and throws a Violation at the first step after which the property it
// stands for does not hold.
import type {
  Entry,
  LogIndex,
  Message,
  NodeId,
  RaftConfig,
  RaftStatus,
  Ready,
  RestoredState,
  SnapshotMeta,
  Term,
} from '../../core/types.ts'
import type { Operation } from './history.ts'

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
  /** It is sent entries without payloads. */
  readonly isWitness?: boolean
  readonly core: InspectedCore
  /** What its state machine held at the start: more than the core knows to be applied if the log was damaged. */
  readonly heldIndex?: LogIndex
  readonly config: RaftConfig
  /** A write went elsewhere in the life before: at the end of the log nothing tells that it is missing. */
  readonly hasLostWrite?: boolean
  /** What it began this life with. */
  readonly restored: RestoredState
}

/** What a state machine was given: the operations by their numbers, their commands, and a checksum of all bytes. */
export interface AppliedEntry {
  readonly index: LogIndex
  readonly term: Term
  readonly numbers: readonly number[]
  readonly commands: readonly Uint8Array[]
  readonly checksum: number
}

/** The state of every member when all have applied the same, and that of a state machine which was only ever given the log. */
export interface EndOfRun {
  readonly states: ReadonlyMap<NodeId, string>
  readonly replayed: string
}

/** Hooks are called while it happens; a checker has those that it needs. */
export interface Checker {
  readonly property: string
  /** A member has recovered what its disk holds. */
  started?(member: ObservedMember): void
  /** After every input of the member's core. */
  stepped?(member: ObservedMember, status: RaftStatus): void
  /** A Ready leaves for the shell. */
  handingOut?(member: ObservedMember, ready: Ready): void
  /** Of those, entries on their way to the member's disk. */
  persisting?(member: ObservedMember, entries: readonly Entry[]): void
  /** A message of that Ready leaves the member. */
  sending?(member: ObservedMember, message: Message, sequence: number): void
  /** The core hears that everything up to this Ready is durable. */
  persisted?(member: ObservedMember, sequence: number): void
  /** The member's state machine is about to take the entry. */
  applied?(member: ObservedMember, entry: AppliedEntry): void
  /** The member's state machine is about to be replaced by a snapshot. */
  restored?(member: ObservedMember, snapshot: Pick<SnapshotMeta, 'index'>): void
  /** The core is asked for a read index. */
  readAsked?(member: ObservedMember, context: number): void
  /** A client asks. */
  called?(operation: Operation): void
  /** A client has its answer. */
  answered?(operation: Operation): void
  /** A client was told that its request has not been done and never will be. */
  refused?(operation: Operation): void
  /** Faults have ended and the members agree. */
  finished?(end: EndOfRun): void
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
