// What a member does and knows as leader of one term (paper Figure 2 "Leaders"; thesis 6.2 check-quorum): what it takes into its log, what is
// committed, who confirms that it still leads. Made on winning, dropped on stepping down: nothing of it outlives the term.
import { assert } from './assert.ts'
import { LeaderReads } from './leader-reads.ts'
import { LeaderLease } from './lease.ts'
import { isVoter, isWitness, memberIds } from './membership.ts'
import type { Outbox } from './outbox.ts'
import { hasQuorum, quorumReached } from './quorum.ts'
import { entryOverheadBytes } from './entry-cache.ts'
import type { RaftLog } from './raft-log.ts'
import type { ReadRequest } from './read-index.ts'
import { RepeatFilter } from './repeat-filter.ts'
import type { Progress } from './progress.ts'
import { Promotion } from './promotion.ts'
import { Replication } from './replication.ts'
import { Transfer } from './transfer.ts'
import {
  entryType,
  type AppendEntriesResult,
  type Entry,
  type EntryType,
  type HeartbeatResult,
  type LogIndex,
  type Membership,
  type NodeId,
  type Propose,
  type RaftConfig,
  type RaftStatus,
  type RecoverRequest,
  type Term,
} from './types.ts'

const noData = new Uint8Array(0)

export interface LeadershipOptions {
  readonly config: RaftConfig
  readonly term: Term
  readonly membership: Membership
  readonly log: RaftLog
  readonly outbox: Outbox
  /** In force where the log begins. */
  readonly snapshotMembership: () => Membership
}

export class Leadership {
  readonly #config: RaftConfig
  readonly #term: Term
  readonly #log: RaftLog
  readonly #outbox: Outbox
  #membership: Membership
  readonly #replication: Replication
  readonly #reads: LeaderReads
  readonly #transfer: Transfer
  readonly #lease: LeaderLease | undefined
  readonly #promotion: Promotion
  readonly #repeats = new RepeatFilter()
  #heartbeatElapsed = 0
  #quorumElapsed = 0
  #isDiskStalled = false
  /** A transfer away from the stalled disk was begun. */
  #isLeaving = false
  #heartbeatDue = true
  #uncommittedSizeBytes: number
  /** The last entry that may be a membership change: until it is applied, no other is taken. */
  #membershipIndex: LogIndex

  constructor(options: LeadershipOptions) {
    const { config, log, term, outbox } = options
    const { membership } = options
    const canLead = isVoter(membership, config.id) && !isWitness(membership, config.id)
    assert(canLead, 'only a voter leads that holds payloads')
    this.#config = config
    this.#term = term
    this.#log = log
    this.#outbox = outbox
    this.#membership = membership
    this.#replication = new Replication(options)
    this.#replication.setMembership(membership)
    this.#reads = new LeaderReads({ id: config.id, term, outbox })
    const patienceTicks = config.electionTicks
    this.#transfer = new Transfer({ id: config.id, term, outbox, patienceTicks })
    this.#promotion = new Promotion(config.electionTicks)
    const { leaseReads } = config
    this.#lease = leaseReads && new LeaderLease(leaseReads, config.electionTicks)
    this.#uncommittedSizeBytes = log.sizeBytesAfter(log.commitIndex)
    // The entry that opens the term: with it everything before is committed (paper 5.4.2). A change of membership waits until
    // it is applied, and with it every change that an older leader may have left in the log.
    this.#append(entryType.normal, noData)
    this.#membershipIndex = log.lastIndex
  }

  get id(): NodeId {
    return this.#config.id
  }

  get term(): Term {
    return this.#term
  }

  get transferee(): NodeId | undefined {
    return this.#transfer.target
  }

  get hasWork(): boolean {
    return this.#replication.isDirty || this.#heartbeatDue || this.#reads.isOpen
  }

  progress(): RaftStatus['progress'] {
    return this.#replication.status()
  }

