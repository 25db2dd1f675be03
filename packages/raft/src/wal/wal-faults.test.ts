// Goal: whatever single operation of the disk fails, or whatever single write lands in the wrong place, what was reported durable is there
// when the log is opened again, or its loss is noticed. Method: one short life of a log for every operation in it.
import { expect, test } from 'vitest'
import type { NodeId } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import { SeededRandom } from '../simulation/random.ts'
import type { SimDisk } from '../simulation/sim-disk.ts'
import { FaultyFileSystem, type Fault } from './testing/faulty-file-system.ts'
import {
  entry,
  metadataPath,
  newDisk,
  nodeId,
  openWal,
  persistEntries,
  type TestWal,
} from './testing/test-wal.ts'

const stepsMax = 24
const options = { segmentSizeBytes: 2048, otherVoters: ['n2', 'n3'] as NodeId[] }

async function breathe(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await Promise.resolve()
}

interface Life {
  readonly struck: string | undefined
  /** Entries and terms up to here were reported durable. */
  readonly durable: number
}

/** Entry i in term i, with cuts of segments and releases; ended by its fault at the latest. */
async function live(disk: SimDisk, fileSystem: FaultyFileSystem): Promise<Life> {
  let opened: TestWal
  try {
    opened = await openWal(disk, { ...options, fileSystem })
  } catch {
    // The fault struck while the log was opened: nothing was reported.
    expect(fileSystem.struck).toBeDefined()
    return { struck: fileSystem.struck, durable: 0 }
  }
  const { wal, durable } = opened
  const random = new SeededRandom(5)
  for (let i = 1; i <= stepsMax; i++) {
    const data = Buffer.from(Array.from({ length: random.integer(1, 600) }, () => i))
    wal.append(i, persistEntries([entry(i, i, data)], { term: i, vote: nodeId, commit: i - 1 }))
    await breathe(i % 3 === 0 ? 5 : 200)
    if (i % 6 === 0) wal.compact(i - 4)
  }
  await breathe(300)
  const life = { struck: fileSystem.struck, durable: durable.at(-1) ?? 0 }
  fileSystem.stop()
  return life
}

interface Found {
  readonly lastIndex: number
  readonly term: number
  readonly isRecovering: boolean
}

async function reopen(disk: SimDisk, onDamage: 'refuse' | 'recover'): Promise<Found> {
  const { wal, recovered } = await openWal(disk, { ...options, onDamage })
  const { lastIndex } = wal
  const { term, isRecovering } = recovered.hardState
  await wal.close()
  for (const { index, term: entryTerm, data } of recovered.entries) {
    expect([entryTerm, data[0]]).toEqual([index, index])
  }
  return { lastIndex, term, isRecovering: isRecovering === true }
}

/** For every operation there is: a life in which it goes wrong, and the end of that life. */
async function forEveryOperation(
  fault: (disk: SimDisk) => Fault,
  check: (disk: SimDisk, life: Life) => Promise<void>,
): Promise<number> {
  for (let at = 1; ; at++) {
    for (const end of ['crash', 'kill'] as const) {
      const disk = newDisk(at)
      const life = await live(disk, new FaultyFileSystem(disk, { fault: fault(disk), at }))
      if (life.struck === undefined) return at - 1
      disk[end]()
      try {
        await check(disk, life)
      } catch (error) {
        throw new Error(`${life.struck} (${at}), ${end}, durable ${life.durable}`, { cause: error })
      }
    }
  }
}

test.each(['EIO', 'ENOSPC'] as const)(
  'whatever operation fails with %s, the log opens again and lacks nothing that was durable',
  async (code) => {
    const count = await forEveryOperation(
      () => ({ type: 'fail', code }),
      async (disk, { durable }) => {
        const found = await reopen(disk, 'refuse')
        expect(found.lastIndex).toBeGreaterThanOrEqual(durable)
        expect(found.term).toBeGreaterThanOrEqual(durable)
        // What was found once stays, whatever the page cache had made of it.
        disk.crash()
        const again = await reopen(disk, 'refuse')
        expect(again).toEqual(found)
      },
    )
    expect(count).toBeGreaterThan(100)
  },
)

/** Elsewhere in the same file, or in another one of the log; at the same place within a sector. */
function misplace(
  disk: SimDisk,
  random: SeededRandom,
  path: string,
  position: number,
): { readonly path: string; readonly position: number } {
  const others = disk.paths().filter((one) => one.endsWith('.wal') || one === metadataPath)
  const target = random.chance(0.5) ? (others[random.integer(0, others.length - 1)] ?? path) : path
  const sectors = Math.ceil(disk.file(target).size / 512) + 2
  const at = random.integer(0, sectors) * 512 + (position % 512)
  return { path: target, position: target === path && at === position ? at + 512 : at }
}

test('a write that lands elsewhere in the files of a member is noticed, or nothing that was durable is missing', async () => {
  let noticed = 0
  for (let seed = 1; seed <= 10; seed++) {
    const random = new SeededRandom(seed)
    const fault = (disk: SimDisk): Fault => ({
      type: 'misdirect',
      place: (path, position) => misplace(disk, random, path, position),
    })
    await forEveryOperation(fault, async (disk, { durable }) => {
      try {
        const found = await reopen(disk, 'recover')
        if (found.isRecovering) noticed++
        else expect(found.lastIndex).toBeGreaterThanOrEqual(durable)
        expect(found.term).toBeGreaterThanOrEqual(durable)
      } catch (reason) {
        if (!(reason instanceof RaftError)) throw reason
        noticed++
        const file = expect.stringContaining('member') as string
        expect(reason).toMatchObject({ code: 'CORRUPT', file })
      }
    })
  }
  expect(noticed).toBeGreaterThan(100)
})
