// Lease safety (thesis 6.4.1): as long as a leader answers reads by lease, nobody has been elected in a later term.
import type { RaftStatus, Ready, Term } from '../../core/types.ts'
import { Violation, type Checker, type ObservedMember } from './checker.ts'

export class LeaseSafety implements Checker {
  readonly property = 'lease safety'
  #highestLedTerm: Term = 0
  #readCount = 0

  /** Reads answered by lease. */
  get readCount(): number {
    return this.#readCount
  }

  stepped(_member: ObservedMember, { role, term }: RaftStatus): void {
    if (role === 'leader') this.#highestLedTerm = Math.max(this.#highestLedTerm, term)
  }

  handingOut({ id, core }: ObservedMember, { reads }: Ready): void {
    const count = reads.filter(({ byLease }) => byLease === true).length
    if (count === 0) return
    this.#readCount += count
    const { term } = core.status()
    if (term >= this.#highestLedTerm) return
    const later = `term ${this.#highestLedTerm} has a leader`
    throw new Violation(this.property, `${id} reads by its lease of term ${term}, and ${later}`)
  }
}
