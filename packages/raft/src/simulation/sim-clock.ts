// The Clock port over simulated time, for one life of a member: when it crashes, its timers die with it.
import type { Clock } from '../node/ports.ts'
import type { Scheduler } from './scheduler.ts'

export class SimClock implements Clock {
  readonly #scheduler: Scheduler
  #isAlive = true

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  now(): number {
    return this.#scheduler.now
  }

  setTimer(ms: number, callback: () => void): () => void {
    return this.#scheduler.after(ms, () => {
      if (this.#isAlive) callback()
    })
  }

  defer(callback: () => void): void {
    this.setTimer(0, callback)
  }

  /** Nothing is called back any more. */
  stop(): void {
    this.#isAlive = false
  }
}
