// One member of the consensus (Raft paper and thesis): roles, terms and votes, and who gets which message. What a leader does is in
// leadership.ts, when it campaigns in candidacy.ts, what a follower's log does in follower.ts. Keeps: one vote a term, nothing promised before it is durable.
import { assert, assertNever } from './assert.ts'
import type { Ballot } from './ballot.ts'
import type { Candidacy } from './candidacy.ts'
import { makeCoreParts } from './core-parts.ts'
import type { Follower } from './follower.ts'
import type { ForwardedReads } from './forwarded-reads.ts'
import { Leadership } from './leadership.ts'
import type { VotePromise } from './lease.ts'
import { maybeChangeByItself, proposeChange } from './membership-change.ts'
import { isMember, isSoleVoter, isVoter } from './membership.ts'
import type { MembershipHistory } from './membership-history.ts'
import type { Outbox } from './outbox.ts'
import type { RaftLog } from './raft-log.ts'
import type { Recovery } from './recovery.ts'
import {
  type Core,
  type Entry,
  type InstallSnapshot,
  type LogIndex,
  type Membership,
  type Message,
  type NodeId,
  type Persist,
  type ProposeOutcome,
  type RaftConfig,
  type RaftStatus,
  type Ready,
  type RequestVote,
  type RestoredState,
  type Role,
  type Term,
} from './types.ts'
import type { Voting } from './voting.ts'

export class RaftCore implements Core {
  readonly #config: RaftConfig
  readonly #id: NodeId
  readonly #log: RaftLog
  readonly #outbox: Outbox
  readonly #forwardedReads: ForwardedReads
  readonly #ballot: Ballot
  readonly #memberships: MembershipHistory
  readonly #voting: Voting
  readonly #follower: Follower
  readonly #recovery: Recovery
  readonly #candidacy: Candidacy
  readonly #promise: VotePromise
  #leader: NodeId | undefined
  #leadership: Leadership | undefined
  #sequence = 0
  #persistedSequence = 0
  #proposeSequence: number

  constructor(config: RaftConfig, restored: RestoredState) {
    const { snapshot, appliedIndex } = restored
    assert(config.heartbeatTicks < config.electionTicks, 'heartbeats come before an election')
    assert(appliedIndex >= snapshot.index, 'the state machine holds the snapshot')
    this.#config = config
    this.#id = config.id
    const parts = makeCoreParts(config, restored, {
      onCampaign: () => {
        assert(this.#leadership === undefined, 'a leader does not campaign')
        this.#setLeader(undefined)
      },
      onWon: () => {
        this.#becomeLeader()
      },
      onLost: () => {
        this.#becomeFollower(this.#term, undefined)
      },
    })
    this.#ballot = parts.ballot
    this.#log = parts.log
    this.#outbox = parts.outbox
    this.#memberships = parts.memberships
    this.#voting = parts.voting
    this.#follower = parts.follower
    this.#recovery = parts.recovery
    this.#forwardedReads = parts.forwardedReads
    this.#promise = parts.promise
    this.#proposeSequence = parts.proposeSequence
    this.#candidacy = parts.candidacy
    // Nobody else can lead: there is nothing to wait for.
    if (isSoleVoter(this.#membership, config.id)) this.#candidacy.timer.expireSoon()
  }

  get #role(): Role {
    return this.#leadership === undefined ? this.#candidacy.role : 'leader'
  }

  get #term(): Term {
    return this.#ballot.term
  }

  get #membership(): Membership {
    return this.#memberships.current
  }

  tick(): void {
    this.#forwardedReads.tick()
    this.#recovery.tick()
    if (this.#leadership !== undefined) {
      // Thesis 6.2: a leader without a quorum must not keep its clients waiting.
      if (!this.#leadership.tick()) this.#becomeFollower(this.#term, undefined)
      else maybeChangeByItself(this.#leadership, this.#membership)
      return
    }
    this.#candidacy.tick()
  }

  #becomeLeader(): void {
    assert(this.#role === 'candidate', 'only a candidate becomes leader')
    this.#candidacy.end()
    this.#setLeader(this.#id)
    this.#leadership = new Leadership({
      config: this.#config,
      term: this.#term,
      membership: this.#membership,
      log: this.#log,
      outbox: this.#outbox,
      snapshotMembership: () => this.#memberships.oldest,
    })
    this.#leadership.diskStalled(this.#candidacy.isDiskStalled)
    maybeChangeByItself(this.#leadership, this.#membership)
  }

  #becomeFollower(term: Term, leader: NodeId | undefined): void {
    this.#ballot.enter(term)
    this.#leadership?.abandonReads()
    this.#leadership = undefined
    this.#candidacy.end()
    this.#setLeader(leader)
  }

  /** Reads forwarded to another leader must be asked again. */
  #setLeader(leader: NodeId | undefined): void {
    if (this.#leader === leader) return
    this.#leader = leader
    this.#forwardedReads.abandon()
  }

