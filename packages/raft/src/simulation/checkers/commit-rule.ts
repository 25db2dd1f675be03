// What counts as committed (paper 5.3, 5.4.2): a leader commits an entry of its own term that a quorum holds durably, and with it all before;
// everybody else learns of it from there, and of nothing more.
import type { LogIndex, Membership, NodeId, RaftStatus, Ready, Term } from '../../core/types.ts'
import { Violation, type Checker, type ObservedMember } from './checker.ts'
import { isQuorum } from './quorum.ts'

/** What a member has ever held durably. */
interface Holding {
  /** By index. */
  readonly terms: (Term | undefined)[]
  /** A snapshot stands for everything up to here. */
  snapshotIndex: LogIndex
}

export class CommitRule implements Checker {
  readonly property = 'commit rule'
  readonly #holdings = new Map<NodeId, Holding>()
  /** Handed out and not durable yet, by life. */
  readonly #flights = new Map<number, Ready[]>()
  /** The last status of each life. */
  readonly #steps = new Map<number, RaftStatus>()
  /** Of the entries that leaders have committed, by index: only where a commit index has stood. */
  readonly #committed = new Map<LogIndex, Term>()
  /** The last index that a leader has committed. */
  #committedIndex: LogIndex = 0

  started({ id, life, core }: ObservedMember): void {
    const status = core.status()
    const { firstIndex, lastIndex } = status
    const holding = this.#holding(id)
    holding.snapshotIndex = Math.max(holding.snapshotIndex, firstIndex - 1)
    for (let i = firstIndex; i <= lastIndex; i++) holding.terms[i] = core.log.termAt(i)
    this.#flights.set(life, [])
    this.#steps.set(life, status)
  }

  #holding(id: NodeId): Holding {
    const known = this.#holdings.get(id)
    if (known !== undefined) return known
    const holding: Holding = { terms: [], snapshotIndex: 0 }
    this.#holdings.set(id, holding)
    return holding
  }

  handingOut({ life }: ObservedMember, ready: Ready): void {
    if (ready.persist !== undefined) this.#flights.get(life)?.push(ready)
  }

  persisted({ id, life }: ObservedMember, sequence: number): void {
    const flights = this.#flights.get(life)
    if (flights === undefined) return
    const holding = this.#holding(id)
    for (let first = flights[0]; first !== undefined && first.sequence <= sequence;) {
      const { snapshot, entries = [] } = first.persist ?? {}
      holding.snapshotIndex = Math.max(holding.snapshotIndex, snapshot?.index ?? 0)
      for (const { index, term } of entries) holding.terms[index] = term
      flights.shift()
      first = flights[0]
    }
  }

  stepped(member: ObservedMember, status: RaftStatus): void {
    const { commitIndex } = status
    const before = this.#steps.get(member.life)
    this.#steps.set(member.life, status)
    if (commitIndex <= (before?.commitIndex ?? 0)) return
    const entryTerm = member.core.log.termAt(commitIndex)
    if (entryTerm === undefined) return
    // With the vote that makes a leader may come what the voter knows to be committed.
    const hasLed = before?.role === 'leader' && before.term === status.term
    if (status.role !== 'leader' || !hasLed) {
      this.#checkFollower(member, commitIndex, entryTerm)
      return
    }
    // A change of membership may have been applied in the same step.
    this.#checkLeader(status, entryTerm, [before.membership, status.membership])
  }

  #checkLeader(status: RaftStatus, entryTerm: Term, memberships: readonly Membership[]): void {
    const { id, commitIndex, term } = status
    const what = `${id}, leader of term ${term}, commits entry ${commitIndex}`
    if (entryTerm !== term) {
      throw new Violation(this.property, `${what}, which is of term ${entryTerm}`)
    }
    const isHeldBy = (holder: NodeId): boolean => {
      const { terms, snapshotIndex } = this.#holding(holder)
      return snapshotIndex >= commitIndex || terms[commitIndex] === term
    }
    const isCommitted = (membership: Membership): boolean =>
      isQuorum(membership, isHeldBy) && hasCopy(membership, isHeldBy)
    if (!memberships.some(isCommitted)) {
      const holders = [...this.#holdings.keys()].filter(isHeldBy)
      throw new Violation(this.property, `${what}, which only ${holders.join()} holds durably`)
    }
    this.#committed.set(commitIndex, term)
    this.#committedIndex = Math.max(this.#committedIndex, commitIndex)
  }

  #checkFollower({ id }: ObservedMember, commitIndex: LogIndex, term: Term): void {
    const committed = this.#committed.get(commitIndex) ?? term
    if (commitIndex <= this.#committedIndex && committed === term) return
    const detail = `${id} takes entry ${commitIndex} of term ${term} for committed`
    const known = `leaders have committed up to ${this.#committedIndex}`
    throw new Violation(this.property, `${detail}, ${known}`)
  }
}

/** Somebody who is no witness holds it, with its payload. */
function hasCopy(membership: Membership, isHeldBy: (id: NodeId) => boolean): boolean {
  const { voters, votersOutgoing, witnesses = [] } = membership
  const isCopy = (id: NodeId): boolean => !witnesses.includes(id) && isHeldBy(id)
  return voters.some(isCopy) || votersOutgoing.some(isCopy)
}
