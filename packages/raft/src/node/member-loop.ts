// The loop of a member: inputs go into the core at once; what the core wants done is taken once a turn of the event loop, so that what
// arrived in one turn shares messages, entries and syncs; a lone request is not held up for that. Keeps the order of a Ready: send,
// persist, and after that promises and apply.
import type {
  Core,
  FetchRequest,
  Message,
  NodeId,
  Ready,
  SnapshotMeta,
  Term,
} from '../core/types.ts'
import { messageSizeBytes } from '../transport/encode-frame.ts'
import { protocolVersions } from '../transport/protocol-version.ts'
import type { Wal } from '../wal/wal.ts'
import type { Applier } from './applier.ts'
import { CommitNotices } from './commit-notices.ts'
import type { RaftMetrics } from './metrics.ts'
import type { Clock, Transport } from './ports.ts'
import type { Proposals } from './proposals.ts'
import type { Reads } from './reads.ts'

/** Readys taken in one turn; more wait for the next. */
const readysPerTurnMax = 16

export interface MemberLoopOptions<Result> {
  readonly core: Core
  readonly wal: Wal
  readonly transport: Transport
  readonly clock: Clock
  readonly proposals: Proposals<Result>
  readonly reads: Reads
  readonly applier: Applier<Result>
  readonly metrics?: RaftMetrics
  readonly onSendSnapshot: (to: NodeId) => void
  /** The core has given up its log for a snapshot; nothing is applied until the applier is resumed. */
  readonly onInstall: (meta: SnapshotMeta) => void
  /** To be answered with the core's fetched(). */
  readonly onFetch: (request: FetchRequest) => void
  /** Entries were applied. */
  readonly onApplied: () => void
  readonly onLeaderChanged: (leader: NodeId | undefined, term: Term) => void
  readonly onFailure: (reason: unknown) => void
}

interface DelayedMessages {
  readonly sequence: number
  readonly messages: readonly Message[]
}

export class MemberLoop<Result> {
  readonly #options: MemberLoopOptions<Result>
  /** Votes and acknowledgements, until their Ready is durable. */
  #delayed: DelayedMessages[] = []
  readonly #notices: CommitNotices
  #isTurnDue = false
  #isStopped = false
  #leader: NodeId | undefined
  #leaderTerm: Term = 0

