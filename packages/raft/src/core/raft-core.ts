// One member of the consensus (Raft paper and thesis): roles, terms and votes, and who gets which message. What a leader does is in
// leadership.ts, what a follower's log does in follower.ts. Keeps: one vote a term, nothing promised before it is durable.
import { assert, assertNever } from './assert.ts'
import { Ballot } from './ballot.ts'
import { ElectionTimer } from './election-timer.ts'
import { Follower } from './follower.ts'
import { ForwardedReads, numbersStartMax } from './forwarded-reads.ts'
import { Leadership } from './leadership.ts'
import { maybeLeaveJoint, proposeChange } from './membership-change.ts'
import { isMember, isSoleVoter, isVoter } from './membership.ts'
import { knownCommitted, MembershipHistory } from './membership-history.ts'
import { Outbox } from './outbox.ts'
import { RaftLog } from './raft-log.ts'
import {
  type Core,
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
  type RequestVoteResult,
  type RestoredState,
  type Role,
  type Term,
} from './types.ts'
import { Voting } from './voting.ts'

export class RaftCore implements Core {
  readonly #config: RaftConfig
  readonly #id: NodeId
  readonly #log: RaftLog
  readonly #outbox = new Outbox()
  readonly #timer: ElectionTimer
  readonly #forwardedReads: ForwardedReads
  readonly #ballot: Ballot
  readonly #memberships: MembershipHistory
  readonly #voting: Voting
  readonly #follower: Follower
  #role: Role = 'follower'
  #leader: NodeId | undefined
  #leadership: Leadership | undefined
  #sequence = 0
  #persistedSequence = 0
  #proposeSequence: number

