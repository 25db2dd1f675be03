import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import type { NodeId, SnapshotMeta } from '../core/types.ts'
import { SeededRandom } from '../simulation/random.ts'
import { SimDisk } from '../simulation/sim-disk.ts'
import { SimFileSystem } from '../simulation/sim-file-system.ts'
import { SnapshotStore } from '../snapshot/snapshot-store.ts'
import { snapshotBytesPerSecondMax, snapshotPinnedMsMax, snapshotsSentMax } from './defaults.ts'
import type { SnapshotStream, StreamPosition, Transport } from './ports.ts'
import { SnapshotTransfer } from './snapshot-transfer.ts'
import { ListMachine } from './testing/list-machine.ts'
import { ids, nth, votersOnly, waitFor } from './testing/test-members.ts'

interface Timer {
  readonly ms: number
  readonly callback: () => void
}

interface Sent {
  readonly to: NodeId
  readonly stream: SnapshotStream
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

async function setup(): Promise<{
  transfer: SnapshotTransfer<number>
  streams: Sent[]
  told: string[]
  timers: Timer[]
  machine: ListMachine
  store: SnapshotStore
  released: () => number
}> {
  const disk = new SimDisk(new SeededRandom(1))
  disk.makeDirectory('snap')
  const streams: Sent[] = []
  const told: string[] = []
  const timers: Timer[] = []
  const machine = new ListMachine()
  machine.appliedIndex = 7
  machine.commands = [...commands]
  let released = 0
  const pin = machine.snapshot.bind(machine)
  machine.snapshot = () => ({ ...pin(), release: () => released++ })
  const transport: Transport = {
    start: () => Promise.resolve(),
    send: () => {},
    sendSnapshot: (to, stream) =>
      new Promise((resolve, reject) => {
        streams.push({ to, stream, resolve, reject })
      }),
    setPeers: () => {},
    close: () => Promise.resolve(),
  }
  const meta: SnapshotMeta = { index: 7, term: 1, membership: votersOnly(ids(3)) }
  const store = await SnapshotStore.open(new SimFileSystem(disk), 'snap')
  const transfer = new SnapshotTransfer({
    stateMachine: machine,
    snapshots: store,
    transport,
    clock: {
      now: () => 0,
      setTimer: (ms, callback) => {
        const timer = { ms, callback }
        timers.push(timer)
        return () => timers.splice(timers.indexOf(timer), 1)
      },
      defer: setImmediate,
    },
    random: () => 0.5,
    retryMs: 1000,
    applied: () => ({ ...meta, index: machine.appliedIndex }),
    onSent: (to) => told.push(`${to} sent`),
    onFailed: (to) => told.push(`${to} failed`),
  })
  return { transfer, streams, told, timers, machine, store, released: () => released }
}

const follower = nth(ids(3), 1)
const commands = Array.from({ length: 300 }, (_, i) => `command ${i}`)
const machineBytes = Buffer.from(JSON.stringify(commands))

const settle = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
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
  const { transfer, streams, told, timers } = await setup()
  transfer.send(follower, false)
  nth(streams, 0).reject(new Error('broken'))
  await settle()
  expect([told, timers.map(({ ms }) => ms)]).toEqual([[], [snapshotPinnedMsMax, 1000]])
  nth(timers, 1).callback()
  expect(told).toEqual(['n2 failed'])
})

test('the next attempt goes on with the same view, which is kept for a while, and so is the log after it', async () => {
  const { transfer, streams, timers, machine, released } = await setup()
  transfer.send(follower, false)
  nth(streams, 0).reject(new Error('broken'))
  await settle()
  machine.appliedIndex = 9
  transfer.send(follower, false)
  expect(nth(streams, 1).stream.id).toBe(nth(streams, 0).stream.id)
  expect([transfer.keepAfter, released(), timers.map(({ ms }) => ms)]).toEqual([7, 0, [1000]])
  nth(streams, 1).reject(new Error('broken'))
  await settle()
  nth(
    timers.filter(({ ms }) => ms === snapshotPinnedMsMax),
    0,
  ).callback()
  expect([transfer.keepAfter, released()]).toEqual([Number.MAX_SAFE_INTEGER, 1])
})

