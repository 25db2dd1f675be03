// Members on real disks and in memory: what survives a restart, and what a wrong option is answered with.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { LevelBackend } from '../backend/level-backend.ts'
import type { MemberOptions } from './member-options.ts'
import { openMember, type Member } from './open-member.ts'

const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'balsa-member-'))
  cleanUps.push(() => rm(path, { recursive: true, force: true }))
  return path
}

async function open(options: MemberOptions): Promise<Member> {
  const member = await openMember(options)
  cleanUps.push(() => member.close())
  return member
}

const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString()

test('a member alone serves reads and writes, and has everything again after a restart', async () => {
  const dataDir = await directory()
  const first = await open({ dataDir })
  const lease = await first.kv.grantLease(100)
  await first.kv.put('a', '1')
  await first.kv.put('b', '2', { lease: lease.id })
  await first.kv.delete('a')
  await first.kv.compact(2)
  const hash = await first.kv.hashKv()
  await first.close()

  const again = await open({ dataDir })
  expect(text((await again.kv.get('b'))?.value)).toBe('2')
  expect(await again.kv.get('a')).toBeUndefined()
  expect(await again.kv.hashKv()).toEqual(hash)
  expect((await again.kv.leaseTimeToLive(lease.id, { keys: true })).keys.map(text)).toEqual(['b'])
  expect((await again.kv.put('c', '3')).revision).toBe(5)
})

test('a member in memory needs no folder', async () => {
  const { kv } = await open({ memory: true })
  await kv.put('a', '1')
  expect(text((await kv.get('a'))?.value)).toBe('1')
  const [member] = await kv.members()
  expect(member).toMatchObject({ name: 'default', isLearner: false })
})

test('a member that listens tells the cluster the port it really took', async () => {
  const member = await open({ memory: true, listenClientUrls: ['http://127.0.0.1:0'] })
  expect(member.clientUrls[0]).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d+$/)
  const [self] = await member.kv.members()
  expect(self?.clientUrls).toEqual(member.clientUrls)
  const metrics = await (await fetch(`${member.clientUrls[0]}/metrics`)).text()
  expect(metrics).toContain('etcd_server_has_leader 1')
  expect(metrics).toContain('etcd_mvcc_put_total')
})

test('a folder in use, of another cluster, or not writable is refused by name', async () => {
  const dataDir = await directory()
  const member = await open({ dataDir })
  await expect(openMember({ dataDir })).rejects.toThrow(/--data-dir .* is in use/)
  await member.close()
  const other = { dataDir, name: 'other', initialClusterToken: 'other' }
  await expect(openMember(other)).rejects.toThrow(/--data-dir .* holds member .* of cluster/)
  const file = join(await directory(), 'file')
  await writeFile(file, '')
  await expect(openMember({ dataDir: file })).rejects.toThrow(/--data-dir .* cannot be used/)
  await expect(openMember({})).rejects.toThrow(/--data-dir is missing/)
})

test("a folder of etcd and tables that are damaged are refused, and etcd's files stay as they were", async () => {
  const etcd = await directory()
  await mkdir(join(etcd, 'member', 'snap'), { recursive: true })
  await writeFile(join(etcd, 'member', 'snap', 'db'), 'bolt')
  await expect(openMember({ dataDir: etcd })).rejects.toThrow('holds data of etcd')
  expect(await readdir(join(etcd, 'member'))).toEqual(['snap'])

  const dataDir = await directory()
  const member = await openMember({ dataDir })
  await member.kv.put('a', '1')
  await member.close()
  const tables = join(dataDir, 'member', 'db')
  await rm(join(tables, 'CURRENT'))
  const cause = `Corruption: ${join(tables, 'CURRENT')} is missing`
  await expect(openMember({ dataDir })).rejects.toThrow(
    `--data-dir '${dataDir}' cannot be opened (${cause}); its tables are damaged`,
  )
  await rm(tables, { recursive: true })
  // The log has everything still.
  const again = await open({ dataDir })
  expect(text((await again.kv.get('a'))?.value)).toBe('1')
})

test('a row that is no pair is refused with the folder it lies in', async () => {
  const dataDir = await directory()
  const member = await openMember({ dataDir })
  await member.kv.put('a', '1')
  await member.close()
  const backend = await LevelBackend.open(join(dataDir, 'member', 'db'))
  const view = backend.view()
  for await (const rows of view.rows('k', 'l')) {
    for (const [key] of rows) backend.put(Buffer.from(key).toString('latin1'), Buffer.from([7]))
  }
  view.release()
  await backend.flush({ sync: true })
  await backend.close()
  await expect(openMember({ dataDir })).rejects.toThrow(`--data-dir '${dataDir}' cannot be opened`)
})

test('a busy client port is refused by name and leaves nothing open', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUps.push(() => new Promise((resolve) => server.close(resolve)))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const dataDir = await directory()
  const options = { dataDir, listenClientUrls: [`http://127.0.0.1:${port}`] }
  await expect(openMember(options)).rejects.toThrow(/--listen-client-urls.*in use/)
  const member = await open({ dataDir })
  expect(member.clientUrls).toEqual([])
})

test('options that contradict each other are refused by name', async () => {
  const memory = true
  const wrong: [MemberOptions, RegExp][] = [
    [{ memory, initialCluster: 'a=http://127.0.0.1:1' }, /--initial-cluster does not name/],
    [{ memory, initialCluster: 'default=nonsense' }, /--initial-cluster has/],
    [
      { memory, initialCluster: 'default=http://h:1,b=http://h:2' },
      /--listen-peer-urls is missing/,
    ],
    [{ memory, electionTimeoutMs: 300 }, /--election-timeout/],
    [{ memory, heartbeatIntervalMs: 0 }, /--heartbeat-interval/],
  ]
  for (const [options, message] of wrong) await expect(openMember(options)).rejects.toThrow(message)
})
