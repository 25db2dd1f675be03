// One member of the consensus (Raft paper and thesis): roles, terms and votes, and who gets which message. What a leader does is in
// leadership.ts, what a follower's log does in follower.ts. Keeps: one vote a term, nothing promised before it is durable.
import { assert, assertNever } from './assert.ts'
import { Ballot } from './ballot.ts'
import { ElectionTimer } from './election-timer.ts'
import { followAppend, followSnapshot, matchedUpTo, type LogAnswer } from './follower.ts'
import { Leadership } from './leadership.ts'
import {
  encodeMembership,
  firstStep,
  isJoint,
  isMember,
  isMembershipValid,
  isVoter,
  leaveJoint,
} from './membership.ts'
import { knownCommitted, MembershipHistory } from './membership-history.ts'
import { Outbox } from './outbox.ts'
import { voteOutcome } from './quorum.ts'
import { RaftLog } from './raft-log.ts'
import { ForwardedReads } from './read-index.ts'
import {
  type AppendEntries,
  type Core,
  type Entry,
  type Heartbeat,
  type InstallSnapshot,
  type LogIndex,
  type Membership,
  type Message,
  type NodeId,
  type Persist,
  type ProposeOutcome,
  type RaftConfig,
  type RaftStatus,
  type ReadIndexRequest,
  type ReadIndexResult,
  type Ready,
  type RequestVote,
  type RequestVoteResult,
  type RestoredState,
  type Role,
  type SnapshotMeta,
  type Term,
  type TimeoutNow,
} from './types.ts'

/** Numbers of messages start at random below this, so that two lives of a member do not use the same. */
const numbersStartMax = 2 ** 48

export class RaftCore implements Core {
  readonly #config: RaftConfig
  readonly #id: NodeId
  readonly #log: RaftLog
  readonly #outbox = new Outbox()
  readonly #timer: ElectionTimer
  readonly #forwardedReads: ForwardedReads
  readonly #ballot: Ballot
  readonly #memberships: MembershipHistory
  #role: Role = 'follower'
  #leader: NodeId | undefined
  #leadership: Leadership | undefined
  #votes = new Map<NodeId, boolean>()
  #sequence = 0
  #persistedSequence = 0
  #ticks = 0
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
    this.#forwardedReads = new ForwardedReads(Math.floor(config.random() * numbersStartMax))
    this.#memberships = new MembershipHistory(snapshot, entries, appliedIndex)
    // Nobody else can lead: there is nothing to wait for.
    if (this.#isSoleVoter()) this.#timer.expireSoon()
  }

