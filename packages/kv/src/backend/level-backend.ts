// Tables in LevelDB. All rows of a member live in one of two spaces ('a' and 'b', the first byte of each stored key); a snapshot
// from a peer is written into the other one and becomes visible by one small synced write. See docs/backend-format.md.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { assert } from '@balsa/raft/assert'
import type { Backend, BackendView, Row } from './backend.ts'
import { rowsBatchMax } from './backend.ts'
import {
  openLevel,
  type DatabaseIterator,
  type DatabaseWrite,
  type LevelDatabase,
} from './level-database.ts'
import { defragmentInSlices, historyEdges } from './defragment.ts'
import {
  indexFileName,
  readIndexFile,
  removeOtherIndexFiles,
  writeIndexFile,
} from './index-file.ts'
import { mergeRows } from './merge-rows.ts'
import { deletedRow, Overlay, type Batch } from './overlay.ts'
import { ValueCache } from './value-cache.ts'
import { WriteQueue } from './write-queue.ts'

const spaceKey = Buffer.from('!space')
/** The number of the saved index's file; missing if there is none. */
const indexKey = Buffer.from('!index')
/** A range that holds no row: compacting it writes out LevelDB's memory table and nothing else. */
const emptyRange = [Buffer.from('~'), Buffer.from('~~')] as const
const valueCacheSizeBytesMax = 16 * 2 ** 20
/** Read at a time by a view, up to rowsBatchMax rows. */
const viewReadSizeBytes = 2 ** 20
/** While rows are written the size on disk is looked up this often. */
const measureIntervalMs = 5000
type Space = 'a' | 'b'

export class LevelBackend implements Backend {
  readonly keepsDeletedRows = true
  readonly #database: LevelDatabase
  readonly #directory: string
  readonly #onCommitted: (durationMs: number) => void
  readonly #overlay = new Overlay()
  readonly #cache = new ValueCache(valueCacheSizeBytesMax)
  readonly #queue = new WriteQueue()
  #space: Space
  #sizeBytes = 0
  /** Written since that was measured. */
  #writtenSizeBytes = 0
  #measuredAtMs = 0
  readonly #closing = new AbortController()
  #isClosed = false
  #indexNumber: number | undefined
  #saving: Promise<boolean> | undefined
  #defragmenting: Promise<void> | undefined

  private constructor(
    database: LevelDatabase,
    options: { readonly directory: string; readonly onCommitted: (durationMs: number) => void },
    space: Space,
  ) {
    this.#database = database
    this.#directory = options.directory
    this.#onCommitted = options.onCommitted
    this.#space = space
  }

  /** Opens or creates the tables in `directory`; rejects when another process holds them. `onCommitted` hears of each batch. */
  static async open(
    directory: string,
    onCommitted: (durationMs: number) => void = () => undefined,
  ): Promise<LevelBackend> {
    const database = await openLevel(directory)
    const stored = database.getSync(spaceKey)
    const space = stored !== undefined && stored[0] === 'b'.charCodeAt(0) ? 'b' : 'a'
    const backend = new LevelBackend(database, { directory, onCommitted }, space)
    // Rows of a replacement that did not get to its end, or of the space it replaced.
    await backend.#clearSpace(otherSpace(space))
    await backend.#findIndex()
    await backend.#measure()
    return backend
  }

  get pendingSizeBytes(): number {
    return this.#overlay.sizeBytes
  }

