// What every Kv does, whatever is behind it. Each test works below a prefix of its own, so that one store serves them all.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Kv, KvEvent, KvPair, Watch, WatchBatch } from '../../kv.ts'
import { pages } from '../pages.ts'

export interface KvFixture {
  readonly kv: Kv
  close(): Promise<void>
}

export const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString()
const eventText = ({ type, kv }: KvEvent): string =>
  `${type} ${textOf(kv.key) ?? ''}=${textOf(kv.value) ?? ''}`

export function kvSuite(open: () => Promise<KvFixture>): void {
  let fixture: KvFixture
  let kv: Kv
  let prefixCount = 0
  const freshPrefix = (): string => `suite-${++prefixCount}/`
  beforeAll(async () => {
    fixture = await open()
    kv = fixture.kv
  })
  afterAll(() => fixture.close())

  describe('keys', () => {
    test('a key that was put is read back with its revisions, and its history too', async () => {
      const key = `${freshPrefix()}a`
      const first = await kv.put(key, 'one')
      const second = await kv.put(key, 'two', { prevKv: true })
      expect(second.revision).toBe(first.revision + 1)
      expect(textOf(second.prev?.value)).toBe('one')
      const pair = await kv.get(key)
      expect(pair).toMatchObject({
        createRevision: first.revision,
        modRevision: second.revision,
        version: 2,
        lease: 0n,
      })
      expect(textOf(pair?.value)).toBe('two')
      expect(textOf((await kv.get(key, { revision: first.revision }))?.value)).toBe('one')
      expect(await kv.get(`${key}x`)).toBeUndefined()
    })

    test('every answer about keys says which member gave it, in which term', async () => {
      const key = `${freshPrefix()}a`
      const { clusterId, memberId, raftTerm } = await kv.status()
      const put = { op: 'put', key, value: 'x' } as const
      for (const { header, revision } of [
        await kv.put(key, 'x'),
        await kv.range({ key }),
        await kv.txn({ then: [put] }),
        await kv.delete(key),
      ]) {
        expect(header).toEqual({ clusterId, memberId, revision, raftTerm })
      }
    })

    test('a large range comes in pages of one revision, streamed where the server can', async () => {
      const prefix = freshPrefix()
      const puts = Array.from({ length: 90 }, (_, i) => {
        return { op: 'put', key: `${prefix}${String(i).padStart(2, '0')}`, value: 'old' } as const
      })
      await kv.txn({ then: puts })
      const seen: (string | undefined)[] = []
      const revisions = new Set<number>()
      for await (const page of pages(kv, { prefix, pageSize: 20 })) {
        revisions.add(page.revision)
        seen.push(...page.pairs.map(({ key, value }) => `${textOf(key)} ${textOf(value)}`))
        await kv.put(`${prefix}00`, 'new')
        await kv.put(`${prefix}89`, 'new')
        await kv.put(`${prefix}99`, 'new')
      }
      expect(seen).toEqual(puts.map(({ key }) => `${key} old`))
      expect(revisions.size).toBe(1)
      if (kv.rangeStream === undefined) return
      const stream = kv.rangeStream({ prefix, keysOnly: true, revision: [...revisions][0] ?? 0 })
      const streamed: KvPair[] = []
      try {
        for await (const part of stream) streamed.push(...part)
      } catch (reason) {
        // A server of etcd before 3.7.
        expect(reason).toMatchObject({ code: 'UNIMPLEMENTED' })
        return
      }
      expect(streamed.map(({ key }) => textOf(key))).toEqual(puts.map(({ key }) => key))
      expect(streamed.every(({ value }) => value.length === 0)).toBe(true)
    })

    test('bytes that are no text travel unchanged, and so does an empty value', async () => {
      const key = Uint8Array.from([0, 255, 128, 1, ...Buffer.from(freshPrefix())])
      const value = Uint8Array.from({ length: 256 }, (_, i) => i)
      await kv.put(key, value)
      const pair = await kv.get(key)
      expect([...(pair?.key ?? [])]).toEqual([...key])
      expect([...(pair?.value ?? [])]).toEqual([...value])
      await kv.put(key, '')
      expect((await kv.get(key))?.value.length).toBe(0)
    })

    test('a prefix is read in order, in parts, without values, as a count and sorted', async () => {
      const prefix = freshPrefix()
      for (const name of ['b', 'a', 'c']) await kv.put(prefix + name, `value ${name}`)
      const keys = (pairs: readonly { key: Uint8Array }[]): (string | undefined)[] =>
        pairs.map((pair) => textOf(pair.key)?.slice(prefix.length))
      const all = await kv.range({ prefix })
      expect([keys(all.pairs), all.count, all.more]).toEqual([['a', 'b', 'c'], 3, false])
      const part = await kv.range({ prefix, limit: 2 })
      expect([keys(part.pairs), part.count, part.more]).toEqual([['a', 'b'], 3, true])
      const keysOnly = await kv.range({ prefix, keysOnly: true, serializable: true })
      expect(keysOnly.pairs.map((pair) => pair.value.length)).toEqual([0, 0, 0])
      const counted = await kv.range({ prefix, countOnly: true })
      expect([counted.count, counted.pairs.length]).toEqual([3, 0])
      const byCreation = await kv.range({ prefix, sort: { by: 'create', order: 'descend' } })
      expect(keys(byCreation.pairs)).toEqual(['c', 'a', 'b'])
      const half = await kv.range({ key: `${prefix}a`, rangeEnd: `${prefix}c` })
      expect(keys(half.pairs)).toEqual(['a', 'b'])
    })

    test('delete removes a key or a prefix and says what it removed', async () => {
      const prefix = freshPrefix()
      for (const name of ['a', 'b', 'c']) await kv.put(prefix + name, name)
      const one = await kv.delete(`${prefix}a`, { prevKv: true })
      expect([one.deleted, one.prev.map((pair) => textOf(pair.value))]).toEqual([1, ['a']])
      expect((await kv.delete(`${prefix}a`)).deleted).toBe(0)
      expect((await kv.delete(prefix, { prefix: true })).deleted).toBe(2)
      expect((await kv.range({ prefix })).count).toBe(0)
    })

    test('a range of many large values comes whole', async () => {
      const prefix = freshPrefix()
      const value = Buffer.alloc(100_000, 'x')
      await Promise.all(Array.from({ length: 50 }, (_, i) => kv.put(`${prefix}${i}`, value)))
      const { pairs } = await kv.range({ prefix })
      expect(pairs.length).toBe(50)
      expect(pairs.every((pair) => value.equals(pair.value))).toBe(true)
    })

    test('a put with a TTL is gone when its time is over, unless it is put again', async () => {
      const prefix = freshPrefix()
      await kv.put(`${prefix}a`, 'short', { ttlSeconds: 1 })
      await kv.put(`${prefix}b`, 'short', { ttlSeconds: 1 })
      const b = await kv.put(`${prefix}b`, 'for good', { prevKv: true })
      expect([textOf(b.prev?.value), b.prev?.lease === 0n]).toEqual(['short', false])
      await vi.waitFor(async () => expect(await kv.get(`${prefix}a`)).toBeUndefined(), 20_000)
      expect((await kv.get(`${prefix}b`))?.lease).toBe(0n)
      const both = kv.put('x', '', { ttlSeconds: 1, lease: 1n })
      await expect(both).rejects.toMatchObject({ code: 'LEASE_PROVIDED' })
      const leases = await kv.leases()
      await expect(kv.put('', 'x', { ttlSeconds: 5 })).rejects.toMatchObject({ code: 'EMPTY_KEY' })
      expect((await kv.leases()).length).toBeLessThanOrEqual(leases.length)
    })

    test('a put can keep the value or the lease, and a range can be bounded by revisions', async () => {
      const prefix = freshPrefix()
      const { id } = await kv.grantLease(60)
      const first = await kv.put(`${prefix}a`, 'kept', { lease: id })
      await kv.put(`${prefix}a`, '', { ignoreValue: true })
      expect(await kv.get(`${prefix}a`)).toMatchObject({ lease: 0n, version: 2 })
      await kv.put(`${prefix}b`, 'x', { lease: id })
      const last = await kv.put(`${prefix}b`, 'y', { ignoreLease: true })
      expect((await kv.get(`${prefix}b`))?.lease).toBe(id)
      await expect(kv.put(`${prefix}c`, '', { ignoreValue: true })).rejects.toMatchObject({
        code: 'KEY_NOT_FOUND',
      })
      const keys = async (bounds: object): Promise<(string | undefined)[]> =>
        (await kv.range({ prefix, ...bounds })).pairs.map(({ key }) => textOf(key)?.at(-1))
      expect(await keys({ maxCreateRevision: first.revision })).toEqual(['a'])
      expect(await keys({ minCreateRevision: first.revision + 1 })).toEqual(['b'])
      expect(await keys({ minModRevision: last.revision })).toEqual(['b'])
      expect(await keys({ maxModRevision: last.revision - 1 })).toEqual(['a'])
      await kv.revokeLease(id)
    })

    test('2,000 puts at once are all applied, each at a revision of its own', async () => {
      const prefix = freshPrefix()
      const puts = Array.from({ length: 2000 }, (_, i) => kv.put(`${prefix}${i}`, String(i)))
      const revisions = new Set((await Promise.all(puts)).map((put) => put.revision))
      expect(revisions.size).toBe(2000)
      expect((await kv.range({ prefix, countOnly: true })).count).toBe(2000)
    })
  })

  describe('transactions', () => {
    test('a txn takes the branch its conditions choose, at one revision', async () => {
      const prefix = freshPrefix()
      const key = `${prefix}lock`
      const take = (owner: string): ReturnType<Kv['txn']> =>
        kv.txn({
          if: [{ key, target: 'create', is: '=', than: 0 }],
          then: [
            { op: 'put', key, value: owner },
            { op: 'put', key: `${prefix}log`, value: owner },
          ],
          else: [{ op: 'range', key }],
        })
      const first = await take('me')
      expect([first.succeeded, first.results.map(({ op }) => op)]).toEqual([true, ['put', 'put']])
      const second = await take('you')
      expect(second.succeeded).toBe(false)
      const [read] = second.results
      expect(read?.op === 'range' && textOf(read.pairs[0]?.value)).toBe('me')
      const pairs = (await kv.range({ prefix })).pairs
      expect(new Set(pairs.map((pair) => pair.modRevision)).size).toBe(1)
    })

    test('a txn in a txn sees the state before both, and answers in its place', async () => {
      const prefix = freshPrefix()
      const key = `${prefix}a`
      const missing = { key, target: 'create', is: '=', than: 0 } as const
      const put = { op: 'put', key: `${prefix}b`, value: 'inner' } as const
      const { results, revision } = await kv.txn({
        then: [
          { op: 'put', key, value: 'outer' },
          { op: 'txn', txn: { if: [missing], then: [put, { op: 'range', prefix }] } },
        ],
      })
      const [, inner] = results
      expect(inner?.op === 'txn' && [inner.succeeded, inner.results.length]).toEqual([true, 2])
      const range = inner?.op === 'txn' ? inner.results[1] : undefined
      expect(range?.op === 'range' && range.count).toBe(2)
      expect((await kv.get(`${prefix}b`))?.modRevision).toBe(revision)
    })

    test('conditions on values, versions and leases, and a delete with what it removed', async () => {
      const prefix = freshPrefix()
      const key = `${prefix}a`
      await kv.put(key, 'one')
      const result = await kv.txn({
        if: [
          { key, target: 'value', is: '=', than: 'one' },
          { key, target: 'version', is: '<', than: 2 },
          { key, target: 'lease', is: '=', than: 0n },
          { key: `${prefix}none`, target: 'mod', is: '!=', than: 1 },
        ],
        then: [{ op: 'delete', key, prevKv: true }],
      })
      expect(result.succeeded).toBe(true)
      const [gone] = result.results
      expect(gone?.op === 'delete' && gone.prev.map((pair) => textOf(pair.value))).toEqual(['one'])
    })
  })

  describe('watches', () => {
    const follow = (
      options: Parameters<Kv['watch']>[0],
    ): { events: KvEvent[]; batches: WatchBatch[]; stood: Promise<number>; close(): void } => {
      const events: KvEvent[] = []
      const batches: WatchBatch[] = []
      let close = (): void => undefined
      const stood = new Promise<number>((resolve, reject) => {
        const watch = kv.watch(options, {
          created: resolve,
          batch: (batch) => {
            batches.push(batch)
            events.push(...batch.events)
          },
          ended: (error) => {
            if (error !== undefined) reject(error)
          },
        })
        close = () => watch.close()
      })
      return { events, batches, stood, close }
    }

    test('a watch says how far it is when it is asked, after all events up to there', async () => {
      const prefix = freshPrefix()
      const seen: (number | string)[] = []
      let watch: Watch | undefined
      const stood = new Promise<number>((resolve) => {
        watch = kv.watch(
          { prefix },
          {
            created: resolve,
            batch: ({ events, revision }) => {
              seen.push(...events.map((event) => event.kv.modRevision))
              if (events.length === 0) seen.push(`at ${revision}`)
            },
          },
        )
      })
      await stood
      const { revision } = await kv.put(`${prefix}a`, 'x')
      await vi.waitFor(() => expect(seen).toEqual([revision]), 20_000)
      watch?.requestProgress()
      await vi.waitFor(() => expect(seen.length).toBe(2), 20_000)
      expect(seen[0]).toBe(revision)
      expect(Number(String(seen[1]).slice(3))).toBeGreaterThanOrEqual(revision)
      watch?.close()
    })

    test('a watch sees every change of its prefix after it stands, in order, and no other', async () => {
      const prefix = freshPrefix()
      const watch = follow({ prefix, prevKv: true })
      await watch.stood
      await kv.put(`${prefix}a`, '1')
      await kv.put(`${freshPrefix()}other`, '1')
      await kv.put(`${prefix}a`, '2')
      await kv.delete(`${prefix}a`)
      await vi.waitFor(() => expect(watch.events.length).toBe(3))
      expect(watch.events.map(eventText)).toEqual([
        `put ${prefix}a=1`,
        `put ${prefix}a=2`,
        `delete ${prefix}a=`,
      ])
      expect(watch.events.map(({ prev }) => textOf(prev?.value))).toEqual([undefined, '1', '2'])
      watch.close()
    })

    test('a watch from a past revision gets history first, each revision whole', async () => {
      const prefix = freshPrefix()
      const { revision } = await kv.put(`${prefix}a`, '1')
      await kv.txn({
        then: [
          { op: 'put', key: `${prefix}b`, value: '2' },
          { op: 'put', key: `${prefix}c`, value: '2' },
        ],
      })
      const watch = follow({ prefix, startRevision: revision })
      await vi.waitFor(() => expect(watch.events.length).toBe(3))
      const seen = watch.events.map(({ kv: { modRevision } }) => modRevision - revision)
      expect(seen).toEqual([0, 1, 1])
      expect(watch.batches.at(-1)?.revision).toBe(revision + 1)
      watch.close()
    })

    test('filters leave out what is not wanted', async () => {
      const prefix = freshPrefix()
      const watch = follow({ prefix, filters: ['noPut'] })
      await watch.stood
      await kv.put(`${prefix}a`, '1')
      await kv.delete(`${prefix}a`)
      await vi.waitFor(() => expect(watch.events.map(({ type }) => type)).toEqual(['delete']))
      watch.close()
    })

    test('100 watches of one prefix all see the same', async () => {
      const prefix = freshPrefix()
      const watches = Array.from({ length: 100 }, () => follow({ prefix }))
      await Promise.all(watches.map(({ stood }) => stood))
      for (let i = 0; i < 10; i++) await kv.put(`${prefix}${i}`, String(i))
      await vi.waitFor(() => {
        expect(watches.every(({ events }) => events.length === 10)).toBe(true)
      })
      const first = watches[0]?.events.map(eventText)
      for (const { events } of watches) expect(events.map(eventText)).toEqual(first)
      for (const watch of watches) watch.close()
    })

    test('a signal closes a watch, also one that was there before it', async () => {
      const over = new AbortController()
      const { signal } = over
      const ended: (Error | undefined)[] = []
      const watch = (): unknown =>
        kv.watch(
          { prefix: freshPrefix(), signal },
          { batch: () => undefined, ended: (error) => ended.push(error) },
        )
      watch()
      over.abort()
      expect(ended).toEqual([undefined])
      watch()
      expect(ended).toEqual([undefined, undefined])
    })

    test('a closed watch ends without an error and hears nothing more', async () => {
      const prefix = freshPrefix()
      const calls: string[] = []
      const ended = new Promise<Error | undefined>((resolve) => {
        const watch = kv.watch(
          { prefix },
          { batch: () => calls.push('batch'), created: () => watch.close(), ended: resolve },
        )
      })
      expect(await ended).toBeUndefined()
      const other = follow({ prefix })
      await other.stood
      await kv.put(`${prefix}a`, '1')
      await vi.waitFor(() => expect(other.events.length).toBe(1))
      expect(calls).toEqual([])
      other.close()
    })
  })

  describe('leases', () => {
    test('a lease is granted, renewed and listed; its keys go when it is revoked', async () => {
      const prefix = freshPrefix()
      const { id, ttlSeconds } = await kv.grantLease(60)
      expect(ttlSeconds).toBe(60)
      expect(await kv.keepAliveLease(id)).toBe(60)
      await kv.put(`${prefix}a`, '1', { lease: id })
      const life = await kv.leaseTimeToLive(id, { keys: true })
      expect(life.grantedTtlSeconds).toBe(60)
      expect(life.keys.map(textOf)).toEqual([`${prefix}a`])
      expect(await kv.leases()).toContain(id)
      await kv.revokeLease(id)
      expect(await kv.get(`${prefix}a`)).toBeUndefined()
      expect(await kv.keepAliveLease(id)).toBe(0)
      expect((await kv.leaseTimeToLive(id)).ttlSeconds).toBe(-1)
    })

    test('a lease takes the id it is given, of all 63 bits, once', async () => {
      const id = 0x7fff_ffff_ffff_f000n + BigInt(prefixCount)
      expect((await kv.grantLease(60, { id })).id).toBe(id)
      await expect(kv.grantLease(60, { id })).rejects.toMatchObject({ code: 'LEASE_EXISTS' })
      await kv.revokeLease(id)
      await expect(kv.revokeLease(id)).rejects.toMatchObject({ code: 'LEASE_NOT_FOUND' })
    })
  })

  describe('failures', () => {
    test('each has its code: empty key, future revision, unknown lease, repeated key', async () => {
      await expect(kv.put('', 'x')).rejects.toMatchObject({ code: 'EMPTY_KEY' })
      await expect(kv.range({ key: 'a', revision: 1e9 })).rejects.toMatchObject({
        code: 'FUTURE_REVISION',
      })
      await expect(kv.put('a', 'x', { lease: 12345n })).rejects.toMatchObject({
        code: 'LEASE_NOT_FOUND',
      })
      const put = { op: 'put', key: 'a', value: 'b' } as const
      await expect(kv.txn({ then: [put, put] })).rejects.toMatchObject({ code: 'DUPLICATE_KEY' })
    })

    test('an aborted signal rejects the call with ABORTED', async () => {
      const signal = AbortSignal.abort()
      await expect(kv.get('a', { signal })).rejects.toMatchObject({ code: 'ABORTED' })
    })

    // The last one: it takes the other tests' history away.
    test('what was compacted can neither be read nor watched', async () => {
      const prefix = freshPrefix()
      const { revision } = await kv.put(`${prefix}a`, '1')
      await kv.put(`${prefix}a`, '2')
      await kv.compact(revision + 1, { physical: true })
      await expect(kv.get(`${prefix}a`, { revision })).rejects.toMatchObject({ code: 'COMPACTED' })
      await expect(kv.compact(revision)).rejects.toMatchObject({ code: 'COMPACTED' })
      const watch = new Promise((resolve) => {
        kv.watch({ prefix, startRevision: revision }, { batch: () => undefined, ended: resolve })
      })
      expect(await watch).toMatchObject({ code: 'COMPACTED', compactRevision: revision + 1 })
    })
  })

  describe('users and roles', () => {
    test('are made, granted and taken away, each refusal with its code', async () => {
      const name = freshPrefix().replace('/', '')
      const { auth } = kv
      await auth.addUser(name, 'secret')
      await auth.addUser(`${name}-cert`, undefined)
      await expect(auth.addUser(name, 'x')).rejects.toMatchObject({ code: 'USER_EXISTS' })
      await auth.changePassword(name, 'other')
      expect(await auth.users()).toEqual(expect.arrayContaining([name, `${name}-cert`]))
      await auth.addRole(name)
      await auth.grantRole(name, name)
      expect(await auth.rolesOf(name)).toEqual([name])
      await auth.grantPermission(name, 'readWrite', { prefix: 'a/' })
      await auth.grantPermission(name, 'read', { key: 'b' })
      const permissions = await auth.permissionsOf(name)
      const shown = permissions.map(({ kind, key, rangeEnd }) => [
        kind,
        textOf(key),
        textOf(rangeEnd),
      ])
      expect(shown).toEqual([
        ['readWrite', 'a/', 'a0'],
        ['read', 'b', ''],
      ])
      await auth.revokePermission(name, { prefix: 'a/' })
      expect((await auth.permissionsOf(name)).length).toBe(1)
      await auth.revokeRole(name, name)
      await expect(auth.revokeRole(name, name)).rejects.toMatchObject({ code: 'ROLE_NOT_GRANTED' })
      await auth.deleteRole(name)
      expect(await auth.roles()).not.toContain(name)
      await auth.deleteUser(name)
      await expect(auth.rolesOf(name)).rejects.toMatchObject({ code: 'USER_NOT_FOUND' })
      const signal = AbortSignal.abort()
      await expect(auth.users({ signal })).rejects.toMatchObject({ code: 'ABORTED' })
    })
  })

  describe('the cluster', () => {
    test('members, status and hash can be asked', async () => {
      const members = await kv.members()
      expect(members.length).toBeGreaterThan(0)
      const status = await kv.status()
      expect(members.map(({ id }) => id)).toContain(status.memberId)
      expect(status.leader).not.toBe(0n)
      const { revision } = await kv.put(`${freshPrefix()}a`, '1')
      expect((await kv.status()).revision).toBe(revision)
      expect(await kv.cluster.members({ serializable: true })).toEqual(members)
      expect(await kv.maintenance.alarms()).toEqual([])
      await kv.maintenance.defragment()
      expect((await kv.hashKv()).hash).toBe((await kv.hashKv({ revision })).hash)
    })
  })
}
