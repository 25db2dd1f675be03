import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { podOf } from '../../controllers/testing/objects.ts'
import type { Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import { SchedulingQueue } from './scheduling-queue.ts'

const pod = (name: string, priority = 0): Stored<Pod> =>
  podOf(name, { spec: { nodeName: '', priority } })
const names = (queue: SchedulingQueue, nowMs: number): string[] => {
  const taken: string[] = []
  for (let next = queue.take(nowMs); next !== undefined; next = queue.take(nowMs))
    taken.push(next.metadata.name)
  return taken
}

test('pods come by priority, then by their order', () => {
  const queue = new SchedulingQueue()
  for (const each of [pod('a'), pod('b', 10), pod('c'), pod('d', 10)]) queue.put(each)
  expect(names(queue, 0)).toEqual(['b', 'd', 'a', 'c'])
})

test('a pod that fitted nowhere waits for a change that may help it, and then for its back-off', () => {
  const queue = new SchedulingQueue()
  queue.put(pod('a'))
  queue.take(0)
  queue.failed(pod('a'), 0, new Set(['resources']))
  expect(names(queue, 60_000)).toEqual([])
  queue.changed('nodeTaints')
  expect(names(queue, 60_000)).toEqual([])
  queue.changed('podGone')
  expect(names(queue, 999)).toEqual([])
  expect(queue.nextMs(999)).toBe(1)
  expect(names(queue, 1000)).toEqual(['a'])
})

test('the back-off doubles up to ten seconds', () => {
  const queue = new SchedulingQueue()
  queue.put(pod('a'))
  const delays: (number | undefined)[] = []
  for (let attempt = 0; attempt < 6; attempt++) {
    queue.take(1_000_000 * attempt)
    queue.failed(pod('a'), 1_000_000 * attempt, undefined)
    delays.push(queue.nextMs(1_000_000 * attempt))
  }
  expect(delays).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000])
})

test('after five minutes it is tried again without a change', () => {
  const queue = new SchedulingQueue()
  queue.put(pod('a'))
  queue.take(0)
  queue.failed(pod('a'), 0, new Set(['resources']))
  expect(names(queue, 299_999)).toEqual([])
  expect(names(queue, 300_000)).toEqual(['a'])
})

test('a change of its status keeps a pod waiting and a change of its spec does not', () => {
  const queue = new SchedulingQueue()
  queue.put(pod('a'))
  queue.take(0)
  queue.failed(pod('a'), 0, new Set(['resources']))
  queue.put(pod('a'))
  expect(names(queue, 60_000)).toEqual([])
  queue.put({ ...pod('a'), metadata: { ...pod('a').metadata, generation: 2 } })
  expect(names(queue, 60_000)).toEqual(['a'])
})

test('a pod that is gone is not taken', () => {
  const queue = new SchedulingQueue()
  queue.put(pod('a'))
  queue.put(pod('b'))
  queue.remove(pod('a').metadata.uid)
  expect(names(queue, 0)).toEqual(['b'])
})

test('whatever is put, taken and given back in whatever order, pods come by priority and age', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 60 }), (priorities) => {
      const queue = new SchedulingQueue()
      for (const [index, priority] of priorities.entries())
        queue.put(pod(`p${String(index).padStart(2, '0')}`, priority))
      const expected = priorities
        .map((priority, index) => ({ priority, name: `p${String(index).padStart(2, '0')}` }))
        .toSorted((left, right) => right.priority - left.priority)
        .map(({ name }) => name)
      expect(names(queue, 0)).toEqual(expected)
    }),
    { seed: 11, numRuns: 100 },
  )
})
