// Calls that wait for a condition of the member (a new leader, a membership in force), each with a deadline.
import type { RaftError } from '../errors.ts'

interface Waiter {
  readonly isDone: () => boolean
  readonly resolve: () => void
  readonly reject: (error: RaftError) => void
  readonly deadline: number
  readonly timeoutError: RaftError
}

export class Waiters {
  #waiters: Waiter[] = []

  /** Resolves at once, or when check() finds that it holds. Rejects with `timeoutError` if `isDone` does not hold by `deadline`. */
  add(isDone: () => boolean, deadline: number, timeoutError: RaftError): Promise<void> {
    if (isDone()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#waiters.push({ isDone, resolve, reject, deadline, timeoutError })
    })
  }

  /** Something has changed. */
  check(): void {
    this.#settle(
      (waiter) => waiter.isDone(),
      (waiter) => {
        waiter.resolve()
      },
    )
  }

  expire(now: number): void {
    this.#settle(
      (waiter) => waiter.deadline <= now,
      (waiter) => {
        waiter.reject(waiter.timeoutError)
      },
    )
  }

  failAll(error: RaftError): void {
    this.#settle(
      () => true,
      (waiter) => {
        waiter.reject(error)
      },
    )
  }

  #settle(isSettled: (waiter: Waiter) => boolean, settle: (waiter: Waiter) => void): void {
    if (this.#waiters.length === 0) return
    const settled = this.#waiters.filter(isSettled)
    this.#waiters = this.#waiters.filter((waiter) => !settled.includes(waiter))
    for (const waiter of settled) settle(waiter)
  }
}
