// Goal: a follower gets entries that left the leader's memory from the leader's WAL, one read at a time and whatever happens meanwhile.
import { afterEach, expect, test } from 'vitest'
import { RaftCore } from '../core/raft-core.ts'
import { entry, nodeId } from '../core/testing/test-cluster.ts'
import type { Entry, FetchRequest } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import { EntryFetcher } from './entry-fetcher.ts'
import { propose, read, TestMembers, waitFor } from './testing/test-members.ts'

let members: TestMembers | undefined

afterEach(async () => {
  await members?.close()
  members = undefined
})

interface Read {
  readonly from: number
  readonly resolve: (entries: readonly Entry[]) => void
  readonly reject: (reason: unknown) => void
}

function setup(): {
  fetcher: EntryFetcher
  reads: Read[]
  answers: (number | undefined)[]
  failures: unknown[]
} {
  const reads: Read[] = []
  const answers: (number | undefined)[] = []
  const failures: unknown[] = []
  const fetcher = new EntryFetcher({
    read: (from) =>
      new Promise((resolve, reject) => {
        reads.push({ from, resolve, reject })
      }),
    onFetched: (_, entries) => answers.push(entries?.[0]?.index),
    onFailure: (reason) => failures.push(reason),
  })
  return { fetcher, reads, answers, failures }
}

const request = (from: number, to = 'b'): FetchRequest => {
  return { to: nodeId(to), from, sizeBytesMax: 100 }
}

test('a follower has one read under way, and only its newest question is answered', async () => {
  const { fetcher, reads, answers } = setup()
  for (const from of [1, 5, 9]) fetcher.fetch(request(from))
  fetcher.fetch(request(2, 'c'))
  expect(reads.map(({ from }) => from)).toEqual([1, 2])
  reads[0]?.resolve([entry(1, 1)])
  reads[1]?.resolve([entry(2, 1)])
  await waitFor(() => reads.length === 3)
  reads[2]?.resolve([entry(9, 1)])
  await fetcher.idle()
  expect(answers).toEqual([2, 9])
})

test('entries that are released are answered with nothing, a log that cannot be read fails', async () => {
  const { fetcher, reads, answers, failures } = setup()
  fetcher.fetch(request(1))
  reads[0]?.reject(new RaftError('COMPACTED', 'gone'))
  await fetcher.idle()
  expect(answers).toEqual([undefined])
  fetcher.fetch(request(2))
  reads[1]?.reject(new Error('EIO'))
  await fetcher.idle()
  expect(answers).toEqual([undefined])
  expect(failures).toMatchObject([{ message: 'EIO' }])
})

test('a follower that was away for long catches up from the segments, without a snapshot', async () => {
  members = await TestMembers.create(3)
  const all = members
  const [first] = await all.startAll({
    createCore: (config, restored) =>
      new RaftCore({ ...config, entryCacheSizeBytesMax: 2_000 }, restored),
    segmentSizeBytes: 32 * 1024,
  })
  if (first === undefined) throw new Error('there is no member')
  const leader = await all.leader()
  const away = all.follower(leader)
  await all.stop(away.id)
  const wait = Array.from({ length: 20 }, (_, i) => i)
  for (let round = 0; round < 20; round++) {
    await Promise.all(wait.map((i) => propose(leader.node, `${round}-${i}`.padEnd(500, 'x'))))
  }
  const { entryCacheSizeBytes, firstIndex } = leader.node.status()
  expect(firstIndex).toBe(1)
  expect(entryCacheSizeBytes).toBeLessThan(2_000 + 20 * 600)
  const back = await all.start(away.id)
  await read(back.node)
  expect(back.machine.commands).toEqual(leader.machine.commands)
  expect(back.machine.restores).toBe(0)
})

test('a member without others keeps nothing in memory that it applied', async () => {
  members = await TestMembers.create(1)
  const [only] = await members.startAll()
  if (only === undefined) throw new Error('there is no member')
  for (let i = 0; i < 10; i++) await propose(only.node, String(i).padEnd(500, 'x'))
  const { entryCacheSizeBytes, firstIndex, appliedIndex, lastIndex } = only.node.status()
  expect({ firstIndex, entryCacheSizeBytes }).toEqual({ firstIndex: 1, entryCacheSizeBytes: 0 })
  expect(appliedIndex).toBe(lastIndex)
})
