// The frame of WAL segments: file names, the header of a segment and of a record, and their checksums. Byte by byte in
// docs/wal-format.md. One record is one write, and it is synced before the next one starts.
import { crc32 } from 'node:zlib'
import { assert } from '../core/assert.ts'

export const segmentFormatVersion = 2
/** Still read: padding is zero, no body is masked, and so a whole record may have sectors of zeros. */
export const oldSegmentFormatVersion = 1
export const segmentHeaderSizeBytes = 32
/** Records begin at multiples of their header's size, so that a header never spans two sectors. */
export const recordHeaderSizeBytes = 16
/** What a disk writes in one piece. */
export const sectorSizeBytes = 512

/** Not zero, so that no sector of a record looks unwritten because of it. */
export const paddingByte = 0xa5
/** How the body was masked takes the top two bits of its size; 0: not at all. */
export const maskMax = 3
const bodySizeMax = 2 ** 30 - 1

const magic = Buffer.from('BALSAWAL', 'latin1')
const namePattern = /^[0-9a-f]{16}\.wal$/

export function segmentName(sequence: number): string {
  return `${sequence.toString(16).padStart(16, '0')}.wal`
}

/** How many bytes stand between a body and where the next record begins. */
export function paddingSize(bodySize: number): number {
  return nextRecordOffset(0, bodySize) - recordHeaderSizeBytes - bodySize
}

/** Undefined for a file that is not a segment. */
export function segmentSequence(name: string): number | undefined {
  if (!namePattern.test(name)) return undefined
  const sequence = Number.parseInt(name.slice(0, 16), 16)
  return Number.isSafeInteger(sequence) ? sequence : undefined
}

/** Where the record after one of `bodySize` at `offset` begins. */
export function nextRecordOffset(offset: number, bodySize: number): number {
  const end = offset + recordHeaderSizeBytes + bodySize
  return Math.ceil(end / recordHeaderSizeBytes) * recordHeaderSizeBytes
}

export interface SegmentHeader {
  readonly sequence: number
  /** The chain value of the last record of the segment before, 0 for the first one. */
  readonly previous: number
}

export type SegmentHeaderCheck =
  | {
      readonly status: 'ok'
      readonly version: number
      readonly header: SegmentHeader
      readonly chain: number
    }
  | { readonly status: 'bad' }
  | { readonly status: 'unknownVersion'; readonly version: number }

export function encodeSegmentHeader({ sequence, previous }: SegmentHeader): Buffer {
  assert(Number.isSafeInteger(sequence), 'a segment sequence is a safe integer')
  const bytes = Buffer.alloc(segmentHeaderSizeBytes)
  bytes.set(magic)
  bytes.writeUInt32LE(segmentFormatVersion, 8)
  bytes.writeBigUInt64LE(BigInt(sequence), 12)
  bytes.writeUInt32LE(previous, 20)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 28)), 28)
  return bytes
}

export function checkSegmentHeader(source: Uint8Array): SegmentHeaderCheck {
  const bytes = Buffer.from(source.buffer, source.byteOffset, source.byteLength)
  if (bytes.length < segmentHeaderSizeBytes) return { status: 'bad' }
  const chain = bytes.readUInt32LE(28)
  if (crc32(bytes.subarray(0, 28)) !== chain) return { status: 'bad' }
  if (!bytes.subarray(0, 8).equals(magic)) return { status: 'bad' }
  const version = bytes.readUInt32LE(8)
  if (version !== segmentFormatVersion && version !== oldSegmentFormatVersion) {
    return { status: 'unknownVersion', version }
  }
  const header = { sequence: Number(bytes.readBigUInt64LE(12)), previous: bytes.readUInt32LE(20) }
  return { status: 'ok', version, header, chain }
}

/** Where a record stands; part of its checksum, so that a misdirected or stale write is not taken for the record. */
export interface RecordPosition {
  readonly sequence: number
  readonly offset: number
}

export interface RecordHeader {
  readonly bodySize: number
  /** Which of the masks lies over the body; 0: none. */
  readonly mask: number
  /** The chain value of the record before. */
  readonly previous: number
  /** Of the body without its mask. */
  readonly bodyChecksum: number
  /** This record's own chain value: over its position and the three fields above. */
  readonly chain: number
}

/** Checksummed, not written: sequence u64, offset u64, then the first 12 bytes of the header. */
const checksummed = Buffer.alloc(28)

function chainValue(position: RecordPosition, header: Uint8Array): number {
  checksummed.writeUInt32LE(position.sequence % 2 ** 32, 0)
  checksummed.writeUInt32LE(Math.floor(position.sequence / 2 ** 32), 4)
  checksummed.writeUInt32LE(position.offset % 2 ** 32, 8)
  checksummed.writeUInt32LE(Math.floor(position.offset / 2 ** 32), 12)
  checksummed.set(header.subarray(0, 12), 16)
  return crc32(checksummed)
}

/** Writes the header into the first bytes of `target` and returns the record's chain value. */
export function writeRecordHeader(
  target: Buffer,
  position: RecordPosition,
  fields: Omit<RecordHeader, 'chain'>,
): number {
  assert(position.offset % recordHeaderSizeBytes === 0, 'records are aligned')
  assert(fields.bodySize > 0 && fields.bodySize <= bodySizeMax, 'a body has less than 1 GiB')
  target.writeUInt32LE(fields.bodySize + fields.mask * (bodySizeMax + 1), 0)
  target.writeUInt32LE(fields.previous, 4)
  target.writeUInt32LE(fields.bodyChecksum, 8)
  const chain = chainValue(position, target)
  target.writeUInt32LE(chain, 12)
  return chain
}

/** Undefined if the bytes are no header of a record at this position. */
export function readRecordHeader(
  bytes: Uint8Array,
  position: RecordPosition,
): RecordHeader | undefined {
  if (bytes.length < recordHeaderSizeBytes) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, recordHeaderSizeBytes)
  const chain = view.getUint32(12, true)
  if (chainValue(position, bytes) !== chain) return undefined
  const sizeAndMask = view.getUint32(0, true)
  const bodySize = sizeAndMask % (bodySizeMax + 1)
  if (bodySize === 0) return undefined
  return {
    bodySize,
    mask: Math.floor(sizeAndMask / (bodySizeMax + 1)),
    previous: view.getUint32(4, true),
    bodyChecksum: view.getUint32(8, true),
    chain,
  }
}

const zeros = Buffer.alloc(64 * 1024)

export function isZero(bytes: Uint8Array): boolean {
  for (let from = 0; from < bytes.length; from += zeros.length) {
    const part = bytes.subarray(from, from + zeros.length)
    if (zeros.compare(part, 0, part.length, 0, part.length) !== 0) return false
  }
  return true
}
