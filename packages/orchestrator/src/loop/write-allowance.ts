// How many writes may be under way at once. A round of the event loop carries them all, and whoever asks meanwhile waits for it: where
// much is written for long, few are. A burst may have more: it is over sooner, and batches of the store are larger.

/** Writes of a burst that may be many at once. */
const burstMax = 1500
/** So many of them come back every second. */
const refillPerSecond = 100

export class WriteAllowance {
  readonly #few: number
  readonly #many: number
  readonly #now: () => number
  #left = burstMax
  #countedMs: number

  /** `few` at once in the long run, `many` in a burst. `now`: milliseconds that only grow. */
  constructor(few: number, many: number, now: () => number = () => performance.now()) {
    this.#few = few
    this.#many = many
    this.#now = now
    this.#countedMs = now()
  }

  /** Writes that may be under way now. */
  get atOnce(): number {
    return this.#left >= 1 ? this.#many : this.#few
  }

  /** So many writes are begun. */
  take(count: number): void {
    const nowMs = this.#now()
    const refilled = this.#left + ((nowMs - this.#countedMs) / 1000) * refillPerSecond
    this.#countedMs = nowMs
    this.#left = Math.max(0, Math.min(burstMax, refilled) - count)
  }
}
