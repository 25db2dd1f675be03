// What goes on beside requests: staged rows are written out, superseded rows are taken away. All in bounded steps.
import type { Backend } from '../backend/backend.ts'
import type { Lessor } from '../lease/lessor.ts'
import { Compaction } from '../mvcc/compaction.ts'
import { HashKv } from '../mvcc/hash-kv.ts'
import { historyTable } from '../mvcc/revision.ts'
import type { MvccStore } from '../mvcc/store.ts'
import type { IndexCheckpoint } from './index-checkpoint.ts'
import type { MemberClock } from './member-clock.ts'
import { TableSpace } from './table-space.ts'

/** Staged rows are written out after this time, or at once when there are this many bytes of them. */
const flushIntervalMs = 100
const flushSizeBytes = 2 ** 20
/** The index is saved no more often than so, and the larger it is the less often. */
const saveIntervalMsMin = 5000
const saveMsPerKey = 1 / 200
/** Between two steps of a compaction. */
const compactionPauseMs = 10

export interface HousekeepingOptions {
  readonly backend: Backend
  readonly clock: MemberClock
  readonly index: IndexCheckpoint
  /** What is in force now. */
  readonly state: { readonly store: MvccStore; readonly lessor: Lessor }
  readonly onFailure: (error: Error) => void
}

export class Housekeeping {
  readonly #backend: Backend
  readonly #space: TableSpace
  readonly #clock: MemberClock
  readonly #index: IndexCheckpoint
  readonly #state: HousekeepingOptions['state']
  readonly #onFailure: (error: Error) => void
  #isFlushing = false
  #cancelFlush: (() => void) | undefined
  #compaction: Compaction | undefined
  /** The compaction to start when the running one is done. */
  #next: { store: MvccStore; waiters: (() => void)[] } | undefined
  #waiters: (() => void)[] = []
  #cancelStep: (() => void) | undefined
  #cancelSave: (() => void) | undefined
  #isReplacing = false
  /** Readers that need every row to stay, and a pause: no step runs while it is positive. */
  #holds = 0
  #rowsCompacted = 0

  constructor({ backend, clock, index, state, onFailure }: HousekeepingOptions) {
    this.#backend = backend
    this.#space = new TableSpace(backend)
    this.#clock = clock
    this.#index = index
    this.#state = state
    this.#onFailure = onFailure
  }

  get rowsCompacted(): number {
    return this.#rowsCompacted
  }

  /** Of the tables, on disk and in use: estimates. */
  get size(): { readonly total: number; readonly used: number } {
    const { index, revision, compactRevision } = this.#state.store
    return this.#space.size(index.size + revision - Math.max(compactRevision, 0))
  }

  /** Gives the space of what was compacted back. */
  defragment(): Promise<void> {
    return this.#space.defragment()
  }

  /** An entry was applied: its rows are written out soon, and the index when there are enough of them. */
  wrote(rows: number = 0): void {
    this.#index.wrote(rows)
    if (this.#index.isDue(this.#state.store)) this.#saveIndex()
    else if (this.#index.isWorthwhile(this.#state.store)) this.#scheduleSave()
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

  /** The store is about to be replaced: the compaction that runs is given up, and no other starts until replaced(). */
  pause(): void {
    this.hold()
    this.#isReplacing = true
    this.#compaction = undefined
    this.#index.stop()
  }

  /** The end of pause(), whether another state came or not. */
  replaced(): void {
    this.#isReplacing = false
    this.resume()
  }

  /** Another state was loaded in place of the one before. */
  restored({ indexRevision, rowsRead }: { indexRevision: number; rowsRead: number }): void {
    this.#index.loaded(indexRevision, rowsRead)
    this.#space.replaced()
  }

  resume(): void {
    this.#holds--
    this.#scheduleStep()
  }

  stop(): void {
    this.#holds = Infinity
    this.#index.stop()
    this.#cancelStep?.()
    this.#cancelFlush?.()
    this.#cancelSave?.()
  }

  /** Settles when no index is being saved. */
  async idle(): Promise<void> {
    await this.#index.idle()
  }

  /** At an orderly end, after stop(): saves the index where that makes the next start faster. */
  async finish(): Promise<void> {
    const { store, lessor } = this.#state
    await this.idle()
    if (this.#index.isWorthwhile(store)) await this.#index.save(store, lessor)
  }

  /** A little later, so that quiet members too have not much to read again. */
  #scheduleSave(): void {
    const { size } = this.#state.store.index
    const afterMs = Math.max(saveIntervalMsMin, size * saveMsPerKey)
    this.#cancelSave ??= this.#clock.setTimer(afterMs, () => {
      this.#cancelSave = undefined
      if (this.#index.isWorthwhile(this.#state.store)) this.#saveIndex()
    })
  }

  #saveIndex(): void {
    // The index in memory is not that of the rows that come.
    if (this.#isReplacing) return
    const { store, lessor } = this.#state
    this.hold()
    this.#index
      .save(store, lessor)
      .catch((reason: unknown) => this.#onFailure(asError(reason)))
      .finally(() => this.resume())
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

  /** Compaction gives room again by itself, once it is worth the rewriting. */
  #reclaim(): void {
    if (!this.#space.isWorthRewriting(this.#state.store.index.size)) return
    this.#space.defragment().catch((reason: unknown) => this.#onFailure(asError(reason)))
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
      this.#compaction = new Compaction(store.index, store.compactRevision, (...row) =>
        this.#index.drop(...row),
      )
    }
    const { rows, done } = this.#compaction.step()
    this.#rowsCompacted += rows
    this.#space.dropped(rows)
    if (rows > 0) this.wrote()
    if (done) {
      this.#compaction = undefined
      this.#reclaim()
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
