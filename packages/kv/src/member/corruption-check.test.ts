// A row that changes behind a member's back: the leader finds out and names the member, whoever it is.
import { afterEach, expect, test, vi } from 'vitest'
import { freePorts } from '../../../../test/free-ports.ts'
import { MemoryBackend } from '../backend/memory-backend.ts'
import { rowKey } from '../mvcc/revision.ts'
import { alarmType } from '../proto/messages.ts'
import { openMember, type Member } from './open-member.ts'
import type { StorageOptions } from './storage-options.ts'

const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})
const waitOptions = { timeout: 20_000, interval: 20 }

interface Copy {
  readonly member: Member
  readonly backend: MemoryBackend
}

async function openCluster(storage: StorageOptions): Promise<Copy[]> {
  const urls = (await freePorts(3)).map((port) => `http://127.0.0.1:${port}`)
  const initialCluster = urls.map((url, i) => `m${i}=${url}`).join(',')
  const copies: Copy[] = []
  for (const [i, url] of urls.entries()) {
    const backend = new MemoryBackend()
    const times = { heartbeatIntervalMs: 50, electionTimeoutMs: 500 }
    const member = await openMember(
      { name: `m${i}`, memory: true, listenPeerUrls: [url], initialCluster, ...times, ...storage },
      { backend },
    )
    cleanUps.push(() => member.close())
    copies.push({ member, backend })
  }
  await Promise.all(copies.map(({ member }) => member.ready()))
  return copies
}

function alarms({ member }: Copy): string[] {
  const raised = member.api.maintenance.alarms()
  return raised.map(({ memberId, alarm }) => `${memberId}:${alarm}`)
}

function byRole(copies: readonly Copy[]): { leader: Copy; follower: Copy } {
  const isLeader = ({ member }: Copy): boolean => member.api.leader() === member.id
  const leader = copies.find(isLeader)
  const follower = copies.find((copy) => !isLeader(copy))
  if (leader === undefined || follower === undefined) throw new Error('there is no leader')
  return { leader, follower }
}

/** What a bit that flipped does to the value of revision 2. */
function damage({ backend }: Copy): void {
  const row = rowKey(2, 0)
  const value = Buffer.from(backend.get(row) ?? [])
  value[value.length - 1] = (value[value.length - 1] ?? 0) ^ 1
  backend.put(row, value)
}

test('the leader raises CORRUPT for a member whose data differs, and nothing is written any more', async () => {
  const copies = await openCluster({ corruptCheckTimeMs: 100 })
  const { leader, follower } = byRole(copies)
  await leader.member.kv.put('a', '1')
  await vi.waitFor(() => expect(follower.member.api.header().revision).toBe(2), waitOptions)
  damage(follower)
  const want = [`${follower.member.id}:${alarmType.corrupt}`]
  await vi.waitFor(() => {
    for (const copy of copies) expect(alarms(copy)).toEqual(want)
  }, waitOptions)
  const corrupt = { code: 'CORRUPT_CLUSTER', message: 'etcdserver: corrupt cluster' }
  await expect(leader.member.kv.put('a', '2')).rejects.toMatchObject(corrupt)
})

test('what a compaction left is compared too, and equal members raise nothing', async () => {
  const copies = await openCluster({
    corruptCheckTimeMs: 100,
    compactHashCheckEnabled: true,
    compactHashCheckTimeMs: 100,
  })
  const { leader, follower } = byRole(copies)
  for (let i = 0; i < 20; i++) await leader.member.kv.put('a', String(i))
  await leader.member.kv.compact(10)
  await leader.member.kv.put('b', '1')
  await vi.waitFor(() => expect(follower.member.api.header().revision).toBe(22), waitOptions)
  const [own, theirs] = await Promise.all(
    [leader, follower].map(({ member }) => member.kv.hashKv()),
  )
  expect(own).toEqual(theirs)
  for (const copy of copies) expect(alarms(copy)).toEqual([])
})
