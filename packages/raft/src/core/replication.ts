// How a leader brings its log to the others (paper 5.3; states of a follower in progress.ts). Messages are made when a Ready is taken, so that
// whatever arrived since the last one shares them. Made on winning, dropped with the leadership.
import { assert } from './assert.ts'
import { isWitness, memberIds } from './membership.ts'
import type { Outbox } from './outbox.ts'
import { Progress, type WindowLimits } from './progress.ts'
import { entrySizeBytes } from './entry-cache.ts'
import type { RaftLog } from './raft-log.ts'
import {
  entryType,
  type AppendEntriesResult,
  type Entry,
  type LogIndex,
  type Membership,
  type NodeId,
  type RaftConfig,
  type RaftStatus,
  type RecoverRequest,
  type Term,
} from './types.ts'

const noData = new Uint8Array(0)

/** Read back from the disk at once, in full messages. */
const fetchSizeInMessages = 8

export interface ReplicationOptions {
  readonly config: RaftConfig
  readonly term: Term
  readonly log: RaftLog
  readonly outbox: Outbox
  /** In force where the log begins. */
  readonly snapshotMembership: () => Membership
}

export class Replication {
  readonly #options: ReplicationOptions
  readonly #limits: WindowLimits
  #peers: Map<NodeId, Progress> = new Map()
  #membership: Membership | undefined
  /** Somebody may be behind: the next Ready looks at every peer. */
  #isDirty = true

  constructor(options: ReplicationOptions) {
    const { inflightMessagesMax, inflightSizeBytesMax } = options.config
    this.#options = options
    this.#limits = { messagesMax: inflightMessagesMax, sizeBytesMax: inflightSizeBytesMax }
  }

  get peers(): ReadonlyMap<NodeId, Progress> {
    return this.#peers
  }

  /** Whether send() may have something to send. */
  get isDirty(): boolean {
    return this.#isDirty
  }

