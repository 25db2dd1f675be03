import { expect, test } from 'vitest'
import type { NodeId, SnapshotMeta } from '../core/types.ts'
import { SeededRandom } from '../simulation/random.ts'
import { SimDisk } from '../simulation/sim-disk.ts'
import { SimFileSystem } from '../simulation/sim-file-system.ts'
import { SnapshotStore } from './snapshot-store.ts'
import { snapshotName } from './snapshot-format.ts'

const directory = 'snap'
const membership = {
  voters: ['a' as NodeId, 'b' as NodeId],
  votersOutgoing: [],
  learners: ['c' as NodeId],
}
const meta = (index: number, term = 3): SnapshotMeta => ({ index, term, membership })

function newDisk(seed = 1): SimDisk {
  const disk = new SimDisk(new SeededRandom(seed))
  disk.makeDirectory(directory)
  disk.syncDirectory('.')
  return disk
}

const open = (disk: SimDisk): Promise<SnapshotStore> =>
  SnapshotStore.open(new SimFileSystem(disk), directory)

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text))
}

async function textOf(store: SnapshotStore, wanted: SnapshotMeta): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const chunk of store.chunks(wanted)) parts.push(chunk)
  return Buffer.concat(parts).toString()
}

test('a snapshot comes back after a crash with what it stands for, the newest one first', async () => {
  for (let seed = 1; seed <= 50; seed++) {
    const disk = newDisk(seed)
    const store = await open(disk)
    await store.write(meta(5), chunks('old'))
    await store.write(meta(9), chunks('one ', '', 'two'))
    disk.crash()
    const again = await open(disk)
    expect(await again.newest()).toEqual(meta(9))
    expect(await textOf(again, meta(9))).toBe('one two')
    await again.removeUpTo(meta(9), false)
    disk.crash()
    expect(disk.paths()).toEqual([`${directory}/${snapshotName(meta(9))}`])
  }
})

test('a source that breaks, and a crash in the middle, leave no snapshot', async () => {
  const disk = newDisk()
  const store = await open(disk)
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(Buffer.from('x'))
    throw new Error('the source broke')
  }
  await expect(store.write(meta(5), broken())).rejects.toThrow('the source broke')
  expect(disk.paths()).toEqual([])
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(Buffer.from('x'))
    await new Promise(() => {})
  }
  void store.write(meta(6), endless())
  for (let i = 0; i < 50; i++) await Promise.resolve()
  expect(disk.paths()).toHaveLength(1)
  disk.kill()
  expect(await (await open(disk)).newest()).toBeUndefined()
  expect(disk.paths()).toEqual([])
})

test('a byte flipped anywhere is named with file and offset', async () => {
  const disk = newDisk()
  await (await open(disk)).write(meta(5), chunks('a'.repeat(200), 'b'.repeat(100)))
  const path = `${directory}/${snapshotName(meta(5))}`
  const inode = disk.file(path)
  for (let at = 0; at < inode.size; at++) {
    inode.flipBit(at, at % 8)
    const error: unknown = await (await open(disk)).newest().catch((reason: unknown) => reason)
    expect(error, `at ${at}`).toMatchObject({
      code: expect.stringMatching(/^(?:CORRUPT|VERSION_MISMATCH)$/) as string,
      file: path,
      offset: expect.any(Number) as number,
    })
    inode.flipBit(at, at % 8)
  }
  expect(await (await open(disk)).newest()).toEqual(meta(5))
})

test('a file that is cut short anywhere is refused', async () => {
  const disk = newDisk()
  await (await open(disk)).write(meta(5), chunks('a'.repeat(60)))
  const inode = disk.file(`${directory}/${snapshotName(meta(5))}`)
  for (let size = inode.size - 1; size >= 0; size--) {
    inode.truncate(size)
    await expect((await open(disk)).newest()).rejects.toMatchObject({ code: 'CORRUPT' })
  }
})
