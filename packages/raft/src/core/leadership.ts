// What a member does and knows as leader of one term (paper Figure 2 "Leaders"; thesis 3.10 transfer, 6.2 check-quorum, 6.4 reads). Made
// on winning, dropped on stepping down: nothing of it outlives the term. Messages are made when a Ready is taken, so that
// whatever arrived since the last one shares them.
import { assert } from './assert.ts'
import { memberIds, isVoter } from './membership.ts'
import type { Outbox } from './outbox.ts'
import { Progress, type WindowLimits } from './progress.ts'
import { hasQuorum, quorumReached } from './quorum.ts'
import { entryOverheadBytes, entrySizeBytes, type RaftLog } from './raft-log.ts'
import { ReadRounds, type ConfirmedRead, type ReadRequest } from './read-index.ts'
import { RepeatFilter } from './repeat-filter.ts'
import {
  entryType,
  type AppendEntriesResult,
  type EntryType,
  type HeartbeatResult,
  type LogIndex,
  type Membership,
  type NodeId,
  type Propose,
  type RaftConfig,
  type RaftStatus,
  type Term,
} from './types.ts'

/** Bytes in flight to one follower, in full messages. */
const windowSizeInMessages = 64

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
  readonly #snapshotMembership: () => Membership
  readonly #limits: WindowLimits
  #membership: Membership
  #peers: Map<NodeId, Progress>
  readonly #reads = new ReadRounds()
  readonly #repeats = new RepeatFilter()
  #heartbeatElapsed = 0
  #quorumElapsed = 0
  #heartbeatDue = true
  /** Somebody may be behind: the next Ready looks at every peer. */
  #isDirty = true
  #uncommittedSizeBytes: number
  /** The last entry that may be a membership change: until it is applied, no other is taken. */
  #membershipIndex: LogIndex
  #transferee: NodeId | undefined
  #transferElapsed = 0
  #timeoutNowSent = false

  constructor(options: LeadershipOptions) {
    const { config, log } = options
    assert(isVoter(options.membership, config.id), 'only a voter leads')
    this.#config = config
    this.#term = options.term
    this.#log = log
    this.#outbox = options.outbox
    this.#snapshotMembership = options.snapshotMembership
    this.#limits = {
      messagesMax: config.inflightMessagesMax,
      sizeBytesMax: config.messageSizeBytesMax * windowSizeInMessages,
    }
    this.#membership = options.membership
    this.#peers = new Map()
    this.#syncPeers()
    this.#uncommittedSizeBytes = log.sizeBytesAfter(log.commitIndex)
    // The entry that opens the term: with it everything before is committed (paper 5.4.2). A change of membership waits until
    // it is applied, and with it every change that an older leader may have left in the log.
    this.#append(entryType.normal, noData)
    this.#membershipIndex = log.lastIndex
  }

  get term(): Term {
    return this.#term
  }

  get transferee(): NodeId | undefined {
    return this.#transferee
  }

  get hasWork(): boolean {
    return this.#isDirty || this.#heartbeatDue || this.#reads.isOpen
  }

  progress(): RaftStatus['progress'] {
    return Array.from(this.#peers.values(), (peer) => peer.status())
  }

  #append(type: EntryType, data: Uint8Array): void {
    const index = this.#log.lastIndex + 1
    this.#log.append({ term: this.#term, index, type, data })
    this.#uncommittedSizeBytes += data.length + entryOverheadBytes
    this.#isDirty = true
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
    if (this.#transferee !== undefined) return
    if (!this.#repeats.isNew(message.from, message.sequence)) return
    this.propose(message.payloads)
  }

  canChangeMembership(): boolean {
    return this.#log.appliedIndex >= this.#membershipIndex
  }

  proposeMembership(data: Uint8Array): void {
    assert(this.canChangeMembership(), 'one change of membership at a time')
    this.#append(entryType.membership, data)
    this.#membershipIndex = this.#log.lastIndex
  }

  /** A change was applied: new members start as probes, removed ones are forgotten. */
  applyMembership(membership: Membership): void {
    this.#membership = membership
    this.#syncPeers()
    if (this.#transferee !== undefined && !isVoter(membership, this.#transferee)) {
      this.#transferee = undefined
    }
    this.#isDirty = true
    this.advanceCommit()
    this.#confirmReads()
  }

  #syncPeers(): void {
    const peers = new Map<NodeId, Progress>()
    for (const id of memberIds(this.#membership)) {
      if (id === this.#config.id) continue
      const fresh = { id, nextIndex: this.#log.lastIndex + 1, limits: this.#limits }
      peers.set(id, this.#peers.get(id) ?? new Progress(fresh))
    }
    this.#peers = peers
  }

  /** Returns false when the leader has not heard from a quorum for an election timeout: it must step down. */
  tick(): boolean {
    if (++this.#heartbeatElapsed >= this.#config.heartbeatTicks) {
      this.#heartbeatElapsed = 0
      this.#heartbeatDue = true
    }
    if (this.#transferee !== undefined && ++this.#transferElapsed >= this.#config.electionTicks) {
      this.#transferee = undefined
    }
    if (++this.#quorumElapsed < this.#config.electionTicks) return true
    this.#quorumElapsed = 0
    const isActive = hasQuorum(
      this.#membership,
      (id) => id === this.#config.id || this.#peers.get(id)?.recentActive === true,
    )
    for (const peer of this.#peers.values()) peer.recentActive = false
    return isActive
  }

  appendEntriesResult(message: AppendEntriesResult): void {
    const peer = this.#peers.get(message.from)
    if (peer === undefined) return
    peer.recentActive = true
    if (message.rejected) this.#rejected(peer, message)
    else this.#acknowledged(peer, message.index)
    if (!this.#isDirty) {
      this.#isDirty = peer.isBehind(this.#log.lastIndex, this.#log.commitIndex)
    }
  }

  #rejected(peer: Progress, message: AppendEntriesResult): void {
    const { hintIndex, hintTerm } = message
    // A hint of term 0 stands for a compacted, hence committed, position.
    const meeting =
      hintTerm > 0 ? this.#log.findMeeting(hintIndex, hintTerm) : { index: hintIndex, term: 0 }
    peer.reject(message.index, meeting.index)
  }

  #acknowledged(peer: Progress, index: LogIndex): void {
    assert(index <= this.#log.lastIndex, 'a follower holds no more of this term than its leader')
    const isNews = peer.acknowledge(index)
    // Any snapshot that reconnects the follower with the log will do, whoever sent it.
    if (peer.state === 'snapshot' && peer.matchIndex + 1 >= this.#log.firstIndex) peer.becomeProbe()
    if (peer.state === 'probe' && index >= peer.matchIndex) peer.becomeReplicate()
    if (!isNews) return
    if (this.advanceCommit()) this.#isDirty = true
    this.#maybeTimeoutNow()
  }

  /**
   * Paper 5.3 and 5.4.2: an index is committed when a quorum holds it durably, counting only entries of the own term; the
   * leader's own copy counts when it is durable too. Returns whether the commit index moved.
   */
  advanceCommit(): boolean {
    const log = this.#log
    const reached = quorumReached(this.#membership, (id) =>
      id === this.#config.id ? log.persistedIndex : (this.#peers.get(id)?.matchIndex ?? 0),
    )
    if (reached <= log.commitIndex || log.termAt(reached) !== this.#term) return false
    const wasReady = this.#canServeReads()
    const committedSize = log.sizeBytesAfter(log.commitIndex, reached)
    log.commitTo(reached)
    this.#uncommittedSizeBytes -= committedSize
    this.#isDirty = true
    if (!wasReady) this.#releaseEarlyReads()
    return true
  }

  #canServeReads(): boolean {
    return this.#log.termAt(this.#log.commitIndex) === this.#term
  }

  #releaseEarlyReads(): void {
    this.#reads.releaseEarly(this.#log.commitIndex)
    this.#confirmReads()
  }

  /** False when too many reads wait already. */
  readIndex(request: ReadRequest): boolean {
    if (this.#reads.isFull) return false
    if (this.#canServeReads()) this.#reads.add(request, this.#log.commitIndex)
    else this.#reads.addEarly(request)
    this.#confirmReads()
    return true
  }

  heartbeatResult(message: HeartbeatResult): void {
    const peer = this.#peers.get(message.from)
    if (peer === undefined) return
    peer.alive(this.#log.lastIndex)
    peer.readSequence = Math.max(peer.readSequence, message.readSequence)
    this.#confirmReads()
    if (peer.isBehind(this.#log.lastIndex, this.#log.commitIndex)) this.#isDirty = true
  }

  #confirmReads(): void {
    if (this.#reads.sequence === 0) return
    const confirmed = quorumReached(this.#membership, (id) =>
      id === this.#config.id ? this.#reads.sequence : (this.#peers.get(id)?.readSequence ?? 0),
    )
    for (const read of this.#reads.confirm(confirmed)) this.#answerRead(read)
  }

  #answerRead(read: ConfirmedRead): void {
    const { from, context, index } = read
    if (from === undefined) {
      this.#outbox.answerRead({ context, index })
      return
    }
    const address = { from: this.#config.id, to: from, term: this.#term }
    this.#outbox.send({ type: 'readIndexResult', ...address, context, index })
  }

  /** The role is lost: the member's own reads must be asked again; followers see it by themselves. */
  abandonReads(): void {
    for (const read of this.#reads.abandon()) {
      if (read.from === undefined) {
        this.#outbox.answerRead({ context: read.context, index: undefined })
      }
    }
  }

  /** Thesis 3.10: stop taking proposals, bring the target up to date, tell it to campaign. */
  transfer(to: NodeId): void {
    if (to === this.#config.id || this.#transferee === to) return
    if (!this.#membership.voters.includes(to)) return
    this.#transferee = to
    this.#transferElapsed = 0
    this.#timeoutNowSent = false
    this.#maybeTimeoutNow()
    this.#isDirty = true
  }

  #maybeTimeoutNow(): void {
    if (this.#transferee === undefined || this.#timeoutNowSent) return
    if (this.#peers.get(this.#transferee)?.matchIndex !== this.#log.lastIndex) return
    this.#timeoutNowSent = true
    const address = { from: this.#config.id, to: this.#transferee, term: this.#term }
    this.#outbox.send({ type: 'timeoutNow', ...address })
  }

  unreachable(id: NodeId): void {
    const peer = this.#peers.get(id)
    if (peer?.state === 'replicate') peer.becomeProbe()
  }

  snapshotReported(id: NodeId, succeeded: boolean): void {
    const peer = this.#peers.get(id)
    if (peer?.state !== 'snapshot') return
    if (succeeded) peer.becomeProbe()
    else peer.snapshotFailed()
    this.#isDirty = true
  }

  /** Puts everything that is due into the outbox. */
  broadcast(): void {
    if (this.#heartbeatDue || this.#reads.isOpen) this.#sendHeartbeats()
    if (!this.#isDirty) return
    this.#isDirty = false
    for (const peer of this.#peers.values()) this.#replicate(peer)
  }

  #sendHeartbeats(): void {
    this.#heartbeatDue = false
    this.#reads.close()
    const readSequence = this.#reads.sequence
    for (const peer of this.#peers.values()) {
      this.#outbox.send({
        type: 'heartbeat',
        from: this.#config.id,
        to: peer.id,
        term: this.#term,
        commit: Math.min(peer.matchIndex, this.#log.commitIndex),
        readSequence,
      })
    }
  }

  #replicate(peer: Progress): void {
    const log = this.#log
    while (peer.isBehind(log.lastIndex, log.commitIndex)) {
      if (peer.nextIndex < log.firstIndex) {
        this.#sendSnapshot(peer)
        return
      }
      this.#sendAppend(peer)
    }
  }

  #sendAppend(peer: Progress): void {
    const log = this.#log
    const prevLogIndex = peer.nextIndex - 1
    const prevLogTerm = log.termAt(prevLogIndex)
    assert(prevLogTerm !== undefined, 'the entry before the first one sent is known')
    const entries = log.slice(peer.nextIndex, this.#config.messageSizeBytesMax)
    let sizeBytes = 0
    for (const entry of entries) sizeBytes += entrySizeBytes(entry)
    peer.sent({ count: entries.length, sizeBytes, commit: log.commitIndex })
    this.#outbox.send({
      type: 'appendEntries',
      from: this.#config.id,
      to: peer.id,
      term: this.#term,
      prevLogIndex,
      prevLogTerm,
      entries,
      commit: log.commitIndex,
    })
  }

  #sendSnapshot(peer: Progress): void {
    // A follower that is away would only waste the stream.
    if (!peer.recentActive) return
    const index = this.#log.firstIndex - 1
    const term = this.#log.termAt(index)
    assert(term !== undefined, 'the log knows its snapshot')
    const snapshot = { index, term, membership: this.#snapshotMembership() }
    peer.becomeSnapshot(index)
    const address = { from: this.#config.id, to: peer.id, term: this.#term }
    this.#outbox.send({ type: 'installSnapshot', ...address, snapshot })
  }

  verify(): void {
    this.#reads.verify()
    for (const peer of this.#peers.values()) {
      peer.verify()
      assert(peer.matchIndex <= this.#log.lastIndex, 'no follower holds more than the leader')
    }
    const uncommitted = this.#log.sizeBytesAfter(this.#log.commitIndex)
    assert(this.#uncommittedSizeBytes === uncommitted, 'the uncommitted tail is counted')
    assert(this.#peers.size <= memberIds(this.#membership).length, 'peers are members')
    assert(this.#log.lastTerm === this.#term, 'the log of a leader ends with its own term')
  }
}
