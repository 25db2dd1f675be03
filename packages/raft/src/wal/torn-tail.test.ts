// Goal: a last record that a crash cut short is cut off, and one that was durable and is damaged since never is, whatever it holds: runs of
// zeros look like sectors that were never written. Method: random records with many zeros; one byte changed, or some sectors not written.
import { describe, expect, test } from 'vitest'
import type { Entry, NodeId } from '../core/types.ts'
import { SeededRandom } from '../simulation/random.ts'
import type { SimDisk } from '../simulation/sim-disk.ts'
import {
  isZero,
  nextRecordOffset,
  readRecordHeader,
  recordHeaderSizeBytes,
  segmentHeaderSizeBytes,
  segmentName,
} from './segment-format.ts'
import {
  directory,
  entry,
  newDisk,
  nodeId,
  openWal,
  persistEntries,
  type TestWalOptions,
} from './testing/test-wal.ts'

const path = `${directory}/${segmentName(1)}`
const roomy: TestWalOptions = { segmentSizeBytes: 1 << 16 }
const clustered: TestWalOptions = { ...roomy, otherVoters: ['n2', 'n3'] as NodeId[] }
const changes = [0x01, 0x80, 0x55, 0xff]

async function breathe(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await Promise.resolve()
}

/** Some bytes, then zeros, in turns; at times nothing else than zeros. */
function zeroRuns(random: SeededRandom): Buffer {
  const parts: Buffer[] = []
  for (let i = random.integer(1, 3); i > 0; i--) {
    const some = random.chance(0.3) ? 0 : random.integer(0, 700)
    parts.push(Buffer.alloc(some, random.integer(0, 255)), Buffer.alloc(random.integer(0, 3000)))
  }
  return Buffer.concat(parts)
}

interface LastRecord {
  readonly disk: SimDisk
  /** All but those of the last record. */
  readonly before: readonly Entry[]
  readonly last: Entry
  readonly offset: number
  readonly end: number
}

/** Two or three records, each of one entry, all of them durable; the log is not closed, so nobody has written down where it ends. */
async function write(random: SeededRandom, options: TestWalOptions): Promise<LastRecord> {
  const disk = newDisk(random.integer(1, 1_000_000))
  const { wal, durable } = await openWal(disk, options)
  const count = random.integer(2, 3)
  const entries: Entry[] = []
  for (let i = 1; i <= count; i++) {
    const item = entry(i, 1, zeroRuns(random))
    entries.push(item)
    const hardState = { term: 1, vote: nodeId, commit: 0 }
    wal.append(i, i === 1 ? persistEntries([item], hardState) : persistEntries([item]))
    await breathe(200)
  }
  expect(durable.at(-1)).toBe(count)
  disk.kill()
  const last = entries.pop()
  if (last === undefined) throw new Error('a record is written')
  return { disk, before: entries, last, ...lastPlace(disk) }
}

function lastPlace(disk: SimDisk): { readonly offset: number; readonly end: number } {
  let offset = 0
  for (let end = segmentHeaderSizeBytes; ;) {
    const bytes = disk.file(path).read(end, recordHeaderSizeBytes)
    const header = readRecordHeader(bytes, { sequence: 1, offset: end })
    if (header === undefined) return { offset, end }
    offset = end
    end = nextRecordOffset(offset, header.bodySize)
  }
}

/** Faster to compare. */
function inHex(entries: readonly Entry[]): readonly string[] {
  return entries.map(({ index, data }) => `${index} ${Buffer.from(data).toString('hex')}`)
}

/** One byte, for good; the second time it is as it was. */
function change(disk: SimDisk, at: number, mask: number): void {
  for (let bit = 0; bit < 8; bit++) if ((mask & (1 << bit)) !== 0) disk.file(path).flipBit(at, bit)
}

