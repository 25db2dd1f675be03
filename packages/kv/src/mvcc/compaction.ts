// Takes superseded rows out after a compact, in bounded steps: only keys with history are looked at, so the work is that of the
// garbage, not of the store. Readers are safe at any moment, since none may read below the compact revision any more.
import type { KeyIndex } from './key-index.ts'
import type { KeyRecord } from './key-record.ts'
import { rowKey } from './revision.ts'
import type { Tables } from './tables.ts'

/** Rows deleted, and keys looked at, in one step. */
export const compactionStepRowsMax = 1000

export class Compaction {
  readonly #index: KeyIndex
  readonly #tables: Tables
  readonly #revision: number
  readonly #records: Iterator<KeyRecord>
  /** Keys that get their first garbage after the start are not waited for. */
  #remaining: number
  #current: KeyRecord | undefined

  constructor(index: KeyIndex, tables: Tables, revision: number) {
    this.#index = index
    this.#tables = tables
    this.#revision = revision
    this.#records = index.withGarbage.values()
    this.#remaining = index.withGarbage.size
  }

  /** Returns the rows it deleted; `done` when no row below the revision is left that nobody may read. */
  step(rowsMax: number = compactionStepRowsMax): { rows: number; done: boolean } {
    let rows = 0
    for (let looks = 0; looks < rowsMax && rows < rowsMax; looks++) {
      const record = this.#current ?? this.#next()
      if (record === undefined) return { rows, done: true }
      const budget = rowsMax - rows
      const { drops, isEmpty } = record.compact(this.#revision, budget, (main, sub, tombstone) => {
        this.#tables.delete(rowKey(main, sub, tombstone))
      })
      rows += drops
      this.#current = drops === budget && !isEmpty ? record : undefined
      if (isEmpty) this.#index.remove(record)
      else this.#index.forgetGarbage(record)
    }
    return { rows, done: this.#current === undefined && this.#remaining === 0 }
  }

  #next(): KeyRecord | undefined {
    if (this.#remaining === 0) return undefined
    this.#remaining--
    const next = this.#records.next()
    return next.done === true ? undefined : next.value
  }
}
