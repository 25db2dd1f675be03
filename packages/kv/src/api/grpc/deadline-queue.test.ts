import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { DeadlineQueue } from './deadline-queue.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 0 })
})
afterEach(() => {
  vi.useRealTimers()
})

test('calls expire at their deadline, not before, and removed ones never do', () => {
  const queue = new DeadlineQueue(() => Date.now())
  const expired: string[] = []
  const call = (name: string): { expire(): void } => ({ expire: () => expired.push(name) })
  queue.add(call('a'), 120)
  queue.add(call('b'), 1000)
  const removed = call('c')
  queue.remove(removed, queue.add(removed, 120))
  vi.advanceTimersByTime(119)
  expect(expired).toEqual([])
  vi.advanceTimersByTime(100)
  expect(expired).toEqual(['a'])
  vi.advanceTimersByTime(1000)
  expect(expired).toEqual(['a', 'b'])
  expect(vi.getTimerCount()).toBe(0)
  queue.add(call('d'), 0)
  vi.advanceTimersByTime(100)
  expect(expired).toEqual(['a', 'b', 'd'])
})
