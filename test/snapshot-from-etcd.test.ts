// Out of etcd into Balsa: `balsa kv snapshot` takes and restores snapshots of real etcd, with what Debian's etcdctl says beside it.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openMember, type Kv } from '@balsa/kv'
import { connect } from '@balsa/kv/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runBalsa, waitFor, type Finished } from './balsa-process.ts'
import { startEtcd, type EtcdProcess } from './etcd-process.ts'
import { etcdctl } from './etcdctl-tool.ts'
import { freePorts } from './free-ports.ts'
import { pairsOf } from './store-contents.ts'
import { missing } from './tools.ts'

const snapshot = (...args: readonly string[]): Promise<Finished> =>
  runBalsa(['kv', 'snapshot', ...args])
const isLog = /^\{"level":"info".*\n/gm

async function fill(kv: Kv): Promise<bigint> {
  const { id: lease } = await kv.grantLease(1000)
  for (let i = 0; i < 400; i++) await kv.put(`key ${i % 120}`, `${i} `.repeat(150))
  await kv.put('leased', 'x', { lease })
  await kv.put('leased too', 'x', { lease })
  await kv.delete('key 1', { prefix: true })
  await kv.compact(150)
  await kv.put('large', 'x'.repeat(1_000_000))
  await kv.put('\0\xff', new Uint8Array(0))
  await kv.delete('key 2')
  return lease
}

describe.skipIf(missing('etcd', 'etcdctl'))('a snapshot of etcd', () => {
  let folder: string
  let file: string
  let etcd: EtcdProcess
  let source: Kv
  let lease: bigint
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'balsa-restore-'))
    file = join(folder, 'etcd.db')
    etcd = await startEtcd()
    source = await connect({ endpoints: etcd.url, protocol: 'grpc' })
    lease = await fill(source)
    await etcdctl(etcd.url, 'snapshot', 'save', file)
  })
  afterAll(async () => {
    await source.close()
    await etcd[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  async function restored(dataDir: string, ...flags: readonly string[]): Promise<void> {
    const { code, stderr } = await snapshot('restore', file, '--data-dir', dataDir, ...flags)
    expect([code, stderr.replaceAll(isLog, '')]).toEqual([0, ''])
    expect(stderr).toContain('"msg":"restored snapshot"')
  }

  test('becomes a member with the same pairs, history, leases and hash, which goes on from there', async () => {
    const dataDir = join(folder, 'alone')
    await restored(dataDir)
    const { hash, revision } = await source.hashKv()
    for (const isAgain of [false, true]) {
      await using member = await openMember({ dataDir })
      const { kv } = member
      if (isAgain) {
        expect(await kv.get('after')).toMatchObject({ modRevision: revision + 1, version: 1 })
        continue
      }
      expect(await kv.hashKv()).toMatchObject({ hash, revision, compactRevision: 150 })
      expect(await pairsOf(kv)).toEqual(await pairsOf(source))
      const past = { prefix: '', revision: 200 }
      expect(await pairsOf(kv, past)).toEqual(await pairsOf(source, past))
      await expect(kv.get('key 3', { revision: 149 })).rejects.toMatchObject({ code: 'COMPACTED' })
      expect(await kv.leases()).toEqual([lease])
      const life = await kv.leaseTimeToLive(lease, { keys: true })
      const keys = life.keys.map((key) => Buffer.from(key).toString())
      expect([life.grantedTtlSeconds, keys]).toEqual([1000, ['leased', 'leased too']])
      expect(await kv.put('after', 'x')).toMatchObject({ revision: revision + 1 })
      await kv.revokeLease(lease)
      expect(await kv.get('leased')).toBeUndefined()
    }
  })

  test('becomes a cluster of three when each of them is restored', async () => {
    const ports = await freePorts(3)
    const urls = ports.map((port) => `http://127.0.0.1:${port}`)
    const initialCluster = urls.map((url, i) => `m${i}=${url}`).join(',')
    await Promise.all(
      urls.map((url, i) => {
        const own = ['--name', `m${i}`, '--initial-advertise-peer-urls', url]
        const all = ['--initial-cluster', initialCluster, '--initial-cluster-token', 'restored']
        return restored(join(folder, `m${i}`), ...own, ...all)
      }),
    )
    const members = await Promise.all(
      urls.map((url, i) =>
        openMember({
          name: `m${i}`,
          dataDir: join(folder, `m${i}`),
          listenPeerUrls: [url],
          initialCluster,
          initialClusterToken: 'restored',
        }),
      ),
    )
    try {
      const { hash, revision } = await source.hashKv()
      await Promise.all(members.map((member) => member.ready()))
      for (const { kv } of members) expect(await kv.hashKv()).toMatchObject({ hash, revision })
      await members[1]?.kv.put('after', 'x')
      for (const { kv } of members) {
        await waitFor('the put on every member', async () => {
          const after = await kv.get('after', { serializable: true })
          return after?.modRevision === revision + 1
        })
      }
      const hashes = await Promise.all(members.map(({ kv }) => kv.hashKv()))
      expect(new Set(hashes.map((one) => one.hash)).size).toBe(1)
    } finally {
      await Promise.all(members.map((member) => member.close()))
    }
  })

  test('goes back to etcd from there', async () => {
    const dataDir = join(folder, 'there')
    await restored(dataDir)
    await using member = await openMember({ dataDir, listenClientUrls: ['http://127.0.0.1:0'] })
    const back = join(folder, 'back.db')
    const saved = await runBalsa([
      'kv',
      '--endpoints',
      member.clientUrls[0] ?? '',
      'snapshot',
      'save',
      back,
    ])
    expect([saved.code, saved.stdout]).toEqual([0, `Snapshot saved at ${back}\n`])
    const [port] = await freePorts(1)
    const peerUrl = `http://127.0.0.1:${port}`
    const target = join(folder, 'etcd again')
    const flags = ['--initial-cluster', `default=${peerUrl}`, '--data-dir', target]
    const restore = ['snapshot', 'restore', back, '--initial-advertise-peer-urls', peerUrl]
    await etcdctl('', ...restore, ...flags)
    await using again = await startEtcd({ dataDir: target, peerUrl })
    await using other = await connect({ endpoints: again.url, protocol: 'grpc' })
    const { hash, revision } = await source.hashKv()
    expect(await other.hashKv()).toMatchObject({ hash, revision })
    expect(await pairsOf(other)).toEqual(await pairsOf(source))
    expect(await other.leases()).toEqual([lease])
  })

  test('is taken by balsa as by etcdctl, and both say the same of it in every format', async () => {
    const own = join(folder, 'own.db')
    const saved = await runBalsa(['kv', '--endpoints', etcd.url, 'snapshot', 'save', own])
    expect([saved.code, saved.stdout]).toEqual([0, `Snapshot saved at ${own}\n`])
    for (const format of ['simple', 'table', 'json', 'fields']) {
      const { stdout } = await snapshot('status', own, '-w', format)
      expect(stdout).toBe(await etcdctl('', 'snapshot', 'status', own, '-w', format))
    }
  })

  test('is refused with etcdctl’s words when it is not whole, and nothing is left behind', async () => {
    const bytes = readFileSync(file)
    const target = join(folder, 'refused')
    const broken = join(folder, 'broken.db')
    const refusalOf = async (content: Buffer, ...flags: readonly string[]): Promise<string> => {
      writeFileSync(broken, content)
      const { code, stderr } = await snapshot('restore', broken, '--data-dir', target, ...flags)
      expect([code, existsSync(target), existsSync(`${target}.restoring`)]).toEqual([
        1,
        false,
        false,
      ])
      return stderr.replaceAll(isLog, '')
    }
    for (const at of [50, 4200, 9000, bytes.length - 5]) {
      const flipped = Buffer.from(bytes)
      flipped[at] = (flipped[at] ?? 0) ^ 4
      expect(await refusalOf(flipped)).toMatch(/^balsa: expected sha256 \[[\d ]+\], got \[[\d ]+\]/)
    }
    const bare = bytes.subarray(0, -32)
    const missingHash = 'balsa: snapshot missing hash but --skip-hash-check=false\n'
    expect(await refusalOf(bare)).toBe(missingHash)
    expect(await refusalOf(bytes.subarray(0, 8192))).toBe(missingHash)
    expect(await refusalOf(bare.subarray(0, -4096), '--skip-hash-check')).toContain('pages take')
    expect(await refusalOf(Buffer.alloc(8192, 7), '--skip-hash-check')).toBe(
      'balsa: invalid database\n',
    )
  })

  test('without a hash, as it lies in a data folder, is taken with --skip-hash-check', async () => {
    const bare = join(folder, 'bare.db')
    writeFileSync(bare, readFileSync(file).subarray(0, -32))
    const dataDir = join(folder, 'from bare')
    const flags = ['--skip-hash-check', '--data-dir', dataDir]
    expect((await snapshot('restore', bare, ...flags)).code).toBe(0)
    await using member = await openMember({ dataDir })
    expect(await member.kv.hashKv()).toMatchObject(await source.hashKv())
  })

  test('can begin at a later revision, where older watches are told that history is compacted', async () => {
    const dataDir = join(folder, 'bumped')
    await restored(dataDir, '--bump-revision', '1000', '--mark-compacted')
    const { revision } = await source.hashKv()
    await using member = await openMember({ dataDir })
    const { kv } = member
    expect((await kv.put('next', 'x')).revision).toBe(revision + 1001)
    expect(await kv.get('key 3')).toEqual(await source.get('key 3'))
    await expect(kv.get('key 3', { revision })).rejects.toMatchObject({ code: 'COMPACTED' })
  })

  test('is restored into no folder that is there, and for no member that the flags contradict', async () => {
    const dataDir = join(folder, 'contradicted')
    const restore = (...flags: readonly string[]): Promise<Finished> =>
      snapshot('restore', file, ...flags)
    const there = await restore('--data-dir', folder)
    expect(there.stderr).toBe(`balsa: data-dir ${JSON.stringify(folder)} exists\n`)
    const cluster = ['--initial-cluster', 'a=http://localhost:2380', '--data-dir', dataDir]
    expect((await restore(...cluster)).stderr).toContain('--initial-cluster')
    expect((await restore('--bump-revision', '5', '--data-dir', dataDir)).stderr).toBe(
      'balsa: --mark-compacted required if --bump-revision\n',
    )
    const missingFile = await snapshot('restore', join(folder, 'none'), '--data-dir', dataDir)
    expect(missingFile.stderr).toContain('none: no such file or directory')
    expect([existsSync(dataDir), there.code, missingFile.code]).toEqual([false, 1, 1])
  })
})
