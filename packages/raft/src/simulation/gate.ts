// What reaches a process from outside: its timers, its messages and the answers of its disk, its clients. While the process is paused all of it waits; when it
// goes on everything arrives, and a process that ended gets nothing any more.
import type { Scheduler } from './scheduler.ts'

export type Source = 'timer' | 'io' | 'client'

interface Waiting {
  readonly source: Source
  readonly callback: () => void
}

/** What comes first has its consequences before the rest arrives. */
const turnMs = 0.01

export class Gate {
  readonly #scheduler: Scheduler
  #state: 'open' | 'paused' | 'closed' = 'open'
  #waiting: Waiting[] = []

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  get isPaused(): boolean {
    return this.#state === 'paused'
  }

  pass(source: Source, callback: () => void): void {
    if (this.#state === 'open') callback()
    else if (this.#state === 'paused') this.#waiting.push({ source, callback })
  }

  pause(): void {
    if (this.#state === 'open') this.#state = 'paused'
  }

  /** All of one source comes first (overdue timers, as in an event loop; one socket before another), or all in the order in which it was due. */
  resume(first: Source | undefined): void {
    if (this.#state !== 'paused') return
    this.#state = 'open'
    const waiting = this.#waiting
    this.#waiting = []
    for (const { source, callback } of waiting) {
      this.#scheduler.after(source === first || first === undefined ? 0 : turnMs, () => {
        this.pass(source, callback)
      })
    }
  }

  /** The process is gone. */
  close(): void {
    this.#state = 'closed'
    this.#waiting = []
  }
}
