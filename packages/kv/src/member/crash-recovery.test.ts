// The tables lose what was not synced, at any batch; the log replays it. Afterwards the member is what it was: same revision, same
// HashKV, same leases, and applying went on from the tables' own index, never twice.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { MemoryBackend, MemoryDisk } from '../backend/memory-backend.ts'
import { KvError } from '../errors.ts'
import type { Operation } from '../kv.ts'
import type { MvccStore } from '../mvcc/store.ts'
import { EmbeddedKv } from './embedded-kv.ts'
import { nodeMemberClock, type MemberClock } from './member-clock.ts'
import { encodeCompactionRequest } from '../proto/index.ts'
import { ask, openTestMember, type TestMember } from './testing/test-member.ts'

/** So small that the index is saved again and again. */
const indexRowsMax = 3
const seed = Number(process.env['SEED'] ?? 20261121)

type Step = (world: World) => Promise<void>

class World {
  readonly disk: MemoryDisk
  member: TestMember
  kv: EmbeddedKv

  private constructor(disk: MemoryDisk, member: TestMember) {
    this.disk = disk
    this.member = member
    this.kv = new EmbeddedKv(member.core)
  }

  static async open(): Promise<World> {
    const disk = new MemoryDisk()
    const member = await openTestMember({ backend: new MemoryBackend(disk), clock, indexRowsMax })
    return new World(disk, member)
  }

  /** Abandons the member: staged rows and unsynced batches past the first `batchesKept` are gone, the log is not. */
  async crash(batchesKept: number): Promise<void> {
    const before = await this.summary()
    const { log } = this.member.consensus
    this.member.stateMachine.housekeeping.stop()
    this.disk.crash(Math.min(batchesKept, this.disk.unsyncedCount))
    this.member = await openTestMember({
      backend: new MemoryBackend(this.disk),
      clock,
      log,
      indexRowsMax,
    })
    this.kv = new EmbeddedKv(this.member.core)
    this.member.stateMachine.store.index.verify()
    expect(await this.summary()).toEqual(before)
  }

  async summary(): Promise<unknown> {
    const { store, lessor, applied } = this.member.stateMachine
    const leases = lessor.ids().map((id) => `${id}: ${lessor.keysOf(id).join()}`)
    return {
      hash: await this.kv.hashKv(),
      revision: store.revision,
      applied: applied.index,
      leases: leases.sort(),
      keys: keysOf(store),
    }
  }
}

/** Every live key with all that is known of it; its row must be there. */
function keysOf(store: MvccStore): string[] {
  const keys: string[] = []
  store.index.scan({ from: '', to: undefined }, (record) => {
    const { key, main, sub, create, version } = record
    if (version > 0) keys.push([key, main, create, version, store.read(main, sub).length].join())
    return true
  })
  return keys
}

/** `physical` waits until the rows are gone. */
async function compact(world: World, revision: number, physical: boolean): Promise<void> {
  const body = encodeCompactionRequest({ revision, physical })
  await ask((done) => world.member.core.compact(body, done))
}

/** Steps of a compaction follow one another at once. */
const clock: MemberClock = {
  ...nodeMemberClock,
  setTimer: (ms, callback) => nodeMemberClock.setTimer(ms <= 10 ? 0 : ms, callback),
}

