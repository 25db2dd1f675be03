// Votes (paper 5.2, 5.4.1): a member gives one vote a term, over all of its lives, to a candidate whose log is as new as its own; and whoever
// leads has a quorum of them.
import type {
  Message,
  NodeId,
  RaftStatus,
  Ready,
  RequestVote,
  RequestVoteResult,
  Term,
} from '../../core/types.ts'
import { Violation, type Checker, type ObservedMember } from './checker.ts'
import { isQuorum } from './quorum.ts'

/** Who gets a vote with this message; a candidate that asks for votes has given itself one. */
export function givenVote(message: Message): NodeId | undefined {
  if (message.type === 'requestVote') return message.preVote ? undefined : message.from
  if (message.type !== 'requestVoteResult' || message.preVote || !message.granted) return undefined
  return message.to
}

export class Votes implements Checker {
  readonly property = 'votes'
  /** By term and voter. */
  readonly #given = new Map<Term, Map<NodeId, NodeId>>()
  readonly #ledTerms = new Map<number, Term>()
  /** The last request of each candidate. */
  readonly #asked = new Map<NodeId, RequestVote>()

  handingOut(member: ObservedMember, { persist, send, sendAfterPersist }: Ready): void {
    // What was appended after the vote is here too: then nobody can tell any more how long the log was.
    if (persist?.snapshot !== undefined || (persist?.entries.length ?? 0) > 0) return
    for (const message of [...send, ...sendAfterPersist]) {
      if (message.type === 'requestVoteResult') this.#checkLog(member, message)
    }
  }

  #checkLog({ id, core }: ObservedMember, message: RequestVoteResult): void {
    const candidate = givenVote(message)
    const asked = candidate === undefined ? undefined : this.#asked.get(candidate)
    if (asked === undefined || asked.term !== message.term) return
    const { lastLogIndex, lastLogTerm } = asked
    const { lastIndex } = core.status()
    const lastTerm = core.log.termAt(lastIndex) ?? 0
    if (lastLogTerm > lastTerm || (lastLogTerm === lastTerm && lastLogIndex >= lastIndex)) return
    const logs = `${lastLogIndex}/${lastLogTerm}, its own with ${lastIndex}/${lastTerm}`
    throw new Violation(this.property, `${id} votes for ${candidate}, whose log ends with ${logs}`)
  }

  sending({ id }: ObservedMember, message: Message): void {
    const candidate = givenVote(message)
    if (candidate === undefined) return
    if (message.type === 'requestVote') this.#asked.set(candidate, message)
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
