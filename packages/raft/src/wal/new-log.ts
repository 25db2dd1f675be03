// The first segment of a new log, and what every segment begins with.
import type { HardState, SnapshotMeta } from '../core/types.ts'
import { EntryIndex } from './entry-index.ts'
import { encodeRecord, type RecordItem, type WalMetadata } from './record-body.ts'
import type { OpenedLog, RecoveredLog } from './recovery.ts'
import { createSegment } from './segment.ts'
import type { WalOptions } from './wal.ts'

/** What a recovery without the older segments needs: a segment begins with it. */
export function openingItems(
  metadata: WalMetadata,
  base: SnapshotMeta,
  hardState: HardState,
): readonly RecordItem[] {
  return [
    { type: 'metadata', metadata },
    { type: 'compacted', base },
    { type: 'hardState', hardState },
  ]
}

/** Durable when it resolves. */
export async function beginLog(
  { fileSystem, directory, clusterId, nodeId, initialMembership }: WalOptions,
  { sequence, segmentSizeBytes }: { readonly sequence: number; readonly segmentSizeBytes: number },
): Promise<OpenedLog> {
  const base: SnapshotMeta = { index: 0, term: 0, membership: initialMembership }
  const hardState: HardState = { term: 0, vote: undefined, commit: 0 }
  const segment = await createSegment(fileSystem, {
    directory,
    sequence,
    previousChain: 0,
    sizeBytesMax: segmentSizeBytes,
    firstRecord: encodeRecord(openingItems({ clusterId, nodeId }, base, hardState)),
  })
  const log: RecoveredLog = {
    isNew: true,
    hardState,
    base,
    entries: [],
    generation: 0,
    repaired: undefined,
    isolated: [],
  }
  return { segment, finished: [], highestIndex: 0, log, index: new EntryIndex() }
}
