// The exchange of votes (Figure 2 "RequestVote RPC"; thesis 9.6 pre-vote): whom to ask, what to answer, who has won. Keeps: a vote, and the
// request of one, leaves only when it is durable.
import { assert } from './assert.ts'
import type { Ballot } from './ballot.ts'
import type { MembershipHistory } from './membership-history.ts'
import type { Outbox } from './outbox.ts'
import { voteOutcome, type VoteOutcome } from './quorum.ts'
import type { RaftLog } from './raft-log.ts'
import type { NodeId, RequestVote, Term } from './types.ts'

export interface VotingOptions {
  readonly id: NodeId
  readonly priority: number | undefined
  readonly ballot: Ballot
  readonly log: RaftLog
  readonly outbox: Outbox
  readonly memberships: MembershipHistory
}

export class Voting {
  readonly #options: VotingOptions
  /** Answers to the present campaign; the first one of each member counts. */
  #votes = new Map<NodeId, boolean>()

  constructor(options: VotingOptions) {
    this.#options = options
  }

  /** Asks every other voter for a pre-vote for the next term, or for a vote in this one. */
  request(kind: 'preVote' | 'vote', force: boolean): void {
    const { id, priority, ballot, log, outbox, memberships } = this.#options
    const preVote = kind === 'preVote'
    const term = preVote ? ballot.term + 1 : ballot.term
    const { voters, votersOutgoing } = memberships.current
    this.#votes = new Map()
    for (const to of new Set([...voters, ...votersOutgoing])) {
      if (to === id) continue
      const lastLog = { lastLogIndex: log.lastIndex, lastLogTerm: log.lastTerm }
      const address = { from: id, to, term }
      const kindOfVote = { preVote, force, ...(priority === undefined ? {} : { priority }) }
      const message: RequestVote = { type: 'requestVote', ...address, ...lastLog, ...kindOfVote }
      // The voter's answer stands for this log and this vote for oneself, so both must last.
      if (preVote) outbox.send(message)
      else outbox.sendAfterPersist(message)
    }
  }

  count(from: NodeId, granted: boolean): VoteOutcome {
    if (!this.#votes.has(from)) this.#votes.set(from, granted)
    return voteOutcome(this.#options.memberships.current, this.#votes)
  }

  /** Answers a request of this term, or of a later one if it is a pre-vote. Returns whether it gives the vote of this term. */
  answer(message: RequestVote, leader: NodeId | undefined): boolean {
    const { ballot, log } = this.#options
    const { from, term, preVote } = message
    const isFree = ballot.vote === undefined && leader === undefined
    const canVote = ballot.vote === from || isFree || (preVote && term > ballot.term)
    // Its log may be shorter than what it has acknowledged: it cannot tell whether the candidate's is long enough.
    const granted =
      !ballot.isRecovering && canVote && log.isUpToDate(message.lastLogIndex, message.lastLogTerm)
    assert(preVote || term === ballot.term, 'a vote is given in the own term')
    const isVote = granted && !preVote
    if (isVote) ballot.voteFor(from)
    this.#send(message, { term: granted ? term : ballot.term, granted })
    return isVote
  }

  refuse(message: RequestVote): void {
    this.#send(message, { term: this.#options.ballot.term, granted: false })
  }

  #send(message: RequestVote, answer: { readonly term: Term; readonly granted: boolean }): void {
    const { id, log, outbox } = this.#options
    const commit = log.commitIndex
    outbox.sendAfterPersist({
      type: 'requestVoteResult',
      from: id,
      to: message.from,
      term: answer.term,
      granted: answer.granted,
      preVote: message.preVote,
      commit,
      commitTerm: log.termAt(commit) ?? 0,
    })
  }
}
