// Into how many slices a rewriting of the tables is cut, and that it ends early where somebody waits for its end.
import { expect, test } from 'vitest'
import { rowKey } from '../mvcc/revision.ts'
import { defragmentInSlices } from './defragment.ts'
import type { LevelDatabase } from './level-database.ts'

const mb = 2 ** 20
const rows = [2, 1000].map((main) => Buffer.from(`a${rowKey(main, 0)}`, 'latin1'))

/** Records the ranges that are rewritten. */
function databaseOf(onCompact: () => void): { database: LevelDatabase; ranges: string[][] } {
  const ranges: string[][] = []
  const database = {
    iterator: ({ reverse }: { reverse: boolean }) => ({
      nextv: () => Promise.resolve([[rows[reverse ? 1 : 0], Buffer.alloc(0)]]),
      close: () => Promise.resolve(),
    }),
    compactRange: (from: Buffer, to: Buffer) => {
      ranges.push([from.toString('hex'), to.toString('hex')])
      onCompact()
      return Promise.resolve()
    },
  } as unknown as LevelDatabase
  return { database, ranges }
}

test('the slices lie end to end, one for each 16 MiB, and the rest of the tables comes after them', async () => {
  const { database, ranges } = databaseOf(() => undefined)
  const { signal } = new AbortController()
  await defragmentInSlices(database, { space: 'a', sizeBytes: 40 * mb, signal })
  expect(ranges).toHaveLength(3 + 2)
  const history = ranges.slice(0, 3)
  expect([history[0]?.[0], history[2]?.[1]]).toEqual(['616b', '616c'])
  expect(history.slice(1).map(([from]) => from)).toEqual(history.slice(0, 2).map(([, to]) => to))
  expect(ranges.slice(3)).toEqual([
    ['61', '616b'],
    ['616c', '63'],
  ])
})

test('tables of a few megabytes are rewritten in one go', async () => {
  const { database, ranges } = databaseOf(() => undefined)
  const { signal } = new AbortController()
  await defragmentInSlices(database, { space: 'a', sizeBytes: mb, signal })
  expect(ranges).toHaveLength(1 + 2)
})

test('it ends after the slice that is being rewritten when it is told to', async () => {
  const ending = new AbortController()
  const { database, ranges } = databaseOf(() => ending.abort())
  const { signal } = ending
  await defragmentInSlices(database, { space: 'a', sizeBytes: 2 ** 40, signal })
  expect(ranges).toHaveLength(1)
})
