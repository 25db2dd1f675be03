// The frames of a snapshot's connection: what it stands for, where the receiver goes on, how long it is, that it is on disk. Byte by byte
// in docs/peer-protocol.md.
import { ByteReader, MalformedBytesError } from '../bytes/byte-reader.ts'
import { ByteWriter } from '../bytes/byte-writer.ts'
import type { SnapshotMeta } from '../core/types.ts'
import type { StreamPosition } from '../node/ports.ts'
import { readSnapshotMeta } from './decode-frame.ts'
import { snapshotMetaSizeBytes, writeSnapshotMeta } from './encode-frame.ts'
import type { ProtocolVersion } from './protocol-version.ts'

export const chunkFrameSizeBytesMax: number = 1024 * 1024
/** Either side gives up after so long. */
export const snapshotSilenceMsMax = 60_000
export const storedText = 'stored'

const idPattern = /^[0-9a-f]{32}$/
const positionPattern = /^from (\d{1,16}) (\d{1,10})$/

export interface SnapshotHeading {
  readonly meta: SnapshotMeta
  /** Undefined in version 1. */
  readonly id: string | undefined
}

export function encodeHeading({ meta, id }: SnapshotHeading, version: ProtocolVersion): Buffer {
  const text = version === 1 ? undefined : (id ?? '')
  const writer = new ByteWriter(
    snapshotMetaSizeBytes(meta) + (text === undefined ? 0 : 1 + text.length),
  )
  writeSnapshotMeta(writer, meta)
  if (text !== undefined) writer.id(text)
  return writer.finish()
}

/** Undefined for bytes that are none. */
export function decodeHeading(
  bytes: Uint8Array,
  version: ProtocolVersion,
): SnapshotHeading | undefined {
  try {
    const reader = new ByteReader(bytes)
    const meta = readSnapshotMeta(reader, version)
    const text = version === 1 ? '' : reader.id()
    reader.end()
    if (text !== '' && !idPattern.test(text)) return undefined
    return { meta, id: text === '' ? undefined : text }
  } catch (reason) {
    if (reason instanceof MalformedBytesError) return undefined
    throw reason
  }
}

export function positionText({ offset, checksum }: StreamPosition): string {
  return `from ${offset} ${checksum}`
}

export function parsePosition(text: string): StreamPosition | undefined {
  const match = positionPattern.exec(text)
  if (match === null) return undefined
  const position = { offset: Number(match[1]), checksum: Number(match[2]) }
  const isSafe = Number.isSafeInteger(position.offset) && position.checksum < 2 ** 32
  return isSafe ? position : undefined
}

/** `sizeBytes`: of the whole snapshot. */
export function endText(sizeBytes: number): string {
  return `end ${sizeBytes}`
}
