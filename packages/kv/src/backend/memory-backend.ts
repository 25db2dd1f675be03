// Tables in memory: for members without a data directory, for tests, and, through MemoryDisk, for crashes that lose what was not
// synced.
import { keyText } from '../mvcc/key-text.ts'
import type { Backend, BackendView, Row } from './backend.ts'
import { rowsBatchMax } from './backend.ts'
import { mergeRows } from './merge-rows.ts'
import { deletedRow, Overlay, type Batch } from './overlay.ts'
import { WriteQueue } from './write-queue.ts'

/** What outlives a MemoryBackend: synced rows, and written batches that a power failure may still take. */
export class MemoryDisk {
  rows: Map<string, Uint8Array> = new Map()
  #index: readonly Uint8Array[] | undefined
  #unsynced: Batch[] = []

  write(batch: Batch): void {
    this.#unsynced.push(batch)
  }

  /** The first `count` of the unsynced batches last from now on. */
  sync(count: number): void {
    for (const batch of this.#unsynced.slice(0, count)) applyBatch(this.rows, batch)
    this.#unsynced = this.#unsynced.slice(count)
  }

  /** A power failure that only the first `batchesKept` of the unsynced batches survive. */
  crash(batchesKept: number): void {
    this.sync(batchesKept)
    this.#unsynced = []
  }

  get unsyncedCount(): number {
    return this.#unsynced.length
  }

  /** Everything written, synced or not. */
  written(): Map<string, Uint8Array> {
    const rows = new Map(this.rows)
    for (const batch of this.#unsynced) applyBatch(rows, batch)
    return rows
  }

  /** A saved index, in chunks; gone with the rows that it speaks of. */
  get index(): readonly Uint8Array[] | undefined {
    return this.#index
  }

  saveIndex(chunks: readonly Uint8Array[]): void {
    this.#index = chunks
  }

  replace(rows: Map<string, Uint8Array>): void {
    this.rows = rows
    this.#unsynced = []
    this.#index = undefined
  }
}

/** What takes time on a real disk. */
export type StorageStep = 'read' | 'write' | 'sync'

export interface MemoryBackendOptions {
  /** Waits as long as a disk takes; left out: nothing takes any time. */
  readonly pace?: (step: StorageStep) => Promise<void>
  /** Rows in one batch of a view. */
  readonly viewRowsMax?: number
}

const atOnce = (): Promise<void> => Promise.resolve()

export class MemoryBackend implements Backend {
  readonly keepsDeletedRows = false
  readonly #disk: MemoryDisk
  readonly #pace: (step: StorageStep) => Promise<void>
  readonly #viewRowsMax: number
  readonly #overlay = new Overlay()
  readonly #queue = new WriteQueue()
  #rows: Map<string, Uint8Array>
  #sizeBytes: number

  constructor(disk: MemoryDisk = new MemoryDisk(), options: MemoryBackendOptions = {}) {
    this.#disk = disk
    this.#pace = options.pace ?? atOnce
    this.#viewRowsMax = options.viewRowsMax ?? rowsBatchMax
    this.#rows = disk.written()
    this.#sizeBytes = sizeOf(this.#rows)
  }

  get pendingSizeBytes(): number {
    return this.#overlay.sizeBytes
  }

  get(key: string): Uint8Array | undefined {
    const value = this.#overlay.get(key) ?? this.#rows.get(key)
    return value === deletedRow ? undefined : value
  }

  put(key: string, value: Uint8Array): void {
    this.#overlay.put(key, value)
  }

  delete(key: string): void {
    this.#overlay.delete(key)
  }

  flush(options: { sync: boolean }): Promise<void> {
    return this.#queue.run(async () => {
      const batch = this.#overlay.beginWriting()
      await this.#pace('write')
      this.#disk.write(batch)
      if (options.sync) await this.#sync()
      this.#sizeBytes += applyBatch(this.#rows, batch)
      this.#overlay.written()
    })
  }

  view(): BackendView {
    const sorted = [...this.#rows].sort(([a], [b]) => (a < b ? -1 : 1))
    const overlay = this.#overlay.pin()
    return {
      rows: (from, to) => {
        const isInside = ([key]: readonly [string, Uint8Array]): boolean => key >= from && key < to
        return mergeRows(this.#batches(sorted.filter(isInside)), overlay.filter(isInside))
      },
      release: () => undefined,
    }
  }

  async replace(rows: AsyncIterable<readonly Row[]>): Promise<void> {
    const fresh = new Map<string, Uint8Array>()
    for await (const batch of rows) {
      for (const [key, value] of batch) fresh.set(keyText(key), value)
    }
    await this.#queue.run(async () => {
      await this.#pace('sync')
      this.#overlay.clear()
      this.#disk.replace(new Map(fresh))
      this.#rows = fresh
      this.#sizeBytes = sizeOf(fresh)
    })
  }

  async saveIndex(chunks: Iterable<Uint8Array>, signal: AbortSignal): Promise<boolean> {
    const rows = this.#rows
    const taken: Uint8Array[] = []
    for (const chunk of chunks) {
      taken.push(chunk)
      await this.#pace('write')
      if (signal.aborted) return false
    }
    await this.flush({ sync: true })
    await this.#pace('sync')
    if (signal.aborted || rows !== this.#rows) return false
    this.#disk.saveIndex(taken)
    return true
  }

  loadIndex(): AsyncIterable<Uint8Array> | undefined {
    const { index } = this.#disk
    return index === undefined ? undefined : this.#chunks(index)
  }

  defragment(): Promise<void> {
    return Promise.resolve()
  }

  size(): { total: number; used: number } {
    const total = this.#sizeBytes + this.#overlay.sizeBytes
    return { total, used: total }
  }

  close(): Promise<void> {
    return this.flush({ sync: false })
  }

  async #sync(): Promise<void> {
    const count = this.#disk.unsyncedCount
    await this.#pace('sync')
    this.#disk.sync(count)
  }

  async *#chunks(chunks: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
    for (const chunk of chunks) {
      await this.#pace('read')
      // The reader keeps what it is given and changes it.
      yield chunk.slice()
    }
  }

  async *#batches(rows: readonly (readonly [string, Uint8Array])[]): AsyncIterable<readonly Row[]> {
    for (let at = 0; at < rows.length; at += this.#viewRowsMax) {
      await this.#pace('read')
      const part = rows.slice(at, at + this.#viewRowsMax)
      yield part.map(([key, value]): Row => [Buffer.from(key, 'latin1'), value])
    }
  }
}

function sizeOf(rows: ReadonlyMap<string, Uint8Array>): number {
  let sizeBytes = 0
  for (const [key, value] of rows) sizeBytes += key.length + value.length
  return sizeBytes
}

/** Returns by how many bytes the rows have grown. */
function applyBatch(rows: Map<string, Uint8Array>, batch: Batch): number {
  let grownBytes = 0
  for (const [key, value] of batch) {
    const before = rows.get(key)
    if (before !== undefined) grownBytes -= key.length + before.length
    if (value !== deletedRow) grownBytes += key.length + value.length
    if (value === deletedRow) rows.delete(key)
    else rows.set(key, value)
  }
  return grownBytes
}
