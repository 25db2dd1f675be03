// Opens what a member has on disk and brings WAL, snapshot file and state machine to one point. A crash may fall between any two steps
// of installing a snapshot (file, state machine, WAL); every such state is recognized here and brought to its end.
import type { LogIndex, SnapshotMeta } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import { SnapshotStore } from '../snapshot/snapshot-store.ts'
import type { RecoveredLog } from '../wal/recovery.ts'
import { Wal, type WalListener } from '../wal/wal.ts'
import type { Clock, FileSystem } from './ports.ts'
import type { RaftNodeOptions } from './types.ts'

export interface OpenedStorage {
  readonly wal: Wal
  readonly snapshots: SnapshotStore
  readonly log: RecoveredLog
  /** What the state machine holds. */
  readonly applied: SnapshotMeta
  release(): Promise<void>
}

interface Ports {
  readonly fileSystem: FileSystem
  readonly clock: Clock
  readonly listener: WalListener
}

export async function openStorage<Result>(
  options: RaftNodeOptions<Result>,
  ports: Ports,
): Promise<OpenedStorage> {
  const { fileSystem } = ports
  const { directory } = options
  for (const path of [directory, `${directory}/wal`, `${directory}/snap`]) {
    await fileSystem.makeDirectory(path)
  }
  // The folder itself may be new too: without its name in the parent, a crash takes the whole log with it.
  await fileSystem.syncDirectory(parentOf(directory))
  await fileSystem.syncDirectory(directory)
  const lock = await lockDirectory(fileSystem, directory)
  try {
    const opened = await openLocked(options, ports)
    return { ...opened, release: () => lock.release() }
  } catch (reason) {
    await lock.release()
    throw reason
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  if (slash === -1) return '.'
  return slash === 0 ? '/' : path.slice(0, slash)
}

async function lockDirectory(
  fileSystem: FileSystem,
  directory: string,
): Promise<{ release(): Promise<void> }> {
  try {
    return await fileSystem.lock(`${directory}/lock`)
  } catch (reason) {
    if (!(reason instanceof Error && 'code' in reason && reason.code === 'ELOCKED')) throw reason
    const owner = 'pid' in reason ? `process ${String(reason.pid)}` : 'another process'
    const text = `Folder ${directory} is in use by ${owner}`
    throw new RaftError('LOCKED', text, { file: directory, cause: reason })
  }
}

async function openLocked<Result>(
  options: RaftNodeOptions<Result>,
  ports: Ports,
): Promise<Omit<OpenedStorage, 'release'>> {
  const { directory, stateMachine } = options
  const snapshots = await SnapshotStore.open(ports.fileSystem, `${directory}/snap`)
  const newest = await snapshots.newest()
  const { wal, recovered } = await Wal.open({
    ...ports,
    directory: `${directory}/wal`,
    metadataPath: `${directory}/meta`,
    clusterId: options.clusterId,
    nodeId: options.id,
    initialMembership: options.initialMembership,
    ...(options.segmentSizeBytes === undefined
      ? {}
      : { segmentSizeBytes: options.segmentSizeBytes }),
  })
  try {
    const held = stateMachine.durable?.appliedIndex ?? 0
    if (recovered.isNew && (held > 0 || newest !== undefined)) {
      const text = `WAL in ${directory} is missing, but the member has data`
      throw new RaftError('CORRUPT', text, { file: `${directory}/wal`, offset: 0 })
    }
    const log = await continueFrom(wal, recovered, newest)
    const index = await catchUp(options, { wal, snapshots, newest, held })
    const applied = { index, ...appliedState(wal, index, newest) }
    if (newest !== undefined && stateMachine.durable !== undefined) {
      await snapshots.removeUpTo(newest, true)
    }
    return { wal, snapshots, log, applied }
  } catch (reason) {
    await wal.close()
    throw reason
  }
}

/**
 * A snapshot file that the log does not lead to came from a leader, and the crash came before the WAL knew of it: it takes the
 * place of the log.
 */
async function continueFrom(
  wal: Wal,
  log: RecoveredLog,
  newest: SnapshotMeta | undefined,
): Promise<RecoveredLog> {
  if (newest === undefined || newest.index <= wal.base.index) return log
  if (wal.termAt(newest.index) === newest.term) return log
  const { term, vote } = log.hardState
  const isVoteKept = term >= newest.term
  const hardState = {
    term: Math.max(term, newest.term),
    vote: isVoteKept ? vote : undefined,
    commit: newest.index,
  }
  await wal.replace(newest, hardState)
  return { ...log, hardState, base: newest, entries: [] }
}

interface Found {
  readonly wal: Wal
  readonly snapshots: SnapshotStore
  readonly newest: SnapshotMeta | undefined
  /** What the state machine says it holds. */
  readonly held: LogIndex
}

/** Restores the state machine from the snapshot if the log does not reach back to what it holds. Returns what it holds then. */
async function catchUp<Result>(
  { directory, stateMachine }: RaftNodeOptions<Result>,
  { wal, snapshots, newest, held }: Found,
): Promise<LogIndex> {
  const isStale =
    held < wal.base.index || (stateMachine.durable === undefined && newest !== undefined)
  if (!isStale) {
    if (held <= wal.lastIndex) return held
    const text = `State machine holds entries up to ${held}, the WAL in ${directory} ends at ${wal.lastIndex}`
    throw new RaftError('CORRUPT', text, { file: `${directory}/wal` })
  }
  if (newest === undefined || newest.index < wal.base.index) {
    const text = `State machine holds entries up to ${held}, the WAL in ${directory} begins after ${wal.base.index}, and no snapshot fills the gap`
    throw new RaftError('CORRUPT', text, { file: `${directory}/snap` })
  }
  await stateMachine.restore(newest.index, snapshots.chunks(newest))
  return newest.index
}

function appliedState(
  wal: Wal,
  index: LogIndex,
  newest: SnapshotMeta | undefined,
): Pick<SnapshotMeta, 'term' | 'membership'> {
  if (newest?.index === index) return newest
  const term = wal.termAt(index)
  if (term === undefined) throw new RaftError('CORRUPT', `The WAL has no entry ${index}`)
  return { term, membership: wal.membershipAt(index) }
}
