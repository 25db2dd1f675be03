// Rows of a block beside a plain list: the same numbers after any mix of inserts, changes and removals, however large they get.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { KeyState } from './key-record.ts'
import { PackedSlots } from './packed-slots.ts'

const seed = Number(process.env['SEED'] ?? 20261121)

interface ModelRow {
  size: number
  state: KeyState
}

/** On both sides of every width. */
const edges = [0, 1, 2, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 52]
const number = fc.constantFrom(...edges)
const state: fc.Arbitrary<KeyState> = fc
  .record({
    create: number,
    age: number,
    version: fc.constantFrom(0, 1, 2, 300, 70_000),
    sub: number,
  })
  .map(({ create, age, version, sub }) => {
    const main = create + age
    return { main, sub, create: version === 0 ? 0 : create, version }
  })
const step = fc.record({
  kind: fc.constantFrom(
    'insert',
    'insert',
    'insert',
    'write',
    'remove',
    'lengthen',
    'copy',
    'trim',
  ),
  at: fc.nat(1000),
  size: fc.constantFrom(0, 1, 7, 300, 40_000),
  state,
})

test('packed rows hold the same numbers as a plain list', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let slots = new PackedSlots()
      let model: ModelRow[] = []
      for (const { kind, at, size, state } of steps) {
        const slot = at % Math.max(1, model.length)
        const row = model[slot]
        if (kind === 'insert') {
          slots.insert(slot, state, size)
          model.splice(slot, 0, { size, state })
        } else if (kind === 'lengthen') {
          slots.lengthen(size)
          for (const each of model) each.size += size
        } else if (kind === 'trim') slots.trim()
        else if (row !== undefined) {
          if (kind === 'write') slots.write(slot, (row.state = state))
          else if (kind === 'copy') slots = new PackedSlots(slots.copy(slot, model.length))
          else slots.remove(slot)
          if (kind === 'copy') model = model.slice(slot)
          else if (kind === 'remove') model.splice(slot, 1)
        }
        expect(rowsOf(slots)).toEqual(withEnds(model))
      }
    }),
    { seed, numRuns: 200 },
  )
})

test('a key that was put once takes 4 bytes beside its own', () => {
  const slots = new PackedSlots()
  for (let i = 0; i < 256; i++) {
    slots.insert(i, { main: 10 ** 12 + i, sub: 0, create: 10 ** 12 + i, version: 1 }, 4)
  }
  expect(slots.copy(0, 256).rows.length).toBe(256 * 4)
})

function rowsOf(slots: PackedSlots): object[] {
  return Array.from({ length: slots.count }, (_, slot) => {
    const { main, version } = slots.state(slot)
    expect({ main: slots.main(slot), version: slots.version(slot) }).toEqual({ main, version })
    return { end: slots.end(slot), ...slots.state(slot) }
  })
}

function withEnds(model: readonly ModelRow[]): object[] {
  let end = 0
  return model.map(({ size, state }) => ({ end: (end += size), ...state }))
}