describe('a durable last record with runs of zeros', () => {
  test('comes back, and is read back, as it was', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { disk, before, last } = await write(new SeededRandom(seed), roomy)
      const { wal, recovered } = await openWal(disk, roomy)
      expect(recovered.repaired, `seed ${seed}`).toBeUndefined()
      expect(inHex(recovered.entries), `seed ${seed}`).toEqual(inHex([...before, last]))
      expect(inHex(await wal.read(1, 1 << 20)), `seed ${seed}`).toEqual(inHex([...before, last]))
      await wal.close()
    }
  })

  test('of which one byte is damaged is corruption for a sole voter, with file and offset', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = new SeededRandom(seed)
      const { disk, offset, end } = await write(random, roomy)
      for (let i = 0; i < 40; i++) {
        const at = random.integer(offset, end - 1)
        const mask = random.pick(changes) ?? 1
        change(disk, at, mask)
        await expect(openWal(disk, roomy), `seed ${seed}, ${mask} at ${at}`).rejects.toMatchObject({
          code: 'CORRUPT',
          file: path,
          offset,
        })
        change(disk, at, mask)
      }
    }
  })

  test('of which one byte is damaged makes a member of a cluster recovering', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = new SeededRandom(seed)
      const { disk, before, offset, end } = await write(random, clustered)
      const at = random.integer(offset, end - 1)
      change(disk, at, random.pick(changes) ?? 1)
      const { wal, recovered } = await openWal(disk, { ...clustered, onDamage: 'recover' })
      expect(recovered.isolated, `seed ${seed}, at ${at}`).toEqual([{ file: path, offset }])
      expect(recovered.hardState.isRecovering, `seed ${seed}`).toBe(true)
      expect(inHex(recovered.entries), `seed ${seed}`).toEqual(inHex(before))
      await wal.close()
    }
  })
})

/** Zeros in place of each sector of the record that was not written. */
function tear(disk: SimDisk, { offset, end }: LastRecord, random: SeededRandom): boolean {
  const file = disk.file(path)
  let isTorn = false
  for (let from = offset; from < end;) {
    const to = Math.min(end, from - (from % 512) + 512)
    if (random.chance(0.4)) {
      expect(isZero(file.read(from, to - from)), `zeros were written at ${from}`).toBe(false)
      file.write(from, Buffer.alloc(to - from))
      isTorn = true
    }
    from = to
  }
  return isTorn
}

test('a record with runs of zeros of which any sectors were not written is cut off, and the log goes on', async () => {
  let torn = 0
  for (let seed = 1; seed <= 100; seed++) {
    const random = new SeededRandom(seed)
    const record = await write(random, roomy)
    const { disk, before, last } = record
    const isTorn = tear(disk, record, random)
    const { wal, recovered } = await openWal(disk, roomy)
    const kept = isTorn ? before : [...before, last]
    expect(inHex(recovered.entries), `seed ${seed}`).toEqual(inHex(kept))
    if (recovered.repaired !== undefined) torn++
    const next = entry(recovered.entries.length + 1, 1, 'next')
    wal.append(1, persistEntries([next]))
    await wal.close()
    const { entries } = (await openWal(disk, roomy)).recovered
    expect(inHex(entries), `seed ${seed}`).toEqual(inHex([...kept, next]))
  }
  expect(torn).toBeGreaterThan(50)
})

test('after a crash while a record with runs of zeros is written, it is there as it was or not at all', async () => {
  let cut = 0
  for (let seed = 1; seed <= 100; seed++) {
    const random = new SeededRandom(seed)
    const disk = newDisk(seed)
    const { wal, fileSystem } = await openWal(disk, roomy)
    const first = entry(1, 1, zeroRuns(random))
    wal.append(1, persistEntries([first], { term: 1, vote: nodeId, commit: 0 }))
    await breathe(200)
    const second = entry(2, 1, zeroRuns(random))
    wal.append(2, persistEntries([second]))
    await breathe(random.integer(1, 4))
    fileSystem.stop()
    disk.crash()
    const { wal: again, recovered } = await openWal(disk, roomy)
    const expected = recovered.entries.length === 1 ? [first] : [first, second]
    expect(inHex(recovered.entries), `seed ${seed}`).toEqual(inHex(expected))
    if (recovered.repaired !== undefined) cut++
    await again.close()
  }
  expect(cut).toBeGreaterThan(5)
})
