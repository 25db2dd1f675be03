// What Go's patterns find, what is none in Go's words, and that no search takes long.
import { array, assert, constantFrom, property } from 'fast-check'
import { expect, test } from 'vitest'
import { GoPattern, patternProblem, SearchError } from './go-pattern.ts'

const found = (pattern: string, text: string): string | undefined =>
  new GoPattern(pattern).find(text)

test.each([
  ['a+', 'baaa', 'aaa'],
  ['a+?', 'baaa', 'a'],
  ['(?U)a+', 'baaa', 'a'],
  ['(?U)a+?', 'baaa', 'aaa'],
  ['a|ab', 'ab', 'a'],
  ['(?:a|ab)(?:c|bcd)', 'abcd', 'abcd'],
  ['a{2,3}', 'aaaa', 'aaa'],
  ['a{,2}', 'a{,2}', 'a{,2}'],
  ['a{2', 'a{2', 'a{2'],
  ['(?i)straße', 'STRAßE', 'STRAßE'],
  ['(?i)k', '\u212a', '\u212a'],
  ['(?i)[r-t]', '\u017f', '\u017f'],
  ['(?i)[^k]', 'K\u212ax', 'x'],
  ['(?i:a)b', 'aB Ab', 'Ab'],
  ['(?i)a(?-i)b', 'AB Ab', 'Ab'],
  ['a(?i)b|c', 'C', 'C'],
  ['(a(?i)b)c', 'aBC aBc', 'aBc'],
  ['^b$', 'a\nb', undefined],
  ['(?m)^b$', 'a\nb\n', 'b'],
  ['b$', 'b\n', undefined],
  ['(?m)\\Ab|b\\z', 'a\nb', 'b'],
  ['a.c', 'a\nc', undefined],
  ['(?s)a.c', 'a\nc', 'a\nc'],
  ['^.$', '\u{1f600}', '\u{1f600}'],
  ['[\u{1f600}-\u{1f602}]+', 'x\u{1f601}\u{1f602}', '\u{1f601}\u{1f602}'],
  ['[^a]', 'a\u{1f600}', '\u{1f600}'],
  ['\\bfoo\\b', 'foobar foo', 'foo'],
  ['\\Boo', 'oo foo', 'oo'],
  ['\\s', '\v\u00a0', undefined],
  ['[[:alpha:]]+', '1ab2', 'ab'],
  ['[[:^alpha:]\\d]+', 'ab12c', '12'],
  ['[^\\D5]+', 'a5123', '123'],
  ['\\pL+', '1éß2', 'éß'],
  ['\\p{^L}+', 'a12b', '12'],
  ['\\PL+', 'a12b', '12'],
  ['\\p{Greek}+', 'abγδ', 'γδ'],
  ['[\\p{Lu}\\d]+', 'aÉ1b', 'É1'],
  ['\\Q.*\\E+', 'a.**', '.**'],
  ['\\x41\\x{42}\\103', 'ABC', 'ABC'],
  ['[]a]+', 'x]a', ']a'],
  ['[a-]+', 'x-a', '-a'],
  ['[\\]\\-]', 'x-', '-'],
  ['(?P<x>a)(?<y>b)', 'ab', 'ab'],
  ['(a*)*b', 'aab', 'aab'],
  ['(a*)+', 'b', ''],
  ['(|a)*', 'aa', ''],
  ['(?:(?:a{0})*)b', 'b', 'b'],
  ['', 'x', ''],
  ['(?)a', 'a', 'a'],
])('%s finds in %j what Go finds', (pattern, text, expected) =>
  expect(found(pattern, text)).toBe(expected),
)