test('attempts that come no further follow later and later, one that does begins anew', async () => {
  const { transfer, streams, timers } = await setup()
  const attempt = async (offset: number): Promise<number> => {
    transfer.send(follower, false)
    const { stream, reject } = nth(streams, streams.length - 1)
    const position = { offset, checksum: crc32(machineBytes.subarray(0, offset)) }
    for await (const chunk of stream.chunks(position)) void chunk
    reject(new Error('broken'))
    await settle()
    return nth(timers, timers.length - 1).ms
  }
  const waits: number[] = []
  for (const offset of [0, 0, 0, 1500, 1500]) waits.push(await attempt(offset))
  expect(waits).toEqual([1000, 2000, 4000, 1000, 2000])
})

test('only the bytes after the receiver come, and other bytes than before end the stream and its view', async () => {
  const { transfer, streams, machine, released } = await setup()
  transfer.send(follower, false)
  const { stream, reject } = nth(streams, 0)
  const bytesFrom = async (position: StreamPosition): Promise<Buffer> => {
    const parts: Uint8Array[] = []
    for await (const chunk of stream.chunks(position)) parts.push(chunk)
    return Buffer.concat(parts)
  }
  for (const offset of [0, 1, 999, 1000, 1001, machineBytes.length]) {
    const checksum = crc32(machineBytes.subarray(0, offset))
    expect(await bytesFrom({ offset, checksum })).toEqual(machineBytes.subarray(offset))
  }
  expect(machine.commands.length).toBe(commands.length)
  for (const position of [
    { offset: 1000, checksum: 1 },
    { offset: machineBytes.length + 1, checksum: 0 },
  ]) {
    await expect(bytesFrom(position)).rejects.toThrow('other bytes than before')
  }
  reject(new Error('broken'))
  await settle()
  expect(released()).toBe(1)
  transfer.send(follower, false)
  expect(nth(streams, 1).stream).not.toBe(stream)
})

test('bytes leave no faster than the limit', async () => {
  const { transfer, streams, timers, machine } = await setup()
  machine.commands = ['x'.repeat(snapshotBytesPerSecondMax / 50)]
  transfer.send(follower, false)
  let sent = 0
  const reading = (async () => {
    for await (const chunk of nth(streams, 0).stream.chunks({ offset: 0, checksum: 0 })) {
      sent += chunk.length
    }
  })()
  await waitFor(() => timers.length > 0)
  // The clock stands still: nothing more comes before the timer.
  const { ms, callback } = nth(timers.splice(0), 0)
  expect(ms).toBeCloseTo((sent * 1000) / snapshotBytesPerSecondMax)
  expect(sent).toBeLessThan(machine.commands.join().length)
  callback()
  const waits = setInterval(() => {
    for (const timer of timers.splice(0)) timer.callback()
  }, 0)
  await reading
  clearInterval(waits)
  expect(sent).toBeGreaterThan(machine.commands.join().length)
})

test('one that waits to go on makes room for another follower', async () => {
  const { transfer, streams, released } = await setup()
  const followers = ids(snapshotsSentMax + 2).slice(1)
  for (const id of followers.slice(0, snapshotsSentMax)) transfer.send(id, false)
  nth(streams, 0).reject(new Error('broken'))
  await settle()
  transfer.send(nth(followers, snapshotsSentMax), false)
  expect([streams.length, released()]).toEqual([snapshotsSentMax + 1, 1])
})

test('a stream of the same member takes the place of one that hangs, one of another does so if it leads', async () => {
  const { transfer, store } = await setup()
  const meta: SnapshotMeta = { index: 9, term: 2, membership: votersOnly(ids(3)) }
  const id = 'a'.repeat(32)
  async function* hanging(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(Buffer.from('abc'))
    await new Promise(() => {})
  }
  async function* rest({ offset }: StreamPosition): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(Buffer.from('abcdef').subarray(offset))
  }
  const first = transfer.receive(nth(ids(3), 1), { meta, id, chunks: hanging }, false)
  const refused = expect(first).rejects.toThrow('A newer stream')
  await settle()
  const other = { meta, id, chunks: rest }
  await expect(transfer.receive(nth(ids(3), 2), other, false)).rejects.toThrow('being received')
  const again = transfer.receive(nth(ids(3), 1), { meta, id, chunks: hanging }, false)
  const refusedAgain = expect(again).rejects.toThrow('A newer stream')
  await refused
  await settle()
  await transfer.receive(nth(ids(3), 2), other, true)
  await refusedAgain
  expect(await store.newest()).toEqual(meta)
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
