// Blocks come back from bytes as they were, and from other bytes not at all.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { KvError } from '../errors.ts'
import { decodeBlock, encodeBlock } from './block-codec.ts'
import { IndexBlock } from './index-block.ts'
import { keyText } from './key-text.ts'

const seed = Number(process.env['SEED'] ?? 20261121)

/** Keys of any bytes, many of them with a beginning in common, some changed again or deleted. */
const block = fc
  .uniqueArray(
    fc.tuple(
      fc.constantFrom('', 'a', '/registry/pods/default/'),
      fc.uint8Array({ maxLength: 20 }).map(keyText),
    ),
    {
      minLength: 1,
      maxLength: 40,
      selector: (parts) => parts.join(''),
    },
  )
  .map((keys) => {
    const made = new IndexBlock()
    for (const [i, parts] of keys.entries()) {
      const key = parts.join('')
      const main = 1000 + i * 3
      const slot = made.lowerBound(key)
      if (made.isAt(slot, key)) continue
      made.insert(slot, key, { main, sub: i, create: main, version: 1 })
      if (i % 3 === 0) made.advance(slot, { main: main + 1, sub: 0, create: main, version: 2 })
      if (i % 4 === 0) made.advance(slot, { main: main + 2, sub: 0, create: 0, version: 0 })
    }
    made.verify()
    return made
  })

test('a block is the same after it was stored, whole or in part', () => {
  fc.assert(
    fc.property(block, fc.nat(), (made, at) => {
      const from = at % made.count
      const stored = decodeBlock(encodeBlock(made.copy(from, made.count)))
      stored.verify()
      expect(contentOf(stored)).toEqual(contentOf(made).slice(from))
    }),
    { seed, numRuns: 200 },
  )
})

test('bytes that are no block are refused', () => {
  fc.assert(
    fc.property(block, fc.nat(), fc.nat(255), (made, at, value) => {
      const bytes = encodeBlock(made.copy(0, made.count))
      const cut = bytes.slice(0, at % bytes.length)
      expect(() => decodeBlock(cut)).toThrow(KvError)
      // A changed byte may make another block, but nothing that is not one.
      bytes[at % bytes.length] = value
      try {
        contentOf(decodeBlock(bytes))
      } catch (reason) {
        expect(reason).toBeInstanceOf(KvError)
      }
    }),
    { seed, numRuns: 200 },
  )
})

test('what the keys of a block have in common is stored once', () => {
  const made = new IndexBlock()
  for (let i = 0; i < 100; i++) {
    const key = `/registry/pods/default/web-${String(i).padStart(10, '0')}`
    made.insert(i, key, { main: i + 2, sub: 0, create: i + 2, version: 1 })
  }
  const { prefix, keys } = made.copy(0, 100)
  expect(prefix).toBe('/registry/pods/default/web-00000000')
  expect(keys.length).toBe(200)
  expect(made.copy(10, 20).prefix).toBe('/registry/pods/default/web-000000001')
})

function contentOf(block: IndexBlock): object[] {
  return Array.from({ length: block.count }, (_, slot) => {
    const { main, sub, create, version } = block.record(slot)
    const history = Array.from({ length: 5 }, (_, i) => block.isLiveAt(slot, main - i))
    return { key: block.keyAt(slot), main, sub, create, version, history }
  })
}
