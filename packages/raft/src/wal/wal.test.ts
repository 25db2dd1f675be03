// Goal: what the WAL reported durable is there after any crash, in the right order, and nothing else is; damage is repaired only where a
// crash explains it. Method: random appends, cuts and crashes against a model; every byte of a log flipped once; every
// way to tear the last record.
import { describe, expect, test } from 'vitest'
import type { Persist, SnapshotMeta } from '../core/types.ts'
import { SeededRandom } from '../simulation/random.ts'
import type { SimDisk } from '../simulation/sim-disk.ts'
import { segmentName } from './segment-format.ts'
import {
  advance,
  directory,
  emptyState,
  entry,
  isSame,
  isSameLog,
  membership,
  newDisk,
  nodeId,
  openWal,
  persistEntries,
  type ModelState,
  type TestWal,
} from './testing/test-wal.ts'

/** Bytes without a zero, so that no sector of a record looks unwritten. */
function randomBytes(random: SeededRandom, size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, () => random.integer(1, 255)))
}

/** One run over several lives of the log. Keeps every state that the log has gone through. */
class Run {
  readonly #random: SeededRandom
  readonly disk: SimDisk
  #state: ModelState = emptyState
  #states: ModelState[] = [emptyState]
  #committed = 0
  #open: TestWal | undefined

  constructor(seed: number) {
    this.#random = new SeededRandom(seed)
    this.disk = newDisk(seed)
  }

