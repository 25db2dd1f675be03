// The store as simply as it can be written: one array of all changes, replayed for every question. The oracle of store.test.ts.
import type { KeyValue } from '../../proto/messages.ts'

export interface ModelRow {
  readonly main: number
  readonly sub: number
  readonly key: string
  /** Undefined: a tombstone. */
  readonly pair: KeyValue | undefined
}

export type ModelPairs = Map<string, KeyValue>

export class HistoryModel {
  rows: ModelRow[] = []
  revision = 1
  compactRevision = -1

  /** All live pairs at a revision, in key order. */
  at(revision: number): ModelPairs {
    const pairs: ModelPairs = new Map()
    for (const { main, key, pair } of this.rows) {
      if (main > revision) break
      if (pair === undefined) pairs.delete(key)
      else pairs.set(key, pair)
    }
    return new Map([...pairs].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  /** Pairs of [from, to) at a revision; `to` '' is the single key, a zero byte is no end. */
  range(from: string, to: string, revision: number): KeyValue[] {
    return [...this.at(revision)].filter(([key]) => inRange(from, to, key)).map(([, pair]) => pair)
  }

  /** Runs writes that share a revision. */
  write(body: (writer: ModelWriter) => void): void {
    const writer = new ModelWriter(this)
    body(writer)
    if (writer.changes > 0) this.revision++
  }

  /** What must be on disk once compaction is through. */
  keptRows(): ModelRow[] {
    const c = this.compactRevision
    return this.rows.filter((row, i) => {
      if (row.main > c) return true
      const isLast = !this.rows.slice(i + 1).some((r) => r.key === row.key && r.main <= c)
      return isLast && (row.pair !== undefined || row.main === c)
    })
  }
}

class ModelWriter {
  changes = 0
  readonly #model: HistoryModel

  constructor(model: HistoryModel) {
    this.#model = model
  }

  put(key: string, value: Uint8Array): void {
    const main = this.#model.revision + 1
    const before = this.#model.at(main).get(key)
    const pair = {
      key: Uint8Array.from(key, (char) => char.charCodeAt(0)),
      value,
      createRevision: before?.createRevision ?? main,
      modRevision: main,
      version: (before?.version ?? 0) + 1,
      lease: 0n,
    }
    this.#model.rows.push({ main, sub: this.changes++, key, pair })
  }

  delete(from: string, to: string): number {
    const main = this.#model.revision + 1
    const doomed = [...this.#model.at(main).keys()].filter((key) => inRange(from, to, key))
    for (const key of doomed) {
      this.#model.rows.push({ main, sub: this.changes++, key, pair: undefined })
    }
    return doomed.length
  }
}

export function inRange(from: string, to: string, key: string): boolean {
  if (to === '') return key === from
  return key >= from && (to === '\0' || key < to)
}
