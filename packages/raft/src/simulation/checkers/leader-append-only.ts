// Leader append-only (paper 5.3): a leader never overwrites or deletes entries in its log, it only appends.
import type { Entry, LogIndex, RaftStatus, Term } from '../../core/types.ts'
import { Violation, type Checker, type ObservedMember } from './checker.ts'

interface Seen {
  readonly term: Term
  readonly lastIndex: LogIndex
}

export class LeaderAppendOnly implements Checker {
  readonly property = 'leader append-only'
  readonly #seen = new Map<number, Seen>()
  readonly #written = new Map<number, Seen>()

  stepped(member: ObservedMember, status: RaftStatus): void {
    if (status.role !== 'leader') return
    const { term, lastIndex } = status
    const before = this.#seen.get(member.life)
    this.#seen.set(member.life, { term, lastIndex })
    if (before?.term === term && lastIndex < before.lastIndex) {
      throw new Violation(
        this.property,
        `leader ${member.id} of term ${term} cut its log from ${before.lastIndex} to ${lastIndex}`,
      )
    }
  }

  persisting(member: ObservedMember, entries: readonly Entry[]): void {
    const { role, term } = member.core.status()
    const first = entries[0]
    if (role !== 'leader' || first === undefined) return
    const before = this.#written.get(member.life)
    this.#written.set(member.life, { term, lastIndex: first.index + entries.length - 1 })
    if (before?.term === term && first.index !== before.lastIndex + 1) {
      throw new Violation(
        this.property,
        `leader ${member.id} of term ${term} wrote entry ${first.index} after ${before.lastIndex}`,
      )
    }
  }
}