const key = fc.constantFrom('a', 'b', 'c', 'd')
const lease = fc.constantFrom(0n, 0n, 1n, 2n)
/** Refusals are part of the stream. */
const tried = async (call: Promise<unknown>): Promise<void> => {
  try {
    await call
  } catch (reason) {
    if (!(reason instanceof KvError)) throw reason
  }
}
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(key, fc.string({ maxLength: 3 }), lease).map(
      ([k, v, l]): Step =>
        (w) =>
          tried(w.kv.put(k, v, { lease: l })),
    ),
  },
  {
    weight: 2,
    arbitrary: key.map(
      (k): Step =>
        (w) =>
          tried(w.kv.delete(k)),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.array(key, { maxLength: 3 }).map((keys): Step => (w) => {
      const then = keys.map((k): Operation => ({ op: 'put', key: k, value: 'txn' }))
      return tried(w.kv.txn({ then }))
    }),
  },
  {
    weight: 1,
    arbitrary: fc.nat({ max: 6 }).map((back): Step => (w) => {
      const physical = back % 2 === 0
      return tried(compact(w, w.member.stateMachine.store.revision - back, physical))
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(1n, 2n).map(
      (id): Step =>
        (w) =>
          tried(w.kv.grantLease(60, { id })),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(1n, 2n).map(
      (id): Step =>
        (w) =>
          tried(w.kv.revokeLease(id)),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.boolean().map(
      (sync): Step =>
        (w) =>
          w.member.backend.flush({ sync }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.nat({ max: 4 }).map(
      (kept): Step =>
        (w) =>
          w.crash(kept),
    ),
  },
)

test('after a crash at any point the log brings the tables back to where they were', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
      const world = await World.open()
      for (const run of steps) await run(world)
      await world.crash(0)
      world.member.stateMachine.housekeeping.stop()
    }),
    { seed, numRuns: 150 },
  )
})

test('a key that was deleted and compacted after the index was saved does not come back', async () => {
  const world = await World.open()
  const { stateMachine, backend } = world.member
  for (const key of ['a', 'b', 'c', 'd']) await world.kv.put(key, '1')
  await stateMachine.housekeeping.finish()
  const saved = world.disk.index
  expect(saved).toBeDefined()
  await world.kv.delete('b')
  await world.kv.delete('c')
  await world.kv.put('c', '2')
  const { revision } = stateMachine.store
  await compact(world, revision, true)
  await backend.flush({ sync: true })
  expect(world.disk.index).toBe(saved)
  await world.crash(0)
  expect(world.member.stateMachine.store.index.get('b')?.isLiveAt(revision) ?? false).toBe(false)
  expect(world.member.stateMachine.store.index.get('c')).toMatchObject({ version: 1 })
})

test('while the state is replaced the index of the one before is not saved', async () => {
  const world = await World.open()
  const { housekeeping } = world.member.stateMachine
  housekeeping.pause()
  await world.kv.put('a', '1')
  housekeeping.wrote(1000)
  await housekeeping.idle()
  expect(world.disk.index).toBeUndefined()
  housekeeping.replaced()
  housekeeping.wrote(1)
  await housekeeping.idle()
  expect(world.disk.index).toBeDefined()
})

test('a damaged index is passed over and made anew', async () => {
  const world = await World.open()
  for (let i = 0; i < 700; i++) await world.kv.put(`key${i % 300}`, String(i))
  await world.kv.grantLease(60, { id: 1n })
  await world.kv.put('leased', '1', { lease: 1n })
  await world.member.stateMachine.housekeeping.finish()
  await world.member.backend.flush({ sync: true })
  const saved = world.disk.index ?? []
  expect(saved.length).toBeGreaterThan(3)
  const halved = saved.map((chunk) => chunk.subarray(0, chunk.length >>> 1))
  for (const index of [
    saved,
    saved.slice(0, -1),
    saved.slice(1),
    [...saved, ...saved],
    halved,
    [],
  ]) {
    world.disk.saveIndex(index)
    await world.crash(0)
  }
})

test('a snapshot brings another member to the same state, and a damaged one changes nothing', async () => {
  const world = await World.open()
  await world.kv.grantLease(60, { id: 1n })
  for (let i = 0; i < 3000; i++) await world.kv.put(`key${i}`, String(i))
  await world.kv.put('leased', '1', { lease: 1n })
  await world.kv.delete('key7')
  await world.kv.compact(1000)
  const snapshot = world.member.stateMachine.snapshot()
  await world.kv.put('later', 'not in it')

  const other = await openTestMember()
  const chunks: Uint8Array[] = []
  for await (const chunk of snapshot.chunks()) chunks.push(chunk)
  snapshot.release()
  const whole = Buffer.concat(chunks)
  for (const cut of [whole.subarray(0, -9), flipped(whole, 1000), Buffer.concat([whole, whole])]) {
    await expect(other.stateMachine.restore(snapshot.index, pieces(cut))).rejects.toThrow('damaged')
    expect(other.stateMachine.store.revision).toBe(1)
  }
  await other.stateMachine.restore(snapshot.index, pieces(whole))
  const hash = async (member: TestMember): Promise<unknown> =>
    new EmbeddedKv(member.core).hashKv({ revision: 3003 })
  expect(await hash(other)).toEqual(await hash(world.member))
  expect(other.stateMachine.lessor.keysOf(1n)).toEqual(['leased'])
  expect(other.stateMachine.applied.index).toBe(snapshot.index)
  await Promise.all([other.core.close(), world.member.core.close()])
})

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

/** The same bytes in chunks that cut through rows. */
async function* pieces(bytes: Buffer): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 777) {
    yield await Promise.resolve(bytes.subarray(at, at + 777))
  }
}
