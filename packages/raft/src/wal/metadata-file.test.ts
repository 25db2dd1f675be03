// Goal: term and vote survive any damage to one of the two places where they stand. Method: every byte of the metadata file flipped,
// copies and the whole file lost, and a log that went back in time.
import { expect, test } from 'vitest'
import type { NodeId } from '../core/types.ts'
import { SimFileSystem } from '../simulation/sim-file-system.ts'
import type { SimDisk } from '../simulation/sim-disk.ts'
import { MetadataFile } from './metadata-file.ts'
import { metadataCopySizeBytes } from './metadata-format.ts'
import { segmentName } from './segment-format.ts'
import {
  directory,
  entry,
  metadataPath,
  newDisk,
  nodeId,
  openWal,
  persistEntries,
} from './testing/test-wal.ts'

const vote = 'n2' as NodeId

/** Two terms and a vote, killed before it could close. */
async function writeLog(): Promise<SimDisk> {
  const disk = newDisk(1)
  const { wal, durable } = await openWal(disk)
  wal.append(1, persistEntries([entry(1, 3, 'a')], { term: 3, vote: nodeId, commit: 0 }))
  wal.append(2, persistEntries([], { term: 7, vote, commit: 0 }))
  for (let turn = 0; durable.at(-1) !== 2; turn++) {
    if (turn > 1000) throw new Error('waited too long')
    await Promise.resolve()
  }
  disk.kill()
  return disk
}

async function isWhole(disk: SimDisk): Promise<boolean | undefined> {
  const found = await MetadataFile.open(new SimFileSystem(disk), metadataPath)
  await found?.file.close()
  return found?.isWhole
}

test('a byte flipped anywhere in the metadata file changes nothing, and is healed when the log is opened', async () => {
  const disk = await writeLog()
  let damaged = 0
  for (let at = 0; at < disk.file(metadataPath).size; at++) {
    disk.file(metadataPath).flipBit(at, at % 8)
    if ((await isWhole(disk)) !== true) damaged++
    const { wal, recovered } = await openWal(disk)
    expect(recovered.hardState, `at ${at}`).toMatchObject({ term: 7, vote })
    expect(await isWhole(disk), `at ${at}`).toBe(true)
    await wal.close()
  }
  expect(damaged).toBeGreaterThan(140)
})

test('metadata of which both copies are damaged, or that are not there, come back from the log', async () => {
  const disk = await writeLog()
  for (const spoil of [
    () => {
      disk.file(metadataPath).write(10, Buffer.from('x'))
      disk.file(metadataPath).write(metadataCopySizeBytes + 10, Buffer.from('x'))
    },
    () => {
      disk.remove(metadataPath)
    },
  ]) {
    spoil()
    const { wal, recovered } = await openWal(disk)
    expect(recovered.hardState).toMatchObject({ term: 7, vote })
    await wal.close()
    expect(await isWhole(disk)).toBe(true)
  }
})

test('a vote that only the metadata know counts, and is in the log from then on', async () => {
  const disk = newDisk(1)
  const first = await openWal(disk)
  first.wal.append(1, persistEntries([entry(1, 3, 'a')], { term: 3, vote: nodeId, commit: 0 }))
  await first.wal.close()
  const segment = disk.file(`${directory}/${segmentName(1)}`)
  const before = segment.read(0, segment.size)
  const second = await openWal(disk)
  second.wal.append(2, persistEntries([], { term: 7, vote, commit: 0 }))
  await second.wal.close()
  segment.write(0, before)
  const found = await MetadataFile.open(new SimFileSystem(disk), metadataPath)
  if (found === undefined) throw new Error('the metadata are there')
  // The same file as if it had not been closed: then the end of the log is not known.
  await found.file.writeBoth({ ...found.state, logEnd: { sequence: 1, offset: 0 } })
  const { wal, recovered } = await openWal(disk)
  expect(recovered.hardState).toMatchObject({ term: 7, vote })
  await wal.close()
  disk.remove(metadataPath)
  expect((await openWal(disk)).recovered.hardState).toMatchObject({ term: 7, vote })
})

test('a log that ends before it was durable once is corrupt', async () => {
  const disk = newDisk(1)
  const first = await openWal(disk)
  first.wal.append(1, persistEntries([entry(1, 3, 'a')]))
  await first.wal.close()
  const segment = disk.file(`${directory}/${segmentName(1)}`)
  const before = segment.read(0, segment.size)
  const second = await openWal(disk)
  second.wal.append(2, persistEntries([entry(2, 3, 'b')]))
  await second.wal.close()
  segment.write(0, before)
  await expect(openWal(disk)).rejects.toMatchObject({
    code: 'CORRUPT',
    file: `${directory}/${segmentName(1)}`,
    offset: expect.any(Number) as number,
  })
})

test('the folder of another member, cluster or kind is refused by its metadata alone', async () => {
  const disk = await writeLog()
  const found = await MetadataFile.open(new SimFileSystem(disk), metadataPath)
  if (found === undefined) throw new Error('the metadata are there')
  const { state } = found
  for (const other of [{ nodeId: vote }, { clusterId: 'other' }, { isWitness: true }]) {
    await found.file.writeBoth({ ...state, ...other })
    await expect(openWal(disk, { isWitness: false })).rejects.toMatchObject({
      code: 'CLUSTER_MISMATCH',
      file: metadataPath,
    })
  }
  await found.file.writeBoth(state)
  const { wal } = await openWal(disk)
  await wal.close()
})
