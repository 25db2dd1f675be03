// The queue of keys between informers and workers. Its promises: a key waits at most once, a key is never worked on by two workers at a
// time, a key added while it is worked on comes again after, and delays only ever put a key off, never lose it.
import { assert } from '@balsa/raft/assert'
import { backOffMs, type BackOffOptions } from './back-off.ts'

/** Told of what goes through a queue. */
export interface WorkQueueObserver {
  /** A key that was not waiting yet. */
  added(): void
  /** A key is put off because it failed. */
  retried(): void
  /** A worker has it, after so many seconds. */
  taken(seconds: number): void
  /** The worker is done with it, after so many seconds. */
  done(seconds: number): void
}

export interface WorkQueueOptions {
  readonly observer?: WorkQueueObserver
  /** Keys that wait, at most; more are refused (the informers' resync brings them again). */
  readonly keysMax?: number
  readonly backOff?: BackOffOptions
}

const keysMaxDefault = 1_000_000
const backOffDefault: BackOffOptions = { firstMs: 5, maxMs: 60_000 }

export class WorkQueue {
  readonly #keysMax: number
  readonly #backOff: BackOffOptions
  readonly #observer: WorkQueueObserver | undefined
  /** With the time since when; of performance.now(). */
  readonly #waiting = new Map<string, number>()
  readonly #working = new Map<string, number>()
  /** Added again while worked on. */
  readonly #again = new Set<string>()
  readonly #delayed = new Map<string, { atMs: number; timer: NodeJS.Timeout }>()
  readonly #resting = new Set<NodeJS.Timeout>()
  readonly #failures = new Map<string, number>()
  readonly #takers: ((key: string | undefined) => void)[] = []
  #isClosed = false

  constructor(options: WorkQueueOptions = {}) {
    this.#keysMax = options.keysMax ?? keysMaxDefault
    this.#backOff = options.backOff ?? backOffDefault
    this.#observer = options.observer
  }

  /** Keys that wait for a worker now. */
  get size(): number {
    return this.#waiting.size
  }

  /** Seconds that each key which is worked on has taken so far. */
  workingSeconds(): number[] {
    const nowMs = performance.now()
    return [...this.#working.values()].map((sinceMs) => (nowMs - sinceMs) / 1000)
  }

  /** False when the queue is full or closed: the key is not taken. */
  add(key: string): boolean {
    if (this.#isClosed) return false
    this.#cancelDelay(key)
    if (this.#working.has(key)) {
      if (!this.#again.has(key)) this.#observer?.added()
      this.#again.add(key)
      return true
    }
    if (this.#waiting.has(key)) return true
    if (this.#waiting.size >= this.#keysMax) return false
    this.#observer?.added()
    this.#put(key)
    return true
  }

  /** Adds the key in `delayMs`; the earliest of several delays counts. */
  addAfter(key: string, delayMs: number): boolean {
    if (delayMs <= 0) return this.add(key)
    if (this.#isClosed) return false
    const atMs = performance.now() + delayMs
    const delayed = this.#delayed.get(key)
    if (delayed !== undefined && delayed.atMs <= atMs) return true
    if (delayed === undefined && this.#delayed.size >= this.#keysMax) return false
    this.#cancelDelay(key)
    const timer = setTimeout(() => this.add(key), delayMs)
    this.#delayed.set(key, { atMs, timer })
    return true
  }

  /** Adds the key after a delay that grows with each failure since the last forget(). */
  addRateLimited(key: string): boolean {
    const failures = (this.#failures.get(key) ?? 0) + 1
    this.#failures.set(key, failures)
    this.#observer?.retried()
    return this.addAfter(key, backOffMs(failures, this.#backOff))
  }

  failures(key: string): number {
    return this.#failures.get(key) ?? 0
  }

  /** The key went well: its next failure starts with the first delay. */
  forget(key: string): void {
    this.#failures.delete(key)
  }

  /** The next key; the caller owes done(key). undefined: the queue is closed. */
  take(): Promise<string | undefined> {
    if (this.#isClosed) return Promise.resolve(undefined)
    for (const [key, sinceMs] of this.#waiting) {
      this.#waiting.delete(key)
      this.#take(key, sinceMs)
      return Promise.resolve(key)
    }
    return new Promise((resolve) => this.#takers.push(resolve))
  }

  /** With `restMs` the key does not come again before that. */
  done(key: string, restMs = 0): void {
    if (restMs > 0 && !this.#isClosed) {
      const timer = setTimeout(() => {
        this.#resting.delete(timer)
        this.done(key)
      }, restMs)
      this.#resting.add(timer)
      return
    }
    const sinceMs = this.#working.get(key)
    assert(sinceMs !== undefined, 'a key that is done was taken')
    this.#working.delete(key)
    this.#observer?.done((performance.now() - sinceMs) / 1000)
    if (!this.#again.delete(key) || this.#isClosed) return
    this.#cancelDelay(key)
    this.#put(key)
  }

  #put(key: string): void {
    const nowMs = performance.now()
    const taker = this.#takers.shift()
    if (taker === undefined) this.#waiting.set(key, nowMs)
    else {
      this.#take(key, nowMs)
      taker(key)
    }
  }

  #take(key: string, sinceMs: number): void {
    const nowMs = performance.now()
    this.#observer?.taken((nowMs - sinceMs) / 1000)
    this.#working.set(key, nowMs)
  }

  /** Workers that wait get undefined; what waits is dropped. */
  close(): void {
    this.#isClosed = true
    for (const { timer } of this.#delayed.values()) clearTimeout(timer)
    this.#delayed.clear()
    for (const timer of this.#resting) clearTimeout(timer)
    this.#waiting.clear()
    this.#again.clear()
    for (const taker of this.#takers.splice(0)) taker(undefined)
  }

  #cancelDelay(key: string): void {
    const delayed = this.#delayed.get(key)
    if (delayed === undefined) return
    clearTimeout(delayed.timer)
    this.#delayed.delete(key)
  }
}
