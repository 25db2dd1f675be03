// What reaches a process from outside: its timers, its messages, the answers of its disk. While the process is paused all of it waits; when it
// goes on everything arrives, and a process that ended gets nothing any more.
import type { Scheduler } from './scheduler.ts'

type Source = 'timer' | 'io'

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

  /** Either all overdue timers come first, as in an event loop, or all in the order in which it was due. */
  resume(timersFirst: boolean): void {
    if (this.#state !== 'paused') return
    this.#state = 'open'
    const waiting = this.#waiting
    this.#waiting = []
    const isTimer = ({ source }: Waiting): boolean => timersFirst && source === 'timer'
    const ordered = [...waiting.filter(isTimer), ...waiting.filter((each) => !isTimer(each))]
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
