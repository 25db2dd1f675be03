import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  quantityMilli,
  quantityUnits,
  subtractQuantities,
  type Quantity,
} from './quantity.ts'

const parsed = (text: string): Quantity => {
  const quantity = parseQuantity(text)
  if (quantity === undefined) throw new Error(`${text} is no quantity`)
  return quantity
}

test.each([
  ['0.5', '500m'],
  ['1.5', '1500m'],
  ['1000m', '1'],
  ['1.5Gi', '1536Mi'],
  ['1024Mi', '1Gi'],
  ['1000Ki', '1000Ki'],
  ['0.5Ki', '512'],
  ['0.1Ki', '102400m'],
  ['1.7Ki', '1740800m'],
  ['-1.5Gi', '-1536Mi'],
  ['1e3', '1e3'],
  ['12e2', '1200'],
  ['5e-1', '500e-3'],
  ['0.0001', '100u'],
  ['1000n', '1u'],
  ['0.00000000001', '1n'],
  ['1.0001k', '1000100m'],
  ['9223372036854775807', '9223372036854775807'],
  ['100Ei', '9223372036854775807'],
  ['8Ei', '9223372036854775807'],
  ['1E', '1E'],
  ['0Ki', '0'],
  ['-0.5', '-500m'],
  ['.5', '500m'],
])('%s is printed as %s', (text, canonical) => {
  expect(formatQuantity(parsed(text))).toBe(canonical)
})

test.each(['', '.', 'm', '1ki', '1Km', '1e', '1 Gi', '1Gi ', 'x', '1.2.3', '--1', '0x1', '1e1.5'])(
  '"%s" is no quantity',
  (text) => {
    expect(parseQuantity(text)).toBeUndefined()
  },
)

test('hostile exponents and lengths are cut, not computed', () => {
  expect(formatQuantity(parsed('1e999999999'))).toBe('9223372036854775807')
  expect(parsed('1e-999999999').value).toBe(1n)
  expect(parsed('0e999999999').value).toBe(0n)
  expect(parseQuantity('9'.repeat(129))).toBeUndefined()
})

test('cpu is counted in thousandths and memory in bytes, rounded up', () => {
  expect(quantityMilli(parsed('1.0001'))).toBe(1001)
  expect(quantityMilli(parsed('250m'))).toBe(250)
  expect(quantityUnits(parsed('64Mi'))).toBe(67_108_864)
  expect(quantityUnits(parsed('100m'))).toBe(1)
})

const quantityText = fc
  .tuple(
    fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }),
    fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'Ki', 'Mi', 'e3', 'e-3', 'E-2'),
  )
  .map(([digits, suffix]) => `${digits}${suffix}`)

test('printing and parsing again gives the same value, and printing that the same text', () => {
  fc.assert(
    fc.property(quantityText, (text) => {
      const quantity = parsed(text)
      const again = parsed(formatQuantity(quantity))
      expect(compareQuantities(again, quantity)).toBe(0)
      expect(formatQuantity(again)).toBe(formatQuantity(quantity))
    }),
    { seed: 1 },
  )
})

test('sums do not depend on the order and subtraction undoes them', () => {
  fc.assert(
    fc.property(quantityText, quantityText, (left, right) => {
      const sum = addQuantities(parsed(left), parsed(right))
      expect(sum.value).toBe(addQuantities(parsed(right), parsed(left)).value)
      expect(subtractQuantities(sum, parsed(right)).value).toBe(parsed(left).value)
    }),
    { seed: 2 },
  )
})
