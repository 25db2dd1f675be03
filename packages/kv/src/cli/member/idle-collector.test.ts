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

test('garbage is collected once after a burst, when it is quiet', () => {
  const state = { busyPart: 0.9, sizeMb: 130, liveMb: 40 }
  const { collector, collections } = collectorOf(state)
  collector.look()
  expect(collections()).toBe(0)
  state.busyPart = 0.01
  collector.look()
  collector.look()
  expect(collections()).toBe(1)
  state.sizeMb = 55
  collector.look()
  expect(collections()).toBe(1)
  state.sizeMb = 56
  collector.look()
  expect(collections()).toBe(2)
})

test('where all that grew is in use it is looked for in vain once', () => {
  const state = { busyPart: 0, sizeMb: 500, liveMb: 500 }
  const { collector, collections } = collectorOf(state)
  for (let i = 0; i < 10; i++) collector.look()
  expect(collections()).toBe(1)
})