test.each([
  ['(', 'missing closing ): `(`'],
  ['a)', 'unexpected ): `a)`'],
  ['[a', 'missing closing ]: `[a`'],
  ['[b-a]', 'invalid character class range: `b-a`'],
  ['*', 'missing argument to repetition operator: `*`'],
  ['a|+', 'missing argument to repetition operator: `+`'],
  ['a**', 'invalid nested repetition operator: `**`'],
  ['a+{2}', 'invalid nested repetition operator: `+{2}`'],
  ['a{1001}', 'invalid repeat count: `{1001}`'],
  ['a{2,1}', 'invalid repeat count: `{2,1}`'],
  ['(?:a{100}){100}', 'invalid repeat count: `{100}`'],
  ['a\\', 'trailing backslash at end of expression'],
  ['\\8', 'invalid escape sequence: `\\8`'],
  ['(a)\\1', 'invalid escape sequence: `\\1`'],
  ['\\x{110000}', 'invalid escape sequence: `\\x{110000`'],
  ['\\p{None}', 'invalid character class range: `\\p{None}`'],
  ['[[:none:]]', 'invalid character class range: `[:none:]`'],
  ['(?=a)', 'invalid or unsupported Perl syntax: `(?=`'],
  ['(?<!a)', 'invalid named capture: `(?<!a)`'],
  ['(?P<n', 'invalid named capture: `(?P<n`'],
])('%s is no pattern, in the words of Go', (pattern, problem) =>
  expect(patternProblem(pattern)).toBe(`error parsing regexp: ${problem}`),
)

test('what both know is found as JavaScript finds it', () => {
  const piece = constantFrom(
    ...'a b . ^ $ a* b+? (a|b) (?:ab|a) (b|ab)* a{1,2} [ab] [^a] \\b \\w | (a*)*? c?? (?:a|b|)+'.split(
      ' ',
    ),
  )
  const letter = constantFrom('a', 'b', 'c', '\n', ' ')
  assert(
    property(
      array(piece, { maxLength: 6 }),
      array(letter, { maxLength: 12 }),
      (pieces, letters) => {
        const source = pieces.join('')
        const text = letters.join('')
        const pattern = new GoPattern(source)
        expect(pattern.test(text), source).toBe(new RegExp(source).test(text))
        // Loops that match nothing are where both go different ways.
        if (!/[*+|]\)?[*+]|\|\)/.test(source))
          expect(pattern.find(text), source).toBe(new RegExp(source).exec(text)?.[0])
      },
    ),
    { numRuns: 2000 },
  )
})

test('all that are found do not overlap, and an empty one does not follow upon another', () => {
  const all = (pattern: string, text: string, most?: number): string[] =>
    new GoPattern(pattern).findAll(text, most)
  expect(all('a*', 'baab')).toEqual(['', 'aa', ''])
  expect(all('a', 'aaa', 2)).toEqual(['a', 'a'])
  expect(all('\\b', '\u{1f600}a')).toEqual(['', ''])
  expect(all('(?m)^.', 'ab\ncd')).toEqual(['a', 'c'])
  expect(all('x', 'abc')).toEqual([])
})

test.each([
  '^(a+)+$',
  '^(a|aa)+$',
  '(?i)^(A+)+$',
  '^((a{1,30}){1,30})$',
  '(x+x+)+y|(é|a|ä)+!!',
  '^([a-z0-9]+[-.]?)+$',
])('a search for %s takes time as the text is long', (pattern) =>
  expect(new GoPattern(pattern).test(`${'a'.repeat(5000)}!`)).toBe(false),
)

test('a search that may take too long ends with an error, and what is too large is no pattern', () => {
  const pattern = new GoPattern('(?:a?){500}(?:b?){500}$')
  expect(() => pattern.test('a'.repeat(1_000_000))).toThrow(SearchError)
  const budget = { steps: 10_000 }
  const short = new GoPattern('a|b')
  for (let count = 0; count < 10; count++) short.test('c'.repeat(100), budget)
  expect(() => short.findAll('c'.repeat(10_000), 1, budget)).toThrow(SearchError)
  expect(patternProblem('('.repeat(100_000))).toMatch(/expression too large/)
})
