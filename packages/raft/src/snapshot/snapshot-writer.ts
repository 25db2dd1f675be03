// Writes a snapshot file piece by piece, and goes on with one that broke off: what is there is read back and checked, and cut where it
// stops to check out, since a crash keeps what was not synced in any order.
import { crc32 } from 'node:zlib'
import type { SnapshotMeta } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import type { File, StreamPosition } from '../node/ports.ts'
import { openSnapshotFile } from './snapshot-file.ts'
import {
  chunkHeaderSizeBytes,
  chunkSizeBytesMax,
  encodeChunkHeader,
  encodeEnd,
  encodeSnapshotHeader,
} from './snapshot-format.ts'

/** Written between two syncs. */
const syncEverySizeBytes: number = 8 * 1024 * 1024

export class SnapshotWriter {
  readonly #file: File
  #size: number
  /** Of the last chunk, or the header's: the next chunk's chain begins with it. */
  #chain: number
  #payload: StreamPosition
  #syncedSize: number

  private constructor(file: File, size: number, chain: number, payload: StreamPosition) {
    this.#file = file
    this.#size = size
    this.#chain = chain
    this.#payload = payload
    this.#syncedSize = size
  }

  /** Into an empty file. */
  static async begin(file: File, meta: SnapshotMeta): Promise<SnapshotWriter> {
    const header = encodeSnapshotHeader(meta)
    await file.write([header], 0)
    const chain = header.readUInt32LE(header.length - 4)
    return new SnapshotWriter(file, header.length, chain, { offset: 0, checksum: 0 })
  }

  /** Behind what is whole in the file; undefined if that is not even the header of `meta`. */
  static async resume(
    { file, path }: { readonly file: File; readonly path: string },
    meta: SnapshotMeta,
  ): Promise<SnapshotWriter | undefined> {
    const header = encodeSnapshotHeader(meta)
    if (!header.equals(await file.read(0, header.length))) return undefined
    let size = header.length
    let chain = header.readUInt32LE(header.length - 4)
    let payload: StreamPosition = { offset: 0, checksum: 0 }
    const { chunks } = await openSnapshotFile(file, path)
    try {
      for await (const chunk of chunks()) {
        chain = encodeChunkHeader(chunk, chain).checksum
        size += chunkHeaderSizeBytes + chunk.length
        payload = advance(payload, chunk)
      }
    } catch (reason) {
      // Damage means only that less was kept.
      if (!(reason instanceof RaftError)) throw reason
    }
    await file.truncate(size)
    return new SnapshotWriter(file, size, chain, payload)
  }

  get position(): StreamPosition {
    return this.#payload
  }

  /** Syncs now and then, or the one at the end would hold up the log for long. */
  async append(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; at += chunkSizeBytesMax) {
      const part = chunk.subarray(at, at + chunkSizeBytesMax)
      const { header, checksum } = encodeChunkHeader(part, this.#chain)
      await this.#file.write([header, part], this.#size)
      this.#size += header.length + part.length
      this.#chain = checksum
      this.#payload = advance(this.#payload, part)
    }
    if (this.#size - this.#syncedSize < syncEverySizeBytes) return
    await this.#file.sync()
    this.#syncedSize = this.#size
  }

  /** The file is whole and synced when it resolves. */
  async end(): Promise<void> {
    await this.#file.write([encodeEnd(this.#payload.offset, this.#chain)], this.#size)
    await this.#file.sync()
  }
}

function advance({ offset, checksum }: StreamPosition, bytes: Uint8Array): StreamPosition {
  return { offset: offset + bytes.length, checksum: crc32(bytes, checksum) }
}
