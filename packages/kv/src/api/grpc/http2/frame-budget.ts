// Frames that cost us work and bring the client nothing (resets, pings, settings, empty data) are paid from a budget that refills with
// time and with every message we send: Go's client pings about once for each to measure the connection. An honest client never meets
// the limit; a flood ends the connection.
import { Http2Error, http2ErrorCode } from './http2-protocol.ts'

/** As many as streams may be open, so that a client may cancel all of its watches at once. */
export const framesBurstMax = 12_000
export const framesPerSecond = 1000

export class FrameBudget {
  readonly #nowMs: () => number
  #left = framesBurstMax
  #refilledMs: number

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
    this.#refilledMs = nowMs()
  }

  /** Throws ENHANCE_YOUR_CALM when the budget is spent. */
  spend(): void {
    if (this.#left <= 0) this.#refill()
    if (this.#left <= 0) {
      throw new Http2Error(http2ErrorCode.enhanceYourCalm, 'too many control frames')
    }
    this.#left--
  }

  /** The client got something for its frames. */
  earn(): void {
    if (this.#left < framesBurstMax) this.#left++
  }

  #refill(): void {
    const now = this.#nowMs()
    const earned = Math.floor(((now - this.#refilledMs) * framesPerSecond) / 1000)
    if (earned <= 0) return
    this.#left = Math.min(framesBurstMax, this.#left + earned)
    this.#refilledMs = now
  }
}
