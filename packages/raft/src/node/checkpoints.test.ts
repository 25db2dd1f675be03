import { expect, test } from 'vitest'
import type { NodeId, SnapshotMeta } from '../core/types.ts'
import { SeededRandom } from '../simulation/random.ts'
import { SimDisk } from '../simulation/sim-disk.ts'
import { SimFileSystem } from '../simulation/sim-file-system.ts'
import { SnapshotStore } from '../snapshot/snapshot-store.ts'
import { Checkpoints } from './checkpoints.ts'
import { DurableListMachine } from './testing/list-machine.ts'
import { votersOnly } from './testing/test-members.ts'

const mebibyte = 1024 * 1024

async function setup(): Promise<{
  advance: (index: number, appliedBytes: number) => Promise<void> | undefined
  compacted: number[]
  keep: { after: number; slowest: number }
}> {
  const disk = new SimDisk(new SeededRandom(1))
  disk.makeDirectory('snap')
  const machine = new DurableListMachine({ commands: [], appliedIndex: 0 })
  const compacted: number[] = []
  const keep = { after: Number.MAX_SAFE_INTEGER, slowest: Number.MAX_SAFE_INTEGER }
  const applied = (): SnapshotMeta => ({
    index: machine.appliedIndex,
    term: 1,
    membership: votersOnly(['a' as NodeId]),
  })
  const checkpoints = new Checkpoints({
    stateMachine: machine,
    snapshots: await SnapshotStore.open(new SimFileSystem(disk), 'snap'),
    snapshotEntries: 100,
    catchUpEntries: 30,
    clock: { now: () => 0, setTimer: () => () => {}, defer: () => {} },
    applied,
    keepAfter: () => keep.after,
    retention: { logRetentionSizeBytesMax: 64 * mebibyte, logRetentionEntriesMax: 90 },
    slowestFollower: () => keep.slowest,
    compact: (index) => compacted.push(index),
    onCheckpoint: () => {},
  })
  const advance = (index: number, appliedBytes: number): Promise<void> | undefined => {
    machine.appliedIndex = index
    return checkpoints.advance(appliedBytes)
  }
  return { advance, compacted, keep }
}

test('a checkpoint comes every so many entries and leaves some for slow followers', async () => {
  const { advance, compacted } = await setup()
  expect(advance(99, 99)).toBeUndefined()
  await advance(100, 100)
  expect(advance(199, 199)).toBeUndefined()
  await advance(205, 205)
  expect(compacted).toEqual([70, 175])
})

test('large entries bring it earlier, and no more than 32 MiB of them are kept', async () => {
  const { advance, compacted } = await setup()
  for (let index = 1; index < 16; index++) {
    expect(advance(index, index * 4 * mebibyte)).toBeUndefined()
  }
  await advance(16, 64 * mebibyte)
  expect(compacted).toEqual([8])
})

test('a follower that is getting a snapshot keeps the log after it', async () => {
  const { advance, compacted, keep } = await setup()
  keep.after = 12
  await advance(100, 100)
  expect(compacted).toEqual([12])
})

test('what a slow follower needs stays, up to so many entries', async () => {
  const { advance, compacted, keep } = await setup()
  keep.slowest = 40
  await advance(100, 100)
  await advance(200, 200)
  keep.slowest = 260
  await advance(300, 300)
  expect(compacted).toEqual([40, 110, 260])
})

test('what a slow follower needs stays, up to so many bytes', async () => {
  const { advance, compacted, keep } = await setup()
  keep.slowest = 1
  for (let index = 1; index < 40; index++) await advance(index, index * 4 * mebibyte)
  // A checkpoint every 16 entries of 4 MiB: 64 MiB are 16 entries, kept once there are more.
  expect(compacted).toEqual([1, 16])
})

test('one checkpoint runs at a time', async () => {
  const { advance } = await setup()
  const first = advance(100, 100)
  expect(first).toBeDefined()
  expect(advance(300, 300)).toBeUndefined()
  await first
  expect(advance(301, 301)).toBeDefined()
})
