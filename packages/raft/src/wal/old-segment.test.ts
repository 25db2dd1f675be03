// Goal: a log of format version 1 is read as it was written, and goes on in a segment of the newest version. Method: the bytes of one that
// a program of that version has written.
import { expect, test } from 'vitest'
import type { SimDisk } from '../simulation/sim-disk.ts'
import { SimFileSystem } from '../simulation/sim-file-system.ts'
import { MetadataFile } from './metadata-file.ts'
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

const path = `${directory}/${segmentName(1)}`
const options = { segmentSizeBytes: 4096 }

/** Segment 1 of member n1 in cluster test: three entries of term 1 in three records, the last one with 900 zeros inside. */
function oldSegment(): Buffer {
  const head = [
    '42414c534157414c0100000001000000000000000000000000000000ee99804f38000000ee99804f',
    '578c5c1e3dbff1f301040074657374026e3104000000000000000000000000000000000700000001',
    '01026e3100000300000000000000000000000000000000000000000000000000330000003dbff1f3',
    'cca3331c1427d0330201000000010000000000000001000000000000000005000000666972737403',
    '01000000000000000000000000000000026e31000000000000000000000000001b0000001427d033',
    'ee3a9ef043c631e90201000000020000000000000001000000000000000001000000780000000000',
    'a603000043c631e98fdaaf7d2c43edfb020100000003000000000000000100000000000000008c03',
    '0000626567696e',
  ]
  return Buffer.concat([Buffer.from(head.join(''), 'hex'), Buffer.alloc(900), Buffer.from('end')])
}

const payloads = [
  Buffer.from('first'),
  Buffer.from('x'),
  Buffer.concat([Buffer.from('begin'), Buffer.alloc(900), Buffer.from('end')]),
]
const entries = payloads.map((data, i) => entry(i + 1, 1, data))
const offsetOfLast = 240

function oldDisk(): SimDisk {
  const disk = newDisk(1)
  const inode = disk.create(path)
  inode.write(0, Buffer.concat([oldSegment(), Buffer.alloc(4096 - 1190)]))
  inode.sync()
  disk.syncDirectory(directory)
  return disk
}

test('a segment of version 1 is read, its entries too, and the next record begins a segment of version 2', async () => {
  const disk = oldDisk()
  const { wal, recovered, fileSystem } = await openWal(disk, options)
  expect(recovered).toMatchObject({ isNew: false, repaired: undefined, entries })
  expect(await wal.read(1, 1 << 20)).toEqual(entries)
  const next = entry(4, 1, Buffer.alloc(2000))
  wal.append(1, persistEntries([next]))
  await wal.close()
  expect(await fileSystem.list(directory)).toEqual([segmentName(1), segmentName(2)])
  expect(disk.file(path).read(0, 1190)).toEqual(Uint8Array.from(oldSegment()))
  expect(disk.file(`${directory}/${segmentName(2)}`).read(8, 4)).toEqual(Uint8Array.of(2, 0, 0, 0))
  const again = await openWal(disk, options)
  expect(again.recovered.entries).toEqual([...entries, next])
  expect(await again.wal.read(1, 1 << 20)).toEqual([...entries, next])
})

test('what the opening itself writes goes into the segment of version 1', async () => {
  const disk = oldDisk()
  const metadata = await MetadataFile.create(new SimFileSystem(disk), metadataPath, {
    clusterId: 'test',
    nodeId,
    term: 5,
    vote: undefined,
    isRecovering: false,
    isWitness: false,
    isSoleVoter: true,
    generation: 0,
    logEnd: { sequence: 1, offset: offsetOfLast },
  })
  await metadata.close()
  const { wal } = await openWal(disk, options)
  await wal.close()
  expect(disk.file(path).usedSize).toBeGreaterThan(1200)
  disk.remove(metadataPath)
  const { recovered, fileSystem } = await openWal(disk, options)
  expect(recovered).toMatchObject({ hardState: { term: 5 }, repaired: undefined, entries })
  expect(await fileSystem.list(directory)).toEqual([segmentName(1)])
})

test('in version 1 a damaged last record with a sector of zeros still counts as torn, and any other as damaged', async () => {
  const disk = oldDisk()
  disk.file(path).flipBit(offsetOfLast + 50, 0)
  const { recovered } = await openWal(disk, options)
  expect(recovered.repaired).toEqual({ file: path, offset: offsetOfLast })
  expect(recovered.entries).toEqual(entries.slice(0, 2))
  const other = oldDisk()
  other.file(path).flipBit(offsetOfLast + 1, 0)
  await expect(openWal(other, options)).rejects.toMatchObject({
    code: 'CORRUPT',
    file: path,
    offset: offsetOfLast,
  })
})
