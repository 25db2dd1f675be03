// All checkers behind one set of hooks.
import type { Message, Ready, SnapshotMeta } from '../../core/types.ts'
import type { Specification } from '../workload.ts'
import type { AppliedEntry, Checker, EndOfRun, ObservedMember } from './checker.ts'
import { BoundedMemory } from './bounded-memory.ts'
import { CommitRule } from './commit-rule.ts'
import { Durability } from './durability.ts'
import { ElectionSafety } from './election-safety.ts'
import { FreshReads } from './fresh-reads.ts'
import { History, type Operation } from './history.ts'
import { LeaderAppendOnly } from './leader-append-only.ts'
import { LeaderCompleteness } from './leader-completeness.ts'
import { ReadRule } from './read-rule.ts'
import { Linearizability } from './linearizability.ts'
import { LogMatching } from './log-matching.ts'
import { MembershipSafety } from './membership-safety.ts'
import { RecoveredState } from './recovered-state.ts'
import { RecoveringMembers } from './recovering-members.ts'
import { StateMachineSafety } from './state-machine-safety.ts'
import { Votes } from './votes.ts'

export class DefaultCheckers {
  readonly history: History = new History()
  readonly electionSafety: ElectionSafety = new ElectionSafety()
  readonly stateMachineSafety: StateMachineSafety = new StateMachineSafety()
  readonly durability: Durability = new Durability()
  readonly freshReads: FreshReads = new FreshReads()
  readonly membershipSafety: MembershipSafety = new MembershipSafety()
  readonly recoveringMembers: RecoveringMembers = new RecoveringMembers()
  readonly #all: readonly Checker[]
  /** Those that look after every input and at every message: most do not. */
  readonly #steppers: readonly Checker[]
  readonly #senders: readonly Checker[]
  /** By life: Readys whose promises wait for the disk. */
  readonly #delayed = new Map<number, Ready[]>()

  constructor(specification: Specification<unknown, unknown, unknown>) {
    this.#all = [
      this.electionSafety,
      new LeaderAppendOnly(),
      new LogMatching(),
      new LeaderCompleteness(),
      this.stateMachineSafety,
      this.durability,
      this.freshReads,
      this.membershipSafety,
      this.recoveringMembers,
      new RecoveredState(),
      new Votes(),
      new CommitRule(),
      new ReadRule(),
      new BoundedMemory(),
      new Linearizability(this.history, specification),
    ]
    this.#steppers = this.#all.filter((checker) => checker.stepped !== undefined)
    this.#senders = this.#all.filter((checker) => checker.sending !== undefined)
  }

  started(member: ObservedMember): void {
    for (const checker of this.#all) checker.started?.(member)
  }

  stepped(member: ObservedMember): void {
    const status = member.core.status()
    for (const checker of this.#steppers) checker.stepped?.(member, status)
  }

  handingOut(member: ObservedMember, ready: Ready): void {
    for (const checker of this.#all) checker.handingOut?.(member, ready)
    const entries = ready.persist?.entries ?? []
    if (entries.length > 0) {
      for (const checker of this.#all) checker.persisting?.(member, entries)
    }
    this.#sending(member, ready.send, ready.sequence)
    if (ready.sendAfterPersist.length === 0) return
    const delayed = this.#delayed.get(member.life)
    if (delayed === undefined) this.#delayed.set(member.life, [ready])
    else delayed.push(ready)
  }

  #sending(member: ObservedMember, messages: readonly Message[], sequence: number): void {
    for (const message of messages) {
      for (const checker of this.#senders) checker.sending?.(member, message, sequence)
    }
  }

  persisted(member: ObservedMember, sequence: number): void {
    for (const checker of this.#all) checker.persisted?.(member, sequence)
    const delayed = this.#delayed.get(member.life) ?? []
    for (let first = delayed[0]; first !== undefined && first.sequence <= sequence;) {
      this.#sending(member, first.sendAfterPersist, first.sequence)
      delayed.shift()
      first = delayed[0]
    }
  }

  readAsked(member: ObservedMember, context: number): void {
    for (const checker of this.#all) checker.readAsked?.(member, context)
  }

  applied(member: ObservedMember, entry: AppliedEntry): void {
    for (const checker of this.#all) checker.applied?.(member, entry)
  }

  restored(member: ObservedMember, snapshot: Pick<SnapshotMeta, 'index'>): void {
    for (const checker of this.#all) checker.restored?.(member, snapshot)
  }

  called(operation: Operation): void {
    for (const checker of this.#all) checker.called?.(operation)
  }

  answered(operation: Operation): void {
    for (const checker of this.#all) checker.answered?.(operation)
  }

  refused(operation: Operation): void {
    for (const checker of this.#all) checker.refused?.(operation)
  }

  finished(end: EndOfRun): void {
    for (const checker of this.#all) checker.finished?.(end)
  }
}
