// What reaches a process from outside: its timers, its messages and the answers of its disk, its clients. While the process is paused all of it waits; when it
// goes on everything arrives, and a process that ended gets nothing any more.
import type { Scheduler } from './scheduler.ts'

export type Source = 'timer' | 'io' | 'client'

interface Waiting {
  readonly source: Source
  readonly callback: () => void
}

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
    const isFirst = ({ source }: Waiting): boolean => source === first
    const ordered = [...waiting.filter(isFirst), ...waiting.filter((each) => !isFirst(each))]
    for (const { source, callback } of ordered) {
      this.#scheduler.after(0, () => {
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
