// Our client to a member behind TLS, by name and password, over both wires and in the member itself: keys, watches, sessions, members,
// alarms.
import { connect, connectAuth, openSession } from '@balsa/kv/client'
import type { ConnectOptions, Kv } from '@balsa/kv/client'
import { lock } from '@balsa/kv/recipes'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTlsBalsaMember } from './balsa-member.ts'
import type { TlsBalsaMember } from './balsa-member.ts'
import { waitFor } from './balsa-process.ts'
import { GrpcServices } from './grpc-services.ts'
import * as grpc from '@grpc/grpc-js'

const password = 'secret of root'

describe.each(['native', 'grpc'] as const)('a client over TLS on the %s wire', (protocol) => {
  let balsa: TlsBalsaMember
  let options: ConnectOptions
  let kv: Kv
  beforeAll(async () => {
    balsa = await openTlsBalsaMember()
    const tls = { ca: balsa.ca, ...balsa.client }
    // The first endpoint is dead: the second takes over.
    options = { endpoints: ['https://127.0.0.1:1', balsa.url], protocol, tls }
    await using auth = await connectAuth(options)
    await auth.addUser('root', password)
    await auth.addRole('root')
    await auth.grantRole('root', 'root')
    await auth.enable()
    kv = await connect({ ...options, user: { name: 'root', password } })
  })
  afterAll(async () => {
    await kv.close()
    await balsa[Symbol.asyncDispose]()
  })

  test('who has no certificate of the authority, or no name, is refused', async () => {
    const { ca } = balsa
    const anonymous = { ...options, endpoints: balsa.url, tls: { ca }, connectTimeoutMs: 500 }
    await expect(connect(anonymous)).rejects.toMatchObject({ code: 'TIMEOUT' })
    await using nobody = await connect(options)
    await expect(nobody.put('a', 'x')).rejects.toThrow(/permission denied|user name/)
    const wrong = connect({ ...options, user: { name: 'root', password: 'wrong' } })
    await expect(wrong).rejects.toThrow('authentication failed')
  })

  test('keys, watches, sessions and locks work', async () => {
    const seen: string[] = []
    await using watch = kv.watch(
      { prefix: 's/', startRevision: 1 },
      { batch: ({ events }) => seen.push(...events.map(({ kv: pair }) => String(pair.version))) },
    )
    await using session = await openSession(kv)
    await session.once.put('s/a', 'x')
    await using held = await lock(session, 'mutex')
    expect(
      (await kv.txn({ if: [held.isMine], then: [{ op: 'put', key: 's/a', value: 'y' }] }))
        .succeeded,
    ).toBe(true)
    await waitFor('both events', () => seen.length === 2)
    expect(seen).toEqual(['1', '2'])
    watch.close()
  })

  test('members are added, changed and removed', async () => {
    const [self] = await kv.cluster.members()
    const added = await kv.cluster.add(['http://127.0.0.1:1'], { learner: true })
    expect(added).toMatchObject({ name: '', isLearner: true, peerUrls: ['http://127.0.0.1:1'] })
    const changed = await kv.cluster.update(added.id, ['http://127.0.0.1:2'])
    expect(changed.map(({ peerUrls }) => peerUrls[0])).toContain('http://127.0.0.1:2')
    await expect(kv.cluster.promote(added.id)).rejects.toThrow('in sync with leader')
    await expect(kv.cluster.moveLeader(added.id)).rejects.toMatchObject({ code: 'BAD_TRANSFEREE' })
    expect(await kv.cluster.remove(added.id)).toEqual([self])
    await expect(kv.cluster.remove(added.id)).rejects.toMatchObject({ code: 'MEMBER_NOT_FOUND' })
  })

  test('alarms are seen and cleared', async () => {
    const { memberId } = await kv.status()
    const credentials = grpc.credentials.createSsl(
      Buffer.from(balsa.ca),
      Buffer.from(balsa.client.key),
      Buffer.from(balsa.client.cert),
    )
    using services = new GrpcServices(balsa.url, credentials)
    const { token } = await services.unary('Auth.Authenticate', { name: 'root', password })
    const metadata = new grpc.Metadata()
    metadata.set('token', String(token))
    const alarm = { action: 'ACTIVATE', memberID: String(memberId), alarm: 'NOSPACE' }
    await services.unary('Maintenance.Alarm', alarm, metadata)
    expect(await kv.maintenance.alarms()).toEqual([{ memberId, alarm: 'noSpace' }])
    await expect(kv.put('a', 'x')).rejects.toMatchObject({ code: 'NO_SPACE' })
    await kv.maintenance.clearAlarm({ memberId, alarm: 'noSpace' })
    expect(await kv.maintenance.alarms()).toEqual([])
    await kv.put('a', 'x')
    await kv.maintenance.defragment()
  })
})
