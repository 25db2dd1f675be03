// All checkers behind one set of hooks.
import type { Ready, SnapshotMeta } from '../../core/types.ts'
import type { Specification } from '../workload.ts'
import type { AppliedEntry, Checker, EndOfRun, ObservedMember } from './checker.ts'
import { Durability } from './durability.ts'
import { ElectionSafety } from './election-safety.ts'
import { FreshReads } from './fresh-reads.ts'
import { History, type Operation } from './history.ts'
import { LeaderAppendOnly } from './leader-append-only.ts'
import { LeaderCompleteness } from './leader-completeness.ts'
import { Linearizability } from './linearizability.ts'
import { LogMatching } from './log-matching.ts'
import { MembershipSafety } from './membership-safety.ts'
import { RecoveredState } from './recovered-state.ts'
import { RecoveringMembers } from './recovering-members.ts'
import { StateMachineSafety } from './state-machine-safety.ts'

export class DefaultCheckers {
  readonly history: History = new History()
  readonly electionSafety: ElectionSafety = new ElectionSafety()
  readonly stateMachineSafety: StateMachineSafety = new StateMachineSafety()
  readonly durability: Durability = new Durability()
  readonly freshReads: FreshReads = new FreshReads()
  readonly membershipSafety: MembershipSafety = new MembershipSafety()
  readonly recoveringMembers: RecoveringMembers = new RecoveringMembers()
  readonly #all: readonly Checker[]

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
      new Linearizability(this.history, specification),
    ]
  }

  started(member: ObservedMember): void {
    for (const checker of this.#all) checker.started?.(member)
  }

  stepped(member: ObservedMember): void {
    const status = member.core.status()
    for (const checker of this.#all) checker.stepped?.(member, status)
  }

  handingOut(member: ObservedMember, ready: Ready): void {
    for (const checker of this.#all) checker.handingOut?.(member, ready)
    const entries = ready.persist?.entries ?? []
    if (entries.length === 0) return
    for (const checker of this.#all) checker.persisting?.(member, entries)
  }

  persisted(member: ObservedMember, sequence: number): void {
    for (const checker of this.#all) checker.persisted?.(member, sequence)
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
