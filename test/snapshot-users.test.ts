// Users, roles and alarms move with a snapshot, from etcd to Balsa and from Balsa to etcd: Debian's etcdctl sees the same on both.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openMember } from '@balsa/kv'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run, runBalsa } from './balsa-process.ts'
import { openBalsaMember } from './balsa-member.ts'
import { startEtcd } from './etcd-process.ts'
import { etcdctl } from './etcdctl-tool.ts'
import { freePorts } from './free-ports.ts'
import { missing, tools } from './tools.ts'

const root = ['--user', 'root:secret'] as const

async function fill(url: string): Promise<void> {
  await etcdctl(url, 'put', 'shared/a', '1')
  await etcdctl(url, 'put', 'own', '2')
  for (const role of ['reader', 'writer']) await etcdctl(url, 'role', 'add', role)
  const grant = ['role', 'grant-permission'] as const
  await etcdctl(url, ...grant, '--prefix=true', 'reader', 'read', 'shared/')
  await etcdctl(url, ...grant, 'writer', 'readwrite', 'own')
  await etcdctl(url, 'user', 'add', 'root:secret')
  await etcdctl(url, 'user', 'grant-role', 'root', 'root')
  await etcdctl(url, 'user', 'add', 'anna:word')
  await etcdctl(url, 'user', 'grant-role', 'anna', 'reader')
  await etcdctl(url, 'user', 'grant-role', 'anna', 'writer')
  await etcdctl(url, 'user', 'add', 'berta', '--no-password')
  const alarm = { action: 'ACTIVATE', memberID: '4711', alarm: 'NOSPACE' }
  const body = JSON.stringify(alarm)
  expect((await fetch(`${url}/v3/maintenance/alarm`, { method: 'POST', body })).status).toBe(200)
  await etcdctl(url, 'auth', 'enable')
}

/** Everything etcdctl says about users and alarms, also what is refused. */
async function seen(url: string): Promise<unknown[]> {
  const anna = ['--user', 'anna:word'] as const
  const commands: readonly (readonly string[])[] = [
    [...root, 'user', 'list'],
    [...root, 'user', 'get', 'anna', '--detail'],
    [...root, 'user', 'get', 'berta'],
    [...root, 'role', 'list'],
    [...root, 'role', 'get', 'reader'],
    [...root, 'role', 'get', 'writer'],
    [...root, 'alarm', 'list'],
    [...root, 'put', 'own', '3'],
    [...anna, 'get', 'shared/', '--prefix'],
    [...anna, 'get', 'own'],
    [...anna, 'get', 'another'],
    [...anna, 'put', 'shared/a', '3'],
    ['--user', 'anna:wrong', 'get', 'own'],
    ['get', 'own'],
    [...root, 'auth', 'disable'],
    ['get', 'own'],
  ]
  const results: unknown[] = []
  const env = { ETCDCTL_API: '3', ETCDCTL_ENDPOINTS: url }
  for (const command of commands) {
    const { code, stdout, stderr } = await run(tools.etcdctl ?? 'etcdctl', command, { env })
    const said = stderr.replaceAll(/^\{"level":.*\n/gm, '')
    results.push([command.join(' '), code, stdout, said])
  }
  return results
}

describe.skipIf(missing('etcd', 'etcdctl'))('users, roles and alarms', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'balsa-users-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('come along from etcd to Balsa', async () => {
    await using etcd = await startEtcd()
    await fill(etcd.url)
    const file = join(folder, 'etcd.db')
    await etcdctl(etcd.url, ...root, 'snapshot', 'save', file)
    const dataDir = join(folder, 'balsa')
    const restored = await runBalsa(['kv', 'snapshot', 'restore', file, '--data-dir', dataDir])
    expect([restored.code, restored.stdout]).toEqual([0, ''])
    await using member = await openMember({ dataDir, listenClientUrls: ['http://127.0.0.1:0'] })
    const expected = await seen(etcd.url)
    expect(await seen(member.clientUrls[0] ?? '')).toEqual(expected)
  })

  test('come along from Balsa to etcd', async () => {
    await using balsa = await openBalsaMember()
    await fill(balsa.url)
    const file = join(folder, 'balsa.db')
    await etcdctl(balsa.url, ...root, 'snapshot', 'save', file)
    const [port] = await freePorts(1)
    const peerUrl = `http://127.0.0.1:${port}`
    const dataDir = join(folder, 'etcd')
    const flags = ['--initial-cluster', `default=${peerUrl}`, '--data-dir', dataDir]
    const own = ['--initial-advertise-peer-urls', peerUrl]
    await etcdctl('', 'snapshot', 'restore', file, ...own, ...flags)
    await using etcd = await startEtcd({ dataDir, peerUrl })
    const expected = await seen(balsa.url)
    expect(await seen(etcd.url)).toEqual(expected)
  })
})
