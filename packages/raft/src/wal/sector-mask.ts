// A sector that a crash kept from the disk is still all zero: that is how a reader tells a torn record from a damaged one. Keeps: no
// sector of a written record is all zero, and none becomes so through one damaged byte. A record with long runs of zeros is masked.
import { assert, AssertionError } from '../core/assert.ts'
import type { EncodedRecord } from './record-body.ts'
import {
  maskMax,
  nextRecordOffset,
  recordHeaderSizeBytes,
  sectorSizeBytes,
} from './segment-format.ts'

/** Of every sector's share of a record. */
const nonzeroBytesMin = 2

/** What the mask of a body is made from: all of it stands in the header of its record. */
export interface MaskSource {
  /** 0: none. */
  readonly mask: number
  readonly previous: number
  readonly bodyChecksum: number
}

/** Whether a sector's share of a record that is to be written at `offset` is all zero but for a byte or none. */
export function hasZeroLikeSector(parts: readonly Uint8Array[], offset: number): boolean {
  let partStart = 0
  let shareEnd = sectorSizeBytes - (offset % sectorSizeBytes)
  // The first share begins with the header: a size and checksums.
  let missing = 0
  for (const part of parts) {
    let at = 0
    while (at < part.length) {
      if (partStart + at === shareEnd) {
        if (missing > 0) return true
        missing = nonzeroBytesMin
        shareEnd += sectorSizeBytes
      }
      const end = Math.min(part.length, shareEnd - partStart)
      while (at < end && missing > 0) if (part[at++] !== 0) missing--
      if (missing === 0) at = end
    }
    partStart += part.length
  }
  return missing > 0
}

/** The record itself if it can be written at `offset` as it is, else a masked copy. `previous`: the chain value of the record before. */
export function withoutZeroSectors(
  record: EncodedRecord,
  offset: number,
  previous: number,
): EncodedRecord {
  if (!hasZeroLikeSector(record.parts, offset)) return record
  const { bodySize, bodyChecksum } = record
  for (let mask = 1; mask <= maskMax; mask++) {
    const head = Buffer.concat(record.parts)
    assert(head.length === nextRecordOffset(0, bodySize), 'a record comes with its padding')
    const body = head.subarray(recordHeaderSizeBytes, recordHeaderSizeBytes + bodySize)
    applyMask(body, { mask, previous, bodyChecksum })
    const parts = [head]
    if (!hasZeroLikeSector(parts, offset)) return { head, parts, bodySize, bodyChecksum, mask }
  }
  // Nobody outside knows the chain values, so nobody can choose a payload that does this.
  throw new AssertionError('no mask leaves a sector without zeros')
}

/** The body as it was before it was masked; `body` itself stays as it is. */
export function unmask(body: Uint8Array, source: MaskSource): Uint8Array {
  if (source.mask === 0) return body
  const plain = Uint8Array.from(body)
  applyMask(plain, source)
  return plain
}

/** XOR with xorshift32: twice is never. */
function applyMask(body: Uint8Array, { mask, previous, bodyChecksum }: MaskSource): void {
  // Zero is the one state that it never leaves.
  let state = Math.imul(previous ^ bodyChecksum ^ Math.imul(mask, 0x9e3779b1), 0x85ebca6b) | 1
  const view = new DataView(body.buffer, body.byteOffset, body.length)
  const wordsEnd = body.length - (body.length % 4)
  for (let at = 0; at < wordsEnd; at += 4) {
    state = nextState(state)
    view.setUint32(at, view.getUint32(at, true) ^ state, true)
  }
  state = nextState(state)
  for (let at = wordsEnd; at < body.length; at++) {
    view.setUint8(at, view.getUint8(at) ^ (state >>> (8 * (at - wordsEnd))))
  }
}

function nextState(state: number): number {
  let next = state ^ (state << 13)
  next ^= next >>> 17
  return next ^ (next << 5)
}
