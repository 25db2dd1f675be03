// The Clock port over simulated time, for one life of a member: when it crashes, its timers die with it; while it is paused, they wait.
import type { Clock } from '../node/ports.ts'
import { Gate } from './gate.ts'
import { LocalClock } from './local-clock.ts'
import type { Scheduler } from './scheduler.ts'

/** Less than this is rounding. */
const roundingMs = 1e-6

export class SimClock implements Clock {
  readonly #scheduler: Scheduler
  readonly #gate: Gate
  readonly #local: LocalClock

  constructor(
    scheduler: Scheduler,
    gate: Gate = new Gate(scheduler),
    local: LocalClock = new LocalClock(scheduler, { rate: 1, startMs: 0 }),
  ) {
    this.#scheduler = scheduler
    this.#gate = gate
    this.#local = local
  }

  now(): number {
    return this.#local.monotonicMs
  }

  wallMs(): number {
    return this.#local.wallMs
  }

  setTimer(ms: number, callback: () => void): () => void {
    const local = this.#local
    const deadline = local.monotonicMs + ms
    let isCancelled = false
    let cancel = (): void => {}
    const arm = (restMs: number): void => {
      cancel = this.#scheduler.after(local.durationOf(restMs), () => {
        this.#gate.pass('timer', fire)
      })
    }
    const fire = (): void => {
      // It may be cancelled while it waits for the end of a pause.
      if (isCancelled) return
      const restMs = deadline - local.monotonicMs
      // The clock was suspended, or runs slower since.
      if (restMs > roundingMs) arm(restMs)
      else callback()
    }
    arm(ms)
    return () => {
      isCancelled = true
      cancel()
    }
  }

  defer(callback: () => void): void {
    this.#scheduler.after(0, () => {
      this.#gate.pass('timer', callback)
    })
  }
}