  get(key: string): Uint8Array | undefined {
    const value = this.#overlay.get(key) ?? this.#cache.get(key)
    if (value !== undefined) return value === deletedRow ? undefined : value
    const stored = this.#database.getSync(Buffer.from(this.#space + key, 'latin1'))
    if (stored !== undefined) this.#cache.set(key, stored)
    return stored
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
      const startMs = performance.now()
      await this.#writeBatch(batch, options.sync)
      if (batch.size > 0) this.#onCommitted(performance.now() - startMs)
      for (const [key, value] of batch) {
        if (value === deletedRow) this.#cache.delete(key)
        else this.#cache.set(key, value)
      }
      this.#overlay.written()
      if (options.sync) await this.#sync()
      else if (performance.now() - this.#measuredAtMs > measureIntervalMs) await this.#measure()
    })
  }

  view(): BackendView {
    const space = this.#space
    const snapshot = this.#database.snapshot()
    // The batch that is being written may or may not be in the snapshot; it is in the overlay, so it makes no difference.
    const overlay = this.#overlay.pin()
    return {
      rows: (from, to) => {
        const inside = overlay.filter(([key]) => key >= from && key < to)
        const range = {
          gte: Buffer.from(space + from, 'latin1'),
          lt: Buffer.from(space + to, 'latin1'),
        }
        const options = { snapshot, fillCache: false, highWaterMarkBytes: viewReadSizeBytes }
        const iterator = this.#database.iterator({ ...range, ...options })
        return mergeRows(storedRows(iterator), inside)
      },
      // Closing waits for iterators that are being read; nobody has to wait for that.
      release: () => void snapshot.close(),
    }
  }

  async replace(rows: AsyncIterable<readonly Row[]>): Promise<void> {
    const space = otherSpace(this.#space)
    const prefix = Buffer.from(space)
    await this.#clearSpace(space)
    for await (const batch of rows) {
      const writes = batch.map(([key, value]): DatabaseWrite => {
        return { type: 'put', key: Buffer.concat([prefix, key]), value }
      })
      await this.#write(writes, { sync: false })
    }
    await this.#queue.run(async () => {
      await this.#sync()
      // The saved index speaks of the rows that go.
      const forgotten = { type: 'del', key: indexKey } as const
      const inForce = { type: 'put', key: spaceKey, value: prefix } as const
      await this.#write([inForce, forgotten], { sync: true })
      this.#indexNumber = undefined
      this.#overlay.clear()
      this.#cache.clear()
      this.#space = space
    })
    await this.#clearSpace(otherSpace(space))
    await this.#measure()
  }

  saveIndex(chunks: Iterable<Uint8Array>, signal: AbortSignal): Promise<boolean> {
    assert(this.#saving === undefined, 'one index is saved at a time')
    const saving = this.#saveIndex(chunks, signal).finally(() => {
      this.#saving = undefined
    })
    this.#saving = saving
    return saving
  }

  loadIndex(): AsyncIterable<Uint8Array> | undefined {
    if (this.#indexNumber === undefined) return undefined
    return readIndexFile(join(this.#directory, indexFileName(this.#indexNumber)))
  }

  async defragment(): Promise<void> {
    this.#defragmenting ??= this.#defragment().finally(() => {
      this.#defragmenting = undefined
    })
    await this.#defragmenting
  }

  size(): { total: number; used: number } {
    const total = this.#sizeBytes + this.#writtenSizeBytes + this.#overlay.sizeBytes
    return { total, used: total }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    try {
      await Promise.allSettled([this.#saving, this.#defragmenting])
      await this.flush({ sync: false })
    } finally {
      this.#isClosed = true
      await this.#database.close()
    }
  }

  async #defragment(): Promise<void> {
    await this.flush({ sync: true })
    const { signal } = this.#closing
    const { total } = this.size()
    await this.#write(historyEdges(this.#space), { sync: false })
    await defragmentInSlices(this.#database, { space: this.#space, sizeBytes: total, signal })
    await this.#measure()
  }

  async #saveIndex(chunks: Iterable<Uint8Array>, signal: AbortSignal): Promise<boolean> {
    const space = this.#space
    const number = (this.#indexNumber ?? 0) + 1
    const path = join(this.#directory, indexFileName(number))
    const isWritten = await writeIndexFile(path, chunks, signal)
    if (isWritten) await this.flush({ sync: true })
    let isSaved = false
    await this.#queue.run(async () => {
      if (!isWritten || signal.aborted || space !== this.#space) return
      // Names the file once it is whole and its rows are durable: a crash before leaves the index of before.
      const value = Buffer.from(String(number))
      await this.#write([{ type: 'put', key: indexKey, value }], { sync: true })
      this.#indexNumber = number
      isSaved = true
    })
    await this.#removeIndexFiles()
    return isSaved
  }

  async #findIndex(): Promise<void> {
    const stored = this.#database.getSync(indexKey)
    const number = stored === undefined ? NaN : Number(Buffer.from(stored).toString())
    this.#indexNumber = Number.isSafeInteger(number) ? number : undefined
    await this.#removeIndexFiles()
  }

  /** All but the one in force. */
  async #removeIndexFiles(): Promise<void> {
    const number = this.#indexNumber
    await removeOtherIndexFiles(
      this.#directory,
      number === undefined ? undefined : indexFileName(number),
    )
  }

  async #writeBatch(batch: Batch, sync: boolean): Promise<void> {
    if (batch.size === 0 && !sync) return
    const writes: DatabaseWrite[] = []
    for (const [key, value] of batch) {
      const stored = Buffer.from(this.#space + key, 'latin1')
      this.#writtenSizeBytes += stored.length + value.length
      if (value === deletedRow) writes.push({ type: 'del', key: stored })
      else writes.push({ type: 'put', key: stored, value })
    }
    await this.#write(writes, { sync })
  }

  async #write(writes: readonly DatabaseWrite[], options: { sync: boolean }): Promise<void> {
    if (this.#isClosed) throw new Error('The tables are closed')
    await this.#database._batch(writes, options)
  }

  /**
   * A synced write syncs LevelDB's current log only; an earlier log whose memory table is not written out yet could still lose its
   * end. So the memory table is written out too: tables and manifest are synced by LevelDB.
   */
  async #sync(): Promise<void> {
    await this.#database.compactRange(...emptyRange)
    await this.#measure()
  }

  async #clearSpace(space: Space): Promise<void> {
    const end = Buffer.from([space.charCodeAt(0) + 1])
    await this.#database.clear({ gte: Buffer.from(space), lt: end })
  }

  async #measure(): Promise<void> {
    this.#measuredAtMs = performance.now()
    const names = await readdir(this.#directory)
    const sizes = await Promise.all(names.map((name) => fileSize(join(this.#directory, name))))
    this.#sizeBytes = sizes.reduce((sum, size) => sum + size, 0)
    this.#writtenSizeBytes = 0
  }
}

function otherSpace(space: Space): Space {
  return space === 'a' ? 'b' : 'a'
}

/** 0 for a file that LevelDB removed meanwhile. */
async function fileSize(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch {
    return 0
  }
}

async function* storedRows(iterator: DatabaseIterator): AsyncIterable<readonly Row[]> {
  try {
    for (;;) {
      const entries = await iterator.nextv(rowsBatchMax)
      if (entries.length === 0) return
      yield entries.map(([key, value]): Row => [key.subarray(1), value])
    }
  } finally {
    await iterator.close()
  }
}
