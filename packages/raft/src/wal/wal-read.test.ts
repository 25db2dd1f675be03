// Goal: entries read back from the segments are those that a model of the log holds, whatever was replaced, cut or released before,
// and damage is named instead of returned.
import { expect, test } from 'vitest'
import type { Entry } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import { SeededRandom } from '../simulation/random.ts'
import { EntryIndex, entryMarksMax } from './entry-index.ts'
import { segmentName } from './segment-format.ts'
import { directory, entry, newDisk, openWal, persistEntries } from './testing/test-wal.ts'

async function until(isDone: () => boolean): Promise<void> {
  for (let turn = 0; !isDone(); turn++) {
    if (turn > 100_000) throw new Error('waited too long')
    await Promise.resolve()
  }
}

const texts = (entries: readonly Entry[]): string[] =>
  entries.map(({ index, term, data }) => `${index}/${term} ${Buffer.from(data).toString()}`)

test('what is read back is what a model of the log holds, before and after it is opened again', async () => {
  for (let seed = 1; seed <= 25; seed++) {
    const random = new SeededRandom(seed)
    const disk = newDisk(seed)
    const model: Entry[] = []
    let base = 0
    let term = 1
    for (let life = 0; life < 3; life++) {
      const { wal, durable } = await openWal(disk, { segmentSizeBytes: 4096 })
      for (let step = 1; step <= 60; step++) {
        if (random.chance(0.15)) term++
        const isCut = random.chance(0.15)
        const first = isCut ? random.integer(base + 1, model.length + 1) : model.length + 1
        model.length = first - 1
        const count = random.integer(1, 6)
        const added = Array.from({ length: count }, (_, i) =>
          entry(first + i, term, 'x'.repeat(random.integer(0, 300)) + String(step)),
        )
        model.push(...added)
        wal.append(step, persistEntries(added))
        if (random.chance(0.3)) continue
        await until(() => durable.at(-1) === step)
        if (random.chance(0.1)) {
          base = random.integer(base, model.length)
          wal.compact(base)
        }
        if (base === model.length) continue
        const from = random.integer(base + 1, model.length)
        const sizeBytesMax = random.integer(0, 3000)
        const read = await wal.read(from, sizeBytesMax)
        expect(read.length, `seed ${seed}`).toBeGreaterThan(0)
        expect(texts(read)).toEqual(texts(model.slice(from - 1, from - 1 + read.length)))
        const size = read.reduce((sum, { data }) => sum + data.length + 32, 0)
        expect(read.length === 1 || size <= sizeBytesMax).toBe(true)
        const next = model[from - 1 + read.length]
        expect(next === undefined || size + next.data.length + 32 > sizeBytesMax).toBe(true)
      }
      await wal.close()
    }
  }
})

test('a released entry is refused as COMPACTED, also when its segment goes while it is read', async () => {
  const { wal, durable } = await openWal(newDisk(1), { segmentSizeBytes: 2048 })
  for (let i = 1; i <= 20; i++) {
    wal.append(i, persistEntries([entry(i, 1, 'x'.repeat(500))]))
    await until(() => durable.at(-1) === i)
  }
  const reading = wal.read(1, 100_000)
  wal.compact(15)
  wal.append(21, persistEntries([entry(21, 1, 'x')]))
  await until(() => durable.at(-1) === 21)
  // Whoever had the file open in time may still get what was asked for.
  const code = await reading.then(
    (entries) => {
      expect(entries.map(({ index }) => index)).toEqual(entries.map((_, i) => i + 1))
      return 'COMPACTED'
    },
    (reason: unknown) => (reason instanceof RaftError ? reason.code : reason),
  )
  expect(code).toBe('COMPACTED')
  await expect(wal.read(15, 100)).rejects.toMatchObject({ code: 'COMPACTED' })
  expect((await wal.read(16, 100_000)).map(({ index }) => index)).toEqual([16, 17, 18, 19, 20, 21])
  await wal.close()
})

test('a damaged entry is named with file and offset, and the log is not used any more', async () => {
  const disk = newDisk(1)
  const { wal, durable, failures } = await openWal(disk, { segmentSizeBytes: 1 << 16 })
  wal.append(1, persistEntries([entry(1, 1, 'first'), entry(2, 1, 'second')]))
  await until(() => durable.at(-1) === 1)
  const path = `${directory}/${segmentName(1)}`
  const file = disk.file(path)
  file.flipBit(Buffer.from(file.read(0, file.size)).indexOf('second'), 3)
  await expect(wal.read(1, 1000)).rejects.toMatchObject({
    code: 'CORRUPT',
    file: path,
    offset: expect.any(Number) as number,
  })
  expect(failures).toMatchObject([{ code: 'CORRUPT' }])
  wal.append(2, persistEntries([entry(3, 1, 'third')]))
  await wal.close()
  expect(durable).toEqual([1])
})

test('the index of a log without cuts has a limit, and still leads to every entry', () => {
  const index = new EntryIndex()
  const count = entryMarksMax * 3
  for (let i = 1; i <= count; i++) {
    index.add(i, i, { sequence: 1, offset: i * 100_000, chain: i }, 100_000)
    expect(index.marksCount).toBeLessThanOrEqual(entryMarksMax)
  }
  for (let i = 1; i <= count; i += 97) {
    const found = index.find(i)
    expect(found?.mark.firstIndex).toBeLessThanOrEqual(i)
    expect(found?.lastIndex).toBeGreaterThanOrEqual(i)
    expect(found?.mark.offset).toBe((found?.mark.firstIndex ?? 0) * 100_000)
  }
  expect(index.find(count + 1)).toBeUndefined()
})
