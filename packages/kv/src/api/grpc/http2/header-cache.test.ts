import { expect, test } from 'vitest'
import { blockBytesMax, entriesMax, HeaderCache } from './header-cache.ts'

test('blocks are found again, until there are too many of them', () => {
  const cache = new HeaderCache<number>()
  for (let i = 0; i < entriesMax; i++) cache.set(`block ${i}`, i)
  expect([cache.get('block 0'), cache.get(`block ${entriesMax - 1}`)]).toEqual([0, entriesMax - 1])
  cache.set('one more', 1)
  expect([cache.get('block 0'), cache.get('one more')]).toEqual([undefined, 1])
})

test('long blocks are not kept', () => {
  const cache = new HeaderCache<number>()
  cache.set('x'.repeat(blockBytesMax), 1)
  cache.set('x'.repeat(blockBytesMax + 1), 2)
  expect(cache.get('x'.repeat(blockBytesMax))).toBe(1)
  expect(cache.get('x'.repeat(blockBytesMax + 1))).toBeUndefined()
})
