// Three members over real sockets and folders: writes through any of them, a leader that goes away, equal HashKV everywhere.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import type { KvEvent } from '../kv.ts'
import { freePorts } from '../../../../test/free-ports.ts'
import { openMember, type Member } from './open-member.ts'

const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

interface TestCluster {
  readonly members: Member[]
  open(at: number): Promise<Member>
}

async function openCluster(): Promise<TestCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'balsa-cluster-'))
  cleanUps.push(() => rm(directory, { recursive: true, force: true }))
  const urls = (await freePorts(3)).map((port) => `http://127.0.0.1:${port}`)
  const initialCluster = urls.map((url, i) => `m${i}=${url}`).join(',')
  const members: Member[] = []
  const open = async (at: number): Promise<Member> => {
    const member = await openMember({
      name: `m${at}`,
      dataDir: join(directory, `m${at}`),
      listenPeerUrls: [urls[at] ?? ''],
      initialCluster,
      heartbeatIntervalMs: 50,
      electionTimeoutMs: 500,
    })
    members[at] = member
    cleanUps.push(() => member.close())
    return member
  }
  for (const at of [0, 1, 2]) await open(at)
  await Promise.all(members.map((member) => member.ready()))
  return { members, open }
}

function leaderOf(members: readonly Member[]): Member | undefined {
  return members.find((member) => member.api.leader() === member.id)
}

const waitOptions = { timeout: 20_000, interval: 20 }

async function expectEqualHashes(members: readonly Member[]): Promise<void> {
  await vi.waitFor(async () => {
    const hashes = await Promise.all(members.map((member) => member.kv.hashKv()))
    expect(new Set(hashes.map(({ hash, revision }) => `${hash}@${revision}`)).size).toBe(1)
  }, waitOptions)
}

test('any member takes writes, all see them, and reads are linearizable everywhere', async () => {
  const { members } = await openCluster()
  for (const [i, { kv }] of members.entries()) await kv.put(`key${i}`, String(i))
  for (const { kv } of members) {
    const { pairs } = await kv.range({ prefix: 'key' })
    expect(pairs.map(({ value }) => Buffer.from(value).toString())).toEqual(['0', '1', '2'])
  }
  const listed = await members.at(1)!.kv.members()
  expect(listed.map(({ name }) => name).sort()).toEqual(['m0', 'm1', 'm2'])
  await expectEqualHashes(members)
})

test('leases are kept alive and asked for through followers', async () => {
  const { members } = await openCluster()
  const leader = leaderOf(members)
  const follower = members.find((member) => member !== leader)
  const kv = follower!.kv
  const { id } = await kv.grantLease(30)
  await kv.put('a', '1', { lease: id })
  expect(await kv.keepAliveLease(id)).toBe(30)
  const times = await kv.leaseTimeToLive(id, { keys: true })
  expect(times.grantedTtlSeconds).toBe(30)
  expect(times.keys.map((key) => Buffer.from(key).toString())).toEqual(['a'])
  expect((await kv.leaseTimeToLive(77n)).ttlSeconds).toBe(-1)
  expect(await kv.keepAliveLease(77n)).toBe(0)
})

test('an expired lease is revoked, and followers tell their watchers', async () => {
  const { members } = await openCluster()
  const follower = members.find((member) => member !== leaderOf(members))
  const kv = follower!.kv
  const { id, ttlSeconds } = await kv.grantLease(1)
  expect(ttlSeconds).toBe(1)
  const gone = new Promise<KvEvent>((resolve) => {
    kv.watch({ key: 'a', filters: ['noPut'] }, { batch: ({ events }) => events.map(resolve) })
  })
  await kv.put('a', '1', { lease: id })
  expect((await gone).type).toBe('delete')
  expect(await kv.get('a')).toBeUndefined()
})

test('writing goes on when the leader leaves, and it catches up when it comes back', async () => {
  const { members, open } = await openCluster()
  await members.at(0)!.kv.put('a', '1')
  const leaving = leaderOf(members)
  const at = members.indexOf(leaving!)
  await leaving!.close()
  const others = members.filter((member) => member !== leaving)
  for (let i = 0; i < 50; i++) await others.at(i % 2)!.kv.put(`b${i}`, String(i))
  const back = await open(at)
  await back.ready()
  expect((await back.kv.range({ prefix: 'b', countOnly: true })).count).toBe(50)
  await expectEqualHashes(members)
})

test('a member that is too far behind gets a snapshot, and its watchers miss nothing', async () => {
  const { members, open } = await openCluster()
  const leader = leaderOf(members)
  const late = members.find((member) => member !== leader)
  await late!.close()
  const { kv } = leader!
  const value = new Uint8Array(2 ** 20)
  // More than is kept of the log for those who are behind.
  for (let i = 0; i < 80; i++) await kv.put(`big${i % 4}`, value)
  const { id } = await kv.grantLease(60)
  await kv.put('leased', '1', { lease: id })
  const back = await open(members.indexOf(late!))
  const revisions: number[] = []
  back.kv.watch(
    { prefix: 'big', startRevision: 2 },
    { batch: ({ events }) => revisions.push(...events.map((event) => event.kv.modRevision)) },
  )
  await back.ready()
  expect(await back.api.metrics()).toContain('balsa_snapshots_received_total 1')
  await expectEqualHashes(members)
  const times = await back.kv.leaseTimeToLive(id, { keys: true })
  expect(times.keys.map((key) => Buffer.from(key).toString())).toEqual(['leased'])
  await vi.waitFor(() => expect(revisions).toHaveLength(80), waitOptions)
  expect(revisions).toEqual(Array.from({ length: 80 }, (_, i) => i + 2))
})

test('a member of another cluster is not let in', async () => {
  const [port] = await freePorts(1)
  const url = `http://127.0.0.1:${port}`
  const alone = await openMember({ memory: true, listenPeerUrls: [url] })
  cleanUps.push(() => alone.close())
  const warnings: string[] = []
  const otherUrl = `http://127.0.0.1:${(await freePorts(1))[0]}`
  const other = await openMember({
    name: 'b',
    memory: true,
    listenPeerUrls: [otherUrl],
    initialCluster: `b=${otherUrl},default=${url}`,
    onWarning: (message) => warnings.push(message),
  })
  cleanUps.push(() => other.close())
  await vi.waitFor(() => expect(warnings.join()).toMatch(/cluster/), waitOptions)
  await alone.kv.put('a', '1')
})
