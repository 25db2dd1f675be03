// One copy of the metadata file: who the member is, and what it must not forget even if its log is damaged. Byte by byte in
// docs/wal-format.md. A copy lies within sectors of its own; a usual one is a single sector, which a disk writes whole or not at all.
import { crc32 } from 'node:zlib'
import { ByteReader, MalformedBytesError } from '../bytes/byte-reader.ts'
import { ByteWriter } from '../bytes/byte-writer.ts'
import type { NodeId, Term } from '../core/types.ts'
import { sectorSizeBytes } from './segment-format.ts'

export const metadataFormatVersion = 1
export const metadataCopies = 2
/** The place of a copy in the file. */
export const metadataCopySizeBytes = 4096
export const clusterIdSizeBytesMax = 1024

export const metadataMagic: Buffer = Buffer.from('BALSAMET', 'latin1')
const headerSizeBytes = 8 + 4 + 4 + 8
const checksumSizeBytes = 4

/** A place in the segments. */
export interface LogPlace {
  readonly sequence: number
  readonly offset: number
}

export interface MemberState {
  readonly clusterId: string
  readonly nodeId: NodeId
  readonly term: Term
  readonly vote: NodeId | undefined
  /** The log may lack entries that were acknowledged, see HardState. */
  readonly isRecovering: boolean
  readonly isWitness: boolean
  /** The only voter of the newest membership in the log: nobody else could give its entries back. */
  readonly isSoleVoter: boolean
  readonly generation: number
  /** The log was durable up to here, at least: one that ends before it has lost something. */
  readonly logEnd: LogPlace
}

export interface MetadataCopy {
  /** Counts the copies ever written: the higher one is the newer one. */
  readonly count: number
  readonly state: MemberState
}

const flagBits = { isRecovering: 1, isWitness: 2, isSoleVoter: 4 } as const

/** Where the copy of this count goes. */
export function metadataCopyOffset(count: number): number {
  return (count % metadataCopies) * metadataCopySizeBytes
}

/** Zeros fill the last sector. */
export function encodeMetadataCopy({ count, state }: MetadataCopy): Buffer {
  const clusterId = Buffer.from(state.clusterId)
  const vote = state.vote ?? ''
  const idsSize = 2 + clusterId.length + 1 + state.nodeId.length + 1 + vote.length
  const bodySize = idsSize + 8 + 1 + 8 + 8 + 8
  const size = headerSizeBytes + bodySize + checksumSizeBytes
  const paddedSize = Math.ceil(size / sectorSizeBytes) * sectorSizeBytes
  const writer = new ByteWriter(paddedSize)
  writer.bytes(metadataMagic)
  writer.u32(metadataFormatVersion)
  writer.u32(bodySize)
  writer.u64(count)
  writer.u16(clusterId.length)
  writer.bytes(clusterId)
  writer.id(state.nodeId)
  writer.u64(state.term)
  writer.id(vote)
  let flags = 0
  for (const [name, bit] of Object.entries(flagBits)) if (state[name as FlagName]) flags |= bit
  writer.u8(flags)
  writer.u64(state.generation)
  writer.u64(state.logEnd.sequence)
  writer.u64(state.logEnd.offset)
  writer.u32(crc32(writer.buffer.subarray(0, writer.position), metadataCopyOffset(count)))
  writer.zeros(paddedSize - size)
  return writer.finish()
}

type FlagName = keyof typeof flagBits

export type MetadataCheck =
  | { readonly status: 'ok'; readonly copy: MetadataCopy }
  | { readonly status: 'bad' }
  | { readonly status: 'unknownVersion'; readonly version: number }

/** Of the bytes that begin at `offset`. */
export function checkMetadataCopy(bytes: Uint8Array, offset: number): MetadataCheck {
  try {
    return readCopy(bytes, offset)
  } catch (reason) {
    if (reason instanceof MalformedBytesError) return { status: 'bad' }
    throw reason
  }
}

function readCopy(bytes: Uint8Array, offset: number): MetadataCheck {
  const header = new ByteReader(bytes.subarray(8))
  const version = header.u32()
  const bodySize = header.u32()
  const checkedSize = headerSizeBytes + bodySize
  if (checkedSize + checksumSizeBytes > bytes.length) return { status: 'bad' }
  const checksum = new ByteReader(bytes.subarray(checkedSize)).u32()
  if (crc32(bytes.subarray(0, checkedSize), offset) !== checksum) return { status: 'bad' }
  if (!metadataMagic.equals(bytes.subarray(0, 8))) return { status: 'bad' }
  if (version !== metadataFormatVersion) return { status: 'unknownVersion', version }
  const count = header.u64()
  const reader = new ByteReader(bytes.subarray(headerSizeBytes, checkedSize))
  const state = readState(reader)
  reader.end()
  if (metadataCopyOffset(count) !== offset) return { status: 'bad' }
  return { status: 'ok', copy: { count, state } }
}

function readState(reader: ByteReader): MemberState {
  const clusterId = Buffer.from(reader.bytes(reader.u16())).toString('utf8')
  const nodeId = reader.id() as NodeId
  const term = reader.u64()
  const vote = reader.id()
  const flags = reader.u8()
  const generation = reader.u64()
  const logEnd = { sequence: reader.u64(), offset: reader.u64() }
  return {
    clusterId,
    nodeId,
    term,
    vote: vote === '' ? undefined : (vote as NodeId),
    isRecovering: (flags & flagBits.isRecovering) !== 0,
    isWitness: (flags & flagBits.isWitness) !== 0,
    isSoleVoter: (flags & flagBits.isSoleVoter) !== 0,
    generation,
    logEnd,
  }
}
