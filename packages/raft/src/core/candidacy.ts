// When and how a member that does not lead campaigns (paper 5.2; thesis 9.6 pre-vote): the timeout, the two rounds of votes, and what ends a
// campaign. Keeps: a campaign is counted by one membership from its begin to its end.
import { assert } from './assert.ts'
import type { Ballot } from './ballot.ts'
import { ElectionTimer } from './election-timer.ts'
import type { MembershipHistory } from './membership-history.ts'
import { isVoter } from './membership.ts'
import type { RaftLog } from './raft-log.ts'
import type { RaftConfig, RequestVoteResult, Role } from './types.ts'
import type { Voting } from './voting.ts'

type CampaignRole = 'preCandidate' | 'candidate'

export interface CandidacyOptions {
  readonly config: RaftConfig
  readonly ballot: Ballot
  readonly log: RaftLog
  readonly memberships: MembershipHistory
  readonly voting: Voting
  /** The member follows nobody now. */
  readonly onCampaign: () => void
  readonly onWon: () => void
  /** Also when the membership changed meanwhile. */
  readonly onLost: () => void
}

export class Candidacy {
  readonly #options: CandidacyOptions
  readonly timer: ElectionTimer
  #role: CampaignRole | undefined

  constructor(options: CandidacyOptions) {
    this.#options = options
    this.timer = new ElectionTimer(options.config.electionTicks, options.config.random)
  }

  /** Of a member that does not lead. */
  get role(): Exclude<Role, 'leader'> {
    return this.#role ?? 'follower'
  }

  tick(): void {
    this.timer.tick()
    if (this.timer.isExpired) this.campaign('preCandidate')
  }

  campaign(role: CampaignRole, force = false): void {
    const { config, ballot, log, memberships, voting, onCampaign } = this.#options
    if (ballot.isRecovering) return
    // A change of membership that is committed but not applied yet could make this member's idea of a quorum a wrong one.
    // Who does not campaign leaves its timer as it is: drawn anew it would look as if a leader had been heard, and refuse votes.
    if (!isVoter(memberships.current, config.id) || log.hasUnappliedMembership()) return
    this.timer.draw()
    this.#role = role
    onCampaign()
    if (role === 'candidate') {
      ballot.campaign()
      voting.request('vote', force)
      return
    }
    voting.request('preVote', force)
    // Thesis 9.6: a pre-vote promises nothing, so it does not wait for the disk.
    this.#count(config.id, true)
  }

  #count(...vote: Parameters<Voting['count']>): void {
    assert(this.#role !== undefined, 'votes are counted in a campaign')
    const outcome = this.#options.voting.count(...vote)
    if (outcome === 'pending') return
    if (outcome === 'lost') this.#options.onLost()
    else if (this.#role === 'preCandidate') this.campaign('candidate')
    else this.#options.onWon()
  }

  /** The vote for oneself is durable. */
  voted(): void {
    if (this.#role === 'candidate') this.#count(this.#options.config.id, true)
  }

  answered(message: RequestVoteResult): void {
    const { preVote, granted, term } = message
    this.maybeStop()
    if (this.#role !== (preVote ? 'preCandidate' : 'candidate')) return
    // A granted pre-vote of an earlier campaign says nothing about this one's term.
    if (preVote && granted && term !== this.#options.ballot.term + 1) return
    this.#count(message.from, granted)
  }

  /** Votes are counted by one membership: a campaign does not go on over a change of it. */
  maybeStop(): void {
    if (this.#role !== undefined && this.#options.log.hasUnappliedMembership()) {
      this.#options.onLost()
    }
  }

  /** The member leads, or follows: a new timeout for the next time. */
  end(): void {
    this.#role = undefined
    this.timer.draw()
  }
}
