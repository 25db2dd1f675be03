import { expect, test } from 'vitest'
import { waitFor } from '../api/testing/wait-for.ts'
import { openMember } from './open-member.ts'

test('the limits of requests are those of the options, and may change while the member runs', async () => {
  await using member = await openMember({ memory: true, maxRequestBytes: 1000, maxTxnOps: 2 })
  const puts = (count: number): Promise<unknown> =>
    member.kv.txn({
      then: Array.from({ length: count }, (_, i) => ({ op: 'put', key: `k${i}`, value: 'v' })),
    })
  const put = (sizeBytes: number): Promise<unknown> => member.kv.put('a', 'v'.repeat(sizeBytes))
  await put(900)
  await expect(put(1000)).rejects.toThrow('etcdserver: request is too large')
  await puts(2)
  await expect(puts(3)).rejects.toThrow('etcdserver: too many operations in txn request')
  member.reconfigure({ maxRequestBytes: 10_000_000, maxTxnOps: 1000 })
  await put(9_000_000)
  await puts(1000)
  member.reconfigure({})
  await expect(put(1_572_864)).rejects.toThrow('etcdserver: request is too large')
  await expect(puts(129)).rejects.toThrow('etcdserver: too many operations in txn request')
})

test('a limit that no request keeps to refuses clients, not what the member itself has to say', async () => {
  await using member = await openMember({
    memory: true,
    maxRequestBytes: 1,
    listenClientUrls: ['http://127.0.0.1:0'],
  })
  const own = async (): Promise<void> => {
    const [self] = await member.kv.members()
    expect(self?.clientUrls).toHaveLength(1)
    expect(await member.kv.range({ prefix: '' })).toMatchObject({ count: 0 })
  }
  await waitFor(own)
  for (const refused of [
    () => member.kv.put('a', 'b'),
    () => member.kv.delete('a'),
    () => member.kv.grantLease(10),
    () => member.kv.compact(1),
    () => member.kv.auth.addRole('a'),
  ]) {
    await expect(refused()).rejects.toThrow('etcdserver: request is too large')
  }
})

test('a limit that members could not pass on to each other is refused', async () => {
  await expect(openMember({ memory: true, maxRequestBytes: 2 ** 30 })).rejects.toThrow(
    '--max-request-bytes is 1073741824; it must be at most 33554432',
  )
})

test('the quota and the rules of compaction may change while the member runs', async () => {
  await using member = await openMember({ memory: true, quotaBackendBytes: -1 })
  const put = (key: string): Promise<unknown> => member.kv.put(key, 'v'.repeat(100_000))
  await put('a')
  member.reconfigure({ quotaBackendBytes: 50_000 })
  await expect(put('b')).rejects.toThrow('etcdserver: mvcc: database space exceeded')
  expect(() =>
    member.reconfigure({ autoCompactionMode: 'revision', autoCompactionRetention: '1h' }),
  ).toThrow("--auto-compaction-retention is '1h'; it must be a number of revisions")
  member.reconfigure({ quotaBackendBytes: 10_000_000, autoCompactionRetention: '100ms' })
  // The alarm has to be disarmed by an operator, as in etcd; compaction goes on by itself.
  const compacted = async (): Promise<void> => {
    const { compactRevision } = await member.kv.hashKv()
    expect(compactRevision).toBeGreaterThan(0)
  }
  await waitFor(compacted)
})
