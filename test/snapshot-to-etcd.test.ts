// Out of Balsa into etcd: Debian's etcdctl takes a snapshot of Balsa, and etcd boots from it.
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openMember } from '@balsa/kv'
import { connect } from '@balsa/kv/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startEtcd } from './etcd-process.ts'
import { etcdctl } from './etcdctl-tool.ts'
import { freePorts } from './free-ports.ts'
import { pairsOf } from './store-contents.ts'
import { missing } from './tools.ts'

type Member = Awaited<ReturnType<typeof openMember>>

describe.skipIf(missing('etcd', 'etcdctl'))('a snapshot of Balsa', () => {
  let folder: string
  let member: Member
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'balsa-snapshot-'))
    const dataDir = join(folder, 'balsa')
    member = await openMember({ dataDir, listenClientUrls: ['http://127.0.0.1:0'] })
  })
  afterAll(async () => {
    await member.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const urlOf = ({ clientUrls }: Member): string => clientUrls[0] ?? ''

  test('is what etcd boots from, with keys, history and leases', async () => {
    const { kv } = member
    const { id: lease } = await kv.grantLease(1000)
    for (let i = 0; i < 300; i++) await kv.put(`key ${i % 100}`, `${i} `.repeat(200))
    await kv.put('leased', 'x', { lease })
    await kv.delete('key 1', { prefix: true })
    await kv.compact(100)
    await kv.put('large', 'x'.repeat(1_000_000))
    await kv.put('\0\xff', new Uint8Array(0))
    const file = join(folder, 'snapshot.db')
    expect(await etcdctl(urlOf(member), 'snapshot', 'save', file)).toContain('Snapshot saved')
    const { hash, revision } = await kv.hashKv()
    const [, savedRevision] = (await etcdctl('', 'snapshot', 'status', file)).split(', ')
    expect(savedRevision).toBe(String(revision))

    const [port] = await freePorts(1)
    const peerUrl = `http://127.0.0.1:${port}`
    const dataDir = join(folder, 'etcd')
    const cluster = ['--initial-cluster', `default=${peerUrl}`]
    const own = ['--initial-advertise-peer-urls', peerUrl, '--data-dir', dataDir]
    await etcdctl('', 'snapshot', 'restore', file, ...cluster, ...own)
    await using etcd = await startEtcd({ dataDir, peerUrl })
    await using other = await connect({ endpoints: etcd.url, protocol: 'grpc' })
    expect(await other.hashKv()).toMatchObject({ hash, revision })
    expect(await pairsOf(other)).toEqual(await pairsOf(kv))
    const past = { prefix: '', revision: 150 }
    expect(await pairsOf(other, past)).toEqual(await pairsOf(kv, past))
    expect(await other.leases()).toEqual([lease])
    expect(await other.leaseTimeToLive(lease, { keys: true })).toMatchObject({
      grantedTtlSeconds: 1000,
      keys: [Buffer.from('leased')],
    })
    await expect(other.get('key 3', { revision: 99 })).rejects.toMatchObject({ code: 'COMPACTED' })
  })

  test('is taken of one moment while writes go on', async () => {
    const { kv } = member
    const image = member.api.maintenance.snapshot()
    const { revision, hash } = await kv.hashKv()
    const sizes: number[] = []
    for await (const { bytes, remainingBytes } of image.blobs()) {
      sizes.push(bytes.length)
      await kv.put('meanwhile', `${remainingBytes}`)
    }
    image.release()
    const total = sizes.reduce((sum, size) => sum + size, 0)
    expect(total % 512).toBe(32)
    expect(sizes.slice(0, -2).every((size) => size === 32_768)).toBe(true)
    expect(await kv.hashKv({ revision })).toMatchObject({ hash })
  })

  test('comes through the JSON gateway too, in the same blobs', async () => {
    const url = `${urlOf(member)}/v3/maintenance/snapshot`
    const text = await (await fetch(url, { method: 'POST', body: '{}' })).text()
    const parts = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { result: { blob: string; remaining_bytes?: string } })
    const blobs = parts.map(({ result }) => Buffer.from(result.blob, 'base64'))
    const file = Buffer.concat(blobs.slice(0, -1))
    const hash = createHash('sha256').update(file).digest()
    expect(blobs.at(-1)).toEqual(hash)
    const [first] = parts
    expect(first?.result.remaining_bytes).toBe(String(file.length - 32_768))
    expect(parts.at(-1)?.result.remaining_bytes).toBeUndefined()
  })

  test('of an empty store can be restored too', async () => {
    await using empty = await openMember({
      dataDir: join(folder, 'empty'),
      listenClientUrls: ['http://127.0.0.1:0'],
    })
    const file = join(folder, 'empty.db')
    await etcdctl(urlOf(empty), 'snapshot', 'save', file)
    expect(await etcdctl('', 'snapshot', 'status', file)).toMatch(/^[0-9a-f]+, 0, \d+, \d+ kB\n$/)
    await etcdctl('', 'snapshot', 'restore', file, '--data-dir', join(folder, 'from empty'))
  })
})
