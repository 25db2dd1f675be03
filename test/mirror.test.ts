// `balsa kv mirror` and `balsa kv feed` as users run them, with a real etcd at the other end.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openMember, type Kv } from '@balsa/kv'
import { connect } from '@balsa/kv/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BalsaProcess, runBalsa, stopBalsaProcesses, waitFor } from './balsa-process.ts'
import { startEtcd, type EtcdProcess } from './etcd-process.ts'
import { freePorts } from './free-ports.ts'
import { missing } from './tools.ts'

type Member = Awaited<ReturnType<typeof openMember>>

async function contents(kv: Kv, prefix = ''): Promise<Record<string, string>> {
  const { pairs } = await kv.range({ prefix })
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
  return Object.fromEntries(pairs.map(({ key, value }) => [text(key), text(value)]))
}

describe.skipIf(missing('etcd'))('balsa kv', () => {
  let folder: string
  let etcd: EtcdProcess
  let etcdKv: Kv
  let member: Member
  let url: string
  const openBalsa = (): Promise<Member> =>
    openMember({ dataDir: join(folder, 'member'), listenClientUrls: [url] })
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'balsa-mirror-'))
    const [port] = await freePorts(1)
    url = `http://127.0.0.1:${port}`
    etcd = await startEtcd()
    etcdKv = await connect({ endpoints: etcd.url, protocol: 'grpc' })
    member = await openBalsa()
  })
  afterAll(async () => {
    await stopBalsaProcesses()
    await etcdKv.close()
    await member.close()
    await etcd[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  const mirror = (from: string, to: string, ...flags: readonly string[]): BalsaProcess =>
    new BalsaProcess(['kv', '--endpoints', from, 'mirror', ...flags, to])

  test('mirrors from etcd into Balsa, over a restart of Balsa and of the mirror', async () => {
    const checkpoint = join(folder, 'checkpoint')
    const flags = ['--prefix', 'from/', '--dest-prefix', 'to/', '--checkpoint', checkpoint]
    for (let i = 0; i < 300; i++) await etcdKv.put(`from/${i}`, `${i}`)
    await etcdKv.put('other', 'x')
    const isSame = async (): Promise<boolean> => {
      const [expected, found] = [await contents(etcdKv, 'from/'), await contents(member.kv)]
      const renamed = Object.entries(expected).map(([key, value]) => [
        key.replace('from/', 'to/'),
        value,
      ])
      return JSON.stringify(Object.fromEntries(renamed)) === JSON.stringify(found)
    }
    const first = mirror(etcd.url, url, ...flags)
    await waitFor('the first copy', isSame)
    await member.close()
    await etcdKv.put('from/meanwhile', 'x')
    await etcdKv.delete('from/1')
    await waitFor('the mirror to notice', () => first.stderr.includes('trying again'))
    member = await openBalsa()
    await waitFor('what came while Balsa was away', isSame)
    const { revision } = await etcdKv.status()
    await waitFor('the checkpoint', () => readFileSync(checkpoint, 'utf8').includes(`${revision}`))
    await first.stop()
    await etcdKv.put('from/later', 'x')
    const before = (await member.kv.status()).revision
    const second = mirror(etcd.url, url, ...flags)
    await waitFor('what came while the mirror was away', isSame)
    expect((await member.kv.status()).revision).toBe(before + 1)
    await second.stop()
  })

  test('mirrors from Balsa into etcd as make-mirror', async () => {
    await member.kv.put('out/a', '1')
    const args = ['kv', '--endpoints', url, 'make-mirror', '--prefix', 'out/', '--no-dest-prefix']
    const running = new BalsaProcess([...args, etcd.url])
    await waitFor('the first pair', async () => (await contents(etcdKv, 'a'))['a'] === '1')
    await member.kv.put('out/a', '2')
    await member.kv.put('out/b', '3')
    await waitFor('the others', async () => (await contents(etcdKv, 'b'))['b'] === '3')
    expect((await contents(etcdKv, 'a'))['a']).toBe('2')
    await running.stop()
  })

  test('feeds every change from a revision on, of Balsa and of etcd alike', async () => {
    for (const [kv, endpoint] of [
      [member.kv, url],
      [etcdKv, etcd.url],
    ] as const) {
      const { revision } = await kv.put('feed/a', '1')
      const { id: lease } = await kv.grantLease(500)
      await kv.put('feed/b', Uint8Array.of(255), { lease })
      await kv.put('elsewhere', 'x')
      await kv.put('feed/a', 'ü')
      await kv.delete('feed/a')
      const range = ['--from-revision', `${revision}`, '--to-revision', `${revision + 4}`]
      const args = ['kv', '--endpoints', endpoint, 'feed', 'feed/', '--prefix', '--prev-kv']
      const { code, stdout } = await runBalsa([...args, ...range])
      const lines = stdout.trim().split('\n')
      const held = lease.toString(16).padStart(16, '0')
      const a = { key: 'feed/a', createRevision: revision }
      const last = { ...a, revision: revision + 3, value: 'ü', version: 2 }
      const first = { ...a, revision, value: '1', version: 1 }
      expect([code, lines.map((line) => JSON.parse(line) as unknown)]).toEqual([
        0,
        [
          { ...first, type: 'put' },
          {
            revision: revision + 1,
            type: 'put',
            key: 'feed/b',
            valueBase64: '/w==',
            createRevision: revision + 1,
            version: 1,
            lease: held,
          },
          { ...last, type: 'put', prev: first },
          { revision: revision + 4, type: 'delete', key: 'feed/a', prev: last },
        ],
      ])
    }
  })

  test('feeds nothing from what is compacted, and says where history begins', async () => {
    const { revision } = await member.kv.put('feed/a', '1')
    await member.kv.compact(revision)
    const { code, stderr } = await runBalsa([
      'kv',
      '--endpoints',
      url,
      'feed',
      '--from-revision',
      '1',
    ])
    expect([code, stderr]).toEqual([
      1,
      `balsa: history before revision ${revision} is compacted; begin with --from-revision ${revision}\n`,
    ])
  })
})
