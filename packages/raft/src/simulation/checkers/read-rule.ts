// Read rule (thesis 6.4): a read that is asked of the leader of a term when somebody has been elected in a later one gets no answer; and as long as
// a leader answers reads by lease (6.4.1), nobody has been elected in a later term.
import type { RaftStatus, Ready, Term } from '../../core/types.ts'
import { Violation, type Checker, type ObservedMember } from './checker.ts'

export class ReadRule implements Checker {
  readonly property = 'read rule'
  /** By life and context: why a read must get no answer. */
  readonly #hopeless = new Map<string, string>()
  #highestLedTerm: Term = 0
  #readCount = 0

  /** Reads answered by lease. */
  get readCount(): number {
    return this.#readCount
  }

  stepped(_member: ObservedMember, { role, term }: RaftStatus): void {
    if (role === 'leader') this.#highestLedTerm = Math.max(this.#highestLedTerm, term)
  }

  readAsked({ id, life, core }: ObservedMember, context: number): void {
    const { term } = core.status()
    if (term >= this.#highestLedTerm) return
    const later = `term ${this.#highestLedTerm} had a leader when it was asked`
    this.#hopeless.set(
      `${life} ${context}`,
      `a read of ${id} is answered in term ${term}, and ${later}`,
    )
  }

  handingOut(member: ObservedMember, ready: Ready): void {
    for (const { context, index } of ready.reads) {
      const key = `${member.life} ${context}`
      const reason = this.#hopeless.get(key)
      this.#hopeless.delete(key)
      if (reason !== undefined && index !== undefined) throw new Violation(this.property, reason)
    }
    this.#checkLease(member, ready)
  }

  #checkLease({ id, core }: ObservedMember, { reads }: Ready): void {
    const count = reads.filter(({ byLease }) => byLease === true).length
    if (count === 0) return
    this.#readCount += count
    const { term } = core.status()
    if (term >= this.#highestLedTerm) return
    const later = `term ${this.#highestLedTerm} has a leader`
    throw new Violation(this.property, `${id} reads by its lease of term ${term}, and ${later}`)
  }
}
