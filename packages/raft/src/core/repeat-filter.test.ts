import { expect, test } from 'vitest'
import { RepeatFilter } from './repeat-filter.ts'
import { nodeId } from './testing/test-cluster.ts'

test('each sequence of a sender is new once, in any order', () => {
  const filter = new RepeatFilter()
  const a = nodeId('a')
  expect([5, 3, 5, 4, 3].map((sequence) => filter.isNew(a, sequence))).toEqual([
    true,
    true,
    false,
    true,
    false,
  ])
  expect(filter.isNew(nodeId('b'), 5)).toBe(true)
})

test('what is remembered of a sender is bounded: the oldest is forgotten first', () => {
  const filter = new RepeatFilter()
  const a = nodeId('a')
  for (let sequence = 0; sequence <= 1024; sequence++) filter.isNew(a, sequence)
  expect(filter.isNew(a, 1)).toBe(false)
  expect(filter.isNew(a, 0)).toBe(true)
})
