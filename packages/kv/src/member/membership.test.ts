// Changes of the cluster beside those that test/membership.test.ts makes under load: what is refused, who joins, who stops, what learners serve.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { freePorts } from '../../../../test/free-ports.ts'
import { methods, type UnaryMethod } from '../api/services/index.ts'
import {
  decodeRangeResponse,
  encodeDowngradeRequest,
  encodeMemberAddRequest,
  encodeMemberIdRequest,
  encodeMemberUpdateRequest,
  encodeMoveLeaderRequest,
  encodePutRequest,
  encodeRangeRequest,
} from '../proto/index.ts'
import type { MemberAddResponse, MemberListResponse } from '../proto/messages.ts'
import type { MemberOptions } from './member-options.ts'
import { openMember, type Member } from './open-member.ts'
import { ask } from './testing/test-member.ts'

const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

const waitOptions = { timeout: 20_000, interval: 20 }
const times = { heartbeatIntervalMs: 50, electionTimeoutMs: 500 }

interface Place {
  readonly name: string
  readonly url: string
  readonly dataDir: string
}

async function places(count: number): Promise<Place[]> {
  const directory = await mkdtemp(join(tmpdir(), 'balsa-membership-'))
  cleanUps.push(() => rm(directory, { recursive: true, force: true }))
  return (await freePorts(count)).map((port, i) => ({
    name: `m${i}`,
    url: `http://127.0.0.1:${port}`,
    dataDir: join(directory, `m${i}`),
  }))
}

async function open(place: Place, more: Partial<MemberOptions> = {}): Promise<Member> {
  const { name, url, dataDir } = place
  const member = await openMember({
    name,
    dataDir,
    listenPeerUrls: [url],
    // Nobody waits here for five healthy seconds.
    strictReconfigCheck: false,
    ...times,
    ...more,
  })
  cleanUps.push(() => member.close())
  return member
}

function listOf(...list: readonly Place[]): string {
  return list.map(({ name, url }) => `${name}=${url}`).join(',')
}

async function add(member: Member, place: Place, isLearner = false): Promise<bigint> {
  const body = encodeMemberAddRequest({ peerUrls: [place.url], isLearner })
  const { member: added } = await ask<MemberAddResponse>((done) =>
    member.api.cluster.add(body, done),
  )
  return added.id
}

/** A cluster of two, the second one added to the first. */
async function openTwo(
  isLearner = false,
): Promise<{ all: Place[]; first: Member; second: Member }> {
  const all = await places(3)
  const [a, b] = all as [Place, Place, Place]
  const first = await open(a)
  await add(first, b, isLearner)
  const second = await open(b, {
    initialCluster: listOf(a, b),
    initialClusterState: 'existing',
  })
  await second.ready()
  return { all, first, second }
}

test('what makes no sense is refused with the words of etcd', async () => {
  const { all, first, second } = await openTwo()
  const { cluster } = first.api
  const update = (id: bigint, ...peerUrls: string[]): Promise<unknown> =>
    ask((done) => cluster.update(encodeMemberUpdateRequest({ id, peerUrls }), done))
  await expect(add(first, all.at(1)!)).rejects.toThrow('etcdserver: Peer URLs already exists')
  const nonsense = encodeMemberAddRequest({ peerUrls: ['nonsense'], isLearner: false })
  await expect(ask((done) => cluster.add(nonsense, done))).rejects.toThrow(
    'etcdserver: given member URLs are invalid',
  )
  await expect(update(77n, 'http://127.0.0.1:1')).rejects.toThrow('etcdserver: member not found')
  await expect(update(first.id, all.at(1)!.url)).rejects.toThrow('Peer URLs already exists')
  const nobody = encodeMemberIdRequest({ id: 77n })
  await expect(ask((done) => cluster.remove(nobody, done))).rejects.toThrow('member not found')
  await expect(ask((done) => cluster.promote(nobody, done))).rejects.toThrow('member not found')
  const voter = encodeMemberIdRequest({ id: second.id })
  await expect(ask((done) => cluster.promote(voter, done))).rejects.toThrow(
    'etcdserver: can only promote a learner member',
  )
  const toNobody = encodeMoveLeaderRequest({ targetId: 77n })
  await expect(ask((done) => cluster.moveLeader(toNobody, done))).rejects.toThrow(
    'etcdserver: bad leader transferee',
  )
  await expect(ask((done) => second.api.cluster.moveLeader(toNobody, done))).rejects.toThrow(
    'etcdserver: not leader',
  )
})

