// The tables of one life of a simulated member: in memory, as slow as a disk may be, and looked over the shoulder: what they are given is
// what the member has decided.
import { MemoryBackend, MemoryDisk, type StorageStep } from '../backend/memory-backend.ts'
import type { Row } from '../backend/backend.ts'
import { leaseTable, parseLeaseRow } from '../lease/lease-row.ts'
import { keyText } from '../mvcc/key-text.ts'
import { historyTable } from '../mvcc/revision.ts'
import { decodeState, stateRowKey } from '../member/meta-rows.ts'
import type { WrittenRow } from './committed-history.ts'

export interface TablesWatcher {
  row(row: WrittenRow): void
  /** `ttlSeconds` undefined: the lease is removed. */
  lease(id: bigint, ttlSeconds: number | undefined): void
  compacted(revision: number): void
  /** A history row that came with a snapshot. */
  copied(row: WrittenRow): void
}

export interface SimTablesOptions {
  readonly disk: MemoryDisk
  readonly pace: (step: StorageStep) => Promise<void>
  readonly viewRowsMax: number
  readonly watcher: TablesWatcher
}

/** A lease's row is its table's letter and 8 bytes. */
const leaseRowLength = 9

export class SimTables extends MemoryBackend {
  readonly #watcher: TablesWatcher

  constructor({ disk, pace, viewRowsMax, watcher }: SimTablesOptions) {
    super(disk, { pace, viewRowsMax })
    this.#watcher = watcher
  }

  override put(key: string, value: Uint8Array): void {
    if (key.startsWith(historyTable)) this.#watcher.row({ key, value })
    else if (isLeaseRow(key)) {
      const { id, ttlSeconds } = parseLeaseRow(key, value)
      this.#watcher.lease(id, ttlSeconds)
    } else if (key === stateRowKey) this.#watcher.compacted(decodeState(value).compactRevision)
    super.put(key, value)
  }

  override delete(key: string): void {
    const value = isLeaseRow(key) ? this.get(key) : undefined
    if (value !== undefined) this.#watcher.lease(parseLeaseRow(key, value).id, undefined)
    super.delete(key)
  }

  override replace(rows: AsyncIterable<readonly Row[]>): Promise<void> {
    return super.replace(this.#watched(rows))
  }

  async *#watched(batches: AsyncIterable<readonly Row[]>): AsyncIterable<readonly Row[]> {
    for await (const batch of batches) {
      for (const [bytes, value] of batch) {
        const key = keyText(bytes)
        if (key.startsWith(historyTable)) this.#watcher.copied({ key, value })
      }
      yield batch
    }
  }
}

function isLeaseRow(key: string): boolean {
  return key.startsWith(leaseTable) && key.length === leaseRowLength
}

/** The disk as one life has it: when the process is gone, nothing of it reaches the disk any more. */
export class DiskOfLife extends MemoryDisk {
  readonly #disk: MemoryDisk
  #isAlive = true

  constructor(disk: MemoryDisk) {
    super()
    this.#disk = disk
  }

  stop(): void {
    this.#isAlive = false
  }

  override write(batch: ReadonlyMap<string, Uint8Array>): void {
    if (this.#isAlive) this.#disk.write(batch)
  }

  override sync(count: number): void {
    if (this.#isAlive) this.#disk.sync(count)
  }

  override get unsyncedCount(): number {
    return this.#disk.unsyncedCount
  }

  override written(): Map<string, Uint8Array> {
    return this.#disk.written()
  }

  override get index(): readonly Uint8Array[] | undefined {
    return this.#disk.index
  }

  override saveIndex(chunks: readonly Uint8Array[]): void {
    if (this.#isAlive) this.#disk.saveIndex(chunks)
  }

  override replace(rows: Map<string, Uint8Array>): void {
    if (this.#isAlive) this.#disk.replace(rows)
  }
}
