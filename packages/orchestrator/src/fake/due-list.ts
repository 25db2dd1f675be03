// Things to do at their times, with one timer for all of them.
import { Heap } from '../scheduler/queue/heap.ts'

interface Due {
  readonly key: string
  readonly atMs: number
}

export class DueList {
  readonly #due = new Heap<Due>((left, right) => left.atMs < right.atMs)
  readonly #times = new Map<string, Due>()
  readonly #onDue: (key: string) => void
  #timer: NodeJS.Timeout | undefined
  #timerAtMs = Number.POSITIVE_INFINITY
  #isClosed = false

  /** `onDue` is called once for every add(), unless the key was added again or removed before. */
  constructor(onDue: (key: string) => void) {
    this.#onDue = onDue
  }

  add(key: string, delayMs: number): void {
    if (this.#isClosed) return
    const due = { key, atMs: performance.now() + delayMs }
    this.#times.set(key, due)
    this.#due.push(due)
    this.#arm(due.atMs)
  }
  has(key: string): boolean {
    return this.#times.has(key)
  }
  remove(key: string): void {
    this.#times.delete(key)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#times.clear()
  }

  #arm(atMs: number): void {
    if (atMs >= this.#timerAtMs) return
    clearTimeout(this.#timer)
    this.#timerAtMs = atMs
    this.#timer = setTimeout(() => this.#run(), Math.max(0, atMs - performance.now()))
  }

  #run(): void {
    this.#timerAtMs = Number.POSITIVE_INFINITY
    const nowMs = performance.now()
    for (let next = this.#due.peek(); next !== undefined; next = this.#due.peek()) {
      const isCurrent = this.#times.get(next.key) === next
      if (isCurrent && next.atMs > nowMs) {
        this.#arm(next.atMs)
        return
      }
      this.#due.pop()
      if (!isCurrent) continue
      this.#times.delete(next.key)
      this.#onDue(next.key)
    }
  }
}