test('the strict check counts members that have started, and wants a quorum of healthy ones', async () => {
  const [a, b, c] = (await places(3)) as [Place, Place, Place]
  const first = await open(a, { strictReconfigCheck: true })
  await add(first, b)
  await expect(add(first, c)).rejects.toThrow(
    'etcdserver: re-configuration failed due to not enough started members',
  )
  const joins = { initialCluster: listOf(a, b), initialClusterState: 'existing' } as const
  const second = await open(b, joins)
  await second.ready()
  await expect(add(first, c, true)).rejects.toThrow('etcdserver: unhealthy cluster')
})

test('a member joins through any other, and a list that is not that of the cluster is refused', async () => {
  const { all, first, second } = await openTwo()
  const [a, b, c] = all as [Place, Place, Place]
  const joins = { initialClusterState: 'existing' } as const
  await expect(open(c, { ...joins, initialCluster: listOf(a, b, c) })).rejects.toThrow(
    /member count is unequal/,
  )
  const added = await add(second, c)
  await expect(open(c, { ...joins, initialCluster: listOf(a, c) })).rejects.toThrow(
    /member count is unequal/,
  )
  const elsewhere = { ...b, url: 'http://127.0.0.1:1' }
  await expect(open(c, { ...joins, initialCluster: listOf(a, elsewhere, c) })).rejects.toThrow(
    /PeerURLs: no match found for existing member/,
  )
  const third = await open(c, { ...joins, initialCluster: listOf(a, b, c) })
  await third.ready()
  expect(third.id).toBe(added)
  expect(third.clusterId).toBe(first.clusterId)
  await third.kv.put('a', '1')
  const list = await first.kv.members()
  expect(list.map(({ name }) => name).sort()).toEqual(['m0', 'm1', 'm2'])
})

test('data beats flags: a member comes back as who it is, whatever list it is given', async () => {
  const { all, first, second } = await openTwo()
  const [a, b] = all as [Place, Place, Place]
  await second.close()
  const again = await open(b, { initialCluster: listOf(b), initialClusterState: 'new' })
  await again.ready()
  expect(again.id).toBe(second.id)
  await first.close()
  const firstAgain = await open(a, { initialCluster: listOf(a, b) })
  await firstAgain.ready()
  expect(firstAgain.id).toBe(first.id)
  await again.close()
  await expect(open({ ...b, name: 'other' })).rejects.toThrow(/--data-dir .* holds member/)
})

test('a member that was removed while it was down is told so when it comes back', async () => {
  const { all, first, second } = await openTwo()
  const [a, b, c] = all as [Place, Place, Place]
  await add(first, c)
  const initialCluster = listOf(a, b, c)
  const third = await open(c, { initialCluster, initialClusterState: 'existing' })
  await third.ready()
  await third.close()
  const id = encodeMemberIdRequest({ id: third.id })
  await ask((done) => second.api.cluster.remove(id, done))
  const failed = new Promise<Error>((resolve) => {
    void open(c, { initialCluster, initialClusterState: 'existing', onFailed: resolve })
  })
  expect((await failed).message).toBe('the member has been permanently removed from the cluster')
  await expect(ask((done) => first.api.cluster.remove(id, done))).rejects.toThrow(
    'etcdserver: member not found',
  )
  // Its URL is free again, for a member with another id.
  expect(await add(first, c)).not.toBe(third.id)
})

test('a leader that is told to remove itself hands the lead over, and stops', async () => {
  const [a, b] = (await places(2)) as [Place, Place]
  let isStopped: (error: Error) => void = () => undefined
  const stopped = new Promise<Error>((resolve) => {
    isStopped = resolve
  })
  const first = await open(a, { onFailed: (error) => isStopped(error) })
  await add(first, b)
  const joins = { initialCluster: listOf(a, b), initialClusterState: 'existing' } as const
  const second = await open(b, joins)
  await second.ready()
  const self = encodeMemberIdRequest({ id: first.id })
  const left = await ask<MemberListResponse>((done) => first.api.cluster.remove(self, done))
  expect(left.header.memberId).toBe(first.id)
  await second.kv.put('a', '1')
  expect(second.api.leader()).toBe(second.id)
  expect((await stopped).message).toBe('the member has been permanently removed from the cluster')
})

