// Many writes at once in a burst, few in the long run, many again after a rest.
import { expect, test } from 'vitest'
import { WriteAllowance } from './write-allowance.ts'

test('a burst has many writes under way, what lasts has few, and rest gives the burst back', () => {
  let nowMs = 0
  const allowance = new WriteAllowance(12, 32, () => nowMs)
  for (let second = 0; second < 2; second++) {
    expect(allowance.atOnce).toBe(32)
    allowance.take(750)
  }
  expect(allowance.atOnce).toBe(12)
  for (let second = 0; second < 60; second++) {
    nowMs += 1000
    allowance.take(300)
    expect(allowance.atOnce).toBe(12)
  }
  nowMs += 20_000
  allowance.take(1)
  expect(allowance.atOnce).toBe(32)
  allowance.take(1499)
  expect(allowance.atOnce).toBe(12)
})
