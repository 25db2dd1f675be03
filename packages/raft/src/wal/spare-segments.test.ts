// Goal: released segments become new ones, a limited number of them waits, and nothing that they held before is ever seen again.
import { expect, test } from 'vitest'
import type { FileSystem } from '../node/ports.ts'
import { SimFileSystem } from '../simulation/sim-file-system.ts'
import { SimFileError } from '../simulation/sim-disk.ts'
import { isSpareName, spareSegmentsMax } from './spare-segments.ts'
import { directory, entry, newDisk, openWal, persistEntries } from './testing/test-wal.ts'

const segmentSizeBytes = 4096
const text = 'y'.repeat(700)

/** Entries one after another, all but the last few released on the way. Returns the largest number of spares seen. */
async function run(
  fileSystem: FileSystem,
  disk: ReturnType<typeof newDisk>,
): Promise<{ spares: number; failures: Error[] }> {
  const { wal, durable, failures } = await openWal(disk, { segmentSizeBytes, fileSystem })
  let spares = 0
  for (let i = 1; i <= 120; i++) {
    wal.append(i, persistEntries([entry(i, 1, `${i} ${text}`)]))
    for (let turn = 0; durable.at(-1) !== i; turn++) {
      if (turn > 10_000) throw new Error('waited too long')
      await Promise.resolve()
    }
    // Several segments at once, more than are kept.
    if (i % 30 === 0) wal.compact(i - 3)
    for (let turn = 0; turn < 100; turn++) await Promise.resolve()
    const names = await fileSystem.list(directory)
    spares = Math.max(spares, names.filter(isSpareName).length)
  }
  await wal.close()
  return { spares, failures }
}

/** Counts the files that are made for segments. */
function counting(inner: SimFileSystem, onCreate: () => void): FileSystem {
  return {
    open: (path, mode) => {
      if (mode === 'create' && path.includes('.wal')) onCreate()
      return inner.open(path, mode)
    },
    list: (path) => inner.list(path),
    makeDirectory: (path) => inner.makeDirectory(path),
    rename: (from, to) => inner.rename(from, to),
    remove: (path) => inner.remove(path),
    syncDirectory: (path) => inner.syncDirectory(path),
    lock: (path) => inner.lock(path),
  }
}

test('released segments become new ones, and a limited number waits', async () => {
  const disk = newDisk(1)
  let created = 0
  const fileSystem = counting(new SimFileSystem(disk), () => created++)
  const { spares, failures } = await run(fileSystem, disk)
  expect(failures).toEqual([])
  expect(spares).toBe(spareSegmentsMax)
  const { wal, recovered } = await openWal(disk, { segmentSizeBytes })
  expect(recovered).toMatchObject({ repaired: undefined, isolated: [], base: { index: 117 } })
  expect(recovered.entries.map(({ data }) => Buffer.from(data).toString())).toEqual(
    [118, 119, 120].map((i) => `${i} ${text}`),
  )
  const names = await fileSystem.list(directory)
  const last = Number.parseInt(names.at(-1)?.slice(0, 16) ?? '', 16)
  expect(created).toBe(last - 3 * spareSegmentsMax)
  expect(names.filter(isSpareName)).toEqual([])
  await wal.close()
})

test('a spare that cannot be zeroed is given up, and the log goes on without', async () => {
  const disk = newDisk(1)
  const inner = new SimFileSystem(disk)
  const fileSystem: FileSystem = {
    ...counting(inner, () => undefined),
    open: async (path, mode) => {
      if (isSpareName(path)) throw new SimFileError('EIO', path)
      return await inner.open(path, mode)
    },
  }
  const { spares, failures } = await run(fileSystem, disk)
  expect([spares, failures]).toEqual([1, []])
  const { wal, recovered } = await openWal(disk, { segmentSizeBytes })
  expect(recovered.entries.at(-1)?.index).toBe(120)
  expect((await inner.list(directory)).filter(isSpareName)).toEqual([])
  await wal.close()
})
