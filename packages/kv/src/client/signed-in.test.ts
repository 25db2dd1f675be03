// A client with a user: over both wires, to a member and to real etcd.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { startEtcd } from '../../../../test/etcd-process.ts'
import { missing } from '../../../../test/tools.ts'
import type { Kv, KvEvent } from '../kv.ts'
import { openMember } from '../member/open-member.ts'
import { connect, connectAuth, type ConnectOptions } from './connect.ts'

const cleanUps: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of cleanUps.splice(0).reverse()) await one[Symbol.asyncDispose]()
})

const waitOptions = { timeout: 20_000, interval: 20 }
const ann = { name: 'ann', password: 'secret' }
const root = { name: 'root', password: 'r' }

interface Target {
  readonly name: string
  readonly protocol: 'native' | 'grpc'
  readonly isSkipped: boolean
  open(): Promise<string>
}

async function openBalsa(): Promise<string> {
  const member = await openMember({
    memory: true,
    listenClientUrls: ['http://127.0.0.1:0'],
    bcryptCost: 4,
  })
  cleanUps.push(member)
  return member.clientUrls[0] ?? ''
}

async function openEtcd(): Promise<string> {
  const etcd = await startEtcd()
  cleanUps.push(etcd)
  return etcd.url
}

const targets: readonly Target[] = [
  { name: 'balsa, native wire', protocol: 'native', isSkipped: false, open: openBalsa },
  { name: 'balsa, gRPC', protocol: 'grpc', isSkipped: false, open: openBalsa },
  { name: 'etcd', protocol: 'grpc', isSkipped: missing('etcd'), open: openEtcd },
]

describe.each(targets)('$name', ({ protocol, isSkipped, open }) => {
  async function openSigned(options: ConnectOptions): Promise<Kv> {
    const kv = await connect(options)
    cleanUps.push(kv)
    return kv
  }

  /** With root, and ann who may do all below a/; permissions are in force. */
  async function openCluster(): Promise<ConnectOptions> {
    const options = { endpoints: await open(), protocol }
    const auth = await connectAuth(options)
    cleanUps.push(auth)
    await auth.addUser('root', root.password)
    await auth.grantRole('root', 'root')
    await auth.addUser('ann', ann.password)
    await auth.addUser('bob', undefined)
    await auth.addRole('below')
    await auth.grantPermission('below', 'readWrite', { prefix: 'a/' })
    await auth.grantRole('ann', 'below')
    await auth.enable()
    return options
  }

  test.skipIf(isSkipped)('a user does what it may; a wrong password does not connect', async () => {
    const options = await openCluster()
    const kv = await openSigned({ ...options, user: ann })
    await kv.put('a/1', 'x')
    await expect(kv.put('b', 'x')).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
    const stranger = await openSigned(options)
    await expect(stranger.get('a/1')).rejects.toMatchObject({ code: 'USER_EMPTY' })
    const wrong = { ...options, user: { ...ann, password: 'wrong' } }
    await expect(connect(wrong)).rejects.toMatchObject({ code: 'AUTH_FAILED' })
  })

  test.skipIf(isSkipped)(
    'a token that is not taken any more is replaced, for 50 calls at once and for watches',
    async () => {
      const options = await openCluster()
      const kv = await openSigned({ ...options, user: ann })
      const admin = await connectAuth({ ...options, user: root })
      cleanUps.push(admin)
      await kv.put('a/before', 'x')
      await admin.changePassword('ann', ann.password)
      await Promise.all(Array.from({ length: 50 }, (_, i) => kv.put(`a/${i}`, 'x')))
      const { count } = await kv.range({ prefix: 'a/', countOnly: true })
      expect(count).toBe(51)
      await admin.changePassword('ann', ann.password)
      const events: KvEvent[] = []
      let created = 0
      kv.watch(
        { prefix: 'a/' },
        { created: () => created++, batch: (batch) => void events.push(...batch.events) },
      )
      await vi.waitFor(() => expect(created).toBe(1), waitOptions)
      await kv.put('a/seen', 'x')
      await vi.waitFor(() => expect(events.length).toBe(1), waitOptions)
      const refused = new Promise((resolve) => {
        kv.watch({ prefix: 'b/' }, { batch: () => undefined, ended: resolve })
      })
      expect(String(await refused)).toContain('etcdserver: permission denied')
    },
  )

  test.skipIf(isSkipped)(
    'users and roles are managed, and a client with a user works where permissions are off',
    async () => {
      const options = await openCluster()
      await using admin = await connectAuth({ ...options, user: root })
      expect(await admin.users()).toEqual(['ann', 'bob', 'root'])
      expect(await admin.roles()).toEqual(['below'])
      expect(await admin.rolesOf('ann')).toEqual(['below'])
      await admin.grantPermission('below', 'read', { key: 'b', rangeEnd: 'c' })
      await admin.grantPermission('below', 'write', { prefix: '' })
      await admin.revokePermission('below', { key: 'b', rangeEnd: 'c' })
      const permissions = await admin.permissionsOf('below')
      const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
      expect(
        permissions.map(({ kind, key, rangeEnd }) => [kind, text(key), text(rangeEnd)]),
      ).toEqual([
        ['write', '\0', '\0'],
        ['readWrite', 'a/', 'a0'],
      ])
      await expect(admin.deleteUser('root')).rejects.toMatchObject({
        code: 'INVALID_AUTH_MANAGEMENT',
      })
      await admin.revokeRole('ann', 'below')
      await admin.deleteRole('below')
      await admin.deleteUser('bob')
      expect([await admin.users(), await admin.roles()]).toEqual([['ann', 'root'], []])
      await admin.disable()
      const kv = await openSigned({ ...options, user: ann })
      await kv.put('anything', 'x')
    },
  )
})