  step(message: Message): void {
    assert(message.to === this.#id, 'a message is for the member that gets it')
    assert(message.from !== this.#id, 'a member hears of itself only from its disk')
    if (message.term < this.#term) {
      this.#answerOldTerm(message)
      return
    }
    if (message.type === 'requestVote' && !message.force && this.#holdsBack(message)) return
    if (message.term > this.#term) this.#enterTermOf(message)
    this.#dispatch(message)
  }

  /** Whether a candidate that nobody has asked to campaign gets no vote here, whatever its log. */
  #holdsBack(message: RequestVote): boolean {
    if (this.#promise.isHeld) return true
    // Thesis 4.2.3: who hears a leader lets nobody disturb it.
    if (message.term > this.#term && this.#hearsLeader()) return true
    if (!this.#candidacy.prefersItself(message)) return false
    this.#voting.refuse(message)
    return true
  }

  /** Figure 2, "all servers": a newer term makes a follower. */
  #enterTermOf(message: Message): void {
    const { type } = message
    // A pre-vote, asked or granted, carries a term that nobody has entered yet.
    if (type === 'requestVote' && message.preVote) return
    if (type === 'requestVoteResult' && message.preVote && message.granted) return
    const isLeader = type === 'appendEntries' || type === 'heartbeat'
    this.#becomeFollower(message.term, isLeader ? message.from : undefined)
  }

  #hearsLeader(): boolean {
    if (this.#leadership !== undefined) return true
    return this.#leader !== undefined && this.#candidacy.timer.isFresh
  }

  #answerOldTerm(message: Message): void {
    if (message.type === 'requestVote') {
      this.#voting.refuse(message)
    } else if (message.type === 'appendEntries' || message.type === 'heartbeat') {
      this.#follower.refuseOldLeader(message.from)
    } else if (message.type === 'requestVoteResult' && this.#leadership === undefined) {
      this.#candidacy.learnCommit(message)
    }
  }

  #dispatch(message: Message): void {
    switch (message.type) {
      case 'requestVote':
        if (this.#voting.answer(message, this.#leader)) this.#candidacy.timer.touch()
        return
      case 'requestVoteResult':
        // A leader counts for itself what is committed; a late vote must not move its commit index behind its back.
        if (this.#leadership === undefined) this.#candidacy.answered(message)
        return
      case 'appendEntries':
        this.#follow(message.from)
        return this.#follower.appendEntries(message)
      case 'appendEntriesResult':
        return this.#leadership?.appendEntriesResult(message)
      case 'heartbeat':
        this.#follow(message.from)
        return this.#follower.heartbeat(message)
      case 'heartbeatResult':
        return this.#leadership?.heartbeatResult(message)
      case 'installSnapshot':
        return this.#onInstallSnapshot(message)
      case 'timeoutNow':
        if (this.#leader === message.from) this.#candidacy.summon()
        return
      case 'propose':
        return this.#leadership?.proposeForwarded(message)
      case 'readIndex':
        this.#leadership?.readIndex({ from: message.from, context: message.context })
        return
      case 'readIndexResult':
        return this.#forwardedReads.answered(message)
      case 'recoverRequest':
        return this.#leadership?.recover(message)
      case 'recoverResult':
        return this.#recovery.answered(message)
      default:
        return assertNever(message)
    }
  }

  /** A message that only the leader of this term sends. */
  #follow(leader: NodeId): void {
    assert(this.#role !== 'leader', 'a term has one leader')
    assert(
      this.#leader === undefined || this.#leader === leader,
      'the leader of a term does not change',
    )
    if (this.#role === 'follower') {
      this.#setLeader(leader)
    } else this.#becomeFollower(this.#term, leader)
    this.#candidacy.follow()
    this.#recovery.heard(leader)
  }

  /** The snapshot is on this member's disk; only committed entries are in one, so it does not matter who leads by now. */
  #onInstallSnapshot(message: InstallSnapshot): void {
    if (this.#role === 'leader') return
    if (this.#leader === message.from) this.#candidacy.timer.touch()
    if (this.#follower.installSnapshot(message)) {
      this.#becomeFollower(this.#term, this.#leader)
      this.#memberships.restore(message.snapshot)
      this.#log.evict()
    }
    this.#candidacy.maybeStop()
  }

  propose(payloads: readonly Uint8Array[]): ProposeOutcome {
    const leadership = this.#leadership
    if (leadership !== undefined) {
      if (leadership.transferee !== undefined) return { accepted: false, reason: 'transferring' }
      if (!leadership.propose(payloads)) return { accepted: false, reason: 'overloaded' }
      return { accepted: true, term: this.#term }
    }
    if (!isMember(this.#membership, this.#id)) return { accepted: false, reason: 'notMember' }
    if (this.#leader === undefined) return { accepted: false, reason: 'noLeader' }
    const address = { from: this.#id, to: this.#leader, term: this.#term }
    const sequence = this.#proposeSequence++
    this.#outbox.send({ type: 'propose', ...address, sequence, payloads })
    return { accepted: true, term: this.#term }
  }

  proposeMembership(membership: Membership): ProposeOutcome {
    if (this.#leadership === undefined) return { accepted: false, reason: 'noLeader' }
    return proposeChange(this.#leadership, this.#membership, membership)
  }

  applyMembership(membership: Membership): void {
    if (!this.#memberships.apply(membership)) return
    this.#log.evict()
    if (this.#leadership === undefined) return
    if (isVoter(membership, this.#id)) return this.#leadership.applyMembership(membership)
    // Thesis 4.2.2: a leader that is not a voter any more steps down once the change is committed.
    this.#leadership.resign(membership)
    this.#becomeFollower(this.#term, undefined)
  }

  readIndex(context: number): void {
    if (this.#leadership === undefined) {
      this.#forwardedReads.ask(context, this.#leader, this.#term)
    } else if (!this.#leadership.readIndex({ from: undefined, context })) {
      this.#forwardedReads.refuse(context)
    }
  }

  transferLeadership(to: NodeId | undefined): void {
    this.#leadership?.transfer(to)
  }

  diskStalled(isStalled: boolean): void {
    this.#candidacy.isDiskStalled = isStalled
    this.#leadership?.diskStalled(isStalled)
  }

  hasReady(): boolean {
    return (
      !this.#outbox.isEmpty ||
      this.#log.hasUnhanded() ||
      this.#log.hasUnapplied() ||
      this.#leadership?.hasWork === true ||
      this.#ballot.isChangedSince(this.#log.commitIndex)
    )
  }

  ready(): Ready {
    this.#leadership?.broadcast()
    const sequence = ++this.#sequence
    const persist = this.#handOut(sequence)
    const apply = this.#log.nextApply()
    this.#memberships.handOut(apply)
    return { sequence, persist, ...this.#outbox.take(), apply }
  }

  #handOut(sequence: number): Persist | undefined {
    const mustSync = this.#ballot.isChanged || this.#log.hasUnhanded()
    const { snapshot, entries } = this.#log.handOut(sequence)
    const hardState = this.#ballot.handOut(sequence, this.#log.commitIndex)
    if (hardState === undefined && !mustSync) return undefined
    return { snapshot, entries, hardState, mustSync }
  }

  persisted(sequence: number): void {
    const isNext = this.#persistedSequence <= sequence && sequence <= this.#sequence
    assert(isNext, 'Readys that were taken become durable in order')
    this.#persistedSequence = sequence
    if (this.#log.persisted(sequence)) this.#leadership?.persisted()
    this.#recovery.check()
    if (this.#ballot.persisted(sequence)) this.#candidacy.voted()
  }

  applied(index: LogIndex): void {
    this.#log.appliedTo(index)
    if (this.#leadership !== undefined) maybeChangeByItself(this.#leadership, this.#membership)
    else this.#candidacy.resume()
  }

  reportUnreachable(id: NodeId): void {
    this.#leadership?.unreachable(id)
  }

  reportSnapshot(id: NodeId, succeeded: boolean): void {
    this.#leadership?.snapshotReported(id, succeeded)
  }

  fetched(to: NodeId, entries: readonly Entry[] | undefined): void {
    this.#leadership?.fetched(to, entries)
  }

  compact(index: LogIndex): void {
    this.#log.compact(index)
    this.#memberships.compact(this.#log.firstIndex - 1)
  }

  election(): Pick<RaftStatus, 'term' | 'vote' | 'leader'> {
    return { term: this.#term, vote: this.#ballot.vote, leader: this.#leader }
  }

  status(): RaftStatus {
    return {
      id: this.#id,
      role: this.#role,
      ...this.election(),
      isRecovering: this.#recovery.isActive,
      ...this.#log.status(),
      membership: this.#membership,
      progress: this.#leadership?.progress() ?? [],
    }
  }

  /** For checkers. */
  get log(): Pick<RaftLog, 'entryAt' | 'termAt'> {
    return this.#log
  }

  verify(): void {
    this.#log.verify()
    this.#leadership?.verify()
    const isLeader = this.#role === 'leader'
    assert(isLeader === (this.#leader === this.#id), 'a leader knows that it leads')
    const mayWin = isLeader || this.#role === 'candidate'
    assert(!mayWin || this.#ballot.vote === this.#id, 'who leads or may win votes for itself')
    assert(!mayWin || !this.#recovery.isActive, 'a recovering member does not campaign')
    assert(this.#log.lastTerm <= this.#term, 'the term is as new as the log')
    this.#ballot.verify(this.#log.commitIndex)
    this.#memberships.verify()
  }
}
