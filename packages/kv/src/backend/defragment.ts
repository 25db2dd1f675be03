// Gives the space of deleted rows back: LevelDB rewrites its files, a slice of the history at a time, so that its own work (writing
// out the memory table, merging young files) comes in between and no write waits for long.
import { historyTable } from '../mvcc/revision.ts'
import type { LevelDatabase } from './level-database.ts'

const sliceCount = 32
/** Space, table, main revision. */
const revisionAt = 2

/** `space`: the first byte of the rows in force. */
export async function defragmentInSlices(database: LevelDatabase, space: string): Promise<void> {
  const start = Buffer.from(`${space}${historyTable}`)
  const end = Buffer.from([start[0] ?? 0, (start[1] ?? 0) + 1])
  const first = await revisionOf(database, { gte: start, lt: end, reverse: false })
  const last = await revisionOf(database, { gte: start, lt: end, reverse: true })
  let from = start
  const slices = last > first ? sliceCount : 1
  for (let i = 1; i < slices; i++) {
    const to = Buffer.alloc(revisionAt + 8)
    start.copy(to)
    to.writeBigUInt64BE(BigInt(first + Math.floor(((last - first) * i) / slices)), revisionAt)
    await database.compactRange(from, to)
    from = to
  }
  await database.compactRange(from, end)
  // What is left: the small tables, and what a replacement of all rows left behind.
  await database.compactRange(Buffer.from('a'), start)
  await database.compactRange(end, Buffer.from('c'))
}

/** Of the first row in the range, or the last; 0 if there is none. */
async function revisionOf(
  database: LevelDatabase,
  range: { gte: Buffer; lt: Buffer; reverse: boolean },
): Promise<number> {
  const options = { fillCache: false, highWaterMarkBytes: 1, limit: 1 }
  const iterator = database.iterator({ ...range, ...options })
  try {
    const [entry] = await iterator.nextv(1)
    const key = entry?.[0]
    if (key === undefined || key.length < revisionAt + 8) return 0
    return Number(key.readBigUInt64BE(revisionAt))
  } finally {
    await iterator.close()
  }
}
