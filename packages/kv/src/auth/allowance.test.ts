// What is allowed was read from real etcd 3.4.23.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { keyRange, type KeyRange } from '../mvcc/key-range.ts'
import { bytes } from '../mvcc/testing/fixtures.ts'
import { Allowance } from './allowance.ts'

const seed = 20_261_121
const letters = 'abcdefghij'.split('')

/** 'a', 'a-b' or, without an end, 'a-~'; in the order of a role, which sorts them by key. */
function grantsOf(text: string): KeyRange[] {
  const grants = text.split(' ').map((grant) => {
    const [key = '', end = ''] = grant.split('-')
    return keyRange(bytes(key), bytes(end === '~' ? '\0' : end))
  })
  return grants.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0))
}

/** Pairs of a key and an end that is not behind it. */
function emptyRangesAllowed(allowance: Allowance): string {
  return letters
    .flatMap((from) => letters.map((to) => ({ from, to })))
    .filter(({ from, to }) => to <= from && allowance.covers({ from, to }))
    .map(({ from, to }) => from + to)
    .join(' ')
}

test.each([
  ['a-c c-d f-h', 'aa ba bb ca cb cc fd fe ff gd ge gf gg'],
  [
    'a-d e-j b-c g-i',
    'aa ba bb cc ec ed ee fc fd fe ff gc gd ge gf gg hc hd he hf hg hh ic id ie if ig ih ii',
  ],
  ['e-f c-d i-j a-b g-h', 'aa ca cb cc ed ee gd ge gf gg ih ii'],
  ['c-a b-d h-~ g-e f-g i-b', 'ba bb fd fe ff hh ih ii jh ji jj'],
  ['d f b h- -j a-c j-c', 'aa ba bb dc dd fc fd fe ff hg hh'],
])('with the grants %s the ranges without keys that etcd allows are allowed', (grants, allowed) => {
  expect(emptyRangesAllowed(new Allowance(grantsOf(grants)))).toBe(allowed)
})

test('a range without keys is allowed only if its first key is', () => {
  const letter = fc.constantFrom(...letters)
  const grant = fc.record({ from: letter, to: fc.option(letter, { nil: undefined }) })
  fc.assert(
    fc.property(fc.array(grant, { maxLength: 40 }), (grants) => {
      const allowance = new Allowance(grants)
      for (const pair of emptyRangesAllowed(allowance).split(' ').filter(Boolean)) {
        const from = pair.charAt(0)
        expect(allowance.covers({ from, to: from + '\0' })).toBe(true)
      }
    }),
    { seed, numRuns: 300 },
  )
})

test('a grant for the empty key allows nothing, as in etcd', () => {
  const allowance = new Allowance([
    keyRange(bytes(''), bytes('\0')),
    keyRange(bytes(''), bytes('')),
  ])
  expect(allowance.covers({ from: 'a', to: 'b' })).toBe(false)
  expect(allowance.covers({ from: '\0', to: undefined })).toBe(false)
  expect(allowance.covers({ from: 'b', to: 'a' })).toBe(false)
})