test('a new peer URL is told to all members and reached there', async () => {
  const { all, first, second } = await openTwo()
  const [a, b, c] = all as [Place, Place, Place]
  const update = encodeMemberUpdateRequest({ id: second.id, peerUrls: [c.url] })
  await ask((done) => first.api.cluster.update(update, done))
  await second.close()
  const moved = await open({ ...b, url: c.url }, { initialCluster: listOf(a, b) })
  await moved.ready()
  await moved.kv.put('a', '1')
  await vi.waitFor(async () => {
    const urls = (await first.kv.members()).map(({ peerUrls }) => peerUrls.join())
    expect(urls.sort()).toEqual([a.url, c.url].sort())
  }, waitOptions)
})

test('a learner serves stale reads and its status, nothing else, until it is promoted', async () => {
  const { all, first, second } = await openTwo(true)
  await expect(add(first, all.at(2)!, true)).rejects.toThrow(
    'etcdserver: too many learner members in cluster',
  )
  await first.kv.put('a', '1')
  const call = (name: string, body: Uint8Array): Promise<Uint8Array> => {
    const method = methods.find(({ path }) => path.endsWith(`/${name}`)) as UnaryMethod
    return ask((done) => void method.call(second.api, body, done))
  }
  const key = Buffer.from('a')
  const range = { key, rangeEnd: Buffer.alloc(0) }
  const stale = encodeRangeRequest({ ...rangeDefaults, ...range, serializable: true })
  const refusal = 'etcdserver: rpc not supported for learner'
  await expect(call('Status', new Uint8Array(0))).resolves.toBeDefined()
  await expect(call('Range', stale)).resolves.toBeDefined()
  // Ours: within a bound, which a round to the leader keeps.
  const bounded = encodeRangeRequest({ ...rangeDefaults, ...range, maxStalenessMs: 1000 })
  expect(decodeRangeResponse(await call('Range', bounded)).kvs).toHaveLength(1)
  const refused: [string, Uint8Array][] = [
    ['Range', encodeRangeRequest({ ...rangeDefaults, ...range })],
    ['Put', encodePutRequest({ ...putDefaults, key, value: key })],
    ['MemberList', new Uint8Array(0)],
    ['LeaseLeases', new Uint8Array(0)],
  ]
  for (const [name, body] of refused) {
    await expect((async () => call(name, body))()).rejects.toThrow(refusal)
  }
  const id = encodeMemberIdRequest({ id: second.id })
  await vi.waitFor(() => ask((done) => first.api.cluster.promote(id, done)), waitOptions)
  await vi.waitFor(() => expect(second.api.cluster.isLearner()).toBe(false), waitOptions)
  await expect(call('MemberList', new Uint8Array(0))).resolves.toBeDefined()
})

test('with auto-promotion a learner becomes a voter by itself', async () => {
  const [a, b] = (await places(2)) as [Place, Place]
  const first = await open(a, { learnerAutoPromote: true })
  await add(first, b, true)
  expect(first.api.cluster.members().map(({ isLearner }) => isLearner)).toContain(true)
  const joins = { initialCluster: listOf(a, b), initialClusterState: 'existing' } as const
  const second = await open(b, joins)
  await vi.waitFor(() => {
    const members = first.api.cluster.members()
    expect(members.map(({ isLearner }) => isLearner)).toEqual([false, false])
  }, waitOptions)
  await second.ready()
})

test("the leader settles the cluster's version, and a downgrade goes one minor down", async () => {
  const [a] = (await places(1)) as [Place]
  const { api } = await open(a)
  await vi.waitFor(() => expect(api.cluster.version()).toBe('3.6.0'), waitOptions)
  const downgrade = (action: number, version: string): Promise<{ version: string }> =>
    ask((done) => api.cluster.downgrade(encodeDowngradeRequest({ action, version }), done))
  await expect(downgrade(0, 'x')).rejects.toThrow('wrong downgrade target version format')
  await expect(downgrade(0, '3.4')).rejects.toThrow('invalid downgrade target version')
  await expect(downgrade(2, '')).rejects.toThrow('no inflight downgrade job')
  expect((await downgrade(0, '3.5')).version).toBe('3.6.0')
  expect(api.status().downgradeInfo).toBeUndefined()
  await downgrade(1, '3.5.0')
  expect(api.status().downgradeInfo).toEqual({ enabled: true, targetVersion: '3.5.0' })
  await expect(downgrade(1, '3.5.0')).rejects.toThrow('cluster has a downgrade job in progress')
  await downgrade(2, '')
})

const rangeDefaults = {
  limit: 0,
  revision: 0,
  sortOrder: 0,
  sortTarget: 0,
  serializable: false,
  keysOnly: false,
  countOnly: false,
  minModRevision: 0,
  maxModRevision: 0,
  minCreateRevision: 0,
  maxCreateRevision: 0,
}
const putDefaults = { lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false }
