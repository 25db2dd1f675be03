// The folder of an incremental backup: bases (snapshots, as etcd writes them) and the changes after them. Whatever is missing, damaged or
// out of order is found by reading it.
import { readdirSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { KvError } from '../errors.ts'
import { checksumOf, decodeRecord, deltaMagic, type DeltaRecord } from './delta-format.ts'

export interface BackupBase {
  readonly path: string
  readonly revision: number
  /** When it was taken, milliseconds since 1970. */
  readonly timeMs: number
}
export interface BackupDelta {
  readonly path: string
  /** Of its first change. */
  readonly from: number
}
export interface BackupFolder {
  /** Oldest first. */
  readonly bases: readonly BackupBase[]
  readonly deltas: readonly BackupDelta[]
}

const basePattern = /^base-(\d{16})-(\d{13})\.db$/
const deltaPattern = /^delta-(\d{16})\.log$/

export function baseName(revision: number, timeMs: number): string {
  return `base-${digits(revision, 16)}-${digits(timeMs, 13)}.db`
}

export function deltaName(from: number): string {
  return `delta-${digits(from, 16)}.log`
}

export function readFolder(folder: string): BackupFolder {
  const bases: BackupBase[] = []
  const deltas: BackupDelta[] = []
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name)
    const [, revision, timeMs] = basePattern.exec(name) ?? []
    const [, from] = deltaPattern.exec(name) ?? []
    if (revision !== undefined)
      bases.push({ path, revision: Number(revision), timeMs: Number(timeMs) })
    if (from !== undefined) deltas.push({ path, from: Number(from) })
  }
  return { bases, deltas }
}

interface DeltaReading {
  /** A crash may have left its end unfinished: that is left out. */
  readonly isLast: boolean
  /** What is left out is cut off. */
  readonly mayCut: boolean
}

/** All records of one file of changes. Throws CORRUPT with the place. */
function* readDelta(path: string, { isLast, mayCut }: DeltaReading): Iterable<DeltaRecord> {
  const bytes = readFileSync(path)
  const isHeaded = bytes.subarray(0, deltaMagic.length).equals(deltaMagic)
  if (!isHeaded && bytes.length >= deltaMagic.length) throw damaged(path, 0, 'its head is unknown')
  // A head that is cut short is a torn end too.
  const end = isHeaded ? bytes.length : 0
  let at = isHeaded ? deltaMagic.length : 0
  let checksum = 0
  while (at < end) {
    const rest = bytes.subarray(at)
    const found = decodeRecord(rest, checksum)
    if (found.status === 'damaged') throw damaged(path, at, 'a record does not check out')
    if (found.status === 'torn') break
    yield found.record
    checksum = checksumOf(rest)
    at += found.sizeBytes
  }
  if (at === bytes.length) return
  if (!isLast) throw damaged(path, at, 'its end is missing')
  if (mayCut) truncateSync(path, at)
}

/**
 * The records after `revision` of all files, in order; those that come twice once. Ends where the source had compacted what comes next, so
 * that another base follows. Throws CORRUPT if a revision is missing otherwise.
 */
export function* recordsAfter(
  { bases, deltas }: BackupFolder,
  revision: number,
  { mayCut = false }: { readonly mayCut?: boolean } = {},
): Iterable<DeltaRecord> {
  let last = revision
  for (const [i, { path }] of deltas.entries()) {
    const next = deltas[i + 1]
    if (next !== undefined && next.from <= revision + 1) continue
    for (const record of readDelta(path, { isLast: next === undefined, mayCut })) {
      if (record.type === 'revision' && record.revision <= last) continue
      if (record.type === 'revision' && record.revision !== last + 1) {
        const before = record.revision - 1
        if (bases.some((base) => base.revision > last && base.revision >= before)) return
        throw damaged(path, 0, `revisions ${last + 1} to ${record.revision - 1} are missing`)
      }
      if (record.type === 'revision') last = record.revision
      yield record
    }
  }
}

function damaged(path: string, offset: number, what: string): KvError {
  return new KvError('CORRUPT', { message: `${path} is damaged at byte ${offset}: ${what}` })
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, '0')
}
