// Gives the space of deleted rows back: LevelDB rewrites its files, a slice of the history at a time, so that its own work (writing
// out the memory table, merging young files) comes in between and no write waits for long. The disk gets a rest after each slice.
import { historyTable } from '../mvcc/revision.ts'
import type { DatabaseWrite, LevelDatabase } from './level-database.ts'

/** Each slice costs a memory table that is written out, so small tables have few. */
const sliceSizeBytes = 16 * 2 ** 20
const slicesMax = 32
/** Between two slices as long as the one before took, within these. */
const pauseMsMin = 50
const pauseMsMax = 1000
/** Space, table, main revision. */
const revisionAt = 2

export interface DefragmentOptions {
  /** The first byte of the rows in force. */
  readonly space: string
  /** Of all tables, about. */
  readonly sizeBytes: number
  /** Ends it after the slice that is being rewritten. */
  readonly signal: AbortSignal
}

/**
 * To be written before: deletions of two rows that nobody has, one before all history and one behind. LevelDB does not rewrite what
 * lies in the lowest level alone, where the first memory table goes with all that was deleted in it; below a young table as wide it does.
 */
export function historyEdges(space: string): readonly DatabaseWrite[] {
  const start = Buffer.from(`${space}${historyTable}`)
  const end = Buffer.concat([start, Buffer.from([0xff])])
  return [start, end].map((key) => ({ type: 'del', key }))
}

export async function defragmentInSlices(
  database: LevelDatabase,
  { space, sizeBytes, signal }: DefragmentOptions,
): Promise<void> {
  const start = Buffer.from(`${space}${historyTable}`)
  const end = Buffer.from([start[0] ?? 0, (start[1] ?? 0) + 1])
  const first = await revisionOf(database, { gte: start, lt: end, reverse: false })
  const last = await revisionOf(database, { gte: start, lt: end, reverse: true })
  let from = start
  const slices = Math.min(slicesMax, Math.ceil(sizeBytes / sliceSizeBytes), last - first)
  for (let i = 1; i < slices; i++) {
    const to = Buffer.alloc(revisionAt + 8)
    start.copy(to)
    to.writeBigUInt64BE(BigInt(first + Math.floor(((last - first) * i) / slices)), revisionAt)
    const startMs = performance.now()
    await database.compactRange(from, to)
    const tookMs = performance.now() - startMs
    await pause(Math.min(Math.max(tookMs, pauseMsMin), pauseMsMax), signal)
    if (signal.aborted) return
    from = to
  }
  await database.compactRange(from, end)
  // What is left: the small tables, and what a replacement of all rows left behind.
  await database.compactRange(Buffer.from('a'), start)
  await database.compactRange(end, Buffer.from('c'))
}

async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const over = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', over)
      resolve()
    }
    const timer = setTimeout(over, durationMs)
    signal.addEventListener('abort', over)
  })
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
