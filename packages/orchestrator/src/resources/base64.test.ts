import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { base64ProblemIndex, base64SizeBytes, encodeBase64, utf8SizeBytes } from './base64.ts'

test('text is encoded and measured as Node does, lone surrogates too', () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc
      .array(fc.integer({ min: 0xd7ff, max: 0xe000 }))
      .map((units) => String.fromCharCode(...units)),
  )
  fc.assert(
    fc.property(text, (value) => {
      const bytes = Buffer.from(value)
      const encoded = encodeBase64(value)
      expect(encoded).toBe(bytes.toString('base64'))
      expect(base64ProblemIndex(encoded)).toBeUndefined()
      expect(base64SizeBytes(encoded)).toBe(bytes.length)
      expect(utf8SizeBytes(value)).toBe(bytes.length)
    }),
    { seed: 10, numRuns: 1000 },
  )
})

test.each([
  ['', undefined],
  ['YQ==', undefined],
  ['YW\nJj', undefined],
  ['e~g=', 1],
  ['YQ', 0],
  ['YWJjY', 4],
  ['Y===', 1],
])('%j is no base64 from %s on', (text, index) => {
  expect(base64ProblemIndex(text)).toBe(index)
})
