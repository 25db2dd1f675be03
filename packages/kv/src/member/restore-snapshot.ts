// A data folder made from a snapshot, by real etcd or by Balsa: a new cluster begins with all that was in it. Every first member is restored
// from the same file. The folder appears when it is whole.
import { existsSync, mkdirSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { seedLog, type NodeId } from '@balsa/raft'
import { rowsBatchMax, type Row } from '../backend/backend.ts'
import { LevelBackend } from '../backend/level-backend.ts'
import { KvError } from '../errors.ts'
import { EtcdFile } from '../etcd-file/file-reader.ts'
import type { SnapshotFile } from '../etcd-file/snapshot-file.ts'
import { stateRow, TableImport } from '../etcd-file/table-import.ts'
import { encodeLeaseRow, leaseRowKey } from '../lease/lease-row.ts'
import { keyBytes, keyText } from '../mvcc/key-text.ts'
import { parseRowKey } from '../mvcc/revision.ts'
import { openDataDirectory } from './data-directory.ts'
import { idText } from './identity.ts'
import { planMember, type MemberOptions, type MemberPlan } from './member-options.ts'
import { encodeAttributes, memberRowKey, type AppliedState } from './meta-rows.ts'

/** Rows are written when so many bytes of them wait, or rowsBatchMax. */
const batchSizeBytesMax = 2 ** 20
/** As of the member itself. */
const defaultPeerUrl = 'http://localhost:2380'

/** What takes the place of the end of a snapshot's history, or goes on after it. */
export interface History {
  /** The newest revision: what the snapshot has after it is left out. */
  readonly through: number
  /** What comes after the snapshot's own. */
  rows(): Iterable<Row>
  /** Granted TTLs in seconds, beside those of the snapshot's leases. */
  readonly leases: ReadonlyMap<bigint, number>
}

export interface RestoreOptions extends Pick<
  MemberOptions,
  'name' | 'initialCluster' | 'initialClusterToken' | 'initialAdvertisePeerUrls'
> {
  readonly dataDir: string
  /** Added to the newest revision, so that clients that have seen later ones than the snapshot's never see one twice. */
  readonly bumpRevision?: number
  /** History up to the new revision is compacted: watches that begin before it are told so. */
  readonly markCompacted?: boolean
  readonly history?: History
  readonly onProgress?: (rows: number) => void
}

export interface RestoredMember {
  readonly id: bigint
  readonly clusterId: bigint
  readonly revision: number
  /** Of all first members, by id. */
  readonly peerUrlsById: ReadonlyMap<string, readonly string[]>
}

/** Durable when it resolves. Rejects, and leaves nothing behind, if the folder exists, an option is wrong or the file is damaged. */
export async function restoreSnapshot(
  file: SnapshotFile,
  options: RestoreOptions,
): Promise<RestoredMember> {
  const plan = planRestore(options)
  const dataDir = resolve(options.dataDir)
  const unfinished = `${dataDir}.restoring`
  await rm(unfinished, { recursive: true, force: true })
  mkdirSync(dirname(dataDir), { recursive: true })
  try {
    const { member, tables } = await openDataDirectory(unfinished, plan)
    const state = await writeTables(tables, file, options, plan)
    await seedLog({
      id: idText(plan.id) as NodeId,
      clusterId: idText(plan.clusterId),
      directory: member,
      membership: { voters: plan.voters as NodeId[], votersOutgoing: [], learners: [] },
      index: state.index,
      term: state.term,
    })
    await syncDirectory(unfinished)
    await rename(unfinished, dataDir)
    await syncDirectory(dirname(dataDir))
    const { id, clusterId, peerUrlsById } = plan
    return { id, clusterId, revision: state.revision, peerUrlsById }
  } catch (reason) {
    await rm(unfinished, { recursive: true, force: true })
    throw reason
  }
}

/** Throws if the options contradict each other or the folder is there. */
export function planRestore(options: RestoreOptions): MemberPlan {
  const { dataDir, bumpRevision = 0, markCompacted = false } = options
  // Nobody listens here; a cluster of several is planned only for who would.
  const listenPeerUrls = options.initialAdvertisePeerUrls ?? [defaultPeerUrl]
  const plan = planMember({ ...options, listenPeerUrls })
  if (existsSync(dataDir)) throw refusal(`data-dir ${JSON.stringify(dataDir)} exists`)
  if (bumpRevision > 0 && !markCompacted) {
    throw refusal('--mark-compacted required if --bump-revision')
  }
  return plan
}

async function writeTables(
  directory: string,
  file: SnapshotFile,
  options: RestoreOptions,
  plan: MemberPlan,
): Promise<AppliedState> {
  const { bumpRevision = 0, markCompacted = false, onProgress = (): void => undefined } = options
  const tables = new TableImport(EtcdFile.open(file))
  let state = tables.state
  const backend = await LevelBackend.open(directory)
  const rows = function* (): Iterable<Row> {
    let count = 0
    for (const row of options.history === undefined
      ? tables.rows()
      : withHistory(tables, options.history)) {
      yield row
      if (++count % rowsBatchMax === 0) onProgress(count)
    }
    for (const [id, peerUrls] of plan.peerUrlsById) {
      const attributes = { id, name: '', peerUrls, clientUrls: [] }
      yield [keyBytes(memberRowKey(id)), encodeAttributes(attributes)]
    }
    const revision = (options.history?.through ?? tables.state.revision) + bumpRevision
    state = { ...tables.state, revision, ...(markCompacted ? { compactRevision: revision } : {}) }
    yield stateRow(state)
  }
  try {
    await backend.replace(batches(rows()))
  } finally {
    await backend.close()
  }
  return state
}

/** Throws COMPACTED if the snapshot does not reach back so far. */
function* withHistory(tables: TableImport, history: History): Iterable<Row> {
  const { through, leases } = history
  for (const row of tables.rows()) {
    const position = parseRowKey(keyText(row[0]))
    const isLater = position !== undefined && position.main > through
    if (!isLater) yield row
  }
  if (tables.state.compactRevision > through) {
    const { compactRevision } = tables.state
    const message = `revision ${through} is compacted in the backup, which reaches back to ${compactRevision}`
    throw new KvError('COMPACTED', { message, compactRevision })
  }
  yield* history.rows()
  for (const [id, ttlSeconds] of leases) {
    yield [keyBytes(leaseRowKey(id)), encodeLeaseRow(ttlSeconds)]
  }
}

async function* batches(rows: Iterable<Row>): AsyncIterable<readonly Row[]> {
  let batch: Row[] = []
  let sizeBytes = 0
  for (const row of rows) {
    batch.push(row)
    sizeBytes += row[0].length + row[1].length
    if (batch.length < rowsBatchMax && sizeBytes < batchSizeBytesMax) continue
    yield await Promise.resolve(batch)
    batch = []
    sizeBytes = 0
  }
  yield batch
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

function refusal(message: string): KvError {
  return new KvError('INTERNAL', { message })
}
