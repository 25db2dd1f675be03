// When garbage is collected unasked: in quiet moments only, and once for each burst.
import { expect, test } from 'vitest'
import { IdleCollector } from './idle-collector.ts'

const mb = 2 ** 20

function collectorOf(state: { busyPart: number; sizeMb: number; liveMb: number }): {
  collector: IdleCollector
  collections: () => number
} {
  let collections = 0
  const collector = new IdleCollector({
    busyPart: () => state.busyPart,
    sizeBytes: () => state.sizeMb * mb,
    collect: () => {
      collections++
      state.sizeMb = state.liveMb
    },
  })
  collector.stop()
  return { collector, collections: () => collections }
}

test('garbage is collected three times after a burst, and not while it lasts', () => {
  const state = { busyPart: 0.9, sizeMb: 130, liveMb: 40 }
  const { collector, collections } = collectorOf(state)
  const countsOf = (looks: number): number[] =>
    Array.from({ length: looks }, () => {
      collector.look()
      return collections()
    })
  expect(countsOf(3)).toEqual([0, 0, 0])
  state.busyPart = 0.01
  expect(countsOf(9)).toEqual([1, 2, 2, 2, 2, 2, 3, 3, 3])
  state.sizeMb = 55
  expect(countsOf(2)).toEqual([3, 3])
  state.sizeMb = 56
  expect(countsOf(2)).toEqual([4, 5])
})

test('where all that grew is in use there are no more collections', () => {
  const state = { busyPart: 0, sizeMb: 500, liveMb: 500 }
  const { collector, collections } = collectorOf(state)
  for (let i = 0; i < 20; i++) collector.look()
  expect(collections()).toBe(3)
})

test('what is left of a collection waits for the next quiet time', () => {
  const state = { busyPart: 0, sizeMb: 100, liveMb: 30 }
  const { collector, collections } = collectorOf(state)
  collector.look()
  state.busyPart = 1
  for (let i = 0; i < 10; i++) collector.look()
  expect(collections()).toBe(1)
  state.busyPart = 0
  for (let i = 0; i < 10; i++) collector.look()
  expect(collections()).toBe(4)
})
