// Messages to one peer that are not on the wire yet. Those of the control lane (heartbeats, votes, acknowledgements) overtake those with
// payloads, which come in bounded frames, so that even on a single connection a heartbeat never waits behind more than one frame and
// what the socket holds.
import type { Message } from '../core/types.ts'
import { messageSizeBytes } from './encode-frame.ts'
import { laneOf, type Lane } from './lanes.ts'
import { protocolVersions } from './protocol-version.ts'

/** Payload messages of one frame; one larger message goes alone. */
const frameSizeBytes = 512 * 1024
/** Keeps a full frame of the control lane below what its receiver takes. */
const frameMessagesSentMax = 1_024
/** Of each lane. */
export const queuedMessagesMax = 8_192
const queuedBytesMax: number = 64 * 1024 * 1024

export class OutgoingQueue {
  #control: Message[] = []
  #bulk: Message[] = []
  #bulkHead = 0
  #bulkBytes = 0

  /** False if it does not fit: the message is dropped. */
  push(message: Message): boolean {
    if (laneOf(message) === 'control') {
      if (this.#control.length >= queuedMessagesMax) return false
      this.#control.push(message)
      return true
    }
    const size = messageSizeBytes(message, protocolVersions.max)
    if (this.#bulk.length - this.#bulkHead >= queuedMessagesMax) return false
    if (this.#bulkBytes > 0 && this.#bulkBytes + size > queuedBytesMax) return false
    this.#bulk.push(message)
    this.#bulkBytes += size
    return true
  }

  /** What the next frame of a connection with these lanes carries. */
  takeFrame(lanes: readonly Lane[]): readonly Message[] {
    const messages = lanes.includes('control') ? this.#control.splice(0, frameMessagesSentMax) : []
    if (lanes.includes('bulk')) this.#takeBulk(messages)
    return messages
  }

  #takeBulk(messages: Message[]): void {
    let size = 0
    while (this.#bulkHead < this.#bulk.length && messages.length < frameMessagesSentMax) {
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
  }

  clear(lanes: readonly Lane[]): void {
    if (lanes.includes('control')) this.#control = []
    if (!lanes.includes('bulk')) return
    this.#bulk = []
    this.#bulkHead = 0
    this.#bulkBytes = 0
  }
}
