// State machine safety (paper 5.4.3): no two members apply different entries at the same index; and each member applies every index once,
// in order. In the end all hold the state that follows from these entries and nothing else.
import type { LogIndex, SnapshotMeta } from '../../core/types.ts'
import {
  Violation,
  type AppliedEntry,
  type Checker,
  type EndOfRun,
  type ObservedMember,
} from './checker.ts'

export class StateMachineSafety implements Checker {
  readonly property = 'state machine safety'
  readonly #entries: (AppliedEntry | undefined)[] = []
  readonly #appliedIndexes = new Map<number, LogIndex>()

  get commitCount(): number {
    return Math.max(0, this.#entries.length - 1)
  }

  /** Everything that was ever applied, in order. */
  log(): readonly AppliedEntry[] {
    return this.#entries.slice(1).map((entry, i) => {
      if (entry !== undefined) return entry
      throw new Violation(this.property, `nobody was seen to apply entry ${i + 1}`)
    })
  }

  started(member: ObservedMember): void {
    const { appliedIndex } = member.core.status()
    this.#appliedIndexes.set(member.life, Math.max(appliedIndex, member.heldIndex ?? 0))
  }

  restored(member: ObservedMember, snapshot: Pick<SnapshotMeta, 'index'>): void {
    const applied = this.#appliedIndexes.get(member.life) ?? 0
    if (snapshot.index < applied) {
      const detail = `${member.id} went back from ${applied} to a snapshot at ${snapshot.index}`
      throw new Violation(this.property, detail)
    }
    this.#appliedIndexes.set(member.life, snapshot.index)
  }

  applied(member: ObservedMember, entry: AppliedEntry): void {
    const expected = (this.#appliedIndexes.get(member.life) ?? 0) + 1
    if (entry.index !== expected) {
      const detail = `${member.id} applied index ${entry.index} where ${expected} was next`
      throw new Violation(this.property, detail)
    }
    this.#appliedIndexes.set(member.life, entry.index)
    const known = this.#entries[entry.index]
    if (known === undefined) this.#entries[entry.index] = entry
    else if (known.term !== entry.term || known.checksum !== entry.checksum) {
      const terms = `of term ${entry.term}, another member one of term ${known.term}`
      throw new Violation(this.property, `${member.id} applied at ${entry.index} an entry ${terms}`)
    }
  }

  finished({ states, replayed }: EndOfRun): void {
    for (const [id, state] of states) {
      if (state === replayed) continue
      const difference = `${state.slice(0, 200)}\nbut the log leads to\n${replayed.slice(0, 200)}`
      throw new Violation(this.property, `the state of ${id} is\n${difference}`)
    }
  }
}
