// When and how a member that does not lead campaigns (paper 5.2; thesis 9.6 pre-vote): the timeout, the two rounds of votes, and what ends a
// campaign. Keeps: a campaign is counted by one membership from its begin to its end.
import { assert } from './assert.ts'
import type { Ballot } from './ballot.ts'
import { ElectionTimer } from './election-timer.ts'
import type { VotePromise } from './lease.ts'
import type { MembershipHistory } from './membership-history.ts'
import { isVoter, isWitness } from './membership.ts'
import type { RaftLog } from './raft-log.ts'
import type { RaftConfig, RequestVote, RequestVoteResult, Role } from './types.ts'
import type { Voting } from './voting.ts'

/** Election timeouts without a leader for which a member of higher priority holds others back. Bounded, because it may never win itself. */
const priorityTimeouts = 3
/** Of a member that does not say. */
export const priorityDefault = 1

type CampaignRole = 'preCandidate' | 'candidate'

export interface CampaignHooks {
  /** The member follows nobody now. */
  readonly onCampaign: () => void
  readonly onWon: () => void
  /** Also when the membership changed meanwhile. */
  readonly onLost: () => void
}

export interface CandidacyOptions extends CampaignHooks {
  readonly config: RaftConfig
  readonly ballot: Ballot
  readonly log: RaftLog
  readonly memberships: MembershipHistory
  readonly voting: Voting
  readonly promise: VotePromise
}

export class Candidacy {
  readonly #options: CandidacyOptions
  readonly timer: ElectionTimer
  #role: CampaignRole | undefined
  #isSummoned = false
  #ticksWithoutLeader = 0
  /** Nothing becomes durable: neither this member's vote nor anything it would lead. */
  isDiskStalled = false

  constructor(options: CandidacyOptions) {
    this.#options = options
    this.timer = new ElectionTimer(options.config.electionTicks, options.config.random)
  }

  /** Of a member that does not lead. */
  get role(): Exclude<Role, 'leader'> {
    return this.#role ?? 'follower'
  }

  tick(): void {
    this.#ticksWithoutLeader++
    this.timer.tick()
    if (this.#priority === 0 || !this.timer.isExpired || this.#options.promise.isHeld) return
    this.campaign('preCandidate')
  }

  get #priority(): number {
    return this.#options.config.priority ?? priorityDefault
  }

  /** The leader wants this member to take over (thesis 3.10): at once, or when the change of membership is applied that came with it. */
  summon(): void {
    this.#isSummoned = true
    this.resume()
  }

  resume(): void {
    if (this.#isSummoned && this.#canCampaign()) this.campaign('candidate', true)
  }

  /** A leader was heard. */
  follow(): void {
    this.#isSummoned = false
    this.#ticksWithoutLeader = 0
    this.timer.touch()
  }

  #canCampaign(): boolean {
    const { config, ballot, log, memberships } = this.#options
    const { current } = memberships
    if (!isVoter(current, config.id) || isWitness(current, config.id)) return false
    // A change of membership that is committed but not applied yet could make this member's idea of a quorum a wrong one.
    return !this.isDiskStalled && !ballot.isRecovering && !log.hasUnappliedMembership()
  }

  /**
   * Whether this member would rather lead itself than grant this pre-vote: it is preferred, no worse in its log, and the others
   * have not yet waited long. It then tries at the next tick.
   */
  prefersItself({ preVote, priority, lastLogIndex, lastLogTerm }: RequestVote): boolean {
    const { config, log } = this.#options
    if (!preVote || (priority ?? priorityDefault) >= this.#priority || !this.#canCampaign())
      return false
    if (this.#ticksWithoutLeader >= priorityTimeouts * config.electionTicks) return false
    if (!log.isUpToDate(lastLogIndex, lastLogTerm)) return false
    if (lastLogIndex !== log.lastIndex || lastLogTerm !== log.lastTerm) return false
    if (this.#role === undefined) this.timer.expireSoon()
    return true
  }

  campaign(role: CampaignRole, force = false): void {
    const { config, ballot, voting, onCampaign } = this.#options
    // Who does not campaign leaves its timer as it is: drawn anew it would look as if a leader had been heard, and refuse votes.
    if (!this.#canCampaign()) return
    this.timer.draw()
    this.#isSummoned = false
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

  /**
   * What is committed is so in every term, and by log matching everything up to that entry is the same there. Without it a member that has yet to hear
   * that a change of membership is committed could ask those who left for votes that they will never give.
   */
  learnCommit({ commit, commitTerm }: RequestVoteResult): void {
    const { log } = this.#options
    if (log.matches(commit, commitTerm)) log.commitTo(commit)
    this.maybeStop()
  }

  answered(message: RequestVoteResult): void {
    const { preVote, granted, term } = message
    this.learnCommit(message)
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
    this.#isSummoned = false
    this.timer.draw()
  }
}
