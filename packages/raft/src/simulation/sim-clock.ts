// The Clock port over simulated time, for one life of a member: when it crashes, its timers die with it; while it is paused, they wait.
import type { Clock } from '../node/ports.ts'
import { Gate } from './gate.ts'
import type { Scheduler } from './scheduler.ts'

export class SimClock implements Clock {
  readonly #scheduler: Scheduler
  readonly #gate: Gate

  constructor(scheduler: Scheduler, gate: Gate = new Gate(scheduler)) {
    this.#scheduler = scheduler
    this.#gate = gate
  }

  now(): number {
    return this.#scheduler.now
  }

  setTimer(ms: number, callback: () => void): () => void {
    let isCancelled = false
    const cancel = this.#scheduler.after(ms, () => {
      this.#gate.pass('timer', () => {
        // It may be cancelled while it waits for the end of a pause.
        if (!isCancelled) callback()
      })
    })
    return () => {
      isCancelled = true
      cancel()
    }
  }

  defer(callback: () => void): void {
    this.setTimer(0, callback)
  }
}
