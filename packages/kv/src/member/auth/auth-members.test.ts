// Users and roles over the life of a cluster: restarts, snapshots, followers, and permissions that come into force in the middle of writes.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { freePorts } from '../../../../../test/free-ports.ts'
import { putRequestOf, rangeRequestOf } from '../../client/convert.ts'
import {
  encodeAuthRequest,
  encodePutRequest,
  encodeRangeRequest,
  type AuthRequest,
  type AuthRequestName,
} from '../../proto/index.ts'
import type { MemberOptions } from '../member-options.ts'
import { openMember, type Member } from '../open-member.ts'
import { ask } from '../testing/test-member.ts'
import type { MemberApi } from '../types.ts'
import type { AuthCall, AuthResponses } from './auth-api.ts'

const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})
const waitOptions = { timeout: 20_000, interval: 20 }
const bcryptCost = 4

async function openAlone(options: MemberOptions = {}): Promise<Member> {
  const member = await openMember({ bcryptCost, ...options })
  cleanUps.push(() => member.close())
  return member
}

async function openThree(): Promise<Member[]> {
  const directory = await mkdtemp(join(tmpdir(), 'balsa-auth-'))
  cleanUps.push(() => rm(directory, { recursive: true, force: true }))
  const urls = (await freePorts(3)).map((port) => `http://127.0.0.1:${port}`)
  const initialCluster = urls.map((url, i) => `m${i}=${url}`).join(',')
  const members: Member[] = []
  for (const [i, url] of urls.entries()) {
    const dataDir = join(directory, `m${i}`)
    members.push(await openAlone({ name: `m${i}`, dataDir, listenPeerUrls: [url], initialCluster }))
  }
  await Promise.all(members.map((member) => member.ready()))
  return members
}

function call<Name extends AuthCall>(
  api: MemberApi,
  name: Name,
  message: AuthRequestName,
  request: AuthRequest = {},
): Promise<AuthResponses[Name]> {
  return ask((done) => api.auth.call(name, encodeAuthRequest(message, request), done))
}

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

/** Root, and ann who may do all below a/. */
async function addUsers(api: MemberApi): Promise<void> {
  await call(api, 'userAdd', 'AuthUserAddRequest', { name: 'root', password: 'r' })
  await call(api, 'userGrantRole', 'AuthUserGrantRoleRequest', { user: 'root', role: 'root' })
  await call(api, 'userAdd', 'AuthUserAddRequest', { name: 'ann', password: 'a' })
  await call(api, 'roleAdd', 'AuthRoleAddRequest', { name: 'below a' })
  const perm = { permType: 2, key: bytes('a/'), rangeEnd: bytes('a0') }
  await call(api, 'roleGrantPermission', 'AuthRoleGrantPermissionRequest', {
    name: 'below a',
    perm,
  })
  await call(api, 'userGrantRole', 'AuthUserGrantRoleRequest', { user: 'ann', role: 'below a' })
}

async function enable(api: MemberApi): Promise<void> {
  await call(api, 'enable', 'AuthEnableRequest')
}

async function login(api: MemberApi, name: string, password: string): Promise<MemberApi> {
  const { token } = await call(api, 'authenticate', 'AuthenticateRequest', { name, password })
  return api.as({ token })
}

function put(api: MemberApi, key: string): Promise<unknown> {
  return ask((done) => api.put(encodePutRequest(putRequestOf(key, 'v')), done))
}

function range(api: MemberApi, key: string, serializable = false): Promise<unknown> {
  return ask((done) => api.range(encodeRangeRequest(rangeRequestOf({ key, serializable })), done))
}

test('a member that is started again knows its users, and not their tokens', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'balsa-auth-'))
  cleanUps.push(() => rm(dataDir, { recursive: true, force: true }))
  const before = await openAlone({ dataDir })
  await addUsers(before.api)
  await enable(before.api)
  const annBefore = await login(before.api, 'ann', 'a')
  await put(annBefore, 'a/1')
  await before.close()
  const { api, kv } = await openAlone({ dataDir })
  await expect(put(api, 'a/1')).rejects.toMatchObject({ code: 'USER_EMPTY' })
  await expect(login(api, 'ann', 'wrong')).rejects.toMatchObject({ code: 'AUTH_FAILED' })
  const ann = await login(api, 'ann', 'a')
  await put(ann, 'a/2')
  await expect(put(ann, 'b')).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
  await expect(range(ann, 'b', true)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
  // The program around the member is its owner.
  await kv.put('b', 'owner')
  const root = await login(api, 'root', 'r')
  const { users } = await call(root, 'userList', 'AuthUserListRequest')
  expect(users).toEqual(['ann', 'root'])
})

