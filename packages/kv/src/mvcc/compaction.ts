// Takes superseded rows out after a compact, in bounded steps: only keys with history are looked at, so the work is that of the
// garbage, not of the store. Readers are safe at any moment, since none may read below the compact revision any more.
import type { KeyIndex } from './key-index.ts'
import type { DropRow } from './key-record.ts'

/** Rows deleted, and keys looked at, in one step. */
export const compactionStepRowsMax = 1000

export class Compaction {
  readonly #index: KeyIndex
  readonly #revision: number
  readonly #drop: DropRow
  /** The first key that was not looked at; undefined at the end. */
  #next: string | undefined = ''

  /** `drop` takes a row out of the tables. */
  constructor(index: KeyIndex, revision: number, drop: DropRow) {
    this.#index = index
    this.#revision = revision
    this.#drop = drop
  }

  /** Returns the rows it dropped; `done` when no row below the revision is left that nobody may read. */
  step(rowsMax: number = compactionStepRowsMax): { rows: number; done: boolean } {
    if (this.#next === undefined) return { rows: 0, done: true }
    const { rows, next } = this.#index.compact(this.#next, this.#revision, rowsMax, this.#drop)
    this.#next = next
    return { rows, done: next === undefined }
  }
}
