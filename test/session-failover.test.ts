// Sessions while leaders are killed: every write of session.once is applied once, on both wires, whatever dies.
import { connect, openSession } from '@balsa/kv/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startCluster } from '../bench/servers.ts'
import type { Cluster } from '../bench/servers.ts'

const writers = 16
const kills = 2

describe('three members whose leader is killed twice', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await startCluster('balsa', 3)
  })
  afterAll(() => cluster[Symbol.asyncDispose]())

  test.each(['native', 'grpc'] as const)(
    'every write of a session over the %s wire is applied once',
    async (protocol) => {
      await using kv = await connect({
        endpoints: cluster.urls,
        protocol,
        requestTimeoutMs: 30_000,
      })
      await using session = await openSession(kv, { ttlSeconds: 60 })
      const over = new AbortController()
      const counts = Array.from({ length: writers }, () => 0)
      const write = async (_: unknown, writer: number): Promise<void> => {
        for (let count = 1; !over.signal.aborted; count++) {
          const { prev } = await session.once.put(`${protocol}/${writer}`, String(count), {
            prevKv: true,
          })
          // What another try may have put would stand here.
          expect(prev === undefined ? 0 : Number(Buffer.from(prev.value).toString())).toBe(
            count - 1,
          )
          counts[writer] = count
        }
      }
      const writing = Promise.all(counts.map(write))
      const progress = async (): Promise<void> => {
        const goal = counts.map((count) => count + 5)
        await expect
          .poll(() => counts.every((count, writer) => count >= (goal[writer] ?? 0)), {
            timeout: 40_000,
          })
          .toBe(true)
      }
      for (let kill = 0; kill < kills; kill++) {
        await progress()
        const index = cluster.urls.indexOf(await cluster.leaderUrl())
        await cluster.kill(index)
        await progress()
        cluster.start(index)
      }
      over.abort()
      await writing
      const { pairs } = await kv.range({
        prefix: `${protocol}/`,
        sort: { by: 'key', order: 'ascend' },
      })
      const versions = new Map(
        pairs.map(({ key, version }) => [Buffer.from(key).toString(), version]),
      )
      expect(counts.map((_, writer) => versions.get(`${protocol}/${writer}`))).toEqual(counts)
    },
    120_000,
  )
})
