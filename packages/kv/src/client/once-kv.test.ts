import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startEtcd } from '../../../../test/etcd-process.ts'
import { missing } from '../../../../test/tools.ts'
import { listenClients } from '../api/client-listener.ts'
import type { Kv, Operation } from '../kv.ts'
import { EmbeddedKv } from '../member/embedded-kv.ts'
import { openTestMember } from '../member/testing/test-member.ts'
import { KvError } from '../errors.ts'
import { connect } from './connect.ts'
import { onceKv } from './once-kv.ts'
import { recoverResults } from './recover-results.ts'
import { openSession } from './session.ts'
import type { Session } from './session.ts'
import { CuttingProxy } from './testing/cutting-proxy.ts'
import type { Cut } from './testing/cutting-proxy.ts'

const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString()

/** Every place where a connection can break while one write is under way. */
const cuts: readonly Cut[] = (['toServer', 'toClient'] as const).flatMap((direction) =>
  (['before', 'middle', 'after'] as const).flatMap((when) =>
    [0, 1, 2, 3].map((chunks) => ({ direction, when, chunks })),
  ),
)

interface Server {
  readonly url: string
  close(): Promise<void>
}

async function balsa(): Promise<Server> {
  const { core } = await openTestMember()
  const listener = await listenClients({ member: core, urls: ['http://127.0.0.1:0'] })
  return {
    url: listener.urls[0] ?? '',
    close: async () => {
      await listener.close()
      await core.close()
    },
  }
}

async function etcd(): Promise<Server> {
  const process = await startEtcd()
  return { url: process.url, close: async () => process[Symbol.asyncDispose]() }
}

const wires = [
  { name: 'the native wire', protocol: 'native', start: balsa, isMissing: () => false },
  { name: 'gRPC', protocol: 'grpc', start: balsa, isMissing: () => false },
  { name: 'gRPC to etcd', protocol: 'grpc', start: etcd, isMissing: () => missing('etcd') },
] as const

