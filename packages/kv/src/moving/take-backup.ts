// An incremental backup: a snapshot first, then every change as it happens. Goes on where it was; when the source has compacted what it
// missed, another snapshot follows.
import { mkdirSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { follow } from '../client/follow.ts'
import type { SnapshotPart } from '../client/download-snapshot.ts'
import { KvError } from '../errors.ts'
import { SnapshotFile } from '../etcd-file/snapshot-file.ts'
import type { Kv } from '../kv.ts'
import { baseName, readFolder, recordsAfter } from './backup-folder.ts'
import { revisionRecord } from './delta-format.ts'
import { DeltaWriter } from './delta-writer.ts'
import { revisionsOf } from './mirror-writer.ts'

export interface BackupOptions {
  readonly kv: Kv
  /** A snapshot of the same server. */
  readonly snapshot: () => AsyncIterable<SnapshotPart>
  readonly folder: string
  readonly signal: AbortSignal
  /** Wall clock, milliseconds since 1970. */
  readonly nowMs: () => number
  /** Ends when everything that was there at the start is in the backup; else it goes on until the signal. */
  readonly isOnce?: boolean
  readonly onBase?: (part: SnapshotPart) => void
  /** Everything up to `revision` is on disk. */
  readonly onSaved?: (revision: number) => void
}

/** While changes come, the leases are looked at so often. */
const leasesIntervalMs = 10_000

/** Rejects with ABORTED at the signal, and with what cannot be helped; resolves at the end with `isOnce`. */
export async function takeBackup(options: BackupOptions): Promise<void> {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 })
  let last = lastRevision(options.folder) ?? (await takeBase(options))
  const until = options.isOnce === true ? (await options.kv.status()).revision : Infinity
  for (;;) {
    try {
      await followChanges(options, last, until)
      return
    } catch (reason) {
      if (!(reason instanceof KvError) || reason.code !== 'COMPACTED') throw reason
      last = await takeBase(options)
    }
  }
}

/** Undefined for an empty folder. Cuts off what a crash left unfinished. */
function lastRevision(folder: string): number | undefined {
  const found = readFolder(folder)
  const base = found.bases.at(-1)
  if (base === undefined) return undefined
  let last = base.revision
  for (const record of recordsAfter(found, last, { mayCut: true })) {
    if (record.type === 'revision') last = record.revision
  }
  return last
}

/** Returns its revision. */
async function takeBase({ folder, snapshot, nowMs, onBase }: BackupOptions): Promise<number> {
  const part = join(folder, 'base.part')
  const timeMs = nowMs()
  const file = await open(part, 'w', 0o600)
  try {
    for await (const each of snapshot()) {
      await file.appendFile(each.bytes)
      onBase?.(each)
    }
    await file.datasync()
  } catch (reason) {
    await rm(part, { force: true })
    throw reason
  } finally {
    await file.close()
  }
  const revision = revisionOf(part)
  await rename(part, join(folder, baseName(revision, timeMs)))
  return revision
}

function revisionOf(path: string): number {
  using file = new SnapshotFile(path)
  // An empty store is at revision 1, though no row says so.
  return Math.max(1, file.status().revision)
}

async function followChanges(options: BackupOptions, last: number, until: number): Promise<void> {
  const { kv, folder, signal, nowMs, onSaved } = options
  const { revision } = await kv.status()
  if (revision < last) {
    const message = `the source is at revision ${revision}, the backup at ${last}: it is another cluster, or one that went back in time; begin another folder`
    throw new KvError('INTERNAL', { message })
  }
  onSaved?.(last)
  if (last >= until) return
  const writer = new DeltaWriter(folder)
  const leases = new LeaseBook(kv)
  let lookedAtMs = -Infinity
  try {
    for await (const batch of follow(kv, { prefix: '', startRevision: last + 1 }, signal)) {
      const timeMs = nowMs()
      for (const events of revisionsOf(batch.events)) {
        await writer.add(revisionRecord(events, timeMs))
      }
      const isEnd = batch.revision >= until
      if (batch.events.length > 0 && (isEnd || timeMs - lookedAtMs >= leasesIntervalMs)) {
        lookedAtMs = timeMs
        const record = { type: 'leases', revision: batch.revision, timeMs } as const
        await writer.add({ ...record, leases: await leases.list() })
      }
      await writer.flush()
      onSaved?.(batch.revision)
      if (isEnd) return
    }
  } finally {
    await writer.close()
  }
}

/** Remembers what each lease was granted, which never changes. */
class LeaseBook {
  readonly #kv: Kv
  #granted = new Map<bigint, number>()

  constructor(kv: Kv) {
    this.#kv = kv
  }

  async list(): Promise<{ id: bigint; ttlSeconds: number }[]> {
    const granted = new Map<bigint, number>()
    for (const id of await this.#kv.leases()) {
      const known = this.#granted.get(id)
      const ttlSeconds = known ?? (await this.#kv.leaseTimeToLive(id)).grantedTtlSeconds
      if (ttlSeconds > 0) granted.set(id, ttlSeconds)
    }
    this.#granted = granted
    return [...granted].map(([id, ttlSeconds]) => ({ id, ttlSeconds }))
  }
}
