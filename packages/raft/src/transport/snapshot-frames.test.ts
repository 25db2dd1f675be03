// What is encoded comes back, and no bytes or text whatsoever make the readers do anything but refuse.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NodeId } from '../core/types.ts'
import type { ProtocolVersion } from './protocol-version.ts'
import {
  decodeHeading,
  encodeHeading,
  parsePosition,
  positionText,
  type SnapshotHeading,
} from './snapshot-frames.ts'

const seed = Number(process.env['SEED'] ?? 20_261_121)
const heading: SnapshotHeading = {
  meta: {
    index: 2 ** 40,
    term: 7,
    membership: { voters: ['a' as NodeId], votersOutgoing: [], learners: ['b' as NodeId] },
  },
  id: '0123456789abcdef0123456789abcdef',
}
const version = fc.constantFrom<ProtocolVersion>(1, 2)

test('a heading comes back as it was, in version 1 without its id', () => {
  expect(decodeHeading(encodeHeading(heading, 2), 2)).toEqual(heading)
  const old = { ...heading, id: undefined }
  expect(decodeHeading(encodeHeading(heading, 1), 1)).toEqual(old)
  expect(decodeHeading(encodeHeading(old, 2), 2)).toEqual(old)
})

test('a heading that is damaged or cut is refused, or encodes to the very same bytes', () => {
  const damage = fc.record({ at: fc.nat(), bits: fc.integer({ min: 1, max: 255 }), cut: fc.nat() })
  fc.assert(
    fc.property(version, damage, (v, { at, bits, cut }) => {
      const bytes = encodeHeading(heading, v)
      const whole = Buffer.from(bytes)
      bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ bits
      const decoded = decodeHeading(bytes, v)
      if (decoded !== undefined) expect(encodeHeading(decoded, v)).toEqual(bytes)
      expect(decodeHeading(whole.subarray(0, cut % whole.length), v)).toBeUndefined()
    }),
    { seed, numRuns: 1000 },
  )
})

test('random bytes are no heading', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), version, (bytes, v) => {
      const decoded = decodeHeading(bytes, v)
      if (decoded !== undefined) expect(encodeHeading(decoded, v)).toEqual(Buffer.from(bytes))
    }),
    { seed, numRuns: 2000 },
  )
})

test('an id that is no id is refused: it becomes part of the name of a file', () => {
  for (const id of [
    '../../../etc/passwd',
    'x'.repeat(32),
    'ABCDEF0123456789ABCDEF0123456789',
    'a',
  ]) {
    expect(decodeHeading(encodeHeading({ ...heading, id }, 2), 2)).toBeUndefined()
  }
})

test('a position comes back as it was, and other text is none', () => {
  for (const position of [
    { offset: 0, checksum: 0 },
    { offset: Number.MAX_SAFE_INTEGER, checksum: 2 ** 32 - 1 },
  ]) {
    expect(parsePosition(positionText(position))).toEqual(position)
  }
  for (const text of ['', 'stored', 'from', 'from 1', 'from -1 0', 'from 1 2 ', 'from 1e3 0']) {
    expect(parsePosition(text), text).toBeUndefined()
  }
  expect(parsePosition(`from ${2 ** 53} 0`)).toBeUndefined()
  expect(parsePosition(`from 0 ${2 ** 32}`)).toBeUndefined()
})