  constructor(options: MemberLoopOptions<Result>) {
    this.#options = options
    const { clock } = options
    this.#notices = new CommitNotices({
      clock,
      send: (notices) => {
        if (!this.#isStopped) this.#send(notices)
      },
    })
  }

  /** Nothing is done any more, whatever is still under way. */
  stop(): void {
    this.#isStopped = true
  }

  /** Runs an input of the core; what comes of it is taken with this turn of the event loop. */
  input(action: (core: Core) => void): void {
    this.#run(action)
    this.wake()
  }

  #run(action: (core: Core) => void): void {
    if (this.#isStopped) return
    try {
      action(this.#options.core)
    } catch (reason) {
      this.#options.onFailure(reason)
    }
  }

  /** A message has come from a peer. */
  received(message: Message): void {
    const { metrics } = this.#options
    metrics?.messageReceived?.(message.type, sizeOf(message))
    this.#notices.received(message)
    this.input((core) => {
      core.step(message)
    })
  }

  /** A turn comes: at once after this one task if nobody is there to share it with, else when the event loop has gone round. */
  wake(): void {
    if (this.#isTurnDue || this.#isStopped) return
    this.#isTurnDue = true
    if (this.#isQuiet()) {
      queueMicrotask(() => {
        this.#runTurn()
      })
    } else this.#defer()
  }

  /** For what may be answered and asked again without the disk: it must not keep the event loop from going round. */
  wakeLater(): void {
    if (this.#isTurnDue || this.#isStopped) return
    this.#isTurnDue = true
    this.#defer()
  }

  /** The disk is free, and one request at most waits: to gather more would only cost it time. */
  #isQuiet(): boolean {
    const { wal, proposals, reads } = this.#options
    return wal.pendingWrite === undefined && proposals.count + reads.count <= 1
  }

  #defer(): void {
    this.#options.clock.defer(() => {
      this.#runTurn()
    })
  }

  #runTurn(): void {
    this.#isTurnDue = false
    if (this.#isStopped) return
    try {
      this.#turn()
    } catch (reason) {
      this.#options.onFailure(reason)
    }
  }

  #turn(): void {
    const { core, clock, proposals, reads, applier } = this.#options
    proposals.flush(clock.now(), (payload) => core.propose([payload]))
    reads.flush((context) => {
      core.readIndex(context)
    })
    for (let i = 0; i < readysPerTurnMax && core.hasReady(); i++) this.#handle(core.ready())
    this.#apply()
    this.#noticeLeader()
    // More than one turn may do: sockets and timers come first.
    if (core.hasReady() || applier.hasWork || reads.isDue) this.wakeLater()
  }

  #handle(ready: Ready): void {
    const { wal, applier, reads, onInstall, onFetch } = this.#options
    const { sequence, persist } = ready
    if (ready.send.length > 0) this.#sendOrHold(ready.send)
    if (ready.sendAfterPersist.length > 0) {
      this.#delayed.push({ sequence, messages: ready.sendAfterPersist })
    }
    if (persist?.snapshot !== undefined) onInstall(persist.snapshot)
    wal.append(sequence, persist)
    if (ready.apply.length > 0) applier.push(ready.apply)
    for (const read of ready.reads) reads.answered(read)
    for (const request of ready.fetch) onFetch(request)
  }

  #sendOrHold(messages: readonly Message[]): void {
    const rest = this.#notices.hold(messages)
    if (rest.length > 0) this.#send(rest)
  }

  #send(messages: readonly Message[]): void {
    const { transport, onSendSnapshot } = this.#options
    this.#count(messages)
    if (!messages.some(({ type }) => type === 'installSnapshot')) {
      transport.send(messages)
      return
    }
    transport.send(messages.filter(({ type }) => type !== 'installSnapshot'))
    for (const { type, to } of messages) if (type === 'installSnapshot') onSendSnapshot(to)
  }

  #count(messages: readonly Message[]): void {
    const { metrics } = this.#options
    if (metrics?.messageSent === undefined) return
    for (const message of messages) metrics.messageSent(message.type, sizeOf(message))
  }

  /** Everything up to the Ready of `sequence` is durable. */
  durable(sequence: number): void {
    this.#run((core) => {
      core.persisted(sequence)
      if (core.hasReady()) this.wake()
      let count = 0
      for (const delayed of this.#delayed) {
        if (delayed.sequence > sequence) break
        this.#count(delayed.messages)
        this.#options.transport.send(delayed.messages)
        count++
      }
      if (count > 0) this.#delayed.splice(0, count)
    })
  }

  #apply(): void {
    const { core, applier, reads, metrics, onApplied } = this.#options
    const before = applier.applied.index
    const index = applier.run()
    if (index !== undefined) {
      core.applied(index)
      metrics?.applied?.(index - before, applier.waitingCount)
      onApplied()
    }
    reads.applied(applier.applied.index)
  }

  #noticeLeader(): void {
    const { core, proposals, reads, metrics, onLeaderChanged } = this.#options
    const { leader, term, vote } = core.election()
    if (leader === this.#leader && term === this.#leaderTerm) return
    if (term > this.#leaderTerm && vote === core.status().id) metrics?.campaigned?.(term)
    const isNews = leader !== this.#leader || leader !== undefined
    this.#leader = leader
    this.#leaderTerm = term
    if (!isNews) return
    metrics?.leaderChanged?.(leader, term)
    onLeaderChanged(leader, term)
    if (leader === undefined) return
    reads.retry()
    if (proposals.isWaiting) this.wake()
  }
}

/** As the newest protocol puts it into a frame. */
function sizeOf(message: Message): number {
  return messageSizeBytes(message, protocolVersions.max)
}
