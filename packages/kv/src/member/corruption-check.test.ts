// A row that changes behind a member's back: the leader finds out and names the member, whoever it is.
import { afterEach, expect, test, vi } from 'vitest'
import { freePorts } from '../../../../test/free-ports.ts'
import { MemoryBackend, MemoryDisk } from '../backend/memory-backend.ts'
import { rowKey } from '../mvcc/revision.ts'
import { alarmType } from '../proto/messages.ts'
import { MemoryFileSystem } from './memory-file-system.ts'
import { openMember, type Member, type MemberPorts } from './open-member.ts'
import type { StorageOptions } from './storage-options.ts'

const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})
const waitOptions = { timeout: 20_000, interval: 20 }

interface Copy {
  readonly member: Member
  readonly backend: MemoryBackend
  /** Why it stopped by itself. */
  readonly failure: Error | undefined
  /** After a close: the same disk, another process. */
  reopen(more?: StorageOptions): Promise<Copy>
}

async function openCluster(
  storage: StorageOptions,
  raft: MemberPorts['raft'] = {},
): Promise<Copy[]> {
  const urls = (await freePorts(3)).map((port) => `http://127.0.0.1:${port}`)
  const initialCluster = urls.map((url, i) => `m${i}=${url}`).join(',')
  const open = async (
    at: number,
    disk: MemoryDisk,
    fileSystem: MemoryFileSystem,
    more: StorageOptions = {},
  ): Promise<Copy> => {
    const backend = new MemoryBackend(disk)
    let failure: Error | undefined
    const member = await openMember(
      {
        name: `m${at}`,
        memory: true,
        listenPeerUrls: [urls[at] ?? ''],
        initialCluster,
        heartbeatIntervalMs: 50,
        electionTimeoutMs: 500,
        snapshotCount: 20,
        onFailed: (error) => (failure = error),
        ...storage,
        ...more,
      },
      { backend, fileSystem, raft },
    )
    cleanUps.push(() => member.close())
    return {
      member,
      backend,
      get failure() {
        return failure
      },
      reopen: (more) => open(at, disk, fileSystem, more),
    }
  }
  const copies: Copy[] = []
  for (const at of urls.keys())
    copies.push(await open(at, new MemoryDisk(), new MemoryFileSystem()))
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

test('a member that compares before it serves does not start with other data', async () => {
  const copies = await openCluster({})
  const { leader, follower } = byRole(copies)
  await leader.member.kv.put('a', '1')
  await vi.waitFor(() => expect(follower.member.api.header().revision).toBe(2), waitOptions)
  await follower.member.close()
  const sound = await follower.reopen({ initialCorruptCheck: true })
  damage(sound)
  await sound.member.close()
  await expect(follower.reopen({ initialCorruptCheck: true })).rejects.toThrow(
    'found data inconsistency with peers',
  )
  await (await follower.reopen({})).member.close()
})

/** Logs that are let go of as soon as may be: what is missing then comes as a snapshot. */
const shortLog = {
  catchUpEntries: 2,
  segmentSizeBytes: 4096,
  limits: { logRetentionEntriesMax: 0 },
}

test.each([
  { whole: 'a log that is whole', raft: {}, snapshots: 0 },
  { whole: 'a snapshot', raft: shortLog, snapshots: 1 },
])(
  'a member whose data differs stops, takes that of the others from $whole, and the alarm is cleared',
  async ({ raft, snapshots }) => {
    const storage = { corruptCheckTimeMs: 100, corruptRepair: true }
    const copies = await openCluster(storage, raft)
    const { leader } = byRole(copies)
    for (let i = 0; i < 300; i++) await leader.member.kv.put(`key${i % 7}`, String(i))
    for (const { member } of copies) {
      await vi.waitFor(() => expect(member.api.header().revision).toBe(301), waitOptions)
    }
    // The leader itself: most say otherwise.
    damage(leader)
    await vi.waitFor(() => expect(leader.failure?.message).toContain('differs'), waitOptions)
    await leader.member.close()
    const again = await leader.reopen()
    const others = copies.filter((copy) => copy !== leader)
    await vi.waitFor(() => {
      for (const copy of [...others, again]) expect(alarms(copy)).toEqual([])
    }, waitOptions)
    await others[0]?.member.kv.put('after', '1')
    await vi.waitFor(async () => {
      const hashes = await Promise.all([...others, again].map(({ member }) => member.kv.hashKv()))
      expect(new Set(hashes.map(({ hash, revision }) => `${hash}@${revision}`)).size).toBe(1)
    }, waitOptions)
    expect(await again.member.kv.get('key3')).toMatchObject({ version: 43 })
    expect(await again.member.api.metrics()).toContain(
      `balsa_snapshots_received_total ${snapshots}`,
    )
  },
)
