// The port to the tables. Keys are byte strings in text form (one character a byte), so their order is that of their bytes. Writes
// are seen at once and reach the storage later, in batches that are each whole or absent after a crash.
import type { Tables } from '../mvcc/tables.ts'

export type Row = readonly [key: Uint8Array, value: Uint8Array]

export interface Backend extends Tables {
  /** Bytes staged and not yet handed to the storage. */
  readonly pendingSizeBytes: number
  /**
   * Hands everything staged so far to the storage as one batch. Batches are written in the order of the calls. With `sync` this
   * batch and all before it last through a power failure once the promise resolves; without, through the death of the process.
   */
  flush(options: { sync: boolean }): Promise<void>
  /** Pins what get() sees now; later writes do not show in it. */
  view(): BackendView
  /**
   * Replaces all rows, in one step as seen by readers and by a crash. What is staged is dropped. Views from before stay what
   * they are.
   */
  replace(rows: AsyncIterable<readonly Row[]>): Promise<void>
  /**
   * Keeps a copy of the index of keys beside the rows, in place of the one before; replace() forgets it. Resolves with true when it
   * and all rows written before its last chunk was taken are durable; with false if it was given up for the signal or replace().
   */
  saveIndex(chunks: Iterable<Uint8Array>, signal: AbortSignal): Promise<boolean>
  /** What was saved last, in the same chunks, which are the caller's; undefined if there is none. Fails with CORRUPT where it is damaged. */
  loadIndex(): AsyncIterable<Uint8Array> | undefined
  /** Deleted rows take space on until defragment(), and count in size(). */
  readonly keepsDeletedRows: boolean
  /** Gives the space of deleted rows back, beside reads and writes. */
  defragment(): Promise<void>
  /** Bytes on disk and, of those, what the quota is about; estimates. */
  size(): { total: number; used: number }
  /** Flushes without sync and closes. */
  close(): Promise<void>
}

export interface BackendView {
  /** Rows whose keys are in [from, to), in key order, in batches of at most rowsBatchMax. */
  rows(from: string, to: string): AsyncIterable<readonly Row[]>
  /** Must be called once; ends what runs. */
  release(): void
}

/** Rows in one batch of a view. */
export const rowsBatchMax = 1000
