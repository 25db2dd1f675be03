// What a reached quota does to a member: the alarm is raised by whoever notices, and compaction gives room again.
import { expect, test } from 'vitest'
import { MemoryBackend } from '../backend/memory-backend.ts'
import { encodeAlarmRequest, encodePutRequest } from '../proto/index.ts'
import { alarmAction, alarmType } from '../proto/messages.ts'
import { EmbeddedKv } from './embedded-kv.ts'
import { Quota } from './quota.ts'
import { planStorage } from './storage-options.ts'
import { ManualClock } from './testing/manual-clock.ts'
import { ask, openTestMember } from './testing/test-member.ts'

const raised = [{ memberId: 7n, alarm: alarmType.noSpace }]
const noSpace = { code: 'NO_SPACE', message: 'etcdserver: mvcc: database space exceeded' }
const storage = planStorage({ quotaBackendBytes: 20_000 })

test('a put that does not fit raises NOSPACE; after a compaction it can be cleared', async () => {
  const { core, backend } = await openTestMember({ storage })
  const kv = new EmbeddedKv(core)
  const value = 'x'.repeat(1000)
  let puts = 0
  const fill = async (): Promise<void> => {
    for (; puts < 100; puts++) {
      await kv.put('key', value)
      await backend.flush({ sync: false })
    }
  }
  await expect(fill()).rejects.toMatchObject(noSpace)
  expect(puts).toBeGreaterThan(10)
  expect(core.maintenance.alarms()).toEqual(raised)
  expect(core.status()).toMatchObject({ dbSizeQuota: 20_000 })
  const { revision } = core.header()
  await kv.compact(revision)
  await expect.poll(() => backend.size().used).toBeLessThan(5000)
  await expect(kv.put('key', value)).rejects.toMatchObject(noSpace)
  const clear = { action: alarmAction.deactivate, memberId: 7n, alarm: alarmType.noSpace }
  await ask(core.maintenance.alarm.bind(core.maintenance, encodeAlarmRequest(clear)))
  await kv.put('key', value)
  expect(core.header().revision).toBe(revision + 1)
  await core.close()
})

test('what came in through others is noticed too', async () => {
  const clock = new ManualClock()
  const { core, stateMachine, consensus } = await openTestMember({ storage, clock })
  const request = { key: Buffer.from('k'), value: Buffer.alloc(30_000), lease: 0n }
  const flags = { prevKv: false, ignoreValue: false, ignoreLease: false }
  // As another member proposes it: no quota is asked here.
  consensus.propose(
    Buffer.concat([Buffer.from([1]), encodePutRequest({ ...request, ...flags })]),
    () => undefined,
  )
  expect(stateMachine.store.revision).toBe(2)
  expect(core.maintenance.alarms()).toEqual([])
  clock.advance(1000)
  expect(core.maintenance.alarms()).toEqual(raised)
  await core.close()
})

test('what takes no room always fits', () => {
  const backend = new MemoryBackend()
  const quota = new Quota(backend, 10)
  expect(quota.fits('deleteRange', new Uint8Array(0))).toBe(true)
  expect(quota.fits('txn', new Uint8Array(0))).toBe(true)
  expect(quota.fits('leaseGrant', new Uint8Array(0))).toBe(false)
  expect(new Quota(backend, Infinity).fits('leaseGrant', new Uint8Array(0))).toBe(true)
})
