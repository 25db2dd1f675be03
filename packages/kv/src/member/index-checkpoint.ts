// When the index is written out, and what a compaction must leave in the tables for it: a restart reads the saved index and then the
// rows after its revision, so a tombstone from after it may go only when a later index is saved; without it the key would come back.
import type { Backend } from '../backend/backend.ts'
import type { Lessor } from '../lease/lessor.ts'
import { rowKey } from '../mvcc/revision.ts'
import type { MvccStore } from '../mvcc/store.ts'
import { encodeIndex } from './index-stream.ts'

/** Rows that a restart reads again, at most about so many, or this part of the keys where that is more. */
const replayRowsMax = 50_000
const replayKeysPart = 1 / 12
/** At an orderly end, and after a while, it is worth its time above this part of the keys, but never below or above so many rows. */
const worthKeysPart = 1 / 20
const worthRowsMin = 1000
const worthRowsMax = 5000

export class IndexCheckpoint {
  readonly #backend: Backend
  readonly #replayRowsMax: number
  /** Revision of the saved index; 0: none is saved. */
  #savedRevision: number
  /** Rows written after that. */
  #rows: number
  /** Tombstones that no reader needs any more, only a restart. */
  #kept: { readonly main: number; readonly row: string }[] = []
  #running: AbortController | undefined
  #saving: Promise<void> = Promise.resolve()

  constructor(backend: Backend, options: { replayRowsMax?: number | undefined } = {}) {
    this.#backend = backend
    this.#replayRowsMax = options.replayRowsMax ?? replayRowsMax
    this.#savedRevision = 0
    this.#rows = 0
  }

  /** The state was loaded: `rows` were read after the saved index, or all, if there is none (`savedRevision` 0). */
  loaded(savedRevision: number, rows: number): void {
    this.#savedRevision = savedRevision
    this.#rows = rows
    this.#kept = []
  }

  wrote(rows: number): void {
    this.#rows += rows
  }

  isDue(store: MvccStore): boolean {
    if (this.#running !== undefined) return false
    return this.#rows > Math.max(this.#replayRowsMax, store.index.size * replayKeysPart)
  }

  /** True if so much would be read again that an orderly end should save the index first. */
  isWorthwhile(store: MvccStore): boolean {
    const ofKeys = Math.max(worthRowsMin, store.index.size * worthKeysPart)
    return this.#rows > Math.min(ofKeys, worthRowsMax, this.#replayRowsMax)
  }

  /** Takes away a row that compaction finds superseded, or keeps it until the next saved index. */
  drop(main: number, sub: number, tombstone: boolean): void {
    const row = rowKey(main, sub, tombstone)
    const isNeeded = tombstone && this.#savedRevision > 0 && main > this.#savedRevision
    if (isNeeded) this.#kept.push({ main, row })
    else this.#backend.delete(row)
  }

  /** Writes the index out; no compaction step may run meanwhile. Does nothing if one is under way; gives up at stop(). */
  save(store: MvccStore, lessor: Lessor): Promise<void> {
    if (this.#running === undefined) this.#saving = this.#save(store, lessor)
    return this.#saving
  }

  /** Settles when nothing is being written. */
  async idle(): Promise<void> {
    await Promise.allSettled([this.#saving])
  }

  /** What is being written is given up. */
  stop(): void {
    this.#running?.abort()
  }

  async #save(store: MvccStore, lessor: Lessor): Promise<void> {
    const running = new AbortController()
    this.#running = running
    const { revision } = store
    const rowsBefore = this.#rows
    try {
      const isSaved = await this.#backend.saveIndex(
        encodeIndex(store, lessor, revision),
        running.signal,
      )
      if (!isSaved) return
      this.#savedRevision = revision
      this.#rows -= rowsBefore
      const isNeeded = ({ main }: { main: number }): boolean => main > revision
      for (const kept of this.#kept) if (!isNeeded(kept)) this.#backend.delete(kept.row)
      this.#kept = this.#kept.filter(isNeeded)
    } finally {
      if (this.#running === running) this.#running = undefined
    }
  }
}
