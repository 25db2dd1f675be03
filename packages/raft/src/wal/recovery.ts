// Opens the segments of an existing log: checks that none is missing, replays them, cuts off a torn tail and zeroes what lies behind it.
import type { Entry, HardState, LogIndex, NodeId, SnapshotMeta } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import type { File, FileSystem } from '../node/ports.ts'
import { cutTail } from './broken-files.ts'
import { EntryIndex } from './entry-index.ts'
import { LogReplay } from './log-replay.ts'
import type { LogPlace } from './metadata-format.ts'
import { segmentName, segmentSequence } from './segment-format.ts'
import { scanSegment, type ScanResult } from './segment-scan.ts'
import { Segment } from './segment.ts'
import { isSpareName } from './spare-segments.ts'

export interface FilePlace {
  readonly file: string
  readonly offset: number
}

/** What an opened log held. */
export interface RecoveredLog {
  readonly isNew: boolean
  readonly hardState: HardState
  readonly base: SnapshotMeta
  /** After the base, without a gap. */
  readonly entries: readonly Entry[]
  /** Of the cluster; 0 until it was recovered from the loss of its quorum. */
  readonly generation: number
  /** Where a torn tail was cut off. */
  readonly repaired: FilePlace | undefined
  /** What did not check out and was set aside: the log goes on before it, and the member is recovering. */
  readonly isolated: readonly FilePlace[]
}

/** A segment that is not written to any more. */
export interface FinishedSegment {
  readonly path: string
  readonly highestIndex: LogIndex
}

export interface OpenedLog {
  readonly segment: Segment
  /** Oldest first. */
  readonly finished: readonly FinishedSegment[]
  /** The highest entry index in `segment`. */
  readonly highestIndex: LogIndex
  readonly log: RecoveredLog
  /** Where the entries stand. */
  readonly index: EntryIndex
}

export interface RecoveryOptions {
  readonly fileSystem: FileSystem
  readonly directory: string
  readonly clusterId: string
  readonly nodeId: NodeId
  readonly segmentSizeBytes: number
  /** The log was durable up to here. */
  readonly logEnd?: LogPlace | undefined
}

/** Undefined if there is no log yet. Throws RaftError CORRUPT, CLUSTER_MISMATCH or VERSION_MISMATCH. */
export async function recoverSegments(options: RecoveryOptions): Promise<OpenedLog | undefined> {
  const { fileSystem, directory } = options
  const sequences = await findSegments(fileSystem, directory)
  const lastSequence = sequences.pop()
  if (lastSequence === undefined) return undefined
  const replay = new LogReplay({ clusterId: options.clusterId, nodeId: options.nodeId })
  const index = new EntryIndex()
  const finished: FinishedSegment[] = []
  let previousChain: number | undefined
  for (const sequence of sequences) {
    const path = `${directory}/${segmentName(sequence)}`
    const file = await fileSystem.open(path, 'read')
    const place = { file, path, sequence, previousChain, isLast: false }
    const scan = await closingOnError(file, () => replaySegment({ replay, index }, place))
    await file.close()
    finished.push({ path, highestIndex: replay.takeHighestIndex() })
    previousChain = scan.chain
  }
  const path = `${directory}/${segmentName(lastSequence)}`
  const file = await fileSystem.open(path, 'write')
  const place = { file, path, sequence: lastSequence, previousChain, isLast: true }
  return await closingOnError(file, async () => {
    const scan = await replaySegment({ replay, index }, place)
    const log = replay.finish({ path, offset: scan.endOffset })
    checkEnd(options, { path, sequence: lastSequence, offset: scan.endOffset })
    if (scan.isTorn) {
      const { endOffset, sizeBytes } = scan
      await cutTail(fileSystem, directory, { file, path, from: endOffset, to: sizeBytes })
    }
    await makeLastRecordDurable(file, scan)
    await fileSystem.syncDirectory(directory)
    const repaired = scan.isTorn ? { file: path, offset: scan.endOffset } : undefined
    const segment = new Segment({
      file,
      path,
      sequence: lastSequence,
      version: scan.version,
      sizeBytesMax: options.segmentSizeBytes,
      endOffset: scan.endOffset,
      allocatedBytes: scan.sizeBytes,
      chain: scan.chain,
    })
    const highestIndex = replay.takeHighestIndex()
    index.release(log.base.index)
    return {
      segment,
      finished,
      highestIndex,
      log: { isNew: false, ...log, repaired, isolated: [] },
      index,
    }
  })
}

/** Records that are gone without a trace are missed here. */
function checkEnd(
  { directory, logEnd }: RecoveryOptions,
  end: { readonly path: string; readonly sequence: number; readonly offset: number },
): void {
  if (logEnd === undefined || end.sequence > logEnd.sequence) return
  if (end.sequence < logEnd.sequence) {
    const path = `${directory}/${segmentName(logEnd.sequence)}`
    throw new RaftError('CORRUPT', `WAL segment ${path} is missing`, { file: path, offset: 0 })
  }
  if (end.offset >= logEnd.offset) return
  const { path, offset } = end
  const text = `WAL ${path} ends at offset ${offset}, and was durable up to ${logEnd.offset}`
  throw new RaftError('CORRUPT', text, { file: path, offset })
}

/**
 * What a killed process has written can be read, and may still be lost. After a sync that failed the system may even take its
 * pages for clean, and a sync alone would do nothing. So the record that was perhaps never synced is written once more.
 */
async function makeLastRecordDurable(file: File, scan: ScanResult): Promise<void> {
  const { lastOffset, endOffset } = scan
  const bytes = await file.read(lastOffset, endOffset - lastOffset)
  await file.write([bytes], lastOffset)
  await file.sync()
}

async function closingOnError<T>(file: File, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (reason) {
    await file.close()
    throw reason
  }
}

/** Ascending and without a gap; half-made segments and spares are removed. */
async function findSegments(fileSystem: FileSystem, directory: string): Promise<number[]> {
  const sequences: number[] = []
  for (const name of await fileSystem.list(directory)) {
    const sequence = segmentSequence(name)
    if (sequence !== undefined) sequences.push(sequence)
    else if (name.endsWith('.wal.tmp') || isSpareName(name))
      await fileSystem.remove(`${directory}/${name}`)
  }
  sequences.sort((a, b) => a - b)
  for (const [i, sequence] of sequences.entries()) {
    const expected = (sequences[0] ?? 0) + i
    if (sequence === expected) continue
    const path = `${directory}/${segmentName(expected)}`
    throw new RaftError('CORRUPT', `WAL segment ${path} is missing`, { file: path, offset: 0 })
  }
  return sequences
}

interface SegmentPlace {
  readonly file: File
  readonly path: string
  readonly sequence: number
  readonly previousChain: number | undefined
  readonly isLast: boolean
}

async function replaySegment(
  { replay, index }: { readonly replay: LogReplay; readonly index: EntryIndex },
  place: SegmentPlace,
): Promise<ScanResult> {
  const { path, sequence } = place
  return await scanSegment({
    ...place,
    onRecord(items, { offset, chain, bodySize }) {
      replay.add(items, { path, offset })
      index.addRecord(items, { sequence, offset, chain }, bodySize)
    },
  })
}
