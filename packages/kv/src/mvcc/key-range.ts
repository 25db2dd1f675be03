// etcd's ways to name keys: one key, [key, rangeEnd), everything from key on (rangeEnd is one zero byte), a prefix.
import { keyText } from './key-text.ts'

/** Half-open and in text form; `to` undefined: no upper end. */
export interface KeyRange {
  readonly from: string
  readonly to: string | undefined
}

/** Empty `rangeEnd`: just `key`. An end at or before the key gives an empty range. */
export function keyRange(key: Uint8Array, rangeEnd: Uint8Array): KeyRange {
  const from = keyText(key)
  if (rangeEnd.length === 0) return { from, to: from + '\0' }
  if (rangeEnd.length === 1 && rangeEnd[0] === 0) return { from, to: undefined }
  return { from, to: keyText(rangeEnd) }
}

export function isInRange(range: KeyRange, key: string): boolean {
  return key >= range.from && (range.to === undefined || key < range.to)
}

/** The rangeEnd that makes [prefix, rangeEnd) all keys with that prefix; one zero byte if there is no upper end. */
export function prefixEnd(prefix: Uint8Array): Uint8Array {
  for (let i = prefix.length - 1; i >= 0; i--) {
    const byte = prefix[i] ?? 0
    if (byte === 255) continue
    // A copy also when `prefix` is a Buffer, whose slice() is a view.
    const end = new Uint8Array(prefix.subarray(0, i + 1))
    end[i] = byte + 1
    return end
  }
  return new Uint8Array(1)
}
