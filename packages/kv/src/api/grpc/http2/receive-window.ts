// How much a client may still send: of a stream, or of a whole connection. It is given back by halves, so that few frames are spent on it.
import { Http2Error, http2ErrorCode } from './http2-protocol.ts'

export class ReceiveWindow {
  readonly #size: number
  readonly #streamId: number
  #left: number

  /** `streamId` 0: of the connection. */
  constructor(size: number, streamId: number) {
    this.#size = size
    this.#streamId = streamId
    this.#left = size
  }

  /** Throws FLOW_CONTROL_ERROR when the client sends more than it may. */
  take(length: number): void {
    this.#left -= length
    if (this.#left >= 0) return
    throw new Http2Error(http2ErrorCode.flowControlError, 'window exceeded', this.#streamId)
  }

  /** What to give back now; 0: nothing yet. */
  refill(): number {
    if (this.#left >= this.#size / 2) return 0
    const increment = this.#size - this.#left
    this.#left = this.#size
    return increment
  }
}
