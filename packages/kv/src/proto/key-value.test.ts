import { expect, test } from 'vitest'
import { encodeKeyValue, encodeTombstone } from './key-value.ts'

test.each([1, 127, 128, 16_383, 16_384, 2 ** 21])(
  'the row of a tombstone is that of a pair with nothing but its key of %i bytes',
  (length) => {
    const key = Uint8Array.from({ length }, (_, i) => i & 255)
    const zeros = { createRevision: 0, modRevision: 0, version: 0, lease: 0n }
    const pair = encodeKeyValue({ key, value: new Uint8Array(0), ...zeros })
    const row = encodeTombstone(Buffer.from(key).toString('latin1'))
    expect(Buffer.compare(row, pair)).toBe(0)
  },
)