test('a token is good on every member, also on one that has not heard of it yet', async () => {
  const [one, two, three] = await openThree()
  const { api } = one!
  await addUsers(api)
  await enable(api)
  for (let i = 0; i < 10; i++) {
    const { token } = await call(api, 'authenticate', 'AuthenticateRequest', {
      name: 'ann',
      password: 'a',
    })
    // At once: followers may be an entry behind.
    await Promise.all([two, three].map((member) => range(member!.api.as({ token }), 'a/1', true)))
  }
})

test('permissions that come into force between writes do so at the same write on all members', async () => {
  const members = await openThree()
  await addUsers(members[0]!.api)
  let enabling: Promise<void> | undefined
  const outcomes: string[] = []
  await Promise.all(
    members.map(async ({ api }, at) => {
      for (let i = 0; i < 100; i++) {
        if (at === 0 && i === 20) enabling = enable(api)
        const outcome = await put(api, `k/${at}/${i}`).then(
          () => 'done',
          (reason: { code: string }) => reason.code,
        )
        outcomes.push(outcome)
      }
    }),
  )
  await enabling
  expect(new Set(outcomes)).toEqual(new Set(['done', 'USER_EMPTY']))
  const root = await login(members[0]!.api, 'root', 'r')
  await put(root, 'last')
  await vi.waitFor(async () => {
    const { token } = await call(members[0]!.api, 'authenticate', 'AuthenticateRequest', {
      name: 'root',
      password: 'r',
    })
    const answers = await Promise.all(
      members.map(({ api }) =>
        ask<{ hash: number }>((done) => api.as({ token }).maintenance.hash(done)),
      ),
    )
    expect(new Set(answers.map(({ hash }) => hash)).size).toBe(1)
  }, waitOptions)
  const { pairs } = await members[1]!.kv.range({ prefix: 'k/', keysOnly: true })
  expect(pairs.length).toBe(outcomes.filter((outcome) => outcome === 'done').length)
})

test('a write is refused whose caller was known before users and roles changed', async () => {
  const { api, kv } = await openAlone({
    memory: true,
    authToken: 'simple',
  })
  await addUsers(api)
  await enable(api)
  const ann = await login(api, 'ann', 'a')
  const root = await login(api, 'root', 'r')
  // Both are on their way at once, the change first.
  const change = call(root, 'userRevokeRole', 'AuthUserRevokeRoleRequest', {
    name: 'ann',
    role: 'below a',
  })
  const write = put(ann, 'a/1')
  await change
  await expect(write).rejects.toMatchObject({ code: 'AUTH_OLD_REVISION' })
  await expect(put(ann, 'a/1')).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
  expect(await kv.get('a/1')).toBeUndefined()
})

test('a lease that expires takes its keys with it, whoever wrote them', async () => {
  const { api, kv } = await openAlone({ memory: true, electionTimeoutMs: 500 })
  await addUsers(api)
  await enable(api)
  const { id } = await kv.grantLease(1)
  await kv.put('a/leased', 'x', { lease: id })
  await vi.waitFor(async () => expect(await kv.get('a/leased')).toBeUndefined(), waitOptions)
})

test('the name on a client certificate is a user without a password, and a token wins over it', async () => {
  const { api } = await openAlone({ memory: true })
  await addUsers(api)
  await enable(api)
  await put(api.as({ commonName: 'ann' }), 'a/1')
  await expect(put(api.as({ commonName: 'ann' }), 'b')).rejects.toMatchObject({
    code: 'PERMISSION_DENIED',
  })
  await expect(put(api.as({ commonName: 'nobody' }), 'a/1')).rejects.toMatchObject({
    code: 'PERMISSION_DENIED',
  })
  const unknown = api.as({ commonName: 'nobody' })
  await expect(ask((done) => unknown.defragment(done))).rejects.toMatchObject({
    code: 'USER_NOT_FOUND',
  })
  const bad = api.as({ token: 'abcdefghijklmnop.1', commonName: 'root' })
  await expect(put(bad, 'a/1')).rejects.toMatchObject({ code: 'INVALID_AUTH_TOKEN' })
})

test('a user may look at alarms; hash, defragment and compaction are for root', async () => {
  const { api } = await openAlone({ memory: true })
  await addUsers(api)
  await enable(api)
  const ann = await login(api, 'ann', 'a')
  const root = await login(api, 'root', 'r')
  const get = new Uint8Array(0)
  await ask((done) => ann.maintenance.alarm(get, done))
  await expect(ask((done) => ann.defragment(done))).rejects.toMatchObject({
    code: 'PERMISSION_DENIED',
  })
  await ask((done) => root.defragment(done))
  expect(() => ann.maintenance.snapshot()).toThrow('etcdserver: permission denied')
  root.maintenance.snapshot().release()
})
