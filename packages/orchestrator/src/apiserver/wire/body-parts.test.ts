import { array, assert, oneof, property, uint8Array } from 'fast-check'
import { expect, test } from 'vitest'
import { BodyBudget, BodyClaim } from './body-budget.ts'
import { BodyParts } from './body-parts.ts'

test('a body is what its parts are, however they are cut', () => {
  const part = oneof(uint8Array({ maxLength: 5000, size: 'max' }), uint8Array({ maxLength: 3 }))
  assert(
    property(array(part, { maxLength: 40 }), (all) => {
      const parts = new BodyParts()
      let held = 0
      for (const [index, one] of all.entries())
        held += parts.add(Buffer.from(one), index === all.length - 1)
      const whole = Buffer.concat(all)
      expect(parts.size).toBe(whole.length)
      expect(parts.take().equals(whole)).toBe(true)
      expect(held).toBeGreaterThanOrEqual(whole.length)
    }),
  )
})

test('small parts keep nothing of what came with them alive, and are counted with the room that they take', () => {
  const parts = new BodyParts()
  const record = Buffer.alloc(16_384, 'x')
  let held = 0
  for (let index = 0; index < 1000; index++) held += parts.add(record.subarray(index, index + 1))
  const body = parts.take()
  expect(body.length).toBe(1000)
  expect(body.buffer).not.toBe(record.buffer)
  expect(held).toBe(512 + 1024)
})

test('who holds too much gets no more of it, others do, and what is given back counts no longer', () => {
  const budget = new BodyBudget({ all: 100, user: 60, unknown: 20 })
  const [one, two, three] = [0, 1, 2].map(() => new BodyClaim(budget)) as [
    BodyClaim,
    BodyClaim,
    BodyClaim,
  ]
  expect(one.add(20)).toBe(true)
  expect(two.add(1)).toBe(false)
  expect(one.assign('jane')).toBe(true)
  expect(one.add(40)).toBe(true)
  expect(one.add(1)).toBe(false)
  expect(two.assign('jane') && two.add(1)).toBe(false)
  expect(two.assign('joe') && two.add(40)).toBe(true)
  expect(three.add(1)).toBe(false)
  expect(budget.heldBytes).toBe(100)
  one.release()
  one.release()
  expect(budget.heldBytes).toBe(40)
  expect(three.add(20)).toBe(true)
  two.release()
  three.release()
  expect(budget.heldBytes).toBe(0)
})
