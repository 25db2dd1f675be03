// Election safety (paper 5.2): at most one leader is elected in a term. A member that crashed and leads the same term again counts as two:
// it has forgotten its vote.
import type { RaftStatus, Term } from '../../core/types.ts'
import { Violation, type Checker, type ObservedMember } from './checker.ts'

export class ElectionSafety implements Checker {
  readonly property = 'election safety'
  readonly #leaders = new Map<Term, ObservedMember>()

  get electionCount(): number {
    return this.#leaders.size
  }

  stepped(member: ObservedMember, status: RaftStatus): void {
    if (status.role !== 'leader') return
    const known = this.#leaders.get(status.term)
    if (known === undefined) this.#leaders.set(status.term, member)
    else if (known.life !== member.life) {
      const detail = `${known.id} (life ${known.life}) and ${member.id} (life ${member.life})`
      throw new Violation(this.property, `${detail} lead term ${status.term}`)
    }
  }
}