for (const { name, protocol, start, isMissing } of wires) {
  describe.skipIf(isMissing())(`over ${name}`, () => {
    let server: Server
    let proxy: CuttingProxy
    let kv: Kv
    let direct: Kv
    let session: Session
    beforeAll(async () => {
      server = await start()
      proxy = await CuttingProxy.open(server.url)
      kv = await connect({ endpoints: proxy.url, protocol })
      direct = await connect({ endpoints: server.url, protocol })
      session = await openSession(kv, { ttlSeconds: 60 })
    })
    afterAll(async () => {
      proxy.disarm()
      await session.close()
      await kv.close()
      await direct.close()
      await proxy[Symbol.asyncDispose]()
      await server.close()
    })

    test('a write is applied once, wherever the connection is cut, and answered as if it was not', async () => {
      for (const [index, cut] of cuts.entries()) {
        proxy.arm(cut)
        const { revision, prev } = await session.once.put('counter', String(index), {
          prevKv: true,
        })
        if (cut.chunks === 0) expect(proxy.isDone, JSON.stringify(cut)).toBe(true)
        proxy.disarm()
        const pair = await direct.get('counter')
        const seen = [pair?.version, pair?.modRevision, textOf(pair?.value), textOf(prev?.value)]
        const before = index === 0 ? undefined : String(index - 1)
        expect(seen, JSON.stringify(cut)).toEqual([index + 1, revision, String(index), before])
      }
    }, 120_000)

    test('a txn and a delete are applied once and answered as if nothing was cut', async () => {
      for (const [index, cut] of cuts.entries()) {
        const key = `txn/${index}`
        await direct.put(`${key}/a`, 'old')
        proxy.arm(cut)
        const { succeeded, results } = await session.once.txn({
          if: [{ key: `${key}/a`, target: 'value', is: '=', than: 'old' }],
          then: [
            { op: 'put', key: `${key}/a`, value: 'new', prevKv: true },
            { op: 'put', key: `${key}/b`, value: 'new' },
            { op: 'range', prefix: key },
          ],
          else: [{ op: 'delete', key, prefix: true }],
        })
        const [put, , range] = results
        expect(succeeded).toBe(true)
        expect(put?.op === 'put' && textOf(put.prev?.value)).toBe('old')
        expect(range?.op === 'range' && range.count).toBe(2)
        proxy.arm(cut)
        const gone = await session.once.delete(key, { prefix: true, prevKv: true })
        proxy.disarm()
        expect([gone.deleted, gone.prev.map(({ version }) => version)]).toEqual([2, [2, 1]])
      }
    }, 120_000)

    test('64 writers at once through a connection that breaks again and again lose nothing and repeat nothing', async () => {
      const over = new AbortController()
      const breaking = (async () => {
        for (let i = 0; !over.signal.aborted; i++) {
          const cut = cuts[i % cuts.length]
          if (proxy.isDone && cut !== undefined) proxy.arm({ ...cut, chunks: cut.chunks * 5 })
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
      })()
      const writer = async (_: unknown, number: number): Promise<void> => {
        for (let i = 0; i < 5; i++) await session.once.put(`many/${number}`, String(i))
      }
      await Promise.all(Array.from({ length: 64 }, writer))
      over.abort()
      await breaking
      proxy.disarm()
      const { pairs } = await direct.range({ prefix: 'many/' })
      expect(pairs.map(({ version }) => version)).toEqual(Array.from({ length: 64 }, () => 5))
    }, 120_000)

    test('without a session the same cuts apply some writes twice', async () => {
      for (const cut of cuts) {
        proxy.arm(cut)
        await kv.put('plain', 'x', { repeatable: true })
        proxy.disarm()
      }
      expect((await direct.get('plain'))?.version).toBeGreaterThan(cuts.length)
    }, 120_000)
  })
}

describe('a session in the member itself', () => {
  test('a write that is refused is refused once and for all, also behind a lost answer', async () => {
    const { core } = await openTestMember()
    const kv = new EmbeddedKv(core)
    const { id } = await kv.grantLease(60)
    let loseAnswers = 1
    const forgetful: Kv = Object.assign(Object.create(kv) as Kv, {
      txn: async (txn: Parameters<Kv['txn']>[0]) => {
        if (loseAnswers-- > 0) throw new KvError('CONNECTION_LOST')
        return kv.txn(txn)
      },
    })
    const lost = new AbortController()
    const once = onceKv({ kv: forgetful, id, lost: lost.signal })
    // The first try never arrives, the second is refused.
    await expect(once.put('a', 'x', { lease: 4n })).rejects.toMatchObject({
      code: 'LEASE_NOT_FOUND',
    })
    expect((await once.put('a', 'y')).revision).toBeGreaterThan(0)
    expect((await kv.get('a'))?.version).toBe(1)
    // The session ends while the answer is awaited: nobody can tell any more.
    loseAnswers = 1
    await kv.revokeLease(id)
    await expect(once.put('a', 'z')).rejects.toMatchObject({ code: 'SESSION_LOST' })
    expect(textOf((await kv.get('a'))?.value)).toBe('y')
    await core.close()
  })

  test('the answers of a branch are told from history, and what history does not tell is said to be lost', async () => {
    const { core } = await openTestMember()
    const kv = new EmbeddedKv(core)
    for (const key of ['k/1', 'k/2', 'k/3', 'x']) await kv.put(key, 'old')
    const operations: readonly Operation[] = [
      { op: 'range', prefix: 'k/', countOnly: true },
      { op: 'delete', key: 'k/1', prevKv: true },
      { op: 'delete', key: 'k/', prefix: true, prevKv: true },
      { op: 'put', key: 'x', value: 'new', prevKv: true },
      { op: 'range', prefix: '' },
      { op: 'range', key: 'x', revision: 2 },
    ]
    const { revision, results } = await kv.txn({ then: operations })
    const strip = (each: unknown): unknown =>
      JSON.parse(
        JSON.stringify(each, (_, value: unknown) =>
          typeof value === 'bigint' ? String(value) : value,
        ),
      )
    const told = await recoverResults(kv, operations, revision)
    const sameRevision = results.map((each) => (each.op === 'range' ? { ...each, revision } : each))
    expect(strip(told)).toEqual(strip(sameRevision))
    const between: readonly Operation[] = [
      { op: 'put', key: 'x', value: '' },
      { op: 'range', prefix: '' },
      { op: 'delete', key: 'y' },
    ]
    await expect(recoverResults(kv, between, revision)).rejects.toMatchObject({
      code: 'RESULT_LOST',
    })
    await kv.put('x', 'newer')
    await kv.compact(revision)
    await expect(recoverResults(kv, operations, revision)).rejects.toMatchObject({
      code: 'RESULT_LOST',
    })
    await core.close()
  })
})
