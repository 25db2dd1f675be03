// What a member finds when it starts is not older than what it had been told is durable: its term, its vote and its log. (Figure 2, "updated
// on stable storage before responding"; a promise may have left that depends on it.) A member that knows it may have lost entries is excused for them.
import type { Entry, HardState, LogIndex, Message, NodeId, Ready, Term } from '../../core/types.ts'
import { Violation, type Checker, type ObservedMember } from './checker.ts'
import { givenVote } from './votes.ts'

interface Durable {
  hardState: Pick<HardState, 'term' | 'vote'>
  lastIndex: LogIndex
  /** By index; undefined where a snapshot took its place. */
  terms: (Term | undefined)[]
  /** Handed out, and not yet reported durable. */
  flights: Ready[]
}

export class RecoveredState implements Checker {
  readonly property = 'what was durable is there again'
  readonly #members = new Map<NodeId, Durable>()

  started(member: ObservedMember): void {
    const durable = this.#members.get(member.id)
    const { term, vote, firstIndex, lastIndex } = member.core.status()
    if (durable !== undefined) {
      this.#checkBallot(member, durable)
      const isExcused = member.restored.hardState.isRecovering === true || member.hasLostWrite
      if (isExcused !== true) this.#checkLog(member, durable)
    }
    const terms: (Term | undefined)[] = []
    for (let i = firstIndex - 1; i <= lastIndex; i++) terms[i] = member.core.log.termAt(i)
    this.#members.set(member.id, { hardState: { term, vote }, lastIndex, terms, flights: [] })
  }

  #checkBallot({ id, core }: ObservedMember, { hardState }: Durable): void {
    const { term, vote } = core.status()
    const isVoteKept = term > hardState.term || hardState.vote === undefined
    if (term >= hardState.term && (isVoteKept || vote === hardState.vote)) return
    const found = `term ${term} and vote ${vote}`
    const detail = `${id} started with ${found} after term ${hardState.term} and vote ${hardState.vote}`
    throw new Violation(this.property, detail)
  }

  #checkLog({ id, core }: ObservedMember, durable: Durable): void {
    const { firstIndex, lastIndex } = core.status()
    // What was on its way to the disk may have taken the place of what was there, or not.
    const starts = durable.flights.flatMap(({ persist }) => {
      const first = persist?.entries[0]
      const snapshots = persist?.snapshot === undefined ? [] : [persist.snapshot.index]
      return first === undefined ? snapshots : [...snapshots, first.index - 1]
    })
    const promised = Math.min(durable.lastIndex, ...starts)
    if (lastIndex < promised) {
      const detail = `${id} started with a log up to ${lastIndex}, durable was ${promised}`
      throw new Violation(this.property, detail)
    }
    for (let i = firstIndex; i <= promised; i++) {
      const wanted = durable.terms[i]
      const found = core.log.termAt(i)
      if (wanted === undefined || found === wanted) continue
      const detail = `${id} started with entry ${i} of term ${found}, durable was one of term ${wanted}`
      throw new Violation(this.property, detail)
    }
  }

  handingOut(member: ObservedMember, ready: Ready): void {
    if (ready.persist !== undefined) this.#members.get(member.id)?.flights.push(ready)
  }

  persisted(member: ObservedMember, sequence: number): void {
    const durable = this.#members.get(member.id)
    if (durable === undefined) return
    const done = durable.flights.filter((ready) => ready.sequence <= sequence)
    durable.flights = durable.flights.filter((ready) => ready.sequence > sequence)
    for (const { persist } of done) {
      if (persist?.snapshot !== undefined) {
        durable.terms = []
        durable.lastIndex = persist.snapshot.index
      }
      this.#append(durable, persist?.entries ?? [])
      // What only moves the commit index may still be lost.
      if (persist?.mustSync === true) durable.hardState = persist.hardState ?? durable.hardState
    }
  }

  /** A promise depends on all that was handed out before it, whether the disk has said so or not. */
  sending(member: ObservedMember, message: Message, sequence: number): void {
    const vote = givenVote(message)
    const isAck = message.type === 'appendEntriesResult' && !message.rejected
    if (vote === undefined && !isAck) return
    this.persisted(member, sequence)
    const durable = this.#members.get(member.id)
    if (durable === undefined || vote === undefined) return
    if (message.term >= durable.hardState.term) durable.hardState = { term: message.term, vote }
  }

  #append(durable: Durable, entries: readonly Entry[]): void {
    for (const { index, term } of entries) {
      durable.terms[index] = term
      durable.lastIndex = index
    }
  }
}
