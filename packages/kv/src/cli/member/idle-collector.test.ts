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

test('garbage is collected twice after a burst, and neither while it lasts nor in a short pause', () => {
  const state = { busyPart: 0.9, sizeMb: 130, liveMb: 40 }
  const { collector, collections } = collectorOf(state)
  const countsOf = (looks: number): number[] =>
    Array.from({ length: looks }, () => {
      collector.look()
      return collections()
    })
  expect(countsOf(3)).toEqual([0, 0, 0])
  state.busyPart = 0.01
  expect(countsOf(5).at(-1)).toBe(0)
  state.busyPart = 0.5
  expect(countsOf(1)).toEqual([0])
  state.busyPart = 0.01
  expect(countsOf(11)).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2])
  state.sizeMb = 103
  expect(countsOf(20).at(-1)).toBe(2)
  state.sizeMb = 104
  expect(countsOf(16).at(-1)).toBe(4)
})

test('where all that grew is in use there are no more collections', () => {
  const state = { busyPart: 0, sizeMb: 500, liveMb: 500 }
  const { collector, collections } = collectorOf(state)
  for (let i = 0; i < 40; i++) collector.look()
  expect(collections()).toBe(2)
})

test('what is left of a collection waits for the next quiet time', () => {
  const state = { busyPart: 0, sizeMb: 100, liveMb: 30 }
  const { collector, collections } = collectorOf(state)
  for (let i = 0; i < 7; i++) collector.look()
  state.busyPart = 1
  for (let i = 0; i < 10; i++) collector.look()
  expect(collections()).toBe(1)
  state.busyPart = 0
  for (let i = 0; i < 20; i++) collector.look()
  expect(collections()).toBe(3)
})
