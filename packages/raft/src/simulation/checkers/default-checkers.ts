// All checkers behind one set of hooks.
import type { Entry, NodeId, SnapshotMeta } from '../../core/types.ts'
import type { AcknowledgedWrite, AppliedEntry, Checker, ObservedMember } from './checker.ts'
import { Durability } from './durability.ts'
import { ElectionSafety } from './election-safety.ts'
import { FreshReads } from './fresh-reads.ts'
import { LeaderAppendOnly } from './leader-append-only.ts'
import { LeaderCompleteness } from './leader-completeness.ts'
import { LogMatching } from './log-matching.ts'
import { StateMachineSafety } from './state-machine-safety.ts'

export class DefaultCheckers {
  readonly electionSafety: ElectionSafety = new ElectionSafety()
  readonly stateMachineSafety: StateMachineSafety = new StateMachineSafety()
  readonly durability: Durability = new Durability()
  readonly freshReads: FreshReads = new FreshReads()
  readonly #all: readonly Checker[] = [
    this.electionSafety,
    new LeaderAppendOnly(),
    new LogMatching(),
    new LeaderCompleteness(),
    this.stateMachineSafety,
    this.durability,
    this.freshReads,
  ]

  started(member: ObservedMember): void {
    for (const checker of this.#all) checker.started?.(member)
  }

  stepped(member: ObservedMember): void {
    const status = member.core.status()
    for (const checker of this.#all) checker.stepped?.(member, status)
  }

  persisting(member: ObservedMember, entries: readonly Entry[]): void {
    for (const checker of this.#all) checker.persisting?.(member, entries)
  }

  applied(member: ObservedMember, entry: AppliedEntry): void {
    for (const checker of this.#all) checker.applied?.(member, entry)
  }

  restored(member: ObservedMember, snapshot: Pick<SnapshotMeta, 'index'>): void {
    for (const checker of this.#all) checker.restored?.(member, snapshot)
  }

  acknowledged(write: AcknowledgedWrite): void {
    for (const checker of this.#all) checker.acknowledged?.(write)
  }

  refused(command: string): void {
    for (const checker of this.#all) checker.refused?.(command)
  }

  reading(): (appliedIndex: number) => void {
    const ends = this.#all.map((checker) => checker.reading?.())
    return (appliedIndex) => {
      for (const end of ends) end?.(appliedIndex)
    }
  }

  finished(commands: ReadonlyMap<NodeId, readonly string[]>): void {
    for (const checker of this.#all) checker.finished?.(commands)
  }
}
