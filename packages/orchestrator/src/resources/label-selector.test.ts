import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatSelector, matchesRequirements, matchesSelector } from './label-selector.ts'
import { parseLabelSelector } from './label-selector-text.ts'
import type { LabelSelector } from './object.ts'

const matches = (text: string, labels: Record<string, string>): boolean => {
  const parsed = parseLabelSelector(text)
  if (!parsed.ok) throw new Error(parsed.message)
  return matchesRequirements(parsed.requirements, labels)
}

test.each([
  ['', true],
  ['app=web', true],
  ['app==web', true],
  ['app!=web', false],
  ['app in (web,db)', true],
  ['app notin (web, db)', false],
  ['app', true],
  ['!app', false],
  ['!other', true],
  ['other!=x', true],
  ['other notin (x)', true],
  ['other in (x)', false],
  ['other=', false],
  ['empty=', true],
  ['empty in (,x)', true],
  ['app=web,tier=front', true],
  ['app = web , tier in ( front )', true],
  ['app=web,tier=back', false],
  ['n>3', true],
  ['n<3', false],
  ['app>3', false],
  ['constructor', false],
  ['in=notin', true],
])('%s matches: %s', (text, expected) => {
  const labels = { app: 'web', tier: 'front', empty: '', n: '5', in: 'notin' }
  expect(matches(text, labels)).toBe(expected)
})

test.each([
  ['x in', `unable to parse requirement: found '' expected: '('`],
  ['x in a', `unable to parse requirement: found 'a' expected: '('`],
  ['x in (a', `unable to parse requirement: found '', expected: ',' or ')'`],
  ['x in (a b)', `unable to parse requirement: found 'b', expected: ',' or ')'`],
  ['x=a,', `found '', expected: identifier after ','`],
  ['x=a b', `found 'b', expected: ',' or 'end of string'`],
  ['=a', `found '=', expected: !, identifier, or 'end of string'`],
  ['x a', `unable to parse requirement: found 'a', expected: in, notin, =, ==, !=, gt, lt`],
  ['!', `unable to parse requirement: found '', expected: identifier`],
  [
    'x in ()',
    `unable to parse requirement: values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty`,
  ],
  [
    'x>a',
    `unable to parse requirement: values[0]: Invalid value: "a": for 'Gt', 'Lt' operators, the value must be an integer`,
  ],
])('%s is refused as upstream refuses it', (text, message) => {
  expect(parseLabelSelector(text)).toEqual({ ok: false, message })
})

test('keys and values must be labels', () => {
  expect(parseLabelSelector('-x=a')).toMatchObject({
    ok: false,
    message: expect.stringContaining('key: Invalid value: "-x": name part must consist of'),
  })
  expect(parseLabelSelector('x=a%')).toMatchObject({
    ok: false,
    message: expect.stringContaining('values[0][x]: Invalid value: "a%": a valid label must be'),
  })
})

test('any text parses or is refused with a message', () => {
  const piece = fc.oneof(
    fc.constantFrom('in', 'notin', '(', ')', ',', '=', '!', '==', '!=', '>', '<', ' ', 'a', 'b/c'),
    fc.string({ maxLength: 3 }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const parsed = parseLabelSelector(pieces.join(''))
      if (!parsed.ok) expect(parsed.message).not.toBe('')
    }),
    { seed: 3, numRuns: 2000 },
  )
  expect(parseLabelSelector('a'.repeat(70_000))).toMatchObject({ ok: false })
})

const name = fc.constantFrom('a', 'b', 'c', 'in', 'x.io/a')
const value = fc.constantFrom('', '1', '2', 'notin')
const labelsOf = fc.dictionary(name, value)
const selectorOf: fc.Arbitrary<LabelSelector> = fc.record({
  matchLabels: labelsOf,
  matchExpressions: fc.array(
    fc.oneof(
      fc.record({
        key: name,
        operator: fc.constantFrom('In' as const, 'NotIn' as const),
        values: fc.array(value, { minLength: 1 }),
      }),
      fc.record({
        key: name,
        operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const),
      }),
    ),
    { maxLength: 3 },
  ),
})

test('the text of a selector selects what the selector selects', () => {
  fc.assert(
    fc.property(selectorOf, labelsOf, (selector, labels) => {
      expect(matches(formatSelector(selector), labels)).toBe(matchesSelector(selector, labels))
    }),
    { seed: 4, numRuns: 1000 },
  )
})
