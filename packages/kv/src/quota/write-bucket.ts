// A rate: a bucket of one second's writes that fills up evenly. Writes are taken out where they are applied, so that the writes of every
// member count; what more than one member let through at once is paid back before the next is let through.

export class WriteBucket {
  readonly #perSecond: number
  #level: number
  #atMs: number

  /** Full at `nowMs`. */
  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond
    this.#level = perSecond
    this.#atMs = nowMs
  }

  take(nowMs: number): void {
    this.#fill(nowMs)
    // A second's debt at most: whoever replays a log of yesterday is not to wait for it.
    this.#level = Math.max(this.#level - 1, -this.#perSecond)
  }

  /** Whether another write fits beside `underWay` that are let through and not applied yet. */
  hasRoom(nowMs: number, underWay: number): boolean {
    this.#fill(nowMs)
    return this.#level - underWay >= 1
  }

  #fill(nowMs: number): void {
    const passedMs = Math.max(nowMs - this.#atMs, 0)
    this.#atMs = Math.max(nowMs, this.#atMs)
    const filled = this.#level + (passedMs * this.#perSecond) / 1000
    this.#level = Math.min(filled, this.#perSecond)
  }
}
