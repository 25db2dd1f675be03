// Log matching (paper 5.3): if two logs hold an entry with the same index and term, they are equal in all entries up to it. By induction it
// is enough that such entries are equal and follow entries of the same term, in every log that ever was.
import { entryType, type Entry, type LogIndex, type Term } from '../../core/types.ts'
import { isSameBytes } from '../same-bytes.ts'
import { Violation, type Checker, type ObservedMember } from './checker.ts'

interface Known {
  readonly entry: Entry
  readonly prevTerm: Term | undefined
}

export class LogMatching implements Checker {
  readonly property = 'log matching'
  readonly #known = new Map<LogIndex, Map<Term, Known>>()

  started(member: ObservedMember): void {
    const { firstIndex, lastIndex } = member.core.status()
    const entries: Entry[] = []
    for (let index = firstIndex; index <= lastIndex; index++) {
      const entry = member.core.log.entryAt(index)
      if (entry !== undefined) entries.push(entry)
    }
    this.persisting(member, entries)
  }

  persisting(member: ObservedMember, entries: readonly Entry[]): void {
    const first = entries[0]
    if (first === undefined) return
    let prevTerm = member.core.log.termAt(first.index - 1)
    for (const entry of entries) {
      this.#check(member, entry, prevTerm)
      prevTerm = entry.term
    }
  }

  #check(member: ObservedMember, entry: Entry, prevTerm: Term | undefined): void {
    if (member.isWitness === true && entry.type === entryType.normal && entry.data.length > 0) {
      throw new Violation(this.property, `witness ${member.id} holds a payload at ${entry.index}`)
    }
    const terms = this.#known.get(entry.index) ?? new Map<Term, Known>()
    this.#known.set(entry.index, terms)
    const known = terms.get(entry.term)
    if (known === undefined) {
      // What a witness has shows no payload to compare with.
      if (member.isWitness === true) return
      terms.set(entry.term, { entry, prevTerm })
      return
    }
    const where = `entry ${entry.index} of term ${entry.term}`
    const isStripped = member.isWitness === true && entry.data.length === 0
    const isSame = isStripped || isSameBytes(known.entry.data, entry.data)
    if (known.entry.type !== entry.type || !isSame) {
      throw new Violation(this.property, `${where} on ${member.id} has another payload elsewhere`)
    }
    // Undefined where the entry before was compacted.
    if (prevTerm === undefined || known.prevTerm === undefined) return
    if (prevTerm !== known.prevTerm) {
      const terms = `${prevTerm}, elsewhere ${known.prevTerm}`
      throw new Violation(this.property, `${where} on ${member.id} follows term ${terms}`)
    }
  }
}
