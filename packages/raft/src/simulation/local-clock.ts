// The time as one member's machine has it: a monotonic clock that runs a little fast or slow and stands still while the machine is suspended, and a
// wall clock that somebody may set.
import type { Scheduler } from './scheduler.ts'

export class LocalClock {
  readonly #scheduler: Scheduler
  #rate: number
  /** The monotonic time at `#since` of the run. */
  #base: number
  #since = 0
  #isSuspended = false
  #wallOffsetMs: number

  /** Zero is somewhere else on every machine. */
  constructor(scheduler: Scheduler, options: { readonly rate: number; readonly startMs: number }) {
    this.#scheduler = scheduler
    this.#rate = options.rate
    this.#base = options.startMs
    this.#since = scheduler.now
    this.#wallOffsetMs = options.startMs
  }

  get monotonicMs(): number {
    if (this.#isSuspended) return this.#base
    return this.#base + (this.#scheduler.now - this.#since) * this.#rate
  }

  get wallMs(): number {
    return this.#wallOffsetMs + this.#scheduler.now
  }

  /** How long something takes in the run's time that takes `ms` here. */
  durationOf(ms: number): number {
    return ms / this.#rate
  }

  /** From now on its seconds are that much of a second. */
  setRate(rate: number): void {
    this.#rebase()
    this.#rate = rate
  }

  jumpWall(ms: number): void {
    this.#wallOffsetMs += ms
  }

  suspend(): void {
    this.#rebase()
    this.#isSuspended = true
  }

  resume(): void {
    if (!this.#isSuspended) return
    this.#since = this.#scheduler.now
    this.#isSuspended = false
  }

  #rebase(): void {
    this.#base = this.monotonicMs
    this.#since = this.#scheduler.now
  }
}
