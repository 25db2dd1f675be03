// Every feature of npm etcd3, as its documentation has them. It ends with authentication, so nothing else may use the server meanwhile.
import {
  Etcd3,
  EtcdAuthenticationFailedError,
  EtcdInvalidAuthTokenError,
  EtcdLeaseInvalidError,
  EtcdLockFailedError,
  EtcdPermissionDeniedError,
  EtcdRoleExistsError,
  EtcdRoleNotFoundError,
  EtcdRoleNotGrantedError,
  EtcdUserExistsError,
  EtcdUserNotFoundError,
  NotCampaigningError,
  Range,
  STMConflictError,
} from 'etcd3'
import type { IOptions } from 'etcd3'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { waitFor } from './balsa-process.ts'

export interface Etcd3Server extends AsyncDisposable {
  readonly options: IOptions
}

export function etcd3Suite(open: () => Promise<Etcd3Server>): void {
  let server: Etcd3Server
  let client: Etcd3
  beforeAll(async () => {
    server = await open()
    client = new Etcd3(server.options)
  })
  afterAll(async () => {
    client.close()
    await server[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    await client.delete().all()
  })

  describe('keys', () => {
    beforeEach(async () => {
      for (const [key, value] of Object.entries({
        foo1: 'bar1',
        foo2: 'bar2',
        foo3: '{"a":3}',
        baz: '5',
      })) {
        await client.put(key).value(value)
      }
    })

    test('one key as string, number, JSON, Buffer, existence and raw reply, at a revision too', async () => {
      expect(await client.get('foo1').string()).toBe('bar1')
      expect(await client.get('foo1')).toBe('bar1')
      expect(await client.get('baz').number()).toBe(5)
      expect(await client.get('foo3').json()).toEqual({ a: 3 })
      expect((await client.get('foo1').buffer())?.toString()).toBe('bar1')
      expect(await client.get('foo1').string('hex')).toBe(Buffer.from('bar1').toString('hex'))
      expect([await client.get('foo1').exists(), await client.get('nope').exists()]).toEqual([
        true,
        false,
      ])
      expect([await client.get('nope'), await client.get('nope').number()]).toEqual([null, null])
      const raw = await client.get('foo1').exec()
      expect([raw.count, raw.kvs[0]?.version]).toEqual(['1', '1'])
      const { header } = await client.put('foo1').value('new')
      expect(await client.get('foo1').revision(Number(header.revision) - 1)).toBe('bar1')
      expect(await client.get('foo1').serializable(true)).toBe('new')
      await expect(client.get('foo1').json()).rejects.toThrow(SyntaxError)
    })

    test('many keys by prefix, range and all, in every form and order', async () => {
      const foos = client.getAll().prefix('foo')
      expect(await foos.strings()).toEqual({ foo1: 'bar1', foo2: 'bar2', foo3: '{"a":3}' })
      expect(await client.getAll().prefix('foo').keys()).toEqual(['foo1', 'foo2', 'foo3'])
      expect((await client.getAll().prefix('foo').keyBuffers()).map(String)).toEqual([
        'foo1',
        'foo2',
        'foo3',
      ])
      expect(await client.getAll().prefix('foo').count()).toBe(3)
      expect(await client.getAll().all().count()).toBe(4)
      expect(await client.getAll().prefix('baz').numbers()).toEqual({ baz: 5 })
      expect(await client.getAll().prefix('foo3').json()).toEqual({ foo3: { a: 3 } })
      expect((await client.getAll().prefix('foo1').buffers())['foo1']?.toString()).toBe('bar1')
      const sorted = client.getAll().prefix('foo').sort('Key', 'Descend').limit(2)
      expect(await sorted.keys()).toEqual(['foo3', 'foo2'])
      expect(await client.getAll().prefix('foo').sort('Value', 'Descend').limit(1).keys()).toEqual([
        'foo3',
      ])
      expect(await client.getAll().prefix('foo').sort('Create', 'Descend').limit(1).keys()).toEqual(
        ['foo3'],
      )
      expect(await client.getAll().prefix('foo').sort('Mod', 'Ascend').limit(1).keys()).toEqual([
        'foo1',
      ])
      expect(await client.getAll().prefix('foo').sort('Version', 'Ascend').keys()).toHaveLength(3)
      expect(await client.getAll().inRange({ start: 'foo1', end: 'foo3' }).keys()).toEqual([
        'foo1',
        'foo2',
      ])
      expect(await client.getAll().inRange({ prefix: 'ba' }).keys()).toEqual(['baz'])
      const { kvs } = await client.get('foo2').exec()
      const revision = kvs[0]?.mod_revision ?? ''
      expect(await client.getAll().prefix('foo').minModRevision(revision).keys()).toEqual([
        'foo2',
        'foo3',
      ])
      expect(await client.getAll().prefix('foo').maxModRevision(revision).keys()).toEqual([
        'foo1',
        'foo2',
      ])
      expect(await client.getAll().prefix('foo').minCreateRevision(revision).keys()).toEqual([
        'foo2',
        'foo3',
      ])
      expect(await client.getAll().prefix('foo').maxCreateRevision(revision).keys()).toEqual([
        'foo1',
        'foo2',
      ])
    })

    test('deletes by key, prefix, range and all, with what was there', async () => {
      const previous = await client.delete().key('foo1').getPrevious()
      expect(previous.map(({ value }) => value.toString())).toEqual(['bar1'])
      expect((await client.delete().range(new Range('foo2', 'foo3'))).deleted).toBe('1')
      expect((await client.delete().inRange({ start: 'foo3', end: 'foo4' })).deleted).toBe('1')
      expect((await client.delete().prefix('ba')).deleted).toBe('1')
      expect((await client.delete().all()).deleted).toBe('0')
    })

    test('puts with the previous pair, touched, with a lease that is kept or let go', async () => {
      const previous = await client.put('foo1').value('updated').getPrevious()
      expect([previous.value.toString(), previous.version]).toEqual(['bar1', '1'])
      await client.put('foo1').touch()
      expect(await client.get('foo1')).toBe('updated')
      const lease = client.lease(60)
      const id = await lease.grant()
      await client.put('leased').value('x').lease(id)
      await client.put('leased').value('y').ignoreLease()
      expect((await client.get('leased').exec()).kvs[0]?.lease).toBe(id)
      await lease.put('by the lease').value('z')
      await lease.revoke()
      expect(await client.getAll().prefix('').keys()).not.toContain('leased')
      expect(await client.get('by the lease')).toBeNull()
    })

    test('namespaces see their own keys only, in each other too', async () => {
      const outer = client.namespace('user1/')
      const inner = outer.namespace('deep/')
      await outer.put('a').value('1')
      await inner.put('b').value('2')
      expect(await client.get('user1/deep/b')).toBe('2')
      expect(await outer.getAll().all().keys()).toEqual(['a', 'deep/b'])
      expect(await inner.getAll().all().strings()).toEqual({ b: '2' })
      const { succeeded } = await inner
        .if('b', 'Value', '==', '2')
        .then(inner.put('b').value('3'))
        .commit()
      expect([succeeded, await client.get('user1/deep/b')]).toEqual([true, '3'])
      expect((await inner.delete().all()).deleted).toBe('1')
      expect(await client.getAll().all().keys()).toEqual(['baz', 'foo1', 'foo2', 'foo3', 'user1/a'])
    })
  })

  describe('transactions', () => {
    test('every column and comparison, more than one of them, both branches', async () => {
      await client.put('a').value('1')
      const header = (await client.put('b').value('2')).header
      const holds = async (
        column: 'Value' | 'Version' | 'Create' | 'Mod' | 'Lease',
        compare: '==' | '!=' | '>' | '<',
        value: string | number,
      ): Promise<boolean> => (await client.if('b', column, compare, value).commit()).succeeded
      expect(await holds('Value', '==', '2')).toBe(true)
      expect(await holds('Value', '<', '2')).toBe(false)
      expect(await holds('Version', '>', 0)).toBe(true)
      expect(await holds('Create', '==', Number(header.revision))).toBe(true)
      expect(await holds('Mod', '!=', Number(header.revision))).toBe(false)
      expect(await holds('Lease', '==', 0)).toBe(true)
      const both = await client
        .if('a', 'Value', '==', '1')
        .and('b', 'Value', '==', 'wrong')
        .then(client.put('a').value('then'))
        .else(client.put('a').value('else'), client.get('b'), client.delete().key('b'))
        .commit()
      expect(both.succeeded).toBe(false)
      expect(
        both.responses.map((each) => Object.entries(each).find(([, reply]) => reply?.header)?.[0]),
      ).toEqual(['response_put', 'response_range', 'response_delete_range'])
      expect(await client.getAll().all().strings()).toEqual({ a: 'else' })
    })

    test('a software transaction runs again when another wrote, and gives up after its retries', async () => {
      await client.put('n').value('0')
      let runs = 0
      const result = await client.stm().transact(async (tx) => {
        const value = await tx.get('n').number()
        if (++runs === 1) await client.put('n').value('10')
        await tx.put('n').value(String((value ?? 0) + 1))
        return tx.get('n').string()
      })
      expect([runs, result, await client.get('n')]).toEqual([2, '11', '11'])
      const hopeless = client.stm({ retries: 1 }).transact(async (tx) => {
        await tx.get('n')
        await client.put('n').value(String(Math.random()))
        await tx.put('n').value('never')
      })
      await expect(hopeless).rejects.toThrow(STMConflictError)
      for (const isolation of [0, 1, 2, 3]) {
        await client.stm({ isolation, prefetch: ['n'] }).transact(async (tx) => {
          await tx.get('n')
          await tx.put('m').value(isolation)
          await tx.delete().key('n')
        })
        expect(await client.getAll().all().strings()).toEqual({ m: String(isolation) })
        await client.put('n').value('again')
      }
    })
  })

  describe('watches', () => {
    test('see puts and deletes of keys, prefixes and ranges, with what was there before, until they are cancelled', async () => {
      const seen: string[] = []
      const watcher = await client.watch().prefix('w/').withPreviousKV().create()
      watcher
        .on('put', (kv, old) => seen.push(`put ${String(kv.key)} ${String(old?.value ?? '')}`))
        .on('delete', (kv, old) =>
          seen.push(`delete ${String(kv.key)} ${String(old?.value ?? '')}`),
        )
      const single = await client.watch().key('w/1').only('delete').create()
      const deletes: string[] = []
      single.on('data', ({ events }) => deletes.push(...events.map(({ type }) => type)))
      const puts = await client.watch().inRange({ start: 'w/', end: 'w0' }).only('put').create()
      let putCount = 0
      puts.on('put', () => putCount++)
      await client.put('w/1').value('a')
      await client.put('w/1').value('b')
      await client.put('x').value('elsewhere')
      await client.delete().key('w/1')
      await waitFor('all events', () => seen.length === 3 && deletes.length === 1 && putCount === 2)
      expect(seen).toEqual(['put w/1 ', 'put w/1 a', 'delete w/1 b'])
      await watcher.cancel()
      await client.put('w/1').value('late')
      await waitFor('the other watcher', () => putCount === 3)
      expect(seen).toHaveLength(3)
      await Promise.all([single.cancel(), puts.cancel()])
    })

    test('start at a past revision, and 50 of them are told apart', async () => {
      const { header } = await client.put('past').value('1')
      await client.put('past').value('2')
      const old = await client.watch().key('past').startRevision(header.revision).create()
      const values: string[] = []
      old.on('put', ({ value }) => values.push(value.toString()))
      await waitFor('the past', () => values.length === 2)
      expect(values).toEqual(['1', '2'])
      const counts = Array.from({ length: 50 }, () => 0)
      const watchers = await Promise.all(
        counts.map(async (_, i) => {
          const watcher = await client.watch().key(`k${i}`).create()
          return watcher.on('put', () => (counts[i] = (counts[i] ?? 0) + 1))
        }),
      )
      await Promise.all(counts.map((_, i) => client.put(`k${i}`).value('x').exec()))
      await waitFor('each its own event', () => counts.every((count) => count === 1))
      await Promise.all([old, ...watchers].map((watcher) => watcher.cancel()))
    })

    test('of a compacted revision end with an error', async () => {
      const { header } = await client.put('c').value('1')
      const last = await client.put('c').value('2')
      await client.kv.compact({ revision: last.header.revision })
      const watcher = client.watch().key('c').startRevision(header.revision).watcher()
      const said = new Promise<string>((resolve) => {
        watcher.on('error', (error) => resolve(error.message))
        watcher.on('put', ({ value }) => resolve(value.toString()))
        watcher.on('end', () => resolve('end'))
      })
      expect(await said).toMatch(/^Watcher canceled/)
    })
  })

  describe('leases, locks and elections', () => {
    test('a lease tells its life, is kept alive, and is lost when it is revoked elsewhere', async () => {
      const lease = client.lease(3, { autoKeepAlive: true })
      const id = await lease.grant()
      const kept = new Promise((resolve) => lease.once('keepaliveSucceeded', resolve))
      await kept
      expect((await lease.keepaliveOnce()).TTL).toBe('3')
      const life = await client.leaseClient.leaseTimeToLive({ ID: id, keys: true })
      expect([life.grantedTTL, life.keys]).toEqual(['3', []])
      expect((await client.leaseClient.leaseLeases()).leases.map(({ ID }) => ID)).toContain(id)
      const lost = new Promise((resolve) => lease.once('lost', resolve))
      await client.leaseClient.leaseRevoke({ ID: id })
      expect(await lost).toBeInstanceOf(EtcdLeaseInvalidError)
      expect(lease.revoked()).toBe(true)
      await expect(
        client.lease(3, { autoKeepAlive: false }).put('x').value('y').exec(),
      ).resolves.toBeDefined()
      await expect(client.leaseClient.leaseRevoke({ ID: id })).rejects.toThrow(
        EtcdLeaseInvalidError,
      )
    })

    test('a released lease runs out and takes its keys along', async () => {
      const lease = client.lease(1)
      await lease.put('leased').value('x')
      lease.release()
      await waitFor('the end of the lease', async () => (await client.get('leased')) === null)
    })

    test('locks exclude each other and do() releases whatever happens', async () => {
      const lock = await client.lock('mutex').ttl(30).acquire()
      expect(await lock.leaseId()).toMatch(/^\d+$/)
      await expect(client.lock('mutex').acquire()).rejects.toThrow(EtcdLockFailedError)
      await lock.release()
      expect(await client.lock('mutex').do(() => 'done')).toBe('done')
      await expect(client.lock('mutex').do(() => Promise.reject(new Error('no')))).rejects.toThrow(
        'no',
      )
      await (await client.lock('mutex').acquire()).release()
    })

    test('elections elect, proclaim, are observed and pass on', async () => {
      const election = client.election('chief', 30)
      expect(await election.leader()).toBeUndefined()
      const observer = await election.observe()
      const changes: (string | undefined)[] = []
      observer.on('change', (value) => changes.push(value))
      const first = election.campaign('first')
      await first.wait()
      await waitFor('the first', () => observer.leader() === 'first')
      await first.proclaim('first again')
      await waitFor('the proclamation', () => changes.includes('first again'))
      expect(await first.getCampaignKey()).toContain('election/chief/')
      const second = election.campaign('second')
      const elected = second.wait()
      await first.resign()
      await elected
      await waitFor('the second', () => observer.leader() === 'second')
      expect(await election.leader()).toBe('second')
      await expect(first.proclaim('too late')).rejects.toThrow(NotCampaigningError)
      await second.resign()
      await waitFor('nobody', () => observer.leader() === undefined)
      await observer.cancel()
    })
  })

  test('the cluster, its maintenance and what is refused', async () => {
    const status = await client.maintenance.status()
    expect(status.version).toMatch(/^3\./)
    const { members } = await client.cluster.memberList({})
    expect(members.map(({ ID }) => ID)).toEqual([status.leader])
    expect((await client.maintenance.alarm({ action: 'Get' as never })).alarms).toEqual([])
    expect((await client.maintenance.hash()).hash).toBeGreaterThan(0)
    await client.maintenance.defragment()
    const snapshot = await client.maintenance.snapshot()
    let size = 0
    await new Promise<void>((resolve, reject) => {
      snapshot.on('data', (data: { blob: Buffer }) => (size += data.blob.length))
      snapshot.on('end', () => resolve())
      snapshot.on('error', reject)
    })
    expect(size % 512).toBe(32)
    // Clients of their own: this library stops asking a host that has refused it several times.
    const [one, other] = [new Etcd3(server.options), new Etcd3(server.options)]
    await expect(
      one
        .put('big')
        .value(Buffer.alloc(2 * 2 ** 20))
        .exec(),
    ).rejects.toThrow()
    await expect(other.get('a').revision(999_999).exec()).rejects.toThrow('future revision')
    for (const each of [one, other]) each.close()
  })

  test('a mocked client answers from the mock', async () => {
    const kv = client.mock({ exec: () => Promise.resolve({ kvs: [] }) as never })
    expect(await client.get('anything')).toBeNull()
    expect(kv).toBeDefined()
    client.unmock()
  })

  describe('users and roles', () => {
    test('are created, granted, listed, revoked and deleted, with etcd’s refusals', async () => {
      const role = await client.role('rw').create()
      await expect(client.role('rw').create()).rejects.toThrow(EtcdRoleExistsError)
      await role.grant([
        { permission: 'Readwrite', range: client.range({ prefix: 'f' }) },
        { permission: 'Read', key: 'single' },
      ])
      const permissions = await role.permissions()
      expect(
        permissions.map(({ permission, range }) => [permission, range.start.toString()]),
      ).toEqual([
        ['Readwrite', 'f'],
        ['Read', 'single'],
      ])
      await role.revoke({ permission: 'Read', key: 'single' })
      expect(await role.permissions()).toHaveLength(1)
      const user = await client.user('connor').create('password')
      await expect(client.user('connor').create('x')).rejects.toThrow(EtcdUserExistsError)
      await user.addRole('rw')
      expect((await user.roles()).map(({ name }) => name)).toEqual(['rw'])
      await role.removeUser('connor')
      await expect(user.removeRole('rw')).rejects.toThrow(EtcdRoleNotGrantedError)
      await role.addUser(user)
      await user.setPassword('other')
      expect((await client.getUsers()).map(({ name }) => name)).toEqual(['connor'])
      expect((await client.getRoles()).map(({ name }) => name)).toEqual(['rw'])
      await user.delete()
      await role.delete()
      await expect(user.delete()).rejects.toThrow(EtcdUserNotFoundError)
      await expect(role.delete()).rejects.toThrow(EtcdRoleNotFoundError)
    })

    test('are enforced on keys and watches, and a new token is fetched when the old one is not taken', async () => {
      await client.role('root').create()
      await (await client.user('root').create('secret')).addRole('root')
      const role = await client.role('rw').create()
      await role.grant({ permission: 'Readwrite', range: client.range({ prefix: 'f' }) })
      await (await client.user('connor').create('password')).addRole(role)
      await client.auth.authEnable()
      const clients: Etcd3[] = []
      const as = (username: string, password: string): Etcd3 => {
        const opened = new Etcd3({ ...server.options, auth: { username, password } })
        clients.push(opened)
        return opened
      }
      const [root, connor, wrong] = [
        as('root', 'secret'),
        as('connor', 'password'),
        as('connor', 'x'),
      ]
      try {
        await connor.put('foo').value('bar')
        expect(await connor.get('foo')).toBe('bar')
        // A client of its own for each refusal: this library does not go on after some of them.
        const stranger = as('connor', 'password')
        await expect(stranger.put('wut').value('bar').exec()).rejects.toThrow(
          EtcdPermissionDeniedError,
        )
        await expect(wrong.put('foo').value('bar').exec()).rejects.toThrow(
          EtcdAuthenticationFailedError,
        )
        await expect(client.put('foo').value('bar').exec()).rejects.toThrow()
        await expect(as('connor', 'password').watch().key('wut').create()).rejects.toThrow(
          EtcdPermissionDeniedError,
        )
        const watcher = await connor.watch().key('foo').create()
        const put = new Promise((resolve) => watcher.once('put', resolve))
        await connor.put('foo').value('again')
        await put
        await watcher.cancel()
        // A change of roles makes tokens old, as a restart makes simple ones unknown: the client logs in again.
        await root.user('connor').setPassword('changed')
        await expect(connor.get('foo').exec()).rejects.toThrow(
          new RegExp(`${EtcdInvalidAuthTokenError.name}|invalid auth token|authentication failed`),
        )
        expect(await as('connor', 'changed').get('foo')).toBe('again')
      } finally {
        await root.auth.authDisable()
        for (const each of clients) each.close()
      }
    })
  })
}
