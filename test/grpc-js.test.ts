// Every method of every service of our proto files, called by the usual gRPC library, plain and over TLS; the end of the test asserts that
// none was left out.
import * as grpc from '@grpc/grpc-js'
import { describe, expect, test } from 'vitest'
import { openBalsaMember, openTlsBalsaMember } from './balsa-member.ts'
import { waitFor } from './balsa-process.ts'
import { GrpcServices } from './grpc-services.ts'
import type { Reply } from './grpc-services.ts'

interface Connection extends AsyncDisposable {
  readonly url: string
  readonly credentials: grpc.ChannelCredentials
}

const bytes = (text: string): Buffer => Buffer.from(text)

async function openPlain(): Promise<Connection> {
  const balsa = await openBalsaMember()
  return Object.assign(balsa, { credentials: grpc.credentials.createInsecure() })
}

async function openTls(): Promise<Connection> {
  const balsa = await openTlsBalsaMember()
  const { cert, key } = balsa.client
  const pem = [balsa.ca, key, cert].map((text) => Buffer.from(text))
  return Object.assign(balsa, { credentials: grpc.credentials.createSsl(...pem) })
}

/** Calls methods and remembers which. */
class Caller {
  readonly called = new Set<string>()
  readonly services: GrpcServices
  token: string | undefined

  constructor({ url, credentials }: Connection) {
    this.services = new GrpcServices(url, credentials)
  }

  unary(method: string, request: object = {}): Promise<Reply> {
    this.called.add(method)
    return this.services.unary(method, request, this.metadata())
  }

  async refused(method: string, request: object = {}): Promise<string> {
    return this.unary(method, request).then(
      () => 'it was not refused',
      (reason: grpc.ServiceError) => reason.details,
    )
  }

  metadata(): grpc.Metadata {
    const metadata = new grpc.Metadata()
    if (this.token !== undefined) metadata.set('token', this.token)
    return metadata
  }

  /** Everything that a server-side stream sends, to its end or to `count`. */
  async all(method: string, request: object, count = Number.POSITIVE_INFINITY): Promise<Reply[]> {
    this.called.add(method)
    const replies: Reply[] = []
    const stream = this.services.serverStream(method, request, this.metadata())
    await new Promise<void>((resolve, reject) => {
      stream.on('end', () => resolve())
      stream.on('error', (error) => (replies.length >= count ? resolve() : reject(error)))
      stream.on('data', (reply: Reply) => {
        if (replies.push(reply) < count) return
        stream.cancel()
        resolve()
      })
    })
    return replies
  }
}

for (const [name, open] of [
  ['plain', openPlain],
  ['over TLS', openTls],
] as const) {
  describe(`@grpc/grpc-js ${name}`, () => {
    test('every method of every service answers', async () => {
      await using connection = await open()
      const caller = new Caller(connection)
      await keys(caller)
      await watches(caller)
      await leases(caller)
      await members(caller)
      await maintenance(caller)
      await locks(caller)
      await health(caller)
      await users(caller)
      expect([...caller.called].sort()).toEqual(caller.services.methods)
      caller.services[Symbol.dispose]()
    })
  })
}

async function keys(caller: Caller): Promise<void> {
  const key = bytes('k/1')
  await caller.unary('KV.Put', { key, value: bytes('one') })
  const put = await caller.unary('KV.Put', { key, value: bytes('two'), prev_kv: true })
  expect(put['prev_kv']).toMatchObject({ value: bytes('one'), version: '1' })
  const range = { key: bytes('k/'), range_end: bytes('k0') }
  expect(await caller.unary('KV.Range', range)).toMatchObject({ count: '1', more: false })
  const chunks = await caller.all('KV.RangeStream', range)
  const last = chunks.at(-1)?.['range_response'] as Reply
  expect(last['count']).toBe('1')
  const txn = await caller.unary('KV.Txn', {
    compare: [{ key, target: 'VALUE', result: 'EQUAL', value: bytes('two') }],
    success: [{ request_range: { key } }, { request_put: { key: bytes('k/2'), value: key } }],
  })
  expect(txn).toMatchObject({ succeeded: true, responses: [{}, {}] })
  expect(await caller.unary('KV.DeleteRange', range)).toMatchObject({ deleted: '2' })
  const { revision } = txn['header'] as { revision: string }
  await caller.unary('KV.Compact', { revision, physical: true })
  expect(await caller.refused('KV.Compact', { revision })).toContain('compacted')
}