  #append(type: EntryType, data: Uint8Array): void {
    const index = this.#log.lastIndex + 1
    this.#log.append({ term: this.#term, index, type, data })
    this.#uncommittedSizeBytes += data.length + entryOverheadBytes
    this.#replication.touch()
  }

  /** False at the limit of the uncommitted tail; an empty tail takes any one proposal. */
  propose(payloads: readonly Uint8Array[]): boolean {
    let size = 0
    for (const payload of payloads) size += payload.length + entryOverheadBytes
    const total = this.#uncommittedSizeBytes + size
    if (this.#uncommittedSizeBytes > 0 && total > this.#config.uncommittedSizeBytesMax) return false
    for (const payload of payloads) this.#append(entryType.normal, payload)
    return true
  }

  /** Forwarded by a follower; refused ones are dropped, a message that came before is taken for handled. */
  proposeForwarded(message: Propose): void {
    assert(message.term === this.#term, 'only proposals of the own term are taken')
    if (this.transferee !== undefined) return
    if (!this.#repeats.isNew(message.from, message.sequence)) return
    this.propose(message.payloads)
  }

  /** A learner that is to become a voter and has caught up. */
  get promotionCandidate(): NodeId | undefined {
    return this.#promotion.candidate
  }

  canChangeMembership(): boolean {
    return this.#log.appliedIndex >= this.#membershipIndex
  }

  proposeMembership(data: Uint8Array): void {
    assert(this.canChangeMembership(), 'one change of membership at a time')
    this.#append(entryType.membership, data)
    this.#membershipIndex = this.#log.lastIndex
  }

  /** A change was applied. */
  applyMembership(membership: Membership): void {
    this.#membership = membership
    this.#replication.setMembership(membership)
    if (this.transferee !== undefined && !isVoter(membership, this.transferee)) {
      this.#transfer.stop()
    }
    this.advanceCommit()
    this.#confirmReads()
  }

  /**
   * Nothing of this leader's own becomes durable, so what it proposes waits for all others and what it applies for ever: it hands
   * over to a successor, and steps down when that has not come about in time. Without one it stays; nobody else could do better.
   */
  diskStalled(isStalled: boolean): void {
    this.#isDiskStalled = isStalled
    if (!isStalled) this.#isLeaving = false
    this.#maybeLeave()
  }

  #maybeLeave(): void {
    if (!this.#isDiskStalled || this.#isLeaving) return
    this.transfer(undefined)
    this.#isLeaving = this.transferee !== undefined
  }

  /** Returns false when it must step down: it has not heard from a quorum for an election timeout, or its disk is stuck. */
  tick(): boolean {
    if (++this.#heartbeatElapsed >= this.#config.heartbeatTicks) {
      this.#heartbeatElapsed = 0
      this.#heartbeatDue = true
    }
    this.#transfer.tick()
    if (this.#isLeaving && this.transferee === undefined) return false
    this.#maybeLeave()
    const { peers } = this.#replication
    const { promoting: ids = [] } = this.#membership
    this.#promotion.tick({ ids, peers, lastIndex: this.#log.lastIndex })
    if (++this.#quorumElapsed < this.#config.electionTicks) return true
    this.#quorumElapsed = 0
    const isActive = hasQuorum(
      this.#membership,
      (id) => id === this.#config.id || peers.get(id)?.recentActive === true,
    )
    for (const peer of peers.values()) peer.startActivity()
    return isActive
  }

  appendEntriesResult(message: AppendEntriesResult): void {
    const peer = this.#replication.peers.get(message.from)
    if (peer === undefined) return
    if (this.#replication.answered(peer, message)) {
      this.advanceCommit()
      this.#maybeTimeoutNow()
    }
    this.#replication.maybeTouch(peer)
  }

  /**
   * Paper 5.3 and 5.4.2: an index is committed when a quorum holds it durably, counting only entries of the own term; the
   * leader's own copy counts when it is durable too. Returns whether the commit index moved.
   */
  advanceCommit(): boolean {
    const log = this.#log
    const { peers } = this.#replication
    const reached = quorumReached(this.#membership, (id) =>
      id === this.#config.id ? log.persistedIndex : (peers.get(id)?.matchIndex ?? 0),
    )
    if (reached <= log.commitIndex || log.termAt(reached) !== this.#term) return false
    const wasReady = this.#canServeReads()
    const committedSize = log.sizeBytesAfter(log.commitIndex, reached)
    log.commitTo(reached)
    this.#uncommittedSizeBytes -= committedSize
    this.#replication.touch()
    if (!wasReady) {
      this.#reads.releaseEarly(log.commitIndex)
      this.#confirmReads()
    }
    return true
  }

  #canServeReads(): boolean {
    return this.#log.termAt(this.#log.commitIndex) === this.#term
  }

  /** False when too many reads wait already. */
  readIndex(request: ReadRequest): boolean {
    const readyAt = this.#canServeReads() ? this.#log.commitIndex : undefined
    if (readyAt !== undefined && this.#lease?.isHeld(this.#membership, this.#config.id) === true) {
      this.#reads.answerByLease(request, readyAt)
      return true
    }
    if (!this.#reads.add(request, readyAt)) return false
    this.#confirmReads()
    return true
  }

  heartbeatResult(message: HeartbeatResult): void {
    const peer = this.#replication.peers.get(message.from)
    if (peer === undefined) return
    peer.alive(this.#log.lastIndex)
    peer.readSequence = Math.max(peer.readSequence, message.readSequence)
    this.#lease?.answered(message.from, message.number ?? 0, message.promiseMs ?? 0)
    this.#confirmReads()
    this.#replication.maybeTouch(peer)
  }

  #confirmReads(): void {
    const { sequence } = this.#reads
    if (sequence === 0) return
    const { peers } = this.#replication
    const confirmed = quorumReached(this.#membership, (id) =>
      id === this.#config.id ? sequence : (peers.get(id)?.readSequence ?? 0),
    )
    this.#reads.confirm(confirmed)
  }

  abandonReads(): void {
    this.#reads.abandon()
  }

  /** To a voter that can lead; undefined: to the one that is most up to date of those that are heard from. */
  transfer(to: NodeId | undefined): void {
    const target = to ?? this.#successor()
    if (target === undefined || target === this.transferee || !this.#canLead(target)) return
    this.#transfer.begin(target)
    this.#maybeTimeoutNow()
    this.#replication.touch()
  }

  #canLead(id: NodeId): boolean {
    const { voters } = this.#membership
    return id !== this.#config.id && voters.includes(id) && !isWitness(this.#membership, id)
  }

  #successor(): NodeId | undefined {
    let best: Progress | undefined
    for (const peer of this.#replication.peers.values()) {
      if (!peer.isActive || !this.#canLead(peer.id)) continue
      if (best === undefined || peer.matchIndex > best.matchIndex) best = peer
    }
    return best?.id
  }

  #maybeTimeoutNow(): void {
    if (this.transferee === undefined) return
    const matchIndex = this.#replication.peers.get(this.transferee)?.matchIndex
    if (this.#transfer.maybeTimeoutNow(matchIndex, this.#log.lastIndex)) this.#lease?.revoke()
  }

  recover(message: RecoverRequest): void {
    this.#replication.recover(message)
  }

  /** More of the own log is durable. */
  persisted(): void {
    this.advanceCommit()
    this.#replication.persisted()
  }

  fetched(to: NodeId, entries: readonly Entry[] | undefined): void {
    this.#replication.fetched(to, entries)
  }

  /** Thesis 4.2.2: a leader that is no voter any more. The others hear that the change is committed, and one of them need not wait for a timeout. */
  resign(membership: Membership): void {
    this.#membership = membership
    this.#replication.send()
    const to = this.#successor()
    if (to === undefined) return
    const address = { from: this.#config.id, to, term: this.#term }
    this.#outbox.send({ type: 'timeoutNow', ...address })
  }

  unreachable(id: NodeId): void {
    this.#replication.unreachable(id)
  }

  snapshotReported(id: NodeId, succeeded: boolean): void {
    this.#replication.snapshotReported(id, succeeded)
  }

  /** Puts everything that is due into the outbox. */
  broadcast(): void {
    if (this.#heartbeatDue || this.#reads.isOpen) this.#sendHeartbeats()
    this.#replication.send()
  }

  #sendHeartbeats(): void {
    this.#heartbeatDue = false
    const readSequence = this.#reads.close()
    const numbered = this.#lease === undefined ? {} : { number: this.#lease.sending() }
    for (const peer of this.#replication.peers.values()) {
      this.#outbox.send({
        type: 'heartbeat',
        from: this.#config.id,
        to: peer.id,
        term: this.#term,
        commit: Math.min(peer.matchIndex, this.#log.commitIndex),
        readSequence,
        ...numbered,
      })
    }
  }

  verify(): void {
    this.#reads.verify()
    this.#lease?.verify()
    this.#replication.verify()
    const uncommitted = this.#log.sizeBytesAfter(this.#log.commitIndex)
    assert(this.#uncommittedSizeBytes === uncommitted, 'the uncommitted tail is counted')
    const memberCount = memberIds(this.#membership).length
    assert(this.#replication.peers.size <= memberCount, 'peers are members')
    assert(this.#log.lastTerm === this.#term, 'the log of a leader ends with its own term')
  }
}
