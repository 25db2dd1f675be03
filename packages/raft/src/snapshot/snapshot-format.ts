// The bytes of a snapshot file: a header that says what the snapshot stands for, then checksummed, chained chunks, then an end that says
// how long it is. Byte by byte in docs/snapshot-format.md.
import { crc32 } from 'node:zlib'
import { ByteReader, MalformedBytesError } from '../bytes/byte-reader.ts'
import { ByteWriter } from '../bytes/byte-writer.ts'
import { decodeMembership, encodeMembership } from '../core/membership.ts'
import type { SnapshotMeta } from '../core/types.ts'

export const snapshotFormatVersion = 1
/** magic, version, size of the rest of the header. */
export const snapshotPrefixSizeBytes: number = 8 + 4 + 4
export const chunkHeaderSizeBytes = 8
export const chunkSizeBytesMax: number = 16 * 1024 * 1024
export const endSizeBytes = 8
const headerRestSizeBytesMax = 64 * 1024

const magic = Buffer.from('BALSASNP', 'latin1')
const namePattern = /^[0-9a-f]{16}-[0-9a-f]{16}\.snap$/
const partPattern = /^[0-9a-f]{16}-[0-9a-f]{16}\.snap\.[0-9a-f]{32}\.part$/

function hex(value: number): string {
  return value.toString(16).padStart(16, '0')
}

/** Sorted by name is sorted by term and index. */
export function snapshotName({ term, index }: SnapshotMeta): string {
  return `${hex(term)}-${hex(index)}.snap`
}

/** What came of a snapshot so far. `key`: 32 hex digits, of the stream that it came in. */
export function partName(meta: SnapshotMeta, key: string): string {
  return `${snapshotName(meta)}.${key}.part`
}

export function isPartName(name: string): boolean {
  return partPattern.test(name)
}

export function isSnapshotName(name: string): boolean {
  return namePattern.test(name)
}

/** The whole header; its last four bytes are the checksum with which the chain of the chunks begins. */
export function encodeSnapshotHeader(meta: SnapshotMeta): Buffer {
  const membership = encodeMembership(meta.membership)
  const restSize = 8 + 8 + 4 + membership.length + 4
  const writer = new ByteWriter(snapshotPrefixSizeBytes + restSize)
  writer.bytes(magic)
  writer.u32(snapshotFormatVersion)
  writer.u32(restSize)
  writer.u64(meta.index)
  writer.u64(meta.term)
  writer.u32(membership.length)
  writer.bytes(membership)
  writer.u32(crc32(writer.buffer.subarray(0, writer.position)))
  return writer.finish()
}

export type PrefixCheck =
  | { readonly status: 'ok'; readonly version: number; readonly restSize: number }
  | { readonly status: 'bad' }

export function checkSnapshotPrefix(bytes: Uint8Array): PrefixCheck {
  if (bytes.length < snapshotPrefixSizeBytes) return { status: 'bad' }
  if (!magic.equals(bytes.subarray(0, 8))) return { status: 'bad' }
  const reader = new ByteReader(bytes.subarray(8))
  const version = reader.u32()
  const restSize = reader.u32()
  const isPlausible = restSize >= 24 && restSize <= headerRestSizeBytesMax
  return isPlausible ? { status: 'ok', version, restSize } : { status: 'bad' }
}

/** Of whatever version: only then its version is what was written. */
export function isSnapshotHeaderWhole(bytes: Uint8Array): boolean {
  return crc32(bytes.subarray(0, -4)) === new ByteReader(bytes.subarray(-4)).u32()
}

export interface SnapshotHeader {
  readonly meta: SnapshotMeta
  readonly checksum: number
}

/** Of a whole header; undefined if it is damaged. */
export function decodeSnapshotHeader(bytes: Uint8Array): SnapshotHeader | undefined {
  try {
    return readHeader(bytes)
  } catch (reason) {
    if (reason instanceof MalformedBytesError) return undefined
    throw reason
  }
}

function readHeader(bytes: Uint8Array): SnapshotHeader | undefined {
  const checksum = new ByteReader(bytes.subarray(-4)).u32()
  if (crc32(bytes.subarray(0, -4)) !== checksum) return undefined
  const reader = new ByteReader(bytes.subarray(snapshotPrefixSizeBytes, -4))
  const index = reader.u64()
  const term = reader.u64()
  const membership = decodeMembership(reader.bytes(reader.u32()))
  reader.end()
  return membership === undefined ? undefined : { meta: { index, term, membership }, checksum }
}

/** Size and checksum of one chunk; the checksum covers the one before, the size and the bytes. Size 0 is the end, see encodeEnd(). */
export function encodeChunkHeader(
  chunk: Uint8Array,
  previous: number,
): { readonly header: Buffer; readonly checksum: number } {
  const header = Buffer.alloc(chunkHeaderSizeBytes)
  header.writeUInt32LE(chunk.length, 0)
  const checksum = crc32(chunk, crc32(header.subarray(0, 4), previous))
  header.writeUInt32LE(checksum, 4)
  return { header, checksum }
}

/** The end: a chunk header of size 0 whose checksum covers the number of payload bytes, which follows. */
export function encodeEnd(payloadSizeBytes: number, previous: number): Buffer {
  const writer = new ByteWriter(chunkHeaderSizeBytes + endSizeBytes)
  const total = new ByteWriter(endSizeBytes)
  total.u64(payloadSizeBytes)
  writer.u32(0)
  writer.u32(crc32(total.finish(), crc32(writer.buffer.subarray(0, 4), previous)))
  writer.bytes(total.buffer)
  return writer.finish()
}
