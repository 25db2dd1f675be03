import { expect, test } from 'vitest'
import { randomFraction, randomId } from './member-random.ts'

function drawn(bytes: readonly number[]): { bytes: () => Uint8Array } {
  return { bytes: () => Uint8Array.from(bytes) }
}

test('an id is positive and fits an int64, whatever is drawn', () => {
  expect(randomId(drawn([255, 255, 255, 255, 255, 255, 255, 255]))).toBe(2n ** 63n - 1n)
  expect(randomId(drawn([0, 0, 0, 0, 0, 0, 1, 2]))).toBe(258n)
  expect(randomId(drawn([128, 0, 0, 0, 0, 0, 0, 0]))).toBe(1n)
})

test('a fraction is at least 0 and below 1', () => {
  expect(randomFraction(drawn([0, 0, 0, 0]))).toBe(0)
  expect(randomFraction(drawn([128, 0, 0, 0]))).toBe(0.5)
  expect(randomFraction(drawn([255, 255, 255, 255]))).toBeLessThan(1)
})