  async live(steps: number): Promise<void> {
    this.#open = await openWal(this.disk)
    this.#states = [this.#state]
    const { wal } = this.#open
    for (let step = 1; step <= steps; step++) {
      const persist = this.#nextPersist()
      this.#state = advance(this.#state, persist)
      this.#states.push(this.#state)
      wal.append(step, persist)
      if (this.#random.chance(0.5)) await breathe(this.#random.integer(1, 40))
      if (this.#random.chance(0.1)) this.#compact(this.#open)
    }
  }

  #nextPersist(): Persist {
    const random = this.#random
    const { lastIndex, term } = this.#state
    const isNewTerm = random.chance(0.2)
    const newTerm = isNewTerm ? term + 1 : Math.max(term, 1)
    const vote = random.chance(0.5) ? nodeId : undefined
    const hardState = { term: newTerm, vote, commit: this.#committed }
    if (random.chance(0.05)) {
      const snapshot: SnapshotMeta = {
        index: lastIndex + random.integer(1, 10),
        term: newTerm,
        membership,
      }
      this.#committed = snapshot.index
      return { snapshot, entries: [], hardState, mustSync: true }
    }
    const from = isNewTerm ? random.integer(this.#committed + 1, lastIndex + 1) : lastIndex + 1
    const entries = Array.from({ length: random.integer(0, 5) }, (_, i) =>
      entry(from + i, newTerm, randomBytes(random, random.integer(0, 900))),
    )
    return persistEntries(entries, hardState)
  }

  #compact({ wal, durable }: TestWal): void {
    const state = this.#states[durable.at(-1) ?? 0] ?? emptyState
    const limit = Math.min(state.lastIndex, this.#state.lastIndex)
    this.#committed = Math.max(this.#committed, Math.min(limit, this.#commonIndex(state)))
    wal.compact(this.#random.integer(0, this.#committed))
  }

  /** Up to where a durable state and the newest one agree: only that can be committed. */
  #commonIndex(state: ModelState): number {
    if (state.replacedAt?.index !== this.#state.replacedAt?.index) return this.#committed
    let index = Math.max(this.#committed, state.replacedAt?.index ?? 0)
    while (
      state.entries.has(index + 1) &&
      state.entries.get(index + 1) === this.#state.entries.get(index + 1)
    ) {
      index++
    }
    return index
  }

  /** Crashes, recovers and checks that one of the states since the last durable one came back. */
  async crash(): Promise<void> {
    const open = this.#open
    if (open === undefined) throw new Error('nothing is open')
    expect(open.failures).toEqual([])
    expect(open.durable).toEqual([...open.durable].sort((a, b) => a - b))
    open.fileSystem.stop()
    this.disk.crash()
    const { recovered, wal } = await openWal(this.disk)
    const from = open.durable.at(-1) ?? 0
    const candidates = this.#states.slice(from)
    const { term, vote } = recovered.hardState
    // Term and vote stand in a file of their own too, which may be ahead of the log.
    const at = candidates.findLastIndex((state) => state.term === term && state.vote === vote)
    const found = candidates.slice(0, at + 1).findLast((state) => isSameLog(recovered, state))
    expect(found, `one of ${candidates.length} states comes back`).toBeDefined()
    this.#state = { ...(found ?? emptyState), term, vote }
    // What a snapshot committed that did not reach the disk is forgotten.
    this.#committed = Math.min(this.#committed, this.#state.lastIndex)
    await wal.close()
  }
}

async function breathe(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await Promise.resolve()
}

test('after any crash the log is what it was at some moment since the last durable report', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const run = new Run(seed)
    try {
      for (let life = 0; life < 4; life++) {
        await run.live(40)
        await run.crash()
      }
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error })
    }
  }
})

test('a log that is closed is whole when it is opened again, and names its member and cluster', async () => {
  const disk = newDisk(1)
  const { wal } = await openWal(disk)
  wal.append(1, persistEntries([entry(1, 1, 'a')], { term: 1, vote: nodeId, commit: 0 }))
  wal.append(2, {
    snapshot: undefined,
    entries: [],
    hardState: { term: 1, vote: nodeId, commit: 1 },
    mustSync: false,
  })
  await wal.close()
  const { recovered } = await openWal(disk)
  expect(recovered).toMatchObject({
    isNew: false,
    generation: 0,
    hardState: { term: 1, vote: nodeId, commit: 1 },
    entries: [entry(1, 1, 'a')],
  })
  await expect(openWal(disk, { clusterId: 'other' })).rejects.toMatchObject({
    code: 'CLUSTER_MISMATCH',
  })
})

test('a generation begins with its entries in one record, and later segments repeat it', async () => {
  const disk = newDisk(1)
  const first = await openWal(disk)
  first.wal.append(1, persistEntries([entry(1, 1, 'a')], { term: 1, vote: nodeId, commit: 0 }))
  await first.wal.close()
  const second = await openWal(disk)
  const hardState = { term: 2, vote: nodeId, commit: 2 }
  await second.wal.beginGeneration(1, [entry(2, 2)], hardState)
  expect(second.syncs).toHaveLength(1)
  for (let i = 3; i < 40; i++) {
    second.wal.append(i, persistEntries([entry(i, 2, 'x'.repeat(500))]))
    second.wal.compact(i - 1)
  }
  await second.wal.close()
  const { recovered } = await openWal(disk)
  expect(recovered).toMatchObject({ generation: 1, base: { index: 38 }, hardState: { term: 2 } })
})

test('a member that joins keeps the generation it has met once it has written something', async () => {
  const disk = newDisk(1)
  const first = await openWal(disk)
  first.wal.joinGeneration(3)
  first.wal.append(1, persistEntries([entry(1, 1, 'a')]))
  await first.wal.close()
  expect((await openWal(disk)).recovered.generation).toBe(3)
})

test('what arrives in one turn shares a sync, and what arrives during it shares the next one', async () => {
  const { wal, syncs, durable } = await openWal(newDisk(1), { segmentSizeBytes: 1 << 20 })
  const append = (from: number, to: number): void => {
    for (let i = from; i <= to; i++) wal.append(i, persistEntries([entry(i, 1, 'x')]))
  }
  append(1, 10)
  await breathe(1)
  append(11, 50)
  await wal.close()
  expect(syncs).toHaveLength(2)
  expect(durable).toEqual([10, 50])
})

test('a commit index alone costs no sync and goes along with the next record', async () => {
  const disk = newDisk(1)
  const { wal, syncs, durable } = await openWal(disk)
  wal.append(1, {
    snapshot: undefined,
    entries: [],
    hardState: { term: 1, vote: undefined, commit: 0 },
    mustSync: false,
  })
  expect([durable, syncs]).toEqual([[1], []])
  wal.append(2, persistEntries([entry(1, 1, 'x')]))
  await breathe(50)
  expect([durable, syncs.length]).toEqual([[1, 2], 1])
  disk.kill()
  expect((await openWal(disk)).recovered.hardState.term).toBe(1)
})

test('segments that hold nothing but compacted entries are removed, and the rest is a whole log', async () => {
  const disk = newDisk(1)
  const { wal, fileSystem } = await openWal(disk)
  const data = 'x'.repeat(500)
  for (let i = 1; i <= 60; i++) {
    wal.append(i, persistEntries([entry(i, 1, data)]))
    await breathe(60)
  }
  const before = await fileSystem.list(directory)
  wal.compact(40)
  wal.append(61, persistEntries([entry(61, 1, data)]))
  await wal.close()
  const after = await fileSystem.list(directory)
  expect(after.length).toBeLessThan(before.length)
  expect(after).toEqual(before.slice(-after.length))
  const { recovered } = await openWal(disk)
  expect([recovered.base.index, recovered.base.term]).toEqual([40, 1])
  expect(recovered.entries.map(({ index }) => index)).toEqual(
    Array.from({ length: 21 }, (_, i) => 41 + i),
  )
})

test('after a failed sync nothing is reported durable any more, and nothing is tried again', async () => {
  const { wal, fileSystem, durable, failures, syncs } = await openWal(newDisk(1))
  fileSystem.trouble.failingSyncs = 1
  wal.append(1, persistEntries([entry(1, 1, 'x')]))
  await breathe(50)
  wal.append(2, persistEntries([entry(2, 1, 'y')]))
  await breathe(50)
  expect([durable, syncs, failures.length]).toEqual([[], [], 1])
  await wal.close()
})

test('a record whose sync failed, if it is found after a restart, lasts from then on', async () => {
  const disk = newDisk(1)
  const { wal, fileSystem } = await openWal(disk)
  fileSystem.trouble.failingSyncs = 1
  wal.append(1, persistEntries([entry(1, 1, 'x')]))
  await wal.close()
  disk.kill()
  const found = await openWal(disk)
  expect(found.recovered.entries).toEqual([entry(1, 1, 'x')])
  disk.crash()
  expect((await openWal(disk)).recovered.entries).toEqual([entry(1, 1, 'x')])
})

/** Three segments, several records each, every payload byte non-zero. */
async function writeLog(disk: SimDisk): Promise<ModelState> {
  const { wal, fileSystem } = await openWal(disk, { segmentSizeBytes: 2048 })
  const random = new SeededRandom(7)
  let state = emptyState
  for (let i = 1; i <= 9; i++) {
    const data = randomBytes(random, 500)
    const persist = persistEntries([entry(i, 1, data)], { term: i, vote: nodeId, commit: i - 1 })
    state = advance(state, persist)
    wal.append(i, persist)
    await breathe(100)
  }
  await wal.close()
  expect((await fileSystem.list(directory)).length).toBeGreaterThanOrEqual(3)
  return state
}

describe('a byte flipped anywhere in the log', () => {
  test('is harmless or named with file and offset, and never changes or shortens what is recovered', async () => {
    const disk = newDisk(1)
    const state = await writeLog(disk)
    let refused = 0
    for (const path of disk.paths()) {
      const inode = disk.file(path)
      for (let at = 0; at < inode.size; at += 1) {
        inode.flipBit(at, at % 8)
        try {
          const { recovered, wal } = await openWal(disk, { segmentSizeBytes: 2048 })
          expect(isSame(recovered, state), `${path} at ${at}`).toBe(true)
          await wal.close()
        } catch (error) {
          expect(error, `${path} at ${at}`).toMatchObject({
            code: 'CORRUPT',
            file: expect.stringContaining(directory) as string,
            offset: expect.any(Number) as number,
          })
          refused++
        }
        inode.flipBit(at, at % 8)
      }
    }
    expect(refused).toBeGreaterThan(4000)
  }, 120_000)
})

describe('the last record, torn', () => {
  const sectors = 5
  const last = segmentName(1)

  async function writeTwo(): Promise<{ disk: SimDisk; offset: number }> {
    const disk = newDisk(1)
    const open = await openWal(disk, { segmentSizeBytes: 1 << 16 })
    open.wal.append(1, persistEntries([entry(1, 1, 'first')]))
    await breathe(50)
    const random = new SeededRandom(3)
    const file = disk.file(`${directory}/${last}`)
    const offset = endOfRecords(file.read(0, file.size))
    open.wal.append(2, persistEntries([entry(2, 1, randomBytes(random, 512 * (sectors - 1)))]))
    await breathe(100)
    expect(open.durable).toEqual([1, 2])
    disk.kill()
    return { disk, offset }
  }

  test.each(Array.from({ length: 2 ** sectors - 2 }, (_, i) => i + 1))(
    'in any of its sectors (%i) is cut off, kept aside and reported, and the log goes on',
    async (mask) => {
      const { disk, offset } = await writeTwo()
      const file = disk.file(`${directory}/${last}`)
      const start = Math.floor(offset / 512)
      for (let i = 0; i < sectors; i++) {
        if ((mask & (1 << i)) === 0) continue
        const from = Math.max(offset, (start + i) * 512)
        file.write(from, Buffer.alloc((start + i + 1) * 512 - from))
      }
      const { recovered, wal, fileSystem } = await openWal(disk, { segmentSizeBytes: 1 << 16 })
      expect(recovered.repaired).toEqual({ file: `${directory}/${last}`, offset })
      expect(recovered.entries).toEqual([entry(1, 1, 'first')])
      expect(await fileSystem.list(directory)).toContain(`${last}.${offset.toString(16)}.broken`)
      wal.append(1, persistEntries([entry(2, 2, 'second')]))
      await wal.close()
      const again = await openWal(disk)
      expect(again.recovered.repaired).toBeUndefined()
      expect(again.recovered.entries).toEqual([entry(1, 1, 'first'), entry(2, 2, 'second')])
    },
  )

  test('is corruption when a valid record follows it', async () => {
    const { disk, offset } = await writeTwo()
    const { wal } = await openWal(disk, { segmentSizeBytes: 1 << 16 })
    wal.append(1, persistEntries([entry(3, 1, 'third')]))
    await wal.close()
    disk.file(`${directory}/${last}`).write(offset + 600, Buffer.alloc(512))
    disk
      .file(`${directory}/${last}`)
      .write(Math.ceil((offset + 600) / 512) * 512, Buffer.alloc(512))
    await expect(openWal(disk)).rejects.toMatchObject({
      code: 'CORRUPT',
      file: `${directory}/${last}`,
      offset,
    })
  })
})

/** The offset of the first zero after which only zeros follow, rounded up to where a record may begin. */
function endOfRecords(bytes: Uint8Array): number {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end--
  return Math.ceil(end / 16) * 16
}

test('a missing segment is named', async () => {
  const disk = newDisk(1)
  await writeLog(disk)
  disk.remove(`${directory}/${segmentName(2)}`)
  await expect(openWal(disk)).rejects.toMatchObject({
    code: 'CORRUPT',
    file: `${directory}/${segmentName(2)}`,
  })
})
