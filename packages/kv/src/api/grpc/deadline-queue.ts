// Deadlines of calls, rounded up to a tick: a timer for each call would cost more than most calls do.

const tickMs = 50

export interface Expiring {
  expire(): void
}

export class DeadlineQueue {
  readonly #nowMs: () => number
  readonly #ticks = new Map<number, Set<Expiring>>()
  #timer: NodeJS.Timeout | undefined
  #lastTick = 0

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** Returns what remove() wants. */
  add(call: Expiring, timeoutMs: number): number {
    const tick = Math.ceil((this.#nowMs() + timeoutMs) / tickMs)
    const calls = this.#ticks.get(tick)
    if (calls === undefined) this.#ticks.set(tick, new Set([call]))
    else calls.add(call)
    if (this.#timer === undefined) {
      this.#lastTick = Math.floor(this.#nowMs() / tickMs)
      this.#timer = setInterval(() => this.#expire(), tickMs)
      this.#timer.unref()
    }
    return tick
  }

  remove(call: Expiring, tick: number): void {
    const calls = this.#ticks.get(tick)
    if (calls === undefined) return
    calls.delete(call)
    if (calls.size === 0) this.#ticks.delete(tick)
  }

  #expire(): void {
    const now = Math.floor(this.#nowMs() / tickMs)
    for (let tick = this.#lastTick; tick <= now; tick++) {
      const calls = this.#ticks.get(tick)
      if (calls === undefined) continue
      this.#ticks.delete(tick)
      for (const call of calls) call.expire()
    }
    this.#lastTick = now
    if (this.#ticks.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
