import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { KvError } from '../errors.ts'
import { keepLeaseAlive } from './lease-keeper.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const lease = { id: 7n, ttlSeconds: 9 }

test('a lease is renewed three times in its life until it is stopped', async () => {
  const keepAliveLease = vi.fn(() => Promise.resolve(9))
  const onLost = vi.fn()
  const keeper = keepLeaseAlive({ keepAliveLease }, lease, { onLost })
  await vi.advanceTimersByTimeAsync(9100)
  expect(keepAliveLease).toHaveBeenCalledTimes(3)
  keeper.stop()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(keepAliveLease).toHaveBeenCalledTimes(3)
  expect(onLost).not.toHaveBeenCalled()
})

test('a failed renewal is tried again while the lease lives', async () => {
  const keepAliveLease = vi.fn(() => Promise.resolve(9))
  keepAliveLease.mockRejectedValueOnce(new KvError('CONNECTION_LOST'))
  const onLost = vi.fn()
  const keeper = keepLeaseAlive({ keepAliveLease }, lease, { onLost })
  await vi.advanceTimersByTimeAsync(3300)
  expect(keepAliveLease).toHaveBeenCalledTimes(2)
  expect(onLost).not.toHaveBeenCalled()
  keeper.stop()
})

test.each([
  ['is gone at the server', () => Promise.resolve(0), 'LEASE_NOT_FOUND', 3000],
  [
    'could not be renewed in its time',
    () => Promise.reject(new KvError('NO_LEADER')),
    'NO_LEADER',
    9000,
  ],
])('a lease that %s is reported once', async (_name, keepAliveLease, code, afterMs) => {
  const onLost = vi.fn()
  keepLeaseAlive({ keepAliveLease }, lease, { onLost })
  await vi.advanceTimersByTimeAsync(afterMs - 500)
  expect(onLost).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(20_000)
  expect(onLost.mock.calls.map(([error]: KvError[]) => error?.code)).toEqual([code])
})