  get #term(): Term {
    return this.#ballot.term
  }

  get #membership(): Membership {
    return this.#memberships.current
  }

  #isSoleVoter(): boolean {
    const { voters, votersOutgoing } = this.#membership
    return voters.length === 1 && voters[0] === this.#id && votersOutgoing.length === 0
  }

  tick(): void {
    this.#ticks++
    for (const context of this.#forwardedReads.expire(this.#ticks)) {
      this.#outbox.answerRead({ context, index: undefined })
    }
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
    this.#votes = new Map()
    if (role === 'candidate') {
      this.#ballot.campaign()
      this.#requestVotes(this.#term, role, force)
      return
    }
    this.#requestVotes(this.#term + 1, role, force)
    // Thesis 9.6: a pre-vote promises nothing, so it does not wait for the disk.
    this.#countVote(this.#id, true)
  }

  #requestVotes(term: Term, role: Role, force: boolean): void {
    const preVote = role === 'preCandidate'
    const { voters, votersOutgoing } = this.#membership
    for (const to of new Set([...voters, ...votersOutgoing])) {
      if (to === this.#id) continue
      const lastLog = { lastLogIndex: this.#log.lastIndex, lastLogTerm: this.#log.lastTerm }
      const address = { from: this.#id, to, term }
      const message: RequestVote = { type: 'requestVote', ...address, ...lastLog, preVote, force }
      // The voter's answer stands for this log and this vote for oneself, so both must last.
      if (preVote) this.#outbox.send(message)
      else this.#outbox.sendAfterPersist(message)
    }
  }

  #countVote(from: NodeId, granted: boolean): void {
    if (!this.#votes.has(from)) this.#votes.set(from, granted)
    const outcome = voteOutcome(this.#membership, this.#votes)
    if (outcome === 'pending') return
    if (outcome === 'lost') this.#becomeFollower(this.#term, undefined)
    else if (this.#role === 'preCandidate') this.#campaign('candidate')
    else this.#becomeLeader()
  }

  #becomeLeader(): void {
    assert(this.#role === 'candidate', 'only a candidate becomes leader')
    assert(this.#ballot.vote === this.#id, 'a leader has voted for itself')
    this.#role = 'leader'
    this.#setLeader(this.#id)
    this.#leadership = new Leadership({
      config: this.#config,
      term: this.#term,
      membership: this.#membership,
      log: this.#log,
      outbox: this.#outbox,
      snapshotMeta: () => this.#snapshotMeta(),
    })
    this.#maybeLeaveJoint()
  }

  #becomeFollower(term: Term, leader: NodeId | undefined): void {
    this.#ballot.enter(term)
    this.#role = 'follower'
    this.#votes.clear()
    this.#leadership?.abandonReads()
    this.#leadership = undefined
    this.#setLeader(leader)
    this.#timer.draw()
  }

  /** Reads forwarded to another leader must be asked again. */
  #setLeader(leader: NodeId | undefined): void {
    if (this.#leader === leader) return
    this.#leader = leader
    for (const context of this.#forwardedReads.abandon()) {
      this.#outbox.answerRead({ context, index: undefined })
    }
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
      this.#sendVote(message, { term: this.#term, granted: false })
    } else if (message.type === 'appendEntries' || message.type === 'heartbeat') {
      // With pre-vote nobody else tells a leader of an old term, and this member could never follow it.
      this.#sendAppendResult(message.from, { ...matchedUpTo(0), rejected: true })
    }
  }

  #dispatch(message: Message): void {
    switch (message.type) {
      case 'requestVote':
        return this.#onRequestVote(message)
      case 'requestVoteResult':
        return this.#onRequestVoteResult(message)
      case 'appendEntries':
        return this.#onAppendEntries(message)
      case 'appendEntriesResult':
        return this.#leadership?.appendEntriesResult(message)
      case 'heartbeat':
        return this.#onHeartbeat(message)
      case 'heartbeatResult':
        return this.#leadership?.heartbeatResult(message)
      case 'installSnapshot':
        return this.#onInstallSnapshot(message)
      case 'timeoutNow':
        return this.#onTimeoutNow(message)
      case 'propose':
        return this.#leadership?.proposeForwarded(message)
      case 'readIndex':
        return this.#onReadIndex(message)
      case 'readIndexResult':
        return this.#onReadIndexResult(message)
      default:
        return assertNever(message)
    }
  }

  /** Figure 2, "RequestVote RPC". */
  #onRequestVote(message: RequestVote): void {
    const { from, term, preVote } = message
    const { vote } = this.#ballot
    const isFree = vote === undefined && this.#leader === undefined
    const canVote = vote === from || isFree || (preVote && term > this.#term)
    const granted = canVote && this.#log.isUpToDate(message.lastLogIndex, message.lastLogTerm)
    assert(preVote || term === this.#term, 'a vote is given in the own term')
    if (granted && !preVote) {
      this.#ballot.voteFor(from)
      this.#timer.touch()
    }
    this.#sendVote(message, { term: granted ? term : this.#term, granted })
  }

  #sendVote(
    message: RequestVote,
    answer: { readonly term: Term; readonly granted: boolean },
  ): void {
    const commit = this.#log.commitIndex
    this.#outbox.sendAfterPersist({
      type: 'requestVoteResult',
      from: this.#id,
      to: message.from,
      term: answer.term,
      granted: answer.granted,
      preVote: message.preVote,
      commit,
      commitTerm: this.#log.termAt(commit) ?? 0,
    })
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

  #onAppendEntries(message: AppendEntries): void {
    this.#follow(message.from)
    this.#sendAppendResult(message.from, followAppend(this.#log, message))
  }

  #sendAppendResult(to: NodeId, answer: LogAnswer): void {
    const address = { from: this.#id, to, term: this.#term }
    this.#outbox.sendAfterPersist({ type: 'appendEntriesResult', ...address, ...answer })
  }

  #onHeartbeat(message: Heartbeat): void {
    this.#follow(message.from)
    this.#log.commitTo(message.commit)
    const address = { from: this.#id, to: message.from, term: this.#term }
    const { readSequence } = message
    this.#outbox.send({ type: 'heartbeatResult', ...address, readSequence })
  }

  /** The snapshot is on this member's disk; only committed entries are in one, so it does not matter who leads by now. */
  #onInstallSnapshot(message: InstallSnapshot): void {
    if (this.#role === 'leader') return
    const { snapshot } = message
    if (this.#leader === message.from) this.#timer.touch()
    if (followSnapshot(this.#log, snapshot)) {
      this.#becomeFollower(this.#term, this.#leader)
      this.#memberships.restore(snapshot)
    }
    this.#maybeStopCampaign()
    this.#sendAppendResult(message.from, matchedUpTo(this.#log.commitIndex))
  }

  #onTimeoutNow(message: TimeoutNow): void {
    if (this.#leader === message.from) this.#campaign('candidate', true)
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
    assert(isMembershipValid(membership), 'the shell proposes valid memberships only')
    const leadership = this.#leadership
    if (leadership === undefined) return { accepted: false, reason: 'noLeader' }
    if (leadership.transferee !== undefined) return { accepted: false, reason: 'transferring' }
    if (!leadership.canChangeMembership()) return { accepted: false, reason: 'changePending' }
    const step = firstStep(this.#membership, membership)
    if (step === undefined) return { accepted: false, reason: 'changePending' }
    leadership.proposeMembership(encodeMembership(step))
    return { accepted: true, term: this.#term }
  }

  applyMembership(membership: Membership): void {
    if (!this.#memberships.apply(membership)) return
    if (this.#leadership === undefined) return
    // Thesis 4.2.2: a leader that is not a voter any more steps down once the change is committed.
    if (!isVoter(membership, this.#id)) this.#becomeFollower(this.#term, undefined)
    else this.#leadership.applyMembership(membership)
  }

  /** The joint configuration is applied: the leader proposes the way out by itself. */
  #maybeLeaveJoint(): void {
    const leadership = this.#leadership
    if (leadership === undefined || !isJoint(this.#membership)) return
    if (!leadership.canChangeMembership()) return
    leadership.proposeMembership(encodeMembership(leaveJoint(this.#membership)))
  }

  readIndex(context: number): void {
    if (this.#leadership !== undefined) {
      if (!this.#leadership.readIndex({ from: undefined, context })) this.#refuseRead(context)
    } else if (this.#leader === undefined || this.#forwardedReads.isFull) {
      this.#refuseRead(context)
    } else {
      // Lost on the way, it is given up after an election timeout: longer than any round of a leader that still leads.
      const number = this.#forwardedReads.add(context, this.#ticks + this.#config.electionTicks)
      const address = { from: this.#id, to: this.#leader, term: this.#term }
      this.#outbox.send({ type: 'readIndex', ...address, context: number })
    }
  }

  #refuseRead(context: number): void {
    this.#outbox.answerRead({ context, index: undefined })
  }

  #onReadIndex(message: ReadIndexRequest): void {
    this.#leadership?.readIndex({ from: message.from, context: message.context })
  }

  #onReadIndexResult(message: ReadIndexResult): void {
    const context = this.#forwardedReads.take(message.context)
    if (context !== undefined) this.#outbox.answerRead({ context, index: message.index })
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
    assert(sequence <= this.#sequence, 'only a Ready that was taken can be durable')
    assert(sequence >= this.#persistedSequence, 'Readys become durable in order')
    this.#persistedSequence = sequence
    if (this.#log.persisted(sequence)) this.#leadership?.advanceCommit()
    if (this.#ballot.persisted(sequence) && this.#role === 'candidate') {
      this.#countVote(this.#id, true)
    }
  }

  applied(index: LogIndex): void {
    this.#log.appliedTo(index)
    this.#maybeLeaveJoint()
  }

  reportUnreachable(id: NodeId): void {
    this.#leadership?.unreachable(id)
  }

  reportSnapshot(id: NodeId, succeeded: boolean): void {
    this.#leadership?.snapshotReported(id, succeeded)
  }

  compact(index: LogIndex): void {
    this.#log.compact(index)
    this.#memberships.compact(this.#log.firstIndex - 1)
  }

  #snapshotMeta(): SnapshotMeta {
    const index = this.#log.firstIndex - 1
    const term = this.#log.termAt(index)
    assert(term !== undefined, 'the log knows its snapshot')
    return { index, term, membership: this.#memberships.oldest }
  }

  status(): RaftStatus {
    return {
      id: this.#id,
      role: this.#role,
      term: this.#term,
      vote: this.#ballot.vote,
      leader: this.#leader,
      firstIndex: this.#log.firstIndex,
      lastIndex: this.#log.lastIndex,
      persistedIndex: this.#log.persistedIndex,
      commitIndex: this.#log.commitIndex,
      appliedIndex: this.#log.appliedIndex,
      membership: this.#membership,
      progress: (this.#leadership?.progress() ?? []).map((peer) => ({
        id: peer.id,
        state: peer.state,
        matchIndex: peer.matchIndex,
        nextIndex: peer.nextIndex,
        recentActive: peer.recentActive,
      })),
    }
  }

  /** For checkers: what the log holds; undefined for what is compacted or not there. */
  entryAt(index: LogIndex): Entry | undefined {
    return this.#log.entryAt(index)
  }

  /** For checkers: also known for the last compacted entry. */
  termAt(index: LogIndex): Term | undefined {
    return this.#log.termAt(index)
  }

  verify(): void {
    this.#log.verify()
    this.#leadership?.verify()
    const isLeader = this.#role === 'leader'
    assert(isLeader === (this.#leadership !== undefined), 'a leader, and nobody else, leads')
    assert(isLeader === (this.#leader === this.#id), 'a leader knows that it leads')
    assert(!isLeader || this.#ballot.vote === this.#id, 'a leader has voted for itself')
    const votesForItself = this.#ballot.vote === this.#id
    assert(this.#role !== 'candidate' || votesForItself, 'a candidate votes for itself')
    assert(this.#log.lastTerm <= this.#term, 'the term is as new as the log')
    assert(this.#persistedSequence <= this.#sequence, 'durable Readys were taken')
    this.#ballot.verify(this.#log.commitIndex)
    this.#memberships.verify()
  }
}
