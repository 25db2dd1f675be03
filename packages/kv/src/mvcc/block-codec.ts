// A block of the index as bytes: what it holds in memory is stored as it is. See docs/backend-format.md.
import { KvError } from '../errors.ts'
import { blockKeysMax, IndexBlock, type BlockParts } from './index-block.ts'
import { keyBytes, keyText } from './key-text.ts'
import { areEndsInOrder, strideOf, widthsOf } from './packed-slots.ts'

const headSizeBytes = 40
const widthsAt = 16

/** Head, older revisions, what all keys begin with, rows, rests of the keys. */
export function encodeBlock({ prefix, keys, slots, older = [] }: BlockParts): Uint8Array {
  const withOlder = older.flatMap((list, slot) => (list === undefined ? [] : [{ slot, list }]))
  const olderNumbers = withOlder.flatMap(({ slot, list }) => [slot, list.length, ...list])
  const rowsAt = headSizeBytes + olderNumbers.length * 8 + prefix.length
  const bytes = new Uint8Array(rowsAt + slots.rows.length + keys.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, slots.count)
  view.setUint32(4, keys.length)
  view.setUint32(8, prefix.length)
  view.setUint32(12, olderNumbers.length)
  const { end, main, age, version, sub } = slots.widths
  bytes.set([end, main, age, version, sub], widthsAt)
  view.setFloat64(24, slots.mainBase)
  for (const [i, number] of olderNumbers.entries()) view.setFloat64(headSizeBytes + i * 8, number)
  bytes.set(keyBytes(prefix), rowsAt - prefix.length)
  bytes.set(slots.rows, rowsAt)
  bytes.set(keys, rowsAt + slots.rows.length)
  return bytes
}

/** Throws CORRUPT if the parts do not fit together. The block keeps `chunk` as its own. */
export function decodeBlock(chunk: Uint8Array): IndexBlock {
  if (chunk.length < headSizeBytes) throw malformed()
  // Parts of a Buffer would be Buffers, which are slower wherever plain arrays are met too.
  const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const count = view.getUint32(0)
  const keysLength = view.getUint32(4)
  const prefixLength = view.getUint32(8)
  const olderLength = view.getUint32(12)
  const widths = widthsOf(bytes.subarray(widthsAt, widthsAt + 5))
  const mainBase = view.getFloat64(24)
  if (widths === undefined || !Number.isSafeInteger(mainBase) || mainBase < 0) throw malformed()
  const prefixAt = headSizeBytes + olderLength * 8
  const rowsAt = prefixAt + prefixLength
  const keysAt = rowsAt + count * strideOf(widths)
  const isFitting = keysAt + keysLength === bytes.length
  if (count === 0 || count > blockKeysMax || !isFitting) throw malformed()
  const slots = { count, widths, mainBase, rows: bytes.subarray(rowsAt, keysAt) }
  if (!areEndsInOrder(slots, keysLength)) throw malformed()
  return new IndexBlock({
    prefix: keyText(bytes.subarray(prefixAt, rowsAt)),
    keys: bytes.subarray(keysAt),
    slots,
    older: decodeOlder(view, olderLength, count),
  })
}

function decodeOlder(
  view: DataView,
  length: number,
  count: number,
): (number[] | undefined)[] | undefined {
  if (length === 0) return undefined
  const numbers = Array.from({ length }, (_, i) => view.getFloat64(headSizeBytes + i * 8))
  const older = Array.from({ length: count }, (): number[] | undefined => undefined)
  for (let at = 0; at < numbers.length;) {
    const slot = numbers[at] ?? 0
    const size = numbers[at + 1] ?? 0
    const end = at + 2 + size
    const isList = Number.isInteger(size) && size > 0 && size % 2 === 0
    if (!isList || end > numbers.length || !(slot in older)) throw malformed()
    older[slot] = numbers.slice(at + 2, end)
    at = end
  }
  return older
}

function malformed(): KvError {
  return new KvError('CORRUPT', { message: 'A block of the saved index is malformed' })
}
