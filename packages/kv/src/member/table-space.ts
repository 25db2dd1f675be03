// The room that tables take: what compaction took away and the files still hold. The tables are rewritten once that is worth it, or when
// an operator says so; until then it counts as not in use.
import type { Backend } from '../backend/backend.ts'

/** Tables are rewritten when so many rows were taken away, and this part of the keys. */
const reclaimRowsMin = 10_000
const reclaimPart = 1 / 5

export class TableSpace {
  readonly #backend: Backend
  /** Taken away by compaction, whose space was not given back yet. */
  #droppedRows = 0
  #rewriting: Promise<void> | undefined

  constructor(backend: Backend) {
    this.#backend = backend
  }

  dropped(rows: number): void {
    this.#droppedRows += rows
  }

  /** All rows are others now. */
  replaced(): void {
    this.#droppedRows = 0
  }

  isWorthRewriting(keys: number): boolean {
    return this.#droppedRows >= Math.max(reclaimRowsMin, keys * reclaimPart)
  }

  /** Gives back the space of what was dropped before; who asks meanwhile gets the rewriting that runs. */
  defragment(): Promise<void> {
    this.#rewriting ??= this.#rewrite().finally(() => {
      this.#rewriting = undefined
    })
    return this.#rewriting
  }

  /**
   * Bytes on disk and, of those, what `rows` that are left take if all are alike: an estimate. After a restart, what was dropped
   * before it counts as used until the tables are rewritten.
   */
  size(rows: number): { readonly total: number; readonly used: number } {
    const { total } = this.#backend.size()
    if (!this.#backend.keepsDeletedRows || this.#droppedRows === 0) return { total, used: total }
    return { total, used: Math.ceil((total * rows) / (rows + this.#droppedRows)) }
  }

  async #rewrite(): Promise<void> {
    const rows = this.#droppedRows
    await this.#backend.defragment()
    this.#droppedRows = Math.max(0, this.#droppedRows - rows)
  }
}
