// Messages to one peer that are not on the wire yet. Small ones (heartbeats, votes, acknowledgements) overtake those with payloads,
// which come in bounded frames, so that a heartbeat never waits behind more than one frame and what the socket holds.
import type { Message } from '../core/types.ts'
import { messageSizeBytes } from './encode-frame.ts'
import { protocolVersions } from './protocol-version.ts'

/** Payload messages of one frame; one larger message goes alone. */
const frameSizeBytes = 512 * 1024
export const queuedMessagesMax = 8_192
const queuedBytesMax: number = 64 * 1024 * 1024

export class OutgoingQueue {
  #urgent: Message[] = []
  #bulk: Message[] = []
  #bulkHead = 0
  #bulkBytes = 0

  get isEmpty(): boolean {
    return this.#urgent.length === 0 && this.#bulkHead === this.#bulk.length
  }

  /** False if it does not fit: the message is dropped. */
  push(message: Message): boolean {
    if (this.#urgent.length + this.#bulk.length - this.#bulkHead >= queuedMessagesMax) return false
    if (message.type !== 'appendEntries' && message.type !== 'propose') {
      this.#urgent.push(message)
      return true
    }
    const size = messageSizeBytes(message, protocolVersions.max)
    if (this.#bulkBytes > 0 && this.#bulkBytes + size > queuedBytesMax) return false
    this.#bulk.push(message)
    this.#bulkBytes += size
    return true
  }

  /** What the next frame carries. */
  takeFrame(): readonly Message[] {
    const messages = this.#urgent
    this.#urgent = []
    let size = 0
    while (this.#bulkHead < this.#bulk.length) {
      const message = this.#bulk[this.#bulkHead]
      if (message === undefined) break
      const messageSize = messageSizeBytes(message, protocolVersions.max)
      if (size > 0 && size + messageSize > frameSizeBytes) break
      messages.push(message)
      size += messageSize
      this.#bulkHead++
    }
    this.#bulkBytes -= size
    if (this.#bulkHead === this.#bulk.length) {
      this.#bulk = []
      this.#bulkHead = 0
    }
    return messages
  }

  clear(): void {
    this.#urgent = []
    this.#bulk = []
    this.#bulkHead = 0
    this.#bulkBytes = 0
  }
}
