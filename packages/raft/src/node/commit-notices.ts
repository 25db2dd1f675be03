// Messages that only tell a follower how far the log is committed. They leave when the event loop has gone round: the client that waits for this
// commit is answered first, and if it asks for the next write at once, the message with that entry says the same.
import type { AppendEntries, Message, NodeId } from '../core/types.ts'

export class CommitNotices {
  /** At most one for each peer. */
  readonly #held = new Map<NodeId, AppendEntries>()

  get isEmpty(): boolean {
    return this.#held.size === 0
  }

  /** Returns what is to leave now. A notice is dropped when a later append to the same peer says more: the network may lose it too. */
  hold(messages: readonly Message[]): readonly Message[] {
    if (this.isEmpty && !messages.some(isNotice)) return messages
    const rest: Message[] = []
    for (const message of messages) {
      if (message.type === 'appendEntries') this.#held.delete(message.to)
      if (isNotice(message)) this.#held.set(message.to, message)
      else rest.push(message)
    }
    return rest
  }

  take(): readonly Message[] {
    const held = [...this.#held.values()]
    this.#held.clear()
    return held
  }
}

function isNotice(message: Message): message is AppendEntries {
  return message.type === 'appendEntries' && message.entries.length === 0
}
