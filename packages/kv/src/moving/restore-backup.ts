// A data folder as the store was at any revision, or at any time, that an incremental backup reaches.
import type { Row } from '../backend/backend.ts'
import { KvError } from '../errors.ts'
import { SnapshotFile } from '../etcd-file/snapshot-file.ts'
import { keyBytes } from '../mvcc/key-text.ts'
import { rowKey } from '../mvcc/revision.ts'
import {
  restoreSnapshot,
  type History,
  type RestoredMember,
  type RestoreOptions,
} from '../member/restore-snapshot.ts'
import { readFolder, recordsAfter, type BackupBase, type BackupFolder } from './backup-folder.ts'

/** Neither: the newest there is. */
export interface BackupPoint {
  readonly toRevision?: number
  /** Milliseconds since 1970: what the backup had seen until then. */
  readonly toTimeMs?: number
}

interface Plan {
  readonly base: BackupBase
  readonly revision: number
}

/** Rejects with CORRUPT for a damaged backup, and with a message that names what it reaches. */
export async function restoreBackup(
  path: string,
  point: BackupPoint,
  options: RestoreOptions,
): Promise<RestoredMember> {
  const folder = readFolder(path)
  const { base, revision } = planOf(path, folder, point)
  using file = new SnapshotFile(base.path)
  file.checkHash()
  const history: History = {
    through: revision,
    rows: () => rowsBetween(folder, base, revision),
    leases: leasesAt(folder, base, revision),
  }
  return await restoreSnapshot(file, { ...options, history })
}

export interface BackupSummary extends BackupFolder {
  /** The newest that can be restored. */
  readonly revision: number
  readonly timeMs: number
  readonly changes: number
}

/** Reads and checks all of it. Throws CORRUPT, or an error for a folder without a backup. */
export function checkBackup(path: string): BackupSummary {
  const folder = readFolder(path)
  const base = mustHaveBase(path, folder)
  for (const each of folder.bases) {
    using file = new SnapshotFile(each.path)
    file.checkHash()
    file.status()
  }
  let { revision, timeMs } = base
  let changes = 0
  for (const record of recordsAfter(folder, revision)) {
    if (record.type !== 'revision') continue
    changes += record.changes.length
    ;({ revision, timeMs } = record)
  }
  return { ...folder, revision, timeMs, changes }
}

function planOf(path: string, folder: BackupFolder, point: BackupPoint): Plan {
  const newest = mustHaveBase(path, folder)
  if (point.toTimeMs !== undefined) return planByTime(folder, point.toTimeMs)
  const target = point.toRevision ?? newestAfter(folder, newest)
  const before = folder.bases.findLast((base) => base.revision <= target)
  if (before !== undefined && reaches(folder, before, target))
    return { base: before, revision: target }
  // A later base holds the history before it, down to where it was compacted.
  const after = folder.bases.find((base) => base.revision > target)
  if (after !== undefined) return { base: after, revision: target }
  const last = newestAfter(folder, newest)
  throw refusal(`revision ${target} is not in the backup, which ends at revision ${last}`)
}

function planByTime(folder: BackupFolder, toTimeMs: number): Plan {
  const base = folder.bases.findLast((each) => each.timeMs <= toTimeMs)
  if (base === undefined) {
    const first = new Date(folder.bases[0]?.timeMs ?? 0).toISOString()
    throw refusal(`the backup begins at ${first}; give --to-revision for what was before`)
  }
  let { revision } = base
  for (const record of recordsAfter(folder, revision)) {
    if (record.timeMs > toTimeMs) break
    if (record.type === 'revision') revision = record.revision
  }
  return { base, revision }
}

function mustHaveBase(path: string, { bases }: BackupFolder): BackupBase {
  const newest = bases.at(-1)
  if (newest === undefined) throw refusal(`${path} holds no backup: no base-*.db is in it`)
  return newest
}

function newestAfter(folder: BackupFolder, base: BackupBase): number {
  let { revision } = base
  for (const record of recordsAfter(folder, revision)) revision = record.revision
  return revision
}

/** Whether the changes after a base go so far without a gap. */
function reaches(folder: BackupFolder, base: BackupBase, target: number): boolean {
  if (base.revision === target) return true
  for (const record of recordsAfter(folder, base.revision)) {
    if (record.type === 'revision' && record.revision >= target) return true
  }
  return false
}

function* rowsBetween(folder: BackupFolder, base: BackupBase, through: number): Iterable<Row> {
  if (through <= base.revision) return
  for (const record of recordsAfter(folder, base.revision)) {
    if (record.type !== 'revision') continue
    for (const [sub, { isDeleted, row }] of record.changes.entries()) {
      yield [keyBytes(rowKey(record.revision, sub, isDeleted)), row]
    }
    if (record.revision >= through) return
  }
}

/**
 * As they were seen last at or before that revision, and first after it: one of the two knows a lease that a key may hang on. What is
 * gone already has no keys, and expires.
 */
function leasesAt(
  folder: BackupFolder,
  base: BackupBase,
  through: number,
): ReadonlyMap<bigint, number> {
  const leases = new Map<bigint, number>()
  if (through <= base.revision) return leases
  for (const record of recordsAfter(folder, base.revision)) {
    if (record.type !== 'leases') continue
    if (record.revision <= through) leases.clear()
    for (const { id, ttlSeconds } of record.leases) leases.set(id, ttlSeconds)
    if (record.revision > through) break
  }
  return leases
}

function refusal(message: string): KvError {
  return new KvError('INTERNAL', { message })
}
