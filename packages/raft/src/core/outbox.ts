// What the core has to say since the last Ready: messages for at once, messages for after the disk, answers to reads, and
// what is to be read back from the disk.
import { assert } from './assert.ts'
import type { FetchRequest, Message, ReadState } from './types.ts'

export class Outbox {
  #send: Message[] = []
  #sendAfterPersist: Message[] = []
  #reads: ReadState[] = []
  #fetch: FetchRequest[] = []

  get isEmpty(): boolean {
    return (
      this.#send.length === 0 &&
      this.#sendAfterPersist.length === 0 &&
      this.#reads.length === 0 &&
      this.#fetch.length === 0
    )
  }

  send(message: Message): void {
    assert(message.from !== message.to, 'a member sends no message to itself')
    this.#send.push(message)
  }

  /** For what promises something that is not durable yet: votes, requests of votes, acknowledgements. */
  sendAfterPersist(message: Message): void {
    assert(message.from !== message.to, 'a member sends no message to itself')
    this.#sendAfterPersist.push(message)
  }

  answerRead(state: ReadState): void {
    this.#reads.push(state)
  }

  fetch(request: FetchRequest): void {
    this.#fetch.push(request)
  }

  take(): {
    readonly send: readonly Message[]
    readonly sendAfterPersist: readonly Message[]
    readonly reads: readonly ReadState[]
    readonly fetch: readonly FetchRequest[]
  } {
    const taken = {
      send: this.#send,
      sendAfterPersist: this.#sendAfterPersist,
      reads: this.#reads,
      fetch: this.#fetch,
    }
    this.#send = []
    this.#sendAfterPersist = []
    this.#reads = []
    this.#fetch = []
    return taken
  }
}
