import { expect, test } from 'vitest'
import { WorkQueue } from './work-queue.ts'

test('a key that waits already is not added twice', async () => {
  const queue = new WorkQueue()
  queue.add('a')
  queue.add('b')
  queue.add('a')
  expect([await queue.take(), await queue.take(), queue.size]).toEqual(['a', 'b', 0])
})

test('a key added while it is worked on comes again after, and not before', async () => {
  const queue = new WorkQueue()
  queue.add('a')
  const first = await queue.take()
  queue.add('a')
  expect(queue.size).toBe(0)
  queue.done(first ?? '')
  expect(await queue.take()).toBe('a')
})

test('a key that rests comes again after its rest, and a queue that closes waits for no rest', async () => {
  const queue = new WorkQueue()
  queue.add('a')
  queue.add('b')
  queue.done((await queue.take()) ?? '', 20)
  queue.add('a')
  queue.add('a')
  expect([await queue.take(), queue.size]).toEqual(['b', 0])
  expect(await queue.take()).toBe('a')
  queue.done('a', 3_600_000)
  queue.add('a')
  queue.close()
  expect([queue.size, await queue.take()]).toEqual([0, undefined])
})

test('a worker that waits gets the next key, and undefined when the queue closes', async () => {
  const queue = new WorkQueue()
  const taken = queue.take()
  const never = queue.take()
  queue.add('a')
  queue.close()
  expect([await taken, await never, queue.add('b')]).toEqual(['a', undefined, false])
})

test('the earliest of several delays counts', async () => {
  const queue = new WorkQueue()
  queue.addAfter('a', 3_600_000)
  queue.addAfter('a', 1)
  queue.addAfter('a', 3_600_000)
  expect(await queue.take()).toBe('a')
  queue.close()
})

test('a key that is due at once is not put off by an older delay', async () => {
  const queue = new WorkQueue()
  queue.addAfter('a', 3_600_000)
  queue.add('a')
  expect(await queue.take()).toBe('a')
})

test('failures count until they are forgotten', () => {
  const queue = new WorkQueue()
  queue.addRateLimited('a')
  queue.addRateLimited('a')
  expect(queue.failures('a')).toBe(2)
  queue.forget('a')
  expect(queue.failures('a')).toBe(0)
  queue.close()
})

test('one key more than the limit is refused', () => {
  const queue = new WorkQueue({ keysMax: 2 })
  expect(['a', 'b', 'c', 'a'].map((key) => queue.add(key))).toEqual([true, true, false, true])
})
