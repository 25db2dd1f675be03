// How long to wait before something is tried again that failed again and again: doubled each time, forgotten after a while of peace.

export interface RetryDelaysOptions {
  readonly firstMs: number
  readonly maxMs: number
}

export class RetryDelays {
  readonly #options: RetryDelaysOptions
  readonly #delays = new Map<string, { delayMs: number; untilMs: number }>()

  constructor(options: RetryDelaysOptions) {
    this.#options = options
  }

  /** Milliseconds still to wait; 0: it may be tried. */
  afterMs(key: string, nowMs: number): number {
    return Math.max(0, (this.#delays.get(key)?.untilMs ?? 0) - nowMs)
  }

  failed(key: string, nowMs: number): void {
    const { firstMs, maxMs } = this.#options
    for (const [known, { untilMs }] of this.#delays)
      if (untilMs + maxMs < nowMs) this.#delays.delete(known)
    const before = this.#delays.get(key)?.delayMs
    const delayMs = before === undefined ? firstMs : Math.min(maxMs, before * 2)
    this.#delays.set(key, { delayMs, untilMs: nowMs + delayMs })
  }
}
