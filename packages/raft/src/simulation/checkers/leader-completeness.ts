// Leader completeness (paper 5.4): an entry committed in a term is in the logs of the leaders of all higher terms.
import type { LogIndex, RaftStatus, Term } from '../../core/types.ts'
import { Violation, type Checker, type ObservedMember } from './checker.ts'

interface Committed {
  readonly entryTerm: Term
  /** The lowest term of a member that knew it to be committed. */
  inTerm: Term
}

export class LeaderCompleteness implements Checker {
  readonly property = 'leader completeness'
  readonly #committed: (Committed | undefined)[] = []
  readonly #commitIndexes = new Map<number, LogIndex>()
  readonly #ledTerms = new Map<number, Term>()

  stepped(member: ObservedMember, status: RaftStatus): void {
    this.#collect(member, status)
    if (status.role !== 'leader' || this.#ledTerms.get(member.life) === status.term) return
    this.#ledTerms.set(member.life, status.term)
    for (let index = status.firstIndex; index < this.#committed.length; index++) {
      this.#check(member, status, index)
    }
  }

  #collect(member: ObservedMember, status: RaftStatus): void {
    const seen = this.#commitIndexes.get(member.life) ?? 0
    if (status.commitIndex === seen) return
    this.#commitIndexes.set(member.life, status.commitIndex)
    for (let index = Math.max(seen + 1, status.firstIndex); index <= status.commitIndex; index++) {
      const entryTerm = member.core.log.termAt(index)
      const known = this.#committed[index]
      if (known !== undefined) known.inTerm = Math.min(known.inTerm, status.term)
      else if (entryTerm !== undefined) {
        this.#committed[index] = { entryTerm, inTerm: status.term }
      }
    }
  }

  #check(member: ObservedMember, status: RaftStatus, index: LogIndex): void {
    const committed = this.#committed[index]
    // A leader of an older term may learn late that it leads.
    if (committed === undefined || committed.inTerm > status.term) return
    const term = member.core.log.termAt(index)
    if (term === committed.entryTerm) return
    const holds = term === undefined ? 'holds nothing' : `holds one of term ${term}`
    throw new Violation(
      this.property,
      `leader ${member.id} of term ${status.term} ${holds} at index ${index}, ` +
        `where an entry of term ${committed.entryTerm} is committed`,
    )
  }
}
