// A member with users, as a process: it is killed and keeps them, takes JWTs when told so, and npm etcd3 manages its roles.
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Etcd3, Range } from 'etcd3'
import { afterAll, expect, test } from 'vitest'
import { BalsaProcess, run, stopBalsaProcesses, waitFor } from './balsa-process.ts'
import { freePorts } from './free-ports.ts'
import { missing, tools } from './tools.ts'

const folder = mkdtempSync(join(tmpdir(), 'balsa-auth-'))
afterAll(async () => {
  await stopBalsaProcesses()
  rmSync(folder, { recursive: true, force: true })
})

interface Running {
  readonly url: string
  readonly process: BalsaProcess
  readonly argv: readonly string[]
}

async function start(argv: readonly string[], url: string): Promise<Running> {
  const process = new BalsaProcess(argv)
  await waitFor('the member', async () => (await fetch(`${url}/health`)).ok)
  return { url, process, argv }
}

async function startMember(name: string, ...more: string[]): Promise<Running> {
  const [port, peerPort] = await freePorts(2)
  const url = `http://127.0.0.1:${port}`
  const peerUrl = `http://127.0.0.1:${peerPort}`
  const flags = {
    name,
    'data-dir': join(folder, name),
    'listen-client-urls': url,
    'advertise-client-urls': url,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': `${name}=${peerUrl}`,
    'bcrypt-cost': '4',
  }
  const argv = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value])
  return start(['member', ...argv, ...more], url)
}

/** What etcdctl prints. */
async function etcdctl({ url }: Running, user: string, ...argv: string[]): Promise<string> {
  const asUser = user === '' ? [] : ['--user', user]
  const { stdout, stderr } = await run(
    tools.etcdctl ?? 'etcdctl',
    ['--endpoints', url, ...asUser, ...argv],
    { env: { ETCDCTL_API: '3' } },
  )
  return stdout + stderr
}

async function addUsers(member: Running): Promise<void> {
  for (const argv of [
    ['user', 'add', 'root:r'],
    ['user', 'grant-role', 'root', 'root'],
    ['user', 'add', 'ann:a'],
    ['role', 'add', 'below'],
    ['role', 'grant-permission', 'below', '--prefix=true', 'readwrite', 'a/'],
    ['user', 'grant-role', 'ann', 'below'],
    ['auth', 'enable'],
  ]) {
    await etcdctl(member, '', ...argv)
  }
}

async function expectUsers(member: Running): Promise<void> {
  expect(await etcdctl(member, 'ann:a', 'put', 'a/1', 'x')).toBe('OK\n')
  expect(await etcdctl(member, 'ann:a', 'put', 'b', 'x')).toContain('permission denied')
  expect(await etcdctl(member, 'ann:wrong', 'get', 'a/1')).toContain('authentication failed')
  expect(await etcdctl(member, '', 'get', 'a/1')).toContain('user name is empty')
  expect(await etcdctl(member, 'root:r', 'user', 'list')).toBe('ann\nroot\n')
}

test.skipIf(missing('etcdctl'))('a member that is killed has its users again', async () => {
  const member = await startMember('killed')
  await addUsers(member)
  await expectUsers(member)
  member.process.child.kill('SIGKILL')
  await member.process.exited
  await expectUsers(await start(member.argv, member.url))
})

test.skipIf(missing('etcdctl'))(
  'tokens are JWTs where the flag says so, and last through a restart',
  async () => {
    const keyPath = join(folder, 'jwt.pem')
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    writeFileSync(keyPath, privateKey.export({ type: 'pkcs8', format: 'pem' }))
    const flag = `jwt,priv-key=${keyPath},sign-method=RS256,ttl=10m`
    const member = await startMember('signed', '--auth-token', flag)
    await addUsers(member)
    const post = async (
      path: string,
      body: object,
      token = '',
    ): Promise<Record<string, unknown>> => {
      const headers: Record<string, string> = token === '' ? {} : { authorization: token }
      const response = await fetch(member.url + path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers,
      })
      return (await response.json()) as Record<string, unknown>
    }
    const login = { name: 'ann', password: 'a' }
    const { token } = await post('/v3/auth/authenticate', login)
    expect(String(token).split('.').length).toBe(3)
    const put = { key: Buffer.from('a/1').toString('base64') }
    expect(await post('/v3/kv/put', put)).toMatchObject({ error: 'etcdserver: user name is empty' })
    expect(await post('/v3/kv/put', put, String(token))).toHaveProperty('header')
    expect(await post('/v3/kv/put', put, `Bearer ${String(token)}`)).toHaveProperty('header')
    member.process.child.kill('SIGKILL')
    await member.process.exited
    await start(member.argv, member.url)
    expect(await post('/v3/kv/put', put, String(token))).toHaveProperty('header')
    await etcdctl(member, 'root:r', 'role', 'add', 'more')
    expect(await post('/v3/kv/put', put, String(token))).toMatchObject({
      error: 'etcdserver: revision of auth store is old',
    })
    await expectUsers(member)
  },
)

test('npm etcd3 manages roles and users, and works as one of them', async () => {
  const member = await startMember('npm')
  const stranger = new Etcd3({ hosts: member.url })
  const rw = stranger.role('rw_prefix_f')
  await rw.create()
  await expect(rw.create()).rejects.toThrow('role name already exists')
  expect((await stranger.getRoles()).map(({ name }) => name)).toEqual(['rw_prefix_f'])
  await rw.grant({ permission: 'Readwrite', range: Range.prefix('f') })
  expect(await rw.permissions()).toMatchObject([{ permission: 'Readwrite' }])
  const connor = stranger.user('connor')
  await connor.create('password')
  await expect(connor.create('password')).rejects.toThrow('user name already exists')
  await connor.addRole('rw_prefix_f')
  expect((await connor.roles()).map(({ name }) => name)).toEqual(['rw_prefix_f'])
  await stranger.user('root').create('secret')
  await stranger.user('root').addRole('root')
  await stranger.auth.authEnable()
  const asRoot = new Etcd3({ hosts: member.url, auth: { username: 'root', password: 'secret' } })
  const asConnor = new Etcd3({
    hosts: member.url,
    auth: { username: 'connor', password: 'password' },
  })
  try {
    await asConnor.put('foo').value('bar')
    expect(await asConnor.get('foo').string()).toBe('bar')
    await expect(asConnor.put('wut').value('bar')).rejects.toThrow('permission denied')
    await expect(asConnor.watch().key('wut').create()).rejects.toThrow('permission denied')
    const wrong = new Etcd3({ hosts: member.url, auth: { username: 'connor', password: 'no' } })
    await expect(wrong.get('foo')).rejects.toThrow('authentication failed')
    wrong.close()
    // Its tokens are gone: the library asks for a new one by itself.
    await asRoot.auth.userChangePassword({ name: 'connor', password: 'password' })
    expect(
      await asConnor
        .get('foo')
        .string()
        .catch((reason: Error) => reason),
    ).toBe('bar')
    await asRoot.auth.authDisable()
    expect(await stranger.get('foo').string()).toBe('bar')
  } finally {
    for (const client of [stranger, asRoot, asConnor]) client.close()
  }
})