  constructor(config: RaftConfig, restored: RestoredState) {
    const { hardState, snapshot, entries, appliedIndex } = restored
    assert(config.heartbeatTicks < config.electionTicks, 'heartbeats come before an election')
    assert(appliedIndex >= snapshot.index, 'the state machine holds the snapshot')
    this.#config = config
    this.#id = config.id
    this.#ballot = new Ballot(config.id, hardState)
    this.#log = new RaftLog({ snapshot, entries, commitIndex: hardState.commit, appliedIndex })
    // Entries are written before the hard state; a crash between them leaves a log that is newer than the term.
    this.#ballot.enter(Math.max(hardState.term, this.#log.lastTerm))
    this.#log.commitTo(knownCommitted(entries))
    this.#timer = new ElectionTimer(config.electionTicks, config.random)
    this.#proposeSequence = Math.floor(config.random() * numbersStartMax)
    this.#forwardedReads = new ForwardedReads({
      id: config.id,
      outbox: this.#outbox,
      patienceTicks: config.electionTicks,
      firstNumber: Math.floor(config.random() * numbersStartMax),
    })
    this.#memberships = new MembershipHistory(snapshot, entries, appliedIndex)
    const parts = { id: config.id, ballot: this.#ballot, log: this.#log, outbox: this.#outbox }
    this.#voting = new Voting({ ...parts, memberships: this.#memberships })
    this.#follower = new Follower(parts)
    // Nobody else can lead: there is nothing to wait for.
    if (isSoleVoter(this.#membership, config.id)) this.#timer.expireSoon()
  }

  get #term(): Term {
    return this.#ballot.term
  }

  get #membership(): Membership {
    return this.#memberships.current
  }

  tick(): void {
    this.#forwardedReads.tick()
    if (this.#leadership !== undefined) {
      // Thesis 6.2: a leader without a quorum must not keep its clients waiting.
      if (!this.#leadership.tick()) this.#becomeFollower(this.#term, undefined)
      return
    }
    this.#timer.tick()
    if (this.#timer.isExpired) this.#campaign('preCandidate')
  }

  #campaign(role: 'preCandidate' | 'candidate', force = false): void {
    assert(this.#leadership === undefined, 'a leader does not campaign')
    this.#timer.draw()
    // A change of membership that is committed but not applied yet could make this member's idea of a quorum a wrong one.
    if (!isVoter(this.#membership, this.#id) || this.#log.hasUnappliedMembership()) return
    this.#role = role
    this.#setLeader(undefined)
    if (role === 'candidate') {
      this.#ballot.campaign()
      this.#voting.request('vote', force)
      return
    }
    this.#voting.request('preVote', force)
    // Thesis 9.6: a pre-vote promises nothing, so it does not wait for the disk.
    this.#countVote(this.#id, true)
  }

  #countVote(from: NodeId, granted: boolean): void {
    const outcome = this.#voting.count(from, granted)
    if (outcome === 'pending') return
    if (outcome === 'lost') this.#becomeFollower(this.#term, undefined)
    else if (this.#role === 'preCandidate') this.#campaign('candidate')
    else this.#becomeLeader()
  }

  #becomeLeader(): void {
    assert(this.#role === 'candidate', 'only a candidate becomes leader')
    this.#role = 'leader'
    this.#setLeader(this.#id)
    this.#leadership = new Leadership({
      config: this.#config,
      term: this.#term,
      membership: this.#membership,
      log: this.#log,
      outbox: this.#outbox,
      snapshotMembership: () => this.#memberships.oldest,
    })
    if (this.#leadership !== undefined) maybeLeaveJoint(this.#leadership, this.#membership)
  }

  #becomeFollower(term: Term, leader: NodeId | undefined): void {
    this.#ballot.enter(term)
    this.#role = 'follower'
    this.#leadership?.abandonReads()
    this.#leadership = undefined
    this.#setLeader(leader)
    this.#timer.draw()
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
    if (message.term > this.#term) {
      if (!this.#enterTermOf(message)) return
    } else if (message.term < this.#term) {
      this.#answerOldTerm(message)
      return
    }
    this.#dispatch(message)
  }

  /** Figure 2, "all servers": a newer term makes a follower. Returns false if the message is to be ignored. */
  #enterTermOf(message: Message): boolean {
    const { type } = message
    // Thesis 4.2.3: who hears a leader lets nobody disturb it.
    if (type === 'requestVote' && !message.force && this.#hearsLeader()) return false
    // A pre-vote, asked or granted, carries a term that nobody has entered yet.
    if (type === 'requestVote' && message.preVote) return true
    if (type === 'requestVoteResult' && message.preVote && message.granted) return true
    const isLeader = type === 'appendEntries' || type === 'heartbeat'
    this.#becomeFollower(message.term, isLeader ? message.from : undefined)
    return true
  }

  #hearsLeader(): boolean {
    if (this.#leadership !== undefined) return true
    return this.#leader !== undefined && this.#timer.isFresh
  }

  #answerOldTerm(message: Message): void {
    if (message.type === 'requestVote') {
      this.#voting.refuse(message)
    } else if (message.type === 'appendEntries' || message.type === 'heartbeat') {
      this.#follower.refuseOldLeader(message.from)
    }
  }

  #dispatch(message: Message): void {
    switch (message.type) {
      case 'requestVote':
        if (this.#voting.answer(message, this.#leader)) this.#timer.touch()
        return
      case 'requestVoteResult':
        return this.#onRequestVoteResult(message)
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
        if (this.#leader === message.from) this.#campaign('candidate', true)
        return
      case 'propose':
        return this.#leadership?.proposeForwarded(message)
      case 'readIndex':
        this.#leadership?.readIndex({ from: message.from, context: message.context })
        return
      case 'readIndexResult':
        return this.#forwardedReads.answered(message)
      case 'recoverRequest':
      case 'recoverResult':
        return
      default:
        return assertNever(message)
    }
  }

  #onRequestVoteResult(message: RequestVoteResult): void {
    // A leader counts for itself what is committed; a late vote must not move its commit index behind its back.
    if (this.#leadership !== undefined) return
    const { preVote, term, commit } = message
    // By log matching everything up to that entry is the same there.
    if (this.#log.matches(commit, message.commitTerm)) this.#log.commitTo(commit)
    this.#maybeStopCampaign()
    if (this.#role !== (preVote ? 'preCandidate' : 'candidate')) return
    // A granted pre-vote of an earlier campaign says nothing about this one's term.
    if (preVote && message.granted && term !== this.#term + 1) return
    this.#countVote(message.from, message.granted)
  }

  /** Votes are counted by one membership: a campaign does not go on over a change of it. */
  #maybeStopCampaign(): void {
    if (this.#role !== 'preCandidate' && this.#role !== 'candidate') return
    if (this.#log.hasUnappliedMembership()) this.#becomeFollower(this.#term, undefined)
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
      this.#timer.touch()
    } else this.#becomeFollower(this.#term, leader)
  }

  /** The snapshot is on this member's disk; only committed entries are in one, so it does not matter who leads by now. */
  #onInstallSnapshot(message: InstallSnapshot): void {
    if (this.#role === 'leader') return
    if (this.#leader === message.from) this.#timer.touch()
    if (this.#follower.installSnapshot(message)) {
      this.#becomeFollower(this.#term, this.#leader)
      this.#memberships.restore(message.snapshot)
    }
    this.#maybeStopCampaign()
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
    if (this.#leadership === undefined) return
    // Thesis 4.2.2: a leader that is not a voter any more steps down once the change is committed.
    if (!isVoter(membership, this.#id)) this.#becomeFollower(this.#term, undefined)
    else this.#leadership.applyMembership(membership)
  }

  readIndex(context: number): void {
    if (this.#leadership === undefined) {
      this.#forwardedReads.ask(context, this.#leader, this.#term)
    } else if (!this.#leadership.readIndex({ from: undefined, context })) {
      this.#forwardedReads.refuse(context)
    }
  }

  transferLeadership(to: NodeId): void {
    this.#leadership?.transfer(to)
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
    if (this.#log.persisted(sequence)) this.#leadership?.advanceCommit()
    if (this.#ballot.persisted(sequence) && this.#role === 'candidate') {
      this.#countVote(this.#id, true)
    }
  }

  applied(index: LogIndex): void {
    this.#log.appliedTo(index)
    if (this.#leadership !== undefined) maybeLeaveJoint(this.#leadership, this.#membership)
  }

  reportUnreachable(id: NodeId): void {
    this.#leadership?.unreachable(id)
  }

  reportSnapshot(id: NodeId, succeeded: boolean): void {
    this.#leadership?.snapshotReported(id, succeeded)
  }

  fetched(): void {
    assert(false, 'nothing was asked for that has to be read back')
  }

  compact(index: LogIndex): void {
    this.#log.compact(index)
    this.#memberships.compact(this.#log.firstIndex - 1)
  }

  status(): RaftStatus {
    return {
      id: this.#id,
      role: this.#role,
      term: this.#term,
      vote: this.#ballot.vote,
      leader: this.#leader,
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
    assert(isLeader === (this.#leadership !== undefined), 'a leader, and nobody else, leads')
    assert(isLeader === (this.#leader === this.#id), 'a leader knows that it leads')
    const mayWin = isLeader || this.#role === 'candidate'
    assert(!mayWin || this.#ballot.vote === this.#id, 'who leads or may win votes for itself')
    assert(this.#log.lastTerm <= this.#term, 'the term is as new as the log')
    this.#ballot.verify(this.#log.commitIndex)
    this.#memberships.verify()
  }
}
