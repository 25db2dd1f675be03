import { assert as check, constantFrom, array, property, record, string } from 'fast-check'
import { test } from 'vitest'
import { SortedKeys } from './sorted-keys.ts'

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)

test(`keys are found in order whatever is added, deleted and looked up in between (SEED=${seed})`, () => {
  const step = record({
    what: constantFrom('change', 'change', 'change', 'look', 'reset'),
    key: string({ unit: constantFrom('a', 'b', '/'), maxLength: 3 }),
  })
  check(
    property(array(step, { maxLength: 200 }), (steps) => {
      const keys = new SortedKeys()
      const model = new Set<string>()
      for (const { what, key } of steps) {
        if (what === 'change') {
          if (model.delete(key)) keys.delete(key)
          else {
            model.add(key)
            keys.add(key)
          }
        } else if (what === 'reset') keys.reset([...model].toSorted())
        const sorted = [...model].toSorted()
        if (keys.size !== sorted.length) return false
        if (what !== 'look') continue
        const position = sorted.filter((one) => one < key).length
        if (keys.position(key) !== position) return false
        if (sorted.some((one, index) => keys.at(index) !== one)) return false
        if (keys.at(sorted.length) !== undefined) return false
      }
      return true
    }),
    { seed },
  )
})
