// Reads old events out of the tables for watchers that are behind, a bounded number of whole revisions at a time.
import type { Backend, Row } from '../backend/backend.ts'
import { keyText } from '../mvcc/key-text.ts'
import { mainPrefix, parseRowKey, rowKey } from '../mvcc/revision.ts'
import type { MvccStore } from '../mvcc/store.ts'
import { decodeKeyValue } from '../proto/index.ts'
import { watchLimits, type HistoryBatch } from '../watch/watch-hub.ts'
import { WatchEvent } from '../watch/watch-event.ts'

export interface HistoryQuestion {
  readonly backend: Backend
  /** The store in force when it is asked; a snapshot may replace it meanwhile. */
  readonly store: () => MvccStore
  readonly from: number
  /** Last revision wanted. */
  readonly to: number
  readonly done: (batch: HistoryBatch | undefined) => void
  readonly onFailure: (error: Error) => void
}

/** Calls back with undefined if the store was replaced while it read. */
export function readHistory(question: HistoryQuestion): void {
  const store = question.store()
  collect(question, store)
    .then((batch) => question.done(store === question.store() ? batch : undefined))
    .catch((reason: unknown) => {
      question.onFailure(reason instanceof Error ? reason : new Error(String(reason)))
    })
}

async function collect(question: HistoryQuestion, store: MvccStore): Promise<HistoryBatch> {
  const view = question.backend.view()
  try {
    const rows = view.rows(mainPrefix(question.from), mainPrefix(question.to + 1))
    return await collectRows(question, store, rows)
  } finally {
    view.release()
  }
}

async function collectRows(
  question: HistoryQuestion,
  store: MvccStore,
  batches: AsyncIterable<readonly Row[]>,
): Promise<HistoryBatch> {
  const { catchUpRevisionsMax, catchUpSizeBytesMax } = watchLimits
  const events: WatchEvent[] = []
  let revisions = 0
  let sizeBytes = 0
  let last = 0
  for await (const rows of batches) {
    for (const [row, value] of rows) {
      const position = parseRowKey(keyText(row))
      if (position === undefined) continue
      const { main, tombstone } = position
      if (main !== last) {
        const isFull = revisions >= catchUpRevisionsMax || sizeBytes >= catchUpSizeBytesMax
        if (isFull) return { events, through: last }
        revisions++
        last = main
      }
      const kv = decodeKeyValue(value)
      const key = keyText(kv.key)
      const change = { key, main, deleted: tombstone, row: value }
      sizeBytes += value.length
      const isCreated = !tombstone && kv.createRevision === main
      const readPrevious = (): Uint8Array | undefined =>
        isCreated ? undefined : readBefore(question.backend, store, key, main)
      events.push(new WatchEvent(change, readPrevious))
    }
  }
  return { events, through: question.to }
}

/** The live pair of `key` just before revision `main`; undefined if there was none or it is compacted. */
function readBefore(
  backend: Backend,
  store: MvccStore,
  key: string,
  main: number,
): Uint8Array | undefined {
  const record = store.index.get(key)
  const before = record?.mainAt(main - 1) ?? 0
  if (record === undefined || before === 0) return undefined
  return backend.get(rowKey(before, record.subAt(main - 1)))
}
