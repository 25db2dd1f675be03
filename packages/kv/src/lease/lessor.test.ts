import { expect, test } from 'vitest'
import { MapTables } from '../mvcc/testing/fixtures.ts'
import { Lessor } from './lessor.ts'

const open = (): { lessor: Lessor; tables: MapTables } => {
  const tables = new MapTables()
  return { lessor: new Lessor(tables, 2), tables }
}

test('a grant raises small TTLs, refuses huge ones and ids that are taken', () => {
  const { lessor } = open()
  expect(lessor.grant(1n, 0, 0)).toBe(2)
  expect(lessor.grant(2n, 60, 0)).toBe(60)
  expect(() => lessor.grant(2n, 60, 0)).toThrow('lease already exists')
  expect(() => lessor.grant(3n, 9_000_000_001, 0)).toThrow('too large lease TTL')
  expect(lessor.grant(-3n, 9_000_000_000, 0)).toBe(9_000_000_000)
})

test('only a leader lets leases expire, and renewing starts the TTL anew', () => {
  const { lessor } = open()
  lessor.grant(1n, 10, 0)
  expect(lessor.takeExpired(1e9, 10)).toEqual([])
  expect(lessor.timeToLive(1n, 0)).toEqual({ ttlSeconds: 10, grantedTtlSeconds: 10, keys: [] })
  lessor.promote(1000, 500)
  expect(lessor.timeToLive(1n, 1000)?.ttlSeconds).toBe(10)
  expect(lessor.takeExpired(11_499, 10)).toEqual([])
  expect(lessor.renew(1n, 11_499)).toBe(10)
  expect(lessor.takeExpired(21_498, 10)).toEqual([])
  expect(lessor.takeExpired(21_499, 10)).toEqual([1n])
  expect(lessor.renew(1n, 21_499)).toBe(0)
})

test('an expired lease that is not revoked is handed out again after three seconds', () => {
  const { lessor } = open()
  lessor.promote(0, 0)
  lessor.grant(1n, 2, 0)
  expect(lessor.takeExpired(2000, 10)).toEqual([1n])
  expect(lessor.takeExpired(4999, 10)).toEqual([])
  expect(lessor.takeExpired(5000, 10)).toEqual([1n])
  lessor.remove(1n)
  expect(lessor.takeExpired(9000, 10)).toEqual([])
  expect(lessor.timeToLive(1n, 9000)).toBeUndefined()
})

test('a member that lost the lead lets nothing expire', () => {
  const { lessor } = open()
  lessor.promote(0, 0)
  lessor.grant(1n, 2, 0)
  lessor.demote()
  expect(lessor.takeExpired(1e9, 10)).toEqual([])
  lessor.promote(1e9, 0)
  expect(lessor.takeExpired(1e9 + 1999, 10)).toEqual([])
  expect(lessor.takeExpired(1e9 + 2000, 10)).toEqual([1n])
})

test('takeExpired returns at most the asked number, earliest first', () => {
  const { lessor } = open()
  lessor.promote(0, 0)
  for (let i = 1n; i <= 20n; i++) lessor.grant(i, 100 - Number(i), 0)
  expect(lessor.takeExpired(1e6, 3)).toEqual([20n, 19n, 18n])
  expect(lessor.ids().slice(0, 2)).toEqual([20n, 19n])
})

test('a new leader spreads leases that would all expire in one second', () => {
  const { lessor } = open()
  for (let i = 1n; i <= 2000n; i++) lessor.grant(i, 10, 0)
  lessor.promote(0, 0)
  expect(lessor.takeExpired(10_999, 5000)).toHaveLength(750)
  expect(lessor.takeExpired(11_999, 5000)).toHaveLength(750)
  expect(lessor.takeExpired(12_500, 5000)).toHaveLength(500)
})

test('a key moves between leases and dies with the last one', () => {
  const { lessor } = open()
  lessor.grant(1n, 5, 0)
  lessor.grant(2n, 5, 0)
  lessor.attach(1n, 'b')
  lessor.attach(1n, 'a')
  lessor.detach('b')
  lessor.attach(2n, 'b')
  expect([lessor.keysOf(1n), lessor.keysOf(2n)]).toEqual([['a'], ['b']])
  lessor.remove(2n)
  expect([lessor.leaseOf('a'), lessor.leaseOf('b')]).toEqual([1n, 0n])
  expect(() => lessor.keysOf(2n)).toThrow('requested lease not found')
})

test('leases are loaded from their rows, negative ids too', () => {
  const { lessor, tables } = open()
  lessor.grant(-5n, 7, 0)
  lessor.grant(0x7fffffffffffffffn, 8, 0)
  lessor.grant(9n, 9, 0)
  lessor.remove(9n)
  const again = new Lessor(new MapTables(), 2)
  for (const [key, value] of tables.sorted()) again.loadRow(key, value)
  expect(again.ids()).toEqual([-5n, 0x7fffffffffffffffn])
  expect(again.timeToLive(-5n, 0)?.grantedTtlSeconds).toBe(7)
})

test('what is left of a long lease at its checkpoint outlives a change of the leader, until it is renewed', () => {
  const { lessor, tables } = open()
  const minuteMs = 60_000
  lessor.promote(0, 0)
  lessor.grant(1n, 1200, 0)
  lessor.grant(2n, 60, 0)
  expect(lessor.takeCheckpoints(5 * minuteMs - 1, 10)).toEqual([])
  // The short one is never told.
  const [first] = lessor.takeCheckpoints(5 * minuteMs, 10)
  expect(first).toEqual({ id: 1n, remainingTtl: 900 })
  lessor.checkpoint({ id: 1n, remainingTtl: 900 })
  lessor.checkpoint({ id: 77n, remainingTtl: 900 })

  const loaded = new Lessor(new MapTables(), 2)
  for (const [key, value] of tables.sorted()) loaded.loadRow(key, value)
  loaded.promote(0, 0)
  expect(loaded.timeToLive(1n, 0)).toMatchObject({ ttlSeconds: 900, grantedTtlSeconds: 1200 })
  expect(loaded.timeToLive(2n, 0)?.ttlSeconds).toBe(60)
  expect(loaded.isCheckpointed(1n)).toBe(true)
  expect(loaded.renew(1n, 1000)).toBe(1200)
  loaded.checkpoint({ id: 1n, remainingTtl: 0 })
  expect(loaded.isCheckpointed(1n)).toBe(false)
  loaded.demote()
  loaded.promote(2000, 0)
  expect(loaded.timeToLive(1n, 2000)?.ttlSeconds).toBe(1200)
})

test('a renewal between a checkpoint and its entry in the log knows of it, and leases are told again', () => {
  const { lessor } = open()
  lessor.promote(0, 0)
  lessor.grant(1n, 1000, 0)
  expect(lessor.takeCheckpoints(300_000, 10)).toHaveLength(1)
  expect(lessor.isCheckpointed(1n)).toBe(true)
  expect(lessor.takeCheckpoints(300_000, 10)).toEqual([])
  expect(lessor.takeCheckpoints(600_000, 10)).toEqual([{ id: 1n, remainingTtl: 400 }])
  // Less is left than until the next one.
  expect(lessor.takeCheckpoints(900_000, 10)).toEqual([])
})

test('a lower rate of revokes spreads the leases of a new leader further', () => {
  const { lessor } = open()
  for (let i = 1n; i <= 30n; i++) lessor.grant(i, 10, 0)
  lessor.promote(0, 0, 20)
  expect(lessor.takeExpired(10_999, 100)).toHaveLength(15)
  expect(lessor.takeExpired(11_999, 100)).toHaveLength(15)
})
