// What only some seeds have does happen, in seeds that are known to have it.
import { expect, test } from 'vitest'
import { drawExtras, extrasRandom } from './extras.ts'
import { simulateMember } from './simulate-member.ts'
import { Timeline } from './timeline.ts'

test('users, alarms, members that come and go and puts with a TTL: nothing is done that may not be, nothing else refused', async () => {
  const lines: string[] = []
  for (const seed of [4, 11, 12, 14, 21]) {
    await simulateMember({ seed, onTrace: (line) => void lines.push(line) })
  }
  const count = (part: RegExp): number => lines.filter((line) => part.test(line)).length
  expect(count(/refused: PERMISSION_DENIED/)).toBeGreaterThan(5)
  expect(count(/refused: NO_SPACE/)).toBeGreaterThan(0)
  expect(count(/ttlSeconds/)).toBeGreaterThan(3)
  expect(count(/ begins$/)).toBeGreaterThan(0)
})

test('the extras of a seed are the same each time, and some seeds have none', () => {
  const drawn = Array.from({ length: 50 }, (_, seed) => drawExtras(extrasRandom(seed)))
  expect(drawn).toEqual(Array.from({ length: 50 }, (_, seed) => drawExtras(extrasRandom(seed))))
  const plain = drawn.filter((extras) => extras.usersEveryMs + extras.membersEveryMs === 0).length
  expect(plain).toBeGreaterThan(10)
  expect(plain).toBeLessThan(45)
})

test('a change may be in force from when it was asked for, and what was before until it is answered', () => {
  let now = 0
  const timeline = new Timeline(() => now, 'a')
  now = 10
  timeline.begin('b')
  expect(timeline.since(0)).toEqual(['a', 'b'])
  now = 20
  timeline.settle(true)
  expect([timeline.since(15), timeline.since(21)]).toEqual([['a', 'b'], ['b']])
  timeline.begin('c')
  now = 30
  timeline.settle(false)
  timeline.begin('d')
  now = 40
  timeline.settle(true)
  // Asked for twice: it may come through again.
  expect(timeline.since(41)).toEqual(['c', 'd'])
})
