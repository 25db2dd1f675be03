import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { KeyRange } from '../mvcc/key-range.ts'
import { covers, mergeRanges } from './intervals.ts'

const seed = 20_261_121
const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
const letter = fc.constantFrom(...letters)
const range: fc.Arbitrary<KeyRange> = fc.record({
  from: letter,
  to: fc.option(letter, { nil: undefined }),
})

/** The long way: over keys of one letter, every one of the range must be in some grant. */
function coversSlowly(grants: readonly KeyRange[], asked: KeyRange): boolean {
  const isIn = ({ from, to }: KeyRange, key: string): boolean =>
    key >= from && (to === undefined || key < to)
  // '~' stands for all that comes after the letters.
  const keys = [...letters, '~'].filter((key) => isIn(asked, key))
  return keys.every((key) => grants.some((grant) => isIn(grant, key)))
}

test('a range is allowed exactly if the grants together hold each of its keys', () => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 6 }), range, (grants, asked) => {
      fc.pre(asked.to === undefined || asked.to > asked.from)
      expect(covers(mergeRanges(grants), asked)).toBe(coversSlowly(grants, asked))
    }),
    { seed, numRuns: 2000 },
  )
})

test('grants that touch count as one, and one key needs a grant that holds it', () => {
  const merged = mergeRanges([
    { from: 'c', to: 'e' },
    { from: 'a', to: 'c' },
    { from: 'x', to: 'x\0' },
    { from: 'z', to: 'a' },
  ])
  expect(merged).toEqual([
    { from: 'a', to: 'e' },
    { from: 'x', to: 'x\0' },
  ])
  const asked: KeyRange[] = [
    { from: 'a', to: 'e' },
    { from: 'b', to: 'b\0' },
    { from: 'a', to: 'e\0' },
    { from: 'x', to: 'x\0' },
    { from: 'x', to: 'y' },
    { from: 'a', to: undefined },
  ]
  expect(asked.map((one) => covers(merged, one))).toEqual([true, true, false, true, false, false])
})
