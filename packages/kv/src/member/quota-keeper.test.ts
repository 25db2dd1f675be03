// Quotas on a member: told over a wire, kept over a restart and a snapshot in etcd's form, refused with a reason that a client can read.
import { expect, onTestFinished, test } from 'vitest'
import { listenClients } from '../api/client-listener.ts'
import { MemoryBackend } from '../backend/memory-backend.ts'
import { connect } from '../client/connect.ts'
import type { Kv } from '../kv.ts'
import { EmbeddedKv } from './embedded-kv.ts'
import { openTestMember } from './testing/test-member.ts'

const idle = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve)
  })

async function counted(kv: Kv): Promise<Kv> {
  while ((await kv.maintenance.quotas()).some(({ isCounted }) => !isCounted)) await idle()
  return kv
}

test.each(['native', 'grpc'] as const)(
  'over %s a quota is set and listed, refuses with its own code and text, and is taken away',
  async (protocol) => {
    const { core } = await openTestMember()
    const listener = await listenClients({ member: core, urls: ['http://127.0.0.1:0'] })
    onTestFinished(() => listener.close())
    await using kv = await connect({ endpoints: listener.urls, protocol })
    await kv.put('a/1', 'before')
    await kv.maintenance.setQuota({ prefix: 'a/', keysMax: 2, writesPerSecondMax: 1000 })
    await kv.put('a/2', 'x')
    await counted(kv)
    await expect(kv.put('a/3', '')).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
      message: 'balsa: quota exceeded: prefix "a/" may have 2 keys and has 2',
    })
    await expect(kv.maintenance.setQuota({ user: 'bob', keysMax: 1 })).rejects.toMatchObject({
      code: 'QUOTA_MALFORMED',
    })
    const [quota] = await kv.maintenance.quotas()
    expect(quota).toMatchObject({ user: '', keysMax: 2, keys: 2, sizeBytes: 13, refused: 1 })
    await kv.delete('a/1')
    await kv.put('a/3', '')
    await kv.maintenance.removeQuota({ prefix: 'a/' })
    await kv.put('a/4', '')
    const gone = kv.maintenance.removeQuota({ prefix: 'a/' })
    await expect(gone).rejects.toMatchObject({ code: 'QUOTA_NOT_FOUND' })
  },
)

test('a rule that is none is refused with what is wrong and what is wanted', async () => {
  const { core } = await openTestMember()
  const listener = await listenClients({ member: core, urls: ['http://127.0.0.1:0'] })
  onTestFinished(() => listener.close())
  const set = async (body: unknown): Promise<unknown> => {
    const url = `${listener.urls[0] ?? ''}/v3/quota/set`
    const reply = await fetch(url, { method: 'POST', body: JSON.stringify(body) })
    const { error } = (await reply.json()) as { error: unknown }
    return [reply.status, error]
  }
  const noRule = [400, expect.stringMatching(/^balsa: bad quota: the request has no "rule": want /)]
  expect(await set({})).toEqual(noRule)
  expect(await set({ prefix: 'YQ==', keys_max: 1 })).toEqual(noRule)
  expect(await set({ rule: { prefix: 'YQ==' } })).toEqual([
    400,
    'balsa: bad quota: it limits nothing: give keys_max, size_bytes_max or writes_per_second_max',
  ])
})

test('a quota outlives a restart, and what is used is counted anew', async () => {
  const backend = new MemoryBackend()
  const before = await openTestMember({ backend })
  const kv = new EmbeddedKv(before.core)
  await kv.maintenance.setQuota({ prefix: 'a/', keysMax: 1200 })
  await kv.maintenance.setQuota({ prefix: 'b/', sizeBytesMax: 10 })
  for (let i = 0; i < 1200; i++) await kv.put(`a/${i}`, '')
  await kv.put('b/1', 'x')
  const after = await openTestMember({ backend, log: before.consensus.log })
  const again = await counted(new EmbeddedKv(after.core))
  expect(await again.maintenance.quotas()).toEqual(await kv.maintenance.quotas())
  await expect(again.put('a/x', '')).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
  await expect(again.put('b/1', 'x'.repeat(8))).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
})

test('a snapshot from a peer brings its quotas, counted over its keys', async () => {
  const leader = await openTestMember()
  const kv = new EmbeddedKv(leader.core)
  await kv.put('a/1', '1')
  await kv.maintenance.setQuota({ prefix: 'a/', keysMax: 1 })
  const follower = await openTestMember()
  await new EmbeddedKv(follower.core).maintenance.setQuota({ prefix: 'old/', keysMax: 1 })
  const snapshot = leader.stateMachine.snapshot()
  await follower.stateMachine.restore(snapshot.index, snapshot.chunks())
  snapshot.release()
  const restored = await counted(new EmbeddedKv(follower.core))
  expect(await restored.maintenance.quotas()).toEqual(await kv.maintenance.quotas())
  await expect(restored.put('a/2', '')).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
})
