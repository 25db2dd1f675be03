// Votes (paper 5.2): a member gives one vote a term, over all of its lives; and whoever leads has a quorum of them.
import type { Message, NodeId, RaftStatus, Term } from '../../core/types.ts'
import { Violation, type Checker, type ObservedMember } from './checker.ts'
import { isQuorum } from './quorum.ts'

/** Who gets a vote with this message; a candidate that asks for votes has given itself one. */
export function givenVote(message: Message): NodeId | undefined {
  if (message.type === 'requestVote') return message.preVote ? undefined : message.from
  if (message.type !== 'requestVoteResult' || message.preVote || !message.granted) return undefined
  return message.to
}

export class Votes implements Checker {
  readonly property = 'one vote a term'
  /** By term and voter. */
  readonly #given = new Map<Term, Map<NodeId, NodeId>>()
  readonly #ledTerms = new Map<number, Term>()

  sending({ id }: ObservedMember, message: Message): void {
    const candidate = givenVote(message)
    if (candidate === undefined) return
    const votes = this.#given.get(message.term) ?? new Map<NodeId, NodeId>()
    this.#given.set(message.term, votes)
    const before = votes.get(id)
    votes.set(id, candidate)
    if (before === undefined || before === candidate) return
    const detail = `${id} votes for ${candidate} in term ${message.term}, and has voted for ${before}`
    throw new Violation(this.property, detail)
  }

  stepped({ id, life }: ObservedMember, { role, term, membership }: RaftStatus): void {
    if (role !== 'leader' || this.#ledTerms.get(life) === term) return
    this.#ledTerms.set(life, term)
    const voters = new Set([id])
    for (const [voter, candidate] of this.#given.get(term) ?? []) {
      if (candidate === id) voters.add(voter)
    }
    if (isQuorum(membership, (voter) => voters.has(voter))) return
    const detail = `${id} leads term ${term} with the votes of ${[...voters].join()} alone`
    throw new Violation(this.property, detail)
  }
}
