// The Kv interface on a member whose log commits at once: what users see of MVCC, leases and watches.
import { afterEach, expect, test } from 'vitest'
import type { KvEvent, WatchBatch } from '../kv.ts'
import { EmbeddedKv } from './embedded-kv.ts'
import { openTestMember, type TestMember } from './testing/test-member.ts'

const opened: TestMember[] = []
async function openKv(): Promise<EmbeddedKv> {
  const member = await openTestMember()
  opened.push(member)
  return new EmbeddedKv(member.core)
}
afterEach(async () => {
  for (const { core } of opened.splice(0)) await core.close()
})

const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString()

test('put, get, overwrite, delete and history at a revision', async () => {
  const kv = await openKv()
  expect(await kv.get('a')).toBeUndefined()
  expect((await kv.put('a', '1')).revision).toBe(2)
  const second = await kv.put('a', '2', { prevKv: true })
  expect([second.revision, text(second.prev?.value)]).toEqual([3, '1'])
  const pair = await kv.get('a')
  expect([pair?.createRevision, pair?.modRevision, pair?.version]).toEqual([2, 3, 2])
  expect(text((await kv.get('a', { revision: 2 }))?.value)).toBe('1')
  expect((await kv.delete('a')).deleted).toBe(1)
  expect(await kv.get('a')).toBeUndefined()
  expect((await kv.delete('a')).revision).toBe(4)
})

test('range by prefix with limit tells the whole count', async () => {
  const kv = await openKv()
  for (const key of ['p/a', 'p/b', 'p/c', 'q']) await kv.put(key, key)
  const page = await kv.range({ prefix: 'p/', limit: 2 })
  expect(page.pairs.map((pair) => text(pair.key))).toEqual(['p/a', 'p/b'])
  expect([page.count, page.more, page.revision]).toEqual([3, true, 5])
  const sort = { by: 'key', order: 'descend' } as const
  const last = await kv.range({ prefix: '', limit: 1, sort })
  expect(last.pairs.map((pair) => text(pair.key))).toEqual(['q'])
})

test('a txn takes one branch, at one revision', async () => {
  const kv = await openKv()
  const create = { key: 'lock', target: 'create', is: '=', than: 0 } as const
  const txn = {
    if: [create],
    then: [
      { op: 'put', key: 'lock', value: 'me' },
      { op: 'put', key: 'log', value: 'taken' },
    ],
    else: [{ op: 'range', key: 'lock' }],
  } as const
  const first = await kv.txn(txn)
  expect([first.succeeded, first.revision]).toEqual([true, 2])
  const second = await kv.txn(txn)
  expect(second.succeeded).toBe(false)
  expect(second.results[0]).toMatchObject({ op: 'range', count: 1 })
})

test('a compacted revision cannot be read, a future one neither', async () => {
  const kv = await openKv()
  for (let i = 0; i < 4; i++) await kv.put('a', String(i))
  await kv.compact(4)
  await expect(kv.get('a', { revision: 3 })).rejects.toMatchObject({ code: 'COMPACTED' })
  await expect(kv.get('a', { revision: 6 })).rejects.toMatchObject({ code: 'FUTURE_REVISION' })
  await expect(kv.compact(4)).rejects.toMatchObject({ code: 'COMPACTED' })
  expect(text((await kv.get('a', { revision: 4 }))?.value)).toBe('2')
})

test('a lease takes its keys with it, and a put without it leaves it', async () => {
  const kv = await openKv()
  const { id, ttlSeconds } = await kv.grantLease(60)
  expect(ttlSeconds).toBe(60)
  await kv.put('a', '1', { lease: id })
  await kv.put('b', '1', { lease: id })
  await kv.put('b', '2')
  const times = await kv.leaseTimeToLive(id, { keys: true })
  expect(times.keys.map(text)).toEqual(['a'])
  expect(await kv.keepAliveLease(id)).toBe(60)
  await kv.revokeLease(id)
  expect(await kv.get('a')).toBeUndefined()
  expect(text((await kv.get('b'))?.value)).toBe('2')
  expect(await kv.keepAliveLease(id)).toBe(0)
  await expect(kv.revokeLease(id)).rejects.toMatchObject({ code: 'LEASE_NOT_FOUND' })
  await expect(kv.put('a', '1', { lease: id })).rejects.toMatchObject({ code: 'LEASE_NOT_FOUND' })
})

test('a watch from the past sees every event once, then the new ones', async () => {
  const kv = await openKv()
  await kv.put('w/a', '1')
  await kv.put('other', 'x')
  const events: KvEvent[] = []
  let seen: (() => void) | undefined
  const all = new Promise<void>((resolve) => (seen = resolve))
  kv.watch(
    { prefix: 'w/', startRevision: 2, prevKv: true },
    {
      batch: (batch: WatchBatch) => {
        events.push(...batch.events)
        if (events.length === 3) seen?.()
      },
    },
  )
  await kv.put('w/b', '2')
  await kv.delete('w/a')
  await all
  const summary = events.map((event) => [event.type, text(event.kv.key), event.kv.modRevision])
  expect(summary).toEqual([
    ['put', 'w/a', 2],
    ['put', 'w/b', 4],
    ['delete', 'w/a', 5],
  ])
  expect(text(events[2]?.prev?.value)).toBe('1')
})

test('a watch from a compacted revision ends and tells the oldest one left', async () => {
  const kv = await openKv()
  for (let i = 0; i < 5; i++) await kv.put('a', String(i))
  await kv.compact(5)
  const error = await new Promise<Error | undefined>((resolve) => {
    kv.watch({ key: 'a', startRevision: 2 }, { batch: () => undefined, ended: resolve })
  })
  expect(error).toMatchObject({ code: 'COMPACTED', compactRevision: 5 })
})

test('a range of many steps is of one revision, whatever is written and compacted meanwhile', async () => {
  const kv = await openKv()
  for (let i = 0; i < 1700; i++) await kv.put(`k${String(i).padStart(5, '0')}`, 'old')
  const ranged = kv.range({ prefix: 'k' })
  await kv.put('k00000', 'new')
  await kv.put('k01699', 'new')
  await kv.delete('k01698')
  await kv.compact((await kv.put('k', 'new')).revision)
  const { pairs, count, revision } = await ranged
  expect([pairs.length, count, revision]).toEqual([1700, 1700, 1701])
  expect(new Set(pairs.map(({ value }) => text(value)))).toEqual(new Set(['old']))
  const { pairs: later } = await kv.range({ prefix: 'k' })
  expect(later.filter(({ value }) => text(value) === 'new')).toHaveLength(3)
})
