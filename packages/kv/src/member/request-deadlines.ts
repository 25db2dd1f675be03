// Ends requests that get no answer in time. All have the same time, so the oldest is always in front and one timer serves them.
import { KvError } from '../errors.ts'
import type { Done } from './types.ts'

interface Pending {
  readonly startMs: number
  expire: ((error: KvError) => void) | undefined
}

export class RequestDeadlines {
  readonly #timeoutMs: number
  readonly #now: () => number
  #pending: Pending[] = []
  #start = 0

  constructor(timeoutMs: number, now: () => number) {
    this.#timeoutMs = timeoutMs
    this.#now = now
  }

  get pendingCount(): number {
    return this.#pending.length - this.#start
  }

  /** The returned callback passes the first answer on to `done`; if none comes in time, expire() answers. */
  watch<T>(done: Done<T>): Done<T> {
    const pending: Pending = {
      startMs: this.#now(),
      expire: (error) => done(error, undefined),
    }
    this.#pending.push(pending)
    return (error, result) => {
      if (pending.expire === undefined) return
      pending.expire = undefined
      done(error, result)
    }
  }

  /** Called every now and then: answers what is overdue with the error that `errorFor` makes of its start. */
  expire(errorFor: (startMs: number) => KvError): void {
    const overdue = this.#now() - this.#timeoutMs
    for (;;) {
      const first = this.#pending[this.#start]
      if (first === undefined || (first.expire !== undefined && first.startMs > overdue)) break
      this.#start++
      const { expire } = first
      first.expire = undefined
      expire?.(errorFor(first.startMs))
    }
    this.#pending = this.#pending.slice(this.#start)
    this.#start = 0
  }

  /** Answers everything that still waits. */
  failAll(error: KvError): void {
    const pending = this.#pending
    this.#pending = []
    this.#start = 0
    for (const request of pending) {
      const { expire } = request
      request.expire = undefined
      expire?.(error)
    }
  }
}
