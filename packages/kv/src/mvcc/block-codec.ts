// A block of the index as bytes, in the platform's own byte order: what is written out is read by the same machine, and the head of
// the whole says which order that is. See docs/backend-format.md.
import { KvError } from '../errors.ts'
import { blockKeysMax, IndexBlock, type BlockParts } from './index-block.ts'

const headWords = 4

/** Slots, bytes of keys, slots with older revisions; then places, numbers, older revisions, keys. A multiple of 8 bytes. */
export function encodeBlock(parts: BlockParts): Uint8Array {
  const { keys, places, numbers, older = [] } = parts
  const withOlder = older.flatMap((list, slot) => (list === undefined ? [] : [{ slot, list }]))
  const olderNumbers = withOlder.flatMap(({ slot, list }) => [slot, list.length, ...list])
  const head = Uint32Array.of(places.length / 2, keys.length, olderNumbers.length, 0)
  const bodies = [head, places, numbers, Float64Array.from(olderNumbers), keys]
  const sizeBytes = bodies.reduce((sum, { byteLength }) => sum + byteLength, 0)
  const bytes = new Uint8Array(Math.ceil(sizeBytes / 8) * 8)
  let at = 0
  for (const body of bodies) {
    bytes.set(new Uint8Array(body.buffer, body.byteOffset, body.byteLength), at)
    at += body.byteLength
  }
  return bytes
}

/** Throws CORRUPT if the parts do not fit together. `bytes` is copied. */
export function decodeBlock(bytes: Uint8Array): IndexBlock {
  // A copy begins at an address that every array accepts; a Buffer's slice() would be none.
  const { buffer } = new Uint8Array(bytes)
  if (buffer.byteLength < headWords * 4) throw malformed()
  const [count = 0, keysLength = 0, olderLength = 0] = new Uint32Array(buffer, 0, headWords)
  const placesAt = headWords * 4
  const numbersAt = placesAt + count * 8
  const olderAt = numbersAt + count * 24
  const keysAt = olderAt + olderLength * 8
  const isFitting = Math.ceil((keysAt + keysLength) / 8) * 8 === buffer.byteLength
  if (count === 0 || count > blockKeysMax || !isFitting) throw malformed()
  const places = new Uint32Array(buffer, placesAt, count * 2).slice()
  let end = 0
  for (let i = 0; i < places.length; i += 2) {
    const next = places[i] ?? 0
    if (next < end) throw malformed()
    end = next
  }
  if (end !== keysLength) throw malformed()
  return IndexBlock.of({
    keys: new Uint8Array(buffer, keysAt, keysLength).slice(),
    places,
    numbers: new Float64Array(buffer, numbersAt, count * 3).slice(),
    older: decodeOlder(new Float64Array(buffer, olderAt, olderLength), count),
  })
}

function decodeOlder(numbers: Float64Array, count: number): (number[] | undefined)[] | undefined {
  if (numbers.length === 0) return undefined
  const older = Array.from({ length: count }, (): number[] | undefined => undefined)
  for (let at = 0; at < numbers.length;) {
    const slot = numbers[at] ?? 0
    const length = numbers[at + 1] ?? 0
    const end = at + 2 + length
    const isList = Number.isInteger(length) && length > 0 && length % 2 === 0
    if (!isList || end > numbers.length || !(slot in older)) throw malformed()
    older[slot] = Array.from(numbers.subarray(at + 2, end))
    at = end
  }
  return older
}

function malformed(): KvError {
  return new KvError('CORRUPT', { message: 'A block of the saved index is malformed' })
}
