// The part of LevelDB's API that we use. In Node `level` is classic-level; its own types show only what browsers have too.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
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
    /** Left out: what is there now. */
    snapshot?: DatabaseSnapshot
    reverse?: boolean
    limit?: number
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

/** Opens or creates the database in `directory`. Rejects if what is there has lost the file that says what belongs to it. */
export async function openLevel(directory: string): Promise<LevelDatabase> {
  await refuseHeadless(directory)
  const level = new Level<Buffer, Uint8Array>(directory, levelOptions)
  const database = level as unknown as LevelDatabase
  await database.open()
  return database
}

/**
 * Without CURRENT, LevelDB takes any folder for a new one: it reads the youngest log and removes the tables, so that all but the
 * last rows are gone without a word. CURRENT is there before the first log or table, so only damage makes such a folder.
 */
async function refuseHeadless(directory: string): Promise<void> {
  const names = await readdir(directory).catch((reason: unknown): string[] => {
    if (reason instanceof Error && 'code' in reason && reason.code === 'ENOENT') return []
    throw reason
  })
  if (names.includes('CURRENT') || !names.some((name) => /\.(?:ldb|log)$/.test(name))) return
  throw new Error(`Corruption: ${join(directory, 'CURRENT')} is missing`)
}