async function watches(caller: Caller): Promise<void> {
  caller.called.add('Watch.Watch')
  const stream = caller.services.stream('Watch.Watch')
  const replies: Reply[] = []
  stream.on('data', (reply: Reply) => replies.push(reply))
  stream.on('error', () => 'cancelled at the end')
  stream.write({ create_request: { key: bytes('w'), watch_id: '7', prev_kv: true } })
  await waitFor('created', () => replies.length === 1)
  await caller.unary('KV.Put', { key: bytes('w'), value: bytes('x') })
  await waitFor('the event', () => replies.length === 2)
  stream.write({ progress_request: {} })
  await waitFor('progress', () => replies.length === 3)
  stream.write({ cancel_request: { watch_id: '7' } })
  await waitFor('cancelled', () => replies.length === 4)
  expect(replies.map(({ watch_id, created, canceled }) => [watch_id, created, canceled])).toEqual([
    ['7', true, false],
    ['7', false, false],
    ['-1', false, false],
    ['7', false, true],
  ])
  stream.cancel()
}

async function leases(caller: Caller): Promise<void> {
  const { ID } = await caller.unary('Lease.LeaseGrant', { TTL: 60 })
  await caller.unary('KV.Put', { key: bytes('leased'), lease: ID })
  caller.called.add('Lease.LeaseKeepAlive')
  const stream = caller.services.stream('Lease.LeaseKeepAlive')
  const kept = new Promise<Reply>((resolve) => stream.once('data', resolve))
  stream.on('error', () => 'cancelled below')
  stream.write({ ID })
  expect(await kept).toMatchObject({ ID, TTL: '60' })
  stream.cancel()
  const life = await caller.unary('Lease.LeaseTimeToLive', { ID, keys: true })
  expect(life).toMatchObject({ grantedTTL: '60', keys: [bytes('leased')] })
  expect(await caller.unary('Lease.LeaseLeases')).toMatchObject({ leases: [{ ID }] })
  await caller.unary('Lease.LeaseRevoke', { ID })
  expect(await caller.refused('Lease.LeaseRevoke', { ID })).toContain('lease not found')
}

async function members(caller: Caller): Promise<void> {
  const list = await caller.unary('Cluster.MemberList', { linearizable: true })
  const [self] = list['members'] as { ID: string; peerURLs: string[] }[]
  const peerURLs = ['http://127.0.0.1:1']
  const added = await caller.unary('Cluster.MemberAdd', { peerURLs, isLearner: true })
  const { ID } = added['member'] as { ID: string }
  const update = { ID, peerURLs: ['http://127.0.0.1:2'] }
  const updated = await caller.unary('Cluster.MemberUpdate', update)
  expect(updated['members']).toHaveLength(2)
  expect(await caller.refused('Cluster.MemberPromote', { ID })).toContain('in sync with leader')
  const removed = await caller.unary('Cluster.MemberRemove', { ID })
  expect(removed['members']).toMatchObject([{ ID: self?.ID }])
  expect(await caller.refused('Cluster.MemberRemove', { ID })).toContain('member not found')
}

