// What alarms forbid, and that they outlive restarts and snapshots. What etcd 3.4 answers to the same requests is the yardstick.
import { expect, test } from 'vitest'
import { MemoryBackend, MemoryDisk } from '../backend/memory-backend.ts'
import { encodeAlarmRequest } from '../proto/index.ts'
import { alarmAction, alarmType, type AlarmMember } from '../proto/messages.ts'
import { EmbeddedKv } from './embedded-kv.ts'
import { ask, openTestMember, type TestMember } from './testing/test-member.ts'

const { noSpace, corrupt } = alarmType
const { get, activate, deactivate } = alarmAction
const noSpaceError = { code: 'NO_SPACE', message: 'etcdserver: mvcc: database space exceeded' }
const corruptError = { code: 'CORRUPT_CLUSTER', message: 'etcdserver: corrupt cluster' }

async function alarm(
  { core }: TestMember,
  action: number,
  kind: number,
  memberId = 7n,
): Promise<readonly AlarmMember[]> {
  const body = encodeAlarmRequest({ action, memberId, alarm: kind })
  return (await ask(core.maintenance.alarm.bind(core.maintenance, body))).alarms
}

test('a raised NOSPACE lets nothing in that takes room, and all else', async () => {
  const member = await openTestMember()
  const kv = new EmbeddedKv(member.core)
  await kv.grantLease(60, { id: 5n })
  await kv.put('a', '1')
  await kv.put('b', '1')
  expect(await alarm(member, activate, noSpace)).toEqual([{ memberId: 7n, alarm: noSpace }])
  await expect(kv.put('a', '2')).rejects.toMatchObject(noSpaceError)
  await expect(kv.grantLease(60, { id: 6n })).rejects.toMatchObject(noSpaceError)
  const puts = [{ op: 'put', key: 'a', value: '2' }] as const
  await expect(kv.txn({ then: puts })).rejects.toMatchObject(noSpaceError)
  // Also if the branch with the put would not be taken.
  await expect(kv.txn({ else: puts })).rejects.toMatchObject(noSpaceError)
  // etcd does not look into nested ones.
  await kv.txn({ then: [{ op: 'txn', txn: { then: puts } }] })
  await kv.txn({ then: [{ op: 'delete', key: 'a' }] })
  await kv.delete('b')
  await kv.compact(3)
  await kv.revokeLease(5n)
  expect(member.core.status().errors).toEqual(['memberID:7 alarm:NOSPACE '])
  expect(await alarm(member, deactivate, noSpace)).toEqual([{ memberId: 7n, alarm: noSpace }])
  expect(member.core.status().errors).toEqual([])
  await kv.put('a', '2')
})

test('a raised CORRUPT stops every write, but not reads', async () => {
  const member = await openTestMember()
  const kv = new EmbeddedKv(member.core)
  await kv.put('a', '1')
  await alarm(member, activate, corrupt, 9n)
  await expect(kv.put('a', '2')).rejects.toMatchObject(corruptError)
  await expect(kv.delete('a')).rejects.toMatchObject(corruptError)
  await expect(kv.compact(1)).rejects.toMatchObject(corruptError)
  await expect(kv.grantLease(60)).rejects.toMatchObject(corruptError)
  await expect(kv.revokeLease(1n)).rejects.toMatchObject(corruptError)
  await expect(kv.txn({ then: [{ op: 'delete', key: 'a' }] })).rejects.toMatchObject(corruptError)
  expect(await kv.get('a')).toMatchObject({ version: 1 })
  // Either alarm can be raised and cleared beside the other; the stricter one rules.
  await alarm(member, activate, noSpace)
  await alarm(member, deactivate, noSpace)
  await expect(kv.put('a', '2')).rejects.toMatchObject(corruptError)
  await alarm(member, deactivate, corrupt, 9n)
  await kv.put('a', '2')
})

test('a question lists all alarms of its kind, whichever member it names', async () => {
  const member = await openTestMember()
  await alarm(member, activate, noSpace, 6n)
  await alarm(member, activate, noSpace, 5n)
  await alarm(member, activate, corrupt, 1n)
  const five = { memberId: 5n, alarm: noSpace }
  const six = { memberId: 6n, alarm: noSpace }
  expect(await alarm(member, get, noSpace, 99n)).toEqual([five, six])
  expect(await alarm(member, get, 0, 0n)).toEqual([five, six, { memberId: 1n, alarm: corrupt }])
  expect(await alarm(member, deactivate, noSpace, 0n)).toEqual([])
  expect(await alarm(member, activate, 0, 5n)).toEqual([])
  expect(member.core.maintenance.alarms()).toHaveLength(3)
})

test('alarms are there after a crash and in a snapshot', async () => {
  const disk = new MemoryDisk()
  const member = await openTestMember({ backend: new MemoryBackend(disk) })
  await alarm(member, activate, noSpace)
  await alarm(member, activate, corrupt)
  await alarm(member, deactivate, corrupt)
  const raised = [{ memberId: 7n, alarm: noSpace }]
  const snapshot = member.stateMachine.snapshot()
  const other = await openTestMember()
  await other.stateMachine.restore(snapshot.index, snapshot.chunks())
  snapshot.release()
  expect(other.core.maintenance.alarms()).toEqual(raised)
  await member.backend.flush({ sync: true })
  disk.crash(0)
  const { log } = member.consensus
  const again = await openTestMember({ backend: new MemoryBackend(disk), log })
  expect(again.core.maintenance.alarms()).toEqual(raised)
})
