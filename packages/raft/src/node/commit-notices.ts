// Messages that only tell a follower how far the log is committed. They leave a little later: the client that waits for this commit is answered
// first, and if a next write comes meanwhile, the message with that entry says the same. On a machine with few processors each message less
// saves two processes a wake-up: the notice and its answer.
import type { AppendEntries, Message, NodeId } from '../core/types.ts'
import type { Clock } from './ports.ts'

/** How much later a follower that asked for nothing hears what is committed. */
const noticeDelayMs = 1
/** After a proposal or a read that a follower passed on, its clients wait for what it hears: it hears without delay for so long. */
const awaitedMs = 1000

export interface CommitNoticesOptions {
  readonly clock: Clock
  readonly send: (notices: readonly Message[]) => void
}

export class CommitNotices {
  readonly #options: CommitNoticesOptions
  /** At most one for each peer. */
  readonly #held = new Map<NodeId, AppendEntries>()
  readonly #awaitedUntil = new Map<NodeId, number>()
  #isTimed = false
  #isDeferred = false

  constructor(options: CommitNoticesOptions) {
    this.#options = options
  }

  /** Returns what is to leave now. A notice is dropped when a later append to the same peer says more: the network may lose it too. */
  hold(messages: readonly Message[]): readonly Message[] {
    if (this.#held.size === 0 && !messages.some(isNotice)) return messages
    const rest: Message[] = []
    for (const message of messages) {
      if (message.type === 'appendEntries') this.#held.delete(message.to)
      if (isNotice(message)) this.#held.set(message.to, message)
      else rest.push(message)
    }
    if (this.#held.size > 0) this.#schedule()
    return rest
  }

  /** A message has come from a peer; if its clients wait for what is committed here, it hears of that at once. */
  received({ type, from }: Message): void {
    if (type !== 'propose' && type !== 'readIndex') return
    this.#awaitedUntil.set(from, this.#options.clock.now() + awaitedMs)
    if (this.#held.has(from)) this.#schedule()
  }

  #schedule(): void {
    const { clock } = this.#options
    if (this.#isDeferred) return
    if (this.#isAwaited()) {
      this.#isDeferred = true
      // Answers are written when the event loop has gone round, which was asked for after this: once would be too early.
      clock.defer(() => {
        clock.defer(() => this.#sendAll())
      })
    } else if (!this.#isTimed) {
      this.#isTimed = true
      clock.setTimer(noticeDelayMs, () => {
        this.#isTimed = false
        this.#sendAll()
      })
    }
  }

  #isAwaited(): boolean {
    if (this.#awaitedUntil.size === 0) return false
    const now = this.#options.clock.now()
    for (const peer of this.#held.keys()) {
      if ((this.#awaitedUntil.get(peer) ?? -Infinity) >= now) return true
    }
    return false
  }

  #sendAll(): void {
    this.#isDeferred = false
    if (this.#held.size === 0) return
    const notices = [...this.#held.values()]
    this.#held.clear()
    this.#options.send(notices)
  }
}

function isNotice(message: Message): message is AppendEntries {
  return message.type === 'appendEntries' && message.entries.length === 0
}
