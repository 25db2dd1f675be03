// The part of LevelDB's API that we use. In Node `level` is classic-level; its own types show only what browsers have too.
import { Level } from 'level'

/** A pinned state of the database. */
export interface DatabaseSnapshot {
  close(): Promise<void>
}

export interface DatabaseIterator {
  nextv(size: number): Promise<[Buffer, Uint8Array][]>
  close(): Promise<void>
}

export type DatabaseWrite =
  | { readonly type: 'put'; readonly key: Buffer; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Buffer }

export interface LevelDatabase {
  open(): Promise<void>
  close(): Promise<void>
  getSync(key: Buffer): Uint8Array | undefined
  /**
   * The door below batch(), for writes that are encoded already: batch() clones and checks each one, which costs more than
   * writing it. Must not be called once close() was.
   */
  _batch(writes: readonly DatabaseWrite[], options: { sync: boolean }): Promise<void>
  clear(range: { gte: Buffer; lt: Buffer }): Promise<void>
  snapshot(): DatabaseSnapshot
  iterator(options: {
    gte: Buffer
    lt: Buffer
    snapshot: DatabaseSnapshot
    fillCache: boolean
    /** Bytes that one nextv() may return. */
    highWaterMarkBytes: number
  }): DatabaseIterator
  compactRange(start: Buffer, end: Buffer): Promise<void>
}

const levelOptions = {
  keyEncoding: 'buffer',
  valueEncoding: 'view',
  cacheSize: 16 * 2 ** 20,
  writeBufferSize: 8 * 2 ** 20,
} as const

/** Opens or creates the database in `directory`. */
export async function openLevel(directory: string): Promise<LevelDatabase> {
  const level = new Level<Buffer, Uint8Array>(directory, levelOptions)
  const database = level as unknown as LevelDatabase
  await database.open()
  return database
}