  status(): RaftStatus['progress'] {
    return Array.from(this.#peers.values(), (peer) => peer.status())
  }

  /** The log or its commit index has grown, or somebody may have to hear it again. */
  touch(): void {
    this.#isDirty = true
  }

  /** New members start as probes, removed ones are forgotten. */
  setMembership(membership: Membership): void {
    const { config, log } = this.#options
    const peers = new Map<NodeId, Progress>()
    this.#membership = membership
    for (const id of memberIds(membership)) {
      if (id === config.id) continue
      const fresh = { id, nextIndex: log.lastIndex + 1, limits: this.#limits }
      peers.set(id, this.#peers.get(id) ?? new Progress(fresh))
    }
    this.#peers = peers
    this.#isDirty = true
  }

  /** Returns whether the follower holds more than was known. */
  answered(peer: Progress, message: AppendEntriesResult): boolean {
    peer.recentActive = true
    if (!message.rejected) return this.#acknowledged(peer, message.index)
    this.#rejected(peer, message)
    return false
  }

  #rejected(peer: Progress, message: AppendEntriesResult): void {
    const { hintIndex, hintTerm } = message
    const { log } = this.#options
    // A hint of term 0 stands for a compacted, hence committed, position.
    const meeting =
      hintTerm > 0 ? log.findMeeting(hintIndex, hintTerm) : { index: hintIndex, term: 0 }
    peer.reject(message.index, meeting.index)
  }

  #acknowledged(peer: Progress, index: LogIndex): boolean {
    const { log } = this.#options
    assert(index <= log.lastIndex, 'a follower holds no more of this term than its leader')
    const isNews = peer.acknowledge(index)
    // Any snapshot that reconnects the follower with the log will do, whoever sent it.
    if (peer.state === 'snapshot' && peer.matchIndex + 1 >= log.firstIndex) peer.becomeProbe()
    if (peer.state === 'probe' && index >= peer.matchIndex) peer.becomeReplicate()
    return isNews
  }

  /** The follower may take something more now. */
  maybeTouch(peer: Progress): void {
    if (!this.#isDirty) this.#isDirty = this.#isBehind(peer)
  }

  /** A recovering member asks how much log makes it whole: all of this log, as long as it is now. */
  recover(message: RecoverRequest): void {
    const peer = this.#peers.get(message.from)
    if (peer === undefined) return
    const { config, log, outbox, term } = this.#options
    peer.recentActive = true
    peer.forget(log.lastIndex)
    this.#isDirty = true
    const address = { from: config.id, to: peer.id, term }
    const { lastIndex } = log
    outbox.send({ type: 'recoverResult', ...address, nonce: message.nonce, lastIndex })
  }

  /**
   * Others get entries while they are written here. A witness gets them after that: it would refuse its vote to whoever lacks
   * them, and if this member loses them to a crash, nobody has them.
   */
  #lastIndexFor(peer: Progress): LogIndex {
    const { log } = this.#options
    return this.#isWitness(peer) ? log.persistedIndex : log.lastIndex
  }

  #isBehind(peer: Progress): boolean {
    const lastIndex = this.#lastIndexFor(peer)
    return peer.isBehind(lastIndex, Math.min(lastIndex, this.#options.log.commitIndex))
  }

  #isWitness(peer: Progress): boolean {
    return this.#membership !== undefined && isWitness(this.#membership, peer.id)
  }

  /** More of the log is durable here. */
  persisted(): void {
    if ((this.#membership?.witnesses ?? []).length > 0) this.#isDirty = true
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

  /** Puts what is due for each peer into the outbox. */
  send(): void {
    if (!this.#isDirty) return
    this.#isDirty = false
    for (const peer of this.#peers.values()) this.#replicate(peer)
  }

  #replicate(peer: Progress): void {
    const { log, config } = this.#options
    while (this.#isBehind(peer)) {
      if (peer.nextIndex < log.firstIndex) {
        this.#sendSnapshot(peer)
        return
      }
      if (peer.nextIndex > log.evictedIndex) {
        this.#sendAppend(peer, log.slice(peer.nextIndex, config.messageSizeBytesMax))
      } else if (peer.state === 'probe') {
        // Where the logs meet is asked without entries: the disk is read only for what is wanted.
        this.#sendAppend(peer, [])
      } else {
        this.#fetch(peer)
        return
      }
    }
  }

  #fetch(peer: Progress): void {
    if (peer.isFetching) return
    const { config, outbox } = this.#options
    peer.fetching()
    const messages = Math.min(peer.room, fetchSizeInMessages)
    const sizeBytesMax = config.messageSizeBytesMax * messages
    outbox.fetch({ to: peer.id, from: peer.nextIndex, sizeBytesMax })
  }

  /** Entries that were evicted are back from the disk. Meanwhile the follower may have moved, or this log may have been compacted. */
  fetched(to: NodeId, entries: readonly Entry[] | undefined): void {
    const peer = this.#peers.get(to)
    if (peer?.isFetching !== true) return
    peer.fetched(entries !== undefined)
    this.#isDirty = true
    if (entries === undefined || peer.state !== 'replicate') return
    const { log } = this.#options
    let rest = entries
    while (rest.length > 0 && !peer.isPaused()) {
      const first = rest[0]?.index ?? 0
      if (first !== peer.nextIndex || first < log.firstIndex) return
      const message = this.#firstMessage(rest)
      if (message.length === 0) return
      this.#sendAppend(peer, message)
      rest = rest.slice(message.length)
    }
  }

  /** As many as fit one message, and only entries of this log: an answer may be to a question of an earlier leadership. */
  #firstMessage(entries: readonly Entry[]): readonly Entry[] {
    const { log, config } = this.#options
    let size = 0
    let count = 0
    for (const entry of entries) {
      size += entrySizeBytes(entry)
      const isFull = count > 0 && size > config.messageSizeBytesMax
      if (isFull || log.termAt(entry.index) !== entry.term) break
      count++
    }
    return entries.slice(0, count)
  }

  #sendAppend(peer: Progress, whole: readonly Entry[]): void {
    const { config, log, outbox, term } = this.#options
    const entries = this.#isWitness(peer) ? this.#forWitness(whole) : whole
    const prevLogIndex = peer.nextIndex - 1
    const prevLogTerm = log.termAt(prevLogIndex)
    assert(prevLogTerm !== undefined, 'the entry before the first one sent is known')
    let sizeBytes = 0
    for (const entry of entries) sizeBytes += entrySizeBytes(entry)
    peer.sent({ count: entries.length, sizeBytes, commit: log.commitIndex })
    outbox.send({
      type: 'appendEntries',
      from: config.id,
      to: peer.id,
      term,
      prevLogIndex,
      prevLogTerm,
      entries,
      commit: log.commitIndex,
    })
  }

  #forWitness(entries: readonly Entry[]): readonly Entry[] {
    const { persistedIndex } = this.#options.log
    return entries.filter(({ index }) => index <= persistedIndex).map(withoutPayload)
  }

  #sendSnapshot(peer: Progress): void {
    // A follower that is away would only waste the stream.
    if (!peer.recentActive) return
    const { config, log, outbox, snapshotMembership } = this.#options
    const index = log.firstIndex - 1
    const term = log.termAt(index)
    assert(term !== undefined, 'the log knows its snapshot')
    const snapshot = { index, term, membership: snapshotMembership() }
    peer.becomeSnapshot(index)
    const address = { from: config.id, to: peer.id, term: this.#options.term }
    outbox.send({ type: 'installSnapshot', ...address, snapshot })
  }

  verify(): void {
    for (const peer of this.#peers.values()) {
      peer.verify()
      const { lastIndex } = this.#options.log
      assert(peer.matchIndex <= lastIndex, 'no follower holds more than the leader')
    }
  }
}

/** What a witness gets: it votes and counts by terms and indexes, and must know the membership. */
function withoutPayload(entry: Entry): Entry {
  if (entry.type === entryType.membership || entry.data.length === 0) return entry
  return { ...entry, data: noData }
}
