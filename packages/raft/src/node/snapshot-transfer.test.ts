import { expect, test } from 'vitest'
import type { NodeId, SnapshotMeta } from '../core/types.ts'
import { SeededRandom } from '../simulation/random.ts'
import { SimDisk } from '../simulation/sim-disk.ts'
import { SimFileSystem } from '../simulation/sim-file-system.ts'
import { SnapshotStore } from '../snapshot/snapshot-store.ts'
import { snapshotsSentMax } from './defaults.ts'
import type { Transport } from './ports.ts'
import { SnapshotTransfer } from './snapshot-transfer.ts'
import { ListMachine } from './testing/list-machine.ts'
import { ids, nth, votersOnly } from './testing/test-members.ts'

interface Stream {
  readonly to: NodeId
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

async function setup(): Promise<{
  transfer: SnapshotTransfer<number>
  streams: Stream[]
  told: string[]
  timers: (() => void)[]
  released: () => number
}> {
  const disk = new SimDisk(new SeededRandom(1))
  disk.makeDirectory('snap')
  const streams: Stream[] = []
  const told: string[] = []
  const timers: (() => void)[] = []
  const machine = new ListMachine()
  machine.appliedIndex = 7
  let released = 0
  const pin = machine.snapshot.bind(machine)
  machine.snapshot = () => ({ ...pin(), release: () => released++ })
  const transport: Transport = {
    start: () => Promise.resolve(),
    send: () => {},
    sendSnapshot: (to) =>
      new Promise((resolve, reject) => {
        streams.push({ to, resolve, reject })
      }),
    setPeers: () => {},
    close: () => Promise.resolve(),
  }
  const meta: SnapshotMeta = { index: 7, term: 1, membership: votersOnly(ids(3)) }
  const transfer = new SnapshotTransfer({
    stateMachine: machine,
    snapshots: await SnapshotStore.open(new SimFileSystem(disk), 'snap'),
    transport,
    clock: {
      now: () => 0,
      setTimer: (_ms, callback) => {
        timers.push(callback)
        return () => timers.splice(timers.indexOf(callback), 1)
      },
      defer: () => {},
    },
    retryMs: 1000,
    applied: () => meta,
    onSent: (to) => told.push(`${to} sent`),
    onFailed: (to) => told.push(`${to} failed`),
  })
  return { transfer, streams, told, timers, released: () => released }
}

const settle = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await Promise.resolve()
}

test('a snapshot is pinned while it is streamed, and the log after it is kept', async () => {
  const { transfer, streams, told, released } = await setup()
  transfer.send(nth(ids(3), 1), false)
  transfer.send(nth(ids(3), 1), false)
  expect([streams.length, transfer.keepAfter, released()]).toEqual([1, 7, 0])
  nth(streams, 0).resolve()
  await settle()
  expect([told, transfer.keepAfter, released()]).toEqual([['n2 sent'], Number.MAX_SAFE_INTEGER, 1])
})

test('a stream that breaks is reported after a while, so that the next one does not follow at once', async () => {
  const { transfer, streams, told, timers, released } = await setup()
  transfer.send(nth(ids(3), 1), false)
  nth(streams, 0).reject(new Error('broken'))
  await settle()
  expect([told, timers.length, released()]).toEqual([[], 1, 1])
  nth(timers, 0)()
  expect(told).toEqual(['n2 failed'])
})

test(`no more than ${snapshotsSentMax} are on their way, and none while the state is replaced`, async () => {
  const { transfer, streams, timers } = await setup()
  const followers = ids(snapshotsSentMax + 2)
  for (const id of followers.slice(1)) transfer.send(id, false)
  expect([streams.length, timers.length]).toEqual([snapshotsSentMax, 1])
  const busy = await setup()
  busy.transfer.send(nth(followers, 1), true)
  expect([busy.streams.length, busy.timers.length]).toEqual([0, 1])
})

test('after the end nothing is reported', async () => {
  const { transfer, streams, told, timers } = await setup()
  transfer.send(nth(ids(3), 1), true)
  transfer.send(nth(ids(3), 2), false)
  transfer.close()
  nth(streams, 0).resolve()
  await settle()
  expect([told, timers]).toEqual([[], []])
})