async function maintenance(caller: Caller): Promise<void> {
  const status = await caller.unary('Maintenance.Status')
  expect(status).toMatchObject({ errors: [], isLearner: false })
  const alarm = { memberID: status['leader'], alarm: 'NOSPACE' }
  await caller.unary('Maintenance.Alarm', { ...alarm, action: 'ACTIVATE' })
  expect(await caller.refused('KV.Put', { key: bytes('x') })).toContain('space exceeded')
  await caller.unary('Maintenance.Alarm', { ...alarm, action: 'DEACTIVATE' })
  expect(await caller.unary('Maintenance.Alarm', {})).toMatchObject({ alarms: [] })
  await caller.unary('Maintenance.Defragment')
  const { hash } = await caller.unary('Maintenance.Hash')
  expect(hash).toBeGreaterThan(0)
  expect((await caller.unary('Maintenance.HashKV'))['hash']).toBeGreaterThan(0)
  const blobs = await caller.all('Maintenance.Snapshot', {})
  const size = blobs.reduce((sum, { blob }) => sum + (blob as Buffer).length, 0)
  expect(size % 512).toBe(32)
  expect(await caller.refused('Maintenance.MoveLeader', { targetID: '1' })).toContain('transferee')
  const downgrade = { action: 'VALIDATE', version: 'no version' }
  expect(await caller.refused('Maintenance.Downgrade', downgrade)).toContain('version format')
}

async function locks(caller: Caller): Promise<void> {
  const name = bytes('n')
  const { key } = await caller.unary('Lock.Lock', { name })
  await caller.unary('Lock.Unlock', { key })
  const { leader } = await caller.unary('Election.Campaign', { name, value: bytes('me') })
  await caller.unary('Election.Proclaim', { leader, value: bytes('still me') })
  const told = { kv: { value: bytes('still me') } }
  expect(await caller.unary('Election.Leader', { name })).toMatchObject(told)
  expect(await caller.all('Election.Observe', { name }, 1)).toMatchObject([told])
  await caller.unary('Election.Resign', { leader })
  expect(await caller.refused('Election.Leader', { name })).toBe('election: no leader')
}

async function health(caller: Caller): Promise<void> {
  expect(await caller.unary('Health.Check')).toEqual({ status: 'SERVING' })
  expect(await caller.all('Health.Watch', {}, 1)).toEqual([{ status: 'SERVING' }])
}

async function users(caller: Caller): Promise<void> {
  expect(await caller.unary('Auth.AuthStatus')).toMatchObject({ enabled: false })
  for (const name of ['root', 'ann']) {
    await caller.unary('Auth.UserAdd', { name, password: 'secret' })
    await caller.unary('Auth.RoleAdd', { name })
    await caller.unary('Auth.UserGrantRole', { user: name, role: name })
  }
  const perm = { permType: 'READ', key: bytes('a') }
  await caller.unary('Auth.RoleGrantPermission', { name: 'ann', perm })
  expect(await caller.unary('Auth.RoleGet', { role: 'ann' })).toMatchObject({ perm: [perm] })
  expect(await caller.unary('Auth.UserGet', { name: 'ann' })).toMatchObject({ roles: ['ann'] })
  expect((await caller.unary('Auth.UserList'))['users']).toEqual(['ann', 'root'])
  expect((await caller.unary('Auth.RoleList'))['roles']).toEqual(['ann', 'root'])
  await caller.unary('Auth.AuthEnable')
  const signedIn = await caller.unary('Auth.Authenticate', { name: 'root', password: 'secret' })
  expect(await caller.refused('KV.Put', { key: bytes('a') })).toMatch(/user name is empty|denied/)
  caller.token = String(signedIn['token'])
  await caller.unary('KV.Put', { key: bytes('a') })
  await caller.unary('Auth.UserChangePassword', { name: 'ann', password: 'new' })
  await caller.unary('Auth.RoleRevokePermission', { role: 'ann', key: bytes('a') })
  await caller.unary('Auth.UserRevokeRole', { name: 'ann', role: 'ann' })
  await caller.unary('Auth.RoleDelete', { role: 'ann' })
  await caller.unary('Auth.UserDelete', { name: 'ann' })
  await caller.unary('Auth.AuthDisable')
  expect(await caller.unary('Auth.AuthStatus')).toMatchObject({ enabled: false })
}
