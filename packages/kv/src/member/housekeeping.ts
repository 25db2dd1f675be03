// What goes on beside requests: staged rows are written out, superseded rows are taken away. All in bounded steps.
import type { Backend } from '../backend/backend.ts'
import { Compaction } from '../mvcc/compaction.ts'
import { HashKv } from '../mvcc/hash-kv.ts'
import { historyTable, rowKey } from '../mvcc/revision.ts'
import type { MvccStore } from '../mvcc/store.ts'
import type { MemberClock } from './member-clock.ts'

/** Staged rows are written out after this time, or at once when there are this many bytes of them. */
const flushIntervalMs = 100
const flushSizeBytes = 2 ** 20
/** Between two steps of a compaction. */
const compactionPauseMs = 10

export class Housekeeping {
  readonly #backend: Backend
  readonly #clock: MemberClock
  readonly #onFailure: (error: Error) => void
  #isFlushing = false
  #cancelFlush: (() => void) | undefined
  #compaction: Compaction | undefined
  /** The compaction to start when the running one is done. */
  #next: { store: MvccStore; waiters: (() => void)[] } | undefined
  #waiters: (() => void)[] = []
  #cancelStep: (() => void) | undefined
  /** Readers that need every row to stay, and a pause: no step runs while it is positive. */
  #holds = 0
  #rowsCompacted = 0

  constructor(
    backend: Backend,
    clock: MemberClock,
    onFailure: (error: Error) => void = () => undefined,
  ) {
    this.#backend = backend
    this.#clock = clock
    this.#onFailure = onFailure
  }

  get rowsCompacted(): number {
    return this.#rowsCompacted
  }

  /** An entry was applied: its rows are written out soon. */
  wrote(): void {
    if (this.#isFlushing) return
    if (this.#backend.pendingSizeBytes >= flushSizeBytes) this.#flush()
    else this.#cancelFlush ??= this.#clock.setTimer(flushIntervalMs, () => this.#flush())
  }

  /** Takes away what readers at the store's compact revision cannot see; `done` when the last row is gone. */
  compact(store: MvccStore, done: () => void): void {
    const waiters = [...(this.#next?.waiters ?? []), done]
    this.#next = { store, waiters }
    this.#scheduleStep()
  }

  /** The hash of the history up to `revision`, which the caller has checked. */
  async hashKv(store: MvccStore, revision: number): Promise<number> {
    const hash = new HashKv(store.index, revision, store.compactRevision)
    const view = this.#backend.view()
    this.hold()
    try {
      const end = String.fromCharCode(historyTable.charCodeAt(0) + 1)
      for await (const rows of view.rows(historyTable, end)) {
        for (const [key, value] of rows) hash.add(key, value)
      }
      return hash.value
    } finally {
      view.release()
      this.resume()
    }
  }

  /** No step of a compaction runs until resume(). */
  hold(): void {
    this.#holds++
  }

  /** The store is about to be replaced: the compaction that runs is given up, and no other starts until resume(). */
  pause(): void {
    this.hold()
    this.#compaction = undefined
  }

  resume(): void {
    this.#holds--
    this.#scheduleStep()
  }

  stop(): void {
    this.#holds = Infinity
    this.#cancelStep?.()
    this.#cancelFlush?.()
  }

  #flush(): void {
    this.#cancelFlush?.()
    this.#cancelFlush = undefined
    this.#isFlushing = true
    this.#writeOut().catch((reason: unknown) => this.#onFailure(asError(reason)))
  }

  async #writeOut(): Promise<void> {
    await this.#backend.flush({ sync: false })
    this.#isFlushing = false
    if (this.#backend.pendingSizeBytes > 0) this.wrote()
  }

  #scheduleStep(): void {
    if (this.#holds > 0 || this.#cancelStep !== undefined) return
    if (this.#compaction === undefined && this.#next === undefined) return
    this.#cancelStep = this.#clock.setTimer(compactionPauseMs, () => {
      this.#cancelStep = undefined
      if (this.#holds === 0) this.#step()
    })
  }

  #step(): void {
    if (this.#compaction === undefined) {
      if (this.#next === undefined) return
      const { store, waiters } = this.#next
      this.#next = undefined
      this.#waiters.push(...waiters)
      this.#compaction = new Compaction(
        store.index,
        store.compactRevision,
        (main, sub, tombstone) => this.#backend.delete(rowKey(main, sub, tombstone)),
      )
    }
    const { rows, done } = this.#compaction.step()
    this.#rowsCompacted += rows
    if (rows > 0) this.wrote()
    if (done) {
      this.#compaction = undefined
      const waiters = this.#waiters
      this.#waiters = []
      for (const waiter of waiters) waiter()
    }
    this.#scheduleStep()
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}
