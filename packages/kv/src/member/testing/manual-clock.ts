// A clock that tests move by hand.
import type { MemberClock } from '../member-clock.ts'

interface Timer {
  readonly atMs: number
  readonly callback: () => void
}

export class ManualClock implements MemberClock {
  #nowMs = 0
  readonly #timers = new Set<Timer>()

  now(): number {
    return this.#nowMs
  }

  setTimer(ms: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, callback }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  defer(callback: () => void): void {
    setImmediate(callback)
  }

  /** Fires what is due on the way, in order. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms
    for (;;) {
      const due = [...this.#timers].filter(({ atMs }) => atMs <= endMs)
      const [first] = due.sort((a, b) => a.atMs - b.atMs)
      if (first === undefined) break
      this.#timers.delete(first)
      this.#nowMs = first.atMs
      first.callback()
    }
    this.#nowMs = endMs
  }
}
