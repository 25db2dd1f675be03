// Reads entries back from the segments, checksums and chain included, so that the member need not keep its log in memory.
import { crc32 } from 'node:zlib'
import { MalformedBytesError } from '../bytes/byte-reader.ts'
import { assert } from '../core/assert.ts'
import { entrySizeBytes } from '../core/entry-cache.ts'
import type { Entry, LogIndex } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import type { FileSystem } from '../node/ports.ts'
import type { EntryIndex, EntryMark, EntryStretch } from './entry-index.ts'
import { FileWindow } from './file-window.ts'
import { decodeRecord, type RecordItem } from './record-body.ts'
import { unmask } from './sector-mask.ts'
import {
  nextRecordOffset,
  readRecordHeader,
  recordHeaderSizeBytes,
  segmentName,
} from './segment-format.ts'

const windowSizeBytes = 256 * 1024

export interface EntryReaderOptions {
  readonly fileSystem: FileSystem
  readonly directory: string
  readonly index: EntryIndex
}

/** Entries from `from` on, one at least, as many as fit. Throws RaftError CORRUPT with file and offset. */
export async function readEntries(
  options: EntryReaderOptions,
  from: LogIndex,
  sizeBytesMax: number,
): Promise<readonly Entry[]> {
  const taken = new TakenEntries(from, sizeBytesMax)
  while (!taken.isFull) {
    const stretch = options.index.find(taken.nextIndex)
    if (stretch === undefined) break
    await readStretch(options, stretch, taken)
  }
  assert(taken.entries.length > 0, 'what is read back is written')
  return taken.entries
}

/** Collects entries without a gap up to a size. */
class TakenEntries {
  readonly entries: Entry[] = []
  readonly #sizeBytesMax: number
  #sizeBytes = 0
  nextIndex: LogIndex
  isFull = false

  constructor(from: LogIndex, sizeBytesMax: number) {
    this.nextIndex = from
    this.#sizeBytesMax = sizeBytesMax
  }

  take(entry: Entry): void {
    if (this.isFull || entry.index !== this.nextIndex) return
    this.#sizeBytes += entrySizeBytes(entry)
    this.isFull = this.#sizeBytes > this.#sizeBytesMax
    if (this.isFull && this.entries.length > 0) return
    this.entries.push(entry)
    this.nextIndex++
  }
}

async function readStretch(
  { fileSystem, directory }: EntryReaderOptions,
  { mark, lastIndex }: EntryStretch,
  taken: TakenEntries,
): Promise<void> {
  const path = `${directory}/${segmentName(mark.sequence)}`
  const file = await fileSystem.open(path, 'read')
  try {
    const walk = new RecordWalk(new FileWindow(file, windowSizeBytes), path, mark)
    while (!taken.isFull && taken.nextIndex <= lastIndex) {
      for (const entry of lastEntries(await walk.next())) {
        if (entry.index <= lastIndex) taken.take(entry)
      }
    }
  } finally {
    await file.close()
  }
}

/** Record after record from a mark on. */
class RecordWalk {
  readonly #window: FileWindow
  readonly #path: string
  readonly #mark: EntryMark
  #offset: number
  #chain: number | undefined

  constructor(window: FileWindow, path: string, mark: EntryMark) {
    this.#window = window
    this.#path = path
    this.#mark = mark
    this.#offset = mark.offset
  }

  async next(): Promise<readonly RecordItem[]> {
    const offset = this.#offset
    const bytes = await this.#window.read(offset, recordHeaderSizeBytes)
    const header = readRecordHeader(bytes, { sequence: this.#mark.sequence, offset })
    const isRight =
      header !== undefined &&
      (this.#chain === undefined
        ? header.chain === this.#mark.chain
        : header.previous === this.#chain)
    if (!isRight) throw this.#corrupt('has a damaged header')
    const masked = await this.#window.read(offset + recordHeaderSizeBytes, header.bodySize)
    const body = unmask(masked, header)
    if (body.length !== header.bodySize || crc32(body) !== header.bodyChecksum) {
      throw this.#corrupt('does not match its checksum')
    }
    this.#chain = header.chain
    this.#offset = nextRecordOffset(offset, header.bodySize)
    return this.#decode(body, offset)
  }

  #decode(body: Uint8Array, offset: number): readonly RecordItem[] {
    try {
      return decodeRecord(body)
    } catch (reason) {
      if (!(reason instanceof MalformedBytesError)) throw reason
      this.#offset = offset
      throw this.#corrupt('is malformed', reason)
    }
  }

  #corrupt(what: string, cause?: unknown): RaftError {
    const text = `WAL record in ${this.#path} at offset ${this.#offset} ${what}`
    return new RaftError('CORRUPT', text, { file: this.#path, offset: this.#offset, cause })
  }
}

/** One record may hold several batches, of which later ones replace earlier ones. */
function lastEntries(items: readonly RecordItem[]): readonly Entry[] {
  let entries: Entry[] = []
  for (const item of items) {
    if (item.type === 'replaced') entries = []
    else if (item.type === 'entries') {
      const first = item.entries[0]?.index ?? 0
      entries = entries.filter(({ index }) => index < first)
      for (const entry of item.entries) entries.push(entry)
    }
  }
  return entries
}
