// Reads one snapshot file in a stream: never more than a chunk in memory. A file that was read to its end without an error is exactly the
// one that was written.
import { crc32 } from 'node:zlib'
import { ByteReader } from '../bytes/byte-reader.ts'
import type { SnapshotMeta } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import type { File } from '../node/ports.ts'
import {
  checkSnapshotPrefix,
  chunkHeaderSizeBytes,
  chunkSizeBytesMax,
  decodeSnapshotHeader,
  isSnapshotHeaderWhole,
  endSizeBytes,
  snapshotFormatVersion,
  snapshotPrefixSizeBytes,
} from './snapshot-format.ts'

export interface OpenedSnapshot {
  readonly meta: SnapshotMeta
  /** Throws RaftError CORRUPT where a chunk does not check out. */
  chunks(): AsyncIterable<Uint8Array>
}

/** Checks the header. Throws RaftError CORRUPT or VERSION_MISMATCH. */
export async function openSnapshotFile(file: File, path: string): Promise<OpenedSnapshot> {
  const check = checkSnapshotPrefix(await file.read(0, snapshotPrefixSizeBytes))
  if (check.status === 'bad') throw corrupt(path, 0, 'has no header')
  const size = snapshotPrefixSizeBytes + check.restSize
  const bytes = await file.read(0, size)
  const isWhole = bytes.length === size && isSnapshotHeaderWhole(bytes)
  if (isWhole && check.version !== snapshotFormatVersion) {
    const text = `Snapshot ${path} has format version ${check.version}, this program knows ${snapshotFormatVersion}`
    throw new RaftError('VERSION_MISMATCH', text, { file: path, offset: 0 })
  }
  const header = isWhole ? decodeSnapshotHeader(bytes) : undefined
  if (header === undefined) throw corrupt(path, 0, 'has a damaged header')
  const { meta, checksum } = header
  return { meta, chunks: () => readChunks({ file, path }, size, checksum) }
}

function corrupt(path: string, offset: number, what: string): RaftError {
  const text = `Snapshot ${path} ${what} at offset ${offset}`
  return new RaftError('CORRUPT', text, { file: path, offset })
}

async function* readChunks(
  { file, path }: { readonly file: File; readonly path: string },
  start: number,
  startChecksum: number,
): AsyncGenerator<Uint8Array> {
  let position = start
  let previous = startChecksum
  let payloadSizeBytes = 0
  for (;;) {
    const header = await file.read(position, chunkHeaderSizeBytes)
    if (header.length < chunkHeaderSizeBytes) throw corrupt(path, position, 'ends too early')
    const reader = new ByteReader(header)
    const size = reader.u32()
    const checksum = reader.u32()
    if (size > chunkSizeBytesMax) throw corrupt(path, position, 'has a damaged chunk')
    const bodySize = size === 0 ? endSizeBytes : size
    const body = await file.read(position + chunkHeaderSizeBytes, bodySize)
    if (crc32(body, crc32(header.subarray(0, 4), previous)) !== checksum) {
      throw corrupt(path, position, 'has a damaged chunk')
    }
    if (size === 0) {
      const total = new ByteReader(body).u64()
      if (total !== payloadSizeBytes) throw corrupt(path, position, 'has the wrong length')
      return
    }
    yield body
    payloadSizeBytes += size
    position += chunkHeaderSizeBytes + size
    previous = checksum
  }
}
