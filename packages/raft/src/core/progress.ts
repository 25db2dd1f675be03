// The leader's view of one follower (paper Figure 2 nextIndex and matchIndex; states as in etcd/raft): `probe` sends one message
// and waits, `replicate` pipelines within a window, `snapshot` waits for a stream. Invariant: match < next, window non-empty only in replicate.
import { assert } from './assert.ts'
import type { LogIndex, NodeId, RaftStatus } from './types.ts'

export type ProgressState = 'probe' | 'replicate' | 'snapshot'

/** Limits of the pipeline to one follower. */
export interface WindowLimits {
  readonly messagesMax: number
  readonly sizeBytesMax: number
}

/** appendEntries on their way, oldest first: a queue over two arrays with a moving head, so that an acknowledgement costs no shift(). */
class Window {
  #lastIndexes: LogIndex[] = []
  #sizes: number[] = []
  #head = 0
  #sizeBytes = 0

  get count(): number {
    return this.#lastIndexes.length - this.#head
  }

  isFull(limits: WindowLimits): boolean {
    return this.count >= limits.messagesMax || this.#sizeBytes >= limits.sizeBytesMax
  }

  add(lastIndex: LogIndex, sizeBytes: number): void {
    assert(
      this.count === 0 || lastIndex > (this.#lastIndexes[this.#lastIndexes.length - 1] ?? 0),
      'messages in flight carry rising indexes',
    )
    this.#lastIndexes.push(lastIndex)
    this.#sizes.push(sizeBytes)
    this.#sizeBytes += sizeBytes
  }

  /** Everything up to `index` has arrived. */
  freeTo(index: LogIndex): void {
    while (this.count > 0 && (this.#lastIndexes[this.#head] ?? 0) <= index) {
      this.#sizeBytes -= this.#sizes[this.#head] ?? 0
      this.#head++
    }
    assert(this.#sizeBytes >= 0, 'the window never owes bytes')
    if (this.#head === this.#lastIndexes.length) this.clear()
    else if (this.#head > 1024) {
      this.#lastIndexes = this.#lastIndexes.slice(this.#head)
      this.#sizes = this.#sizes.slice(this.#head)
      this.#head = 0
    }
  }

  freeFirst(): void {
    this.freeTo(this.#lastIndexes[this.#head] ?? 0)
  }

  clear(): void {
    this.#lastIndexes.length = 0
    this.#sizes.length = 0
    this.#head = 0
    this.#sizeBytes = 0
  }
}

export class Progress {
  readonly id: NodeId
  readonly #limits: WindowLimits
  readonly #window = new Window()
  #state: ProgressState = 'probe'
  #matchIndex: LogIndex = 0
  #nextIndex: LogIndex
  #snapshotIndex: LogIndex = 0
  /** Probe: the one message is out, wait for its answer or the next heartbeat's. */
  #probeSent = false
  /** An empty appendEntries is wanted, to find out what got lost. */
  #proofDue = false
  /** The highest commit index the follower was told. */
  #sentCommit: LogIndex = 0
  /** Entries for the follower are being read back from the disk, or that came to nothing and it waits for a sign of life. */
  #fetch: 'none' | 'underWay' | 'failed' = 'none'
  /** Heard from since the last check of the quorum. */
  recentActive = false
  /** Between the last two checks. */
  #wasActive = false
  /** The highest read index round it has confirmed. */
  readSequence = 0

  constructor(options: {
    readonly id: NodeId
    readonly nextIndex: LogIndex
    readonly limits: WindowLimits
  }) {
    assert(options.nextIndex >= 1, 'the log starts at index 1')
    this.id = options.id
    this.#limits = options.limits
    this.#nextIndex = options.nextIndex
  }

  get state(): ProgressState {
    return this.#state
  }

  get matchIndex(): LogIndex {
    return this.#matchIndex
  }

  get nextIndex(): LogIndex {
    return this.#nextIndex
  }

  isPaused(): boolean {
    switch (this.#state) {
      case 'probe':
        return this.#probeSent
      case 'replicate':
        return this.#fetch !== 'none' || this.#window.isFull(this.#limits)
      case 'snapshot':
        return true
    }
  }

  /** Whether a message without entries is worth sending: to probe, to prove, or to tell a new commit index. */
  needsEmpty(commitIndex: LogIndex): boolean {
    return this.#state === 'probe' || this.#proofDue || this.#sentCommit < commitIndex
  }

  /** Whether anything would be sent now. */
  isBehind(lastIndex: LogIndex, commitIndex: LogIndex): boolean {
    return !this.isPaused() && (this.#nextIndex <= lastIndex || this.needsEmpty(commitIndex))
  }

  get isFetching(): boolean {
    return this.#fetch === 'underWay'
  }

  /** How many messages may still leave. */
  get room(): number {
    return this.#limits.messagesMax - this.#window.count
  }

  /** The next entries are asked for from the disk; one such question at a time, whatever the state. */
  fetching(): void {
    assert(this.#state === 'replicate', 'entries are read back for followers whose logs meet')
    assert(this.#fetch === 'none', 'one question to the disk at a time')
    this.#fetch = 'underWay'
  }

  fetched(succeeded: boolean): void {
    this.#fetch = succeeded ? 'none' : 'failed'
  }

  /** An appendEntries of `count` entries from nextIndex on is on its way. */
  sent(message: {
    readonly count: number
    readonly sizeBytes: number
    readonly commit: LogIndex
  }): void {
    assert(!this.isPaused(), 'nothing is sent to a paused follower')
    this.#proofDue = false
    // A follower commits no further than what the message shows it holds.
    this.#sentCommit = Math.min(message.commit, this.#nextIndex - 1 + message.count)
    if (this.#state === 'probe') {
      this.#probeSent = true
      return
    }
    if (message.count === 0) return
    this.#nextIndex += message.count
    this.#window.add(this.#nextIndex - 1, message.sizeBytes)
  }

  /** The log of the follower matches up to `index`. Returns whether that is news. */
  acknowledge(index: LogIndex): boolean {
    this.#probeSent = false
    if (this.#state === 'replicate') this.#window.freeTo(index)
    if (index <= this.#matchIndex) return false
    this.#matchIndex = index
    this.#nextIndex = Math.max(this.#nextIndex, index + 1)
    return true
  }

  /** `rejectedIndex` was refused and the logs may meet at `meetIndex`. Returns false for an outdated refusal. */
  reject(rejectedIndex: LogIndex, meetIndex: LogIndex): boolean {
    if (this.#state === 'replicate') {
      if (rejectedIndex <= this.#matchIndex) return false
      this.becomeProbe()
      return true
    }
    if (this.#state === 'snapshot' || this.#nextIndex - 1 !== rejectedIndex) return false
    const nextIndex = Math.max(Math.min(rejectedIndex, meetIndex + 1), this.#matchIndex + 1)
    // It refuses what it had acknowledged: it has lost that and will ask, or be upgraded until it can. Asked again at once, and for every repeated
    // answer, the two would do nothing else; the next heartbeat is soon enough.
    if (nextIndex === this.#nextIndex) return false
    this.#nextIndex = nextIndex
    this.#probeSent = false
    return true
  }

  /** The follower has lost what it acknowledged: nothing is known of its log any more. A snapshot under way goes on. */
  forget(lastIndex: LogIndex): void {
    this.#matchIndex = 0
    if (this.#state === 'snapshot') return
    this.#enter('probe')
    this.#nextIndex = lastIndex + 1
  }

  becomeProbe(): void {
    const nextAfterSnapshot = this.#state === 'snapshot' ? this.#snapshotIndex + 1 : 0
    this.#enter('probe')
    this.#nextIndex = Math.max(this.#matchIndex + 1, nextAfterSnapshot)
  }

  becomeReplicate(): void {
    // What a probe has told of the commit index need not be told again; should it be lost, heartbeats tell it.
    const sentCommit = Math.min(this.#sentCommit, this.#matchIndex)
    this.#enter('replicate')
    this.#sentCommit = sentCommit
    this.#nextIndex = this.#matchIndex + 1
  }

  becomeSnapshot(snapshotIndex: LogIndex): void {
    this.#enter('snapshot')
    this.#snapshotIndex = snapshotIndex
  }

  /** The stream broke: the snapshot counts as not sent. */
  snapshotFailed(): void {
    assert(this.#state === 'snapshot', 'only a snapshot under way can fail')
    this.#snapshotIndex = 0
    this.becomeProbe()
    // Wait for a sign of life before the next stream.
    this.#probeSent = true
  }

  #enter(state: ProgressState): void {
    this.#window.clear()
    this.#probeSent = false
    this.#proofDue = false
    this.#sentCommit = 0
    this.#snapshotIndex = 0
    this.#state = state
  }

  /** A heartbeat was answered: the follower lives, so a probe may go out, and a lost tail is looked for. */
  alive(lastIndex: LogIndex): void {
    this.recentActive = true
    this.#probeSent = false
    if (this.#fetch === 'failed') this.#fetch = 'none'
    if (this.#state !== 'replicate' || this.#matchIndex >= lastIndex) return
    this.#proofDue = true
    // A full window whose answers got lost would wait for ever; one message more a heartbeat burdens nobody.
    if (this.#window.isFull(this.#limits)) this.#window.freeFirst()
  }

  /** Heard from in the last one or two election timeouts. */
  get isActive(): boolean {
    return this.recentActive || this.#wasActive
  }

  /** The quorum was checked. */
  startActivity(): void {
    this.#wasActive = this.recentActive
    this.recentActive = false
  }

  status(): RaftStatus['progress'][number] {
    return {
      id: this.id,
      state: this.#state,
      matchIndex: this.#matchIndex,
      nextIndex: this.#nextIndex,
      recentActive: this.isActive,
    }
  }

  verify(): void {
    assert(this.#matchIndex < this.#nextIndex, 'the next entry lies after the matching ones')
    assert(this.#state === 'replicate' || this.#window.count === 0, 'only replicate pipelines')
    assert(this.#window.count <= this.#limits.messagesMax, 'the window keeps its limit')
  }
}
