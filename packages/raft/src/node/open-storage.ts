// Opens what a member has on disk and brings WAL, snapshot file and state machine to one point. A crash may fall between any two steps
// of installing a snapshot (file, state machine, WAL); every such state is recognized here and brought to its end.
import type { Entry, HardState, LogIndex, SnapshotMeta } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import { SnapshotStore } from '../snapshot/snapshot-store.ts'
import type { FilePlace, RecoveredLog } from '../wal/recovery.ts'
import { Wal, type WalListener } from '../wal/wal.ts'
import type { Clock, FileSystem } from './ports.ts'
import type { RaftNodeOptions } from './types.ts'

export interface OpenedStorage {
  readonly wal: Wal
  readonly snapshots: SnapshotStore
  readonly log: Omit<RecoveredLog, 'entries'>
  /** The recovered entries, once: the core keeps those that it needs in memory, and nobody else does. */
  takeEntries(): readonly Entry[]
  /** Up to where the log is applied: what the state machine holds, or less if the log was damaged. */
  readonly applied: SnapshotMeta
  /** What the state machine holds. */
  readonly held: LogIndex
  /** What did not check out: it was set aside, and comes from the peers. */
  readonly isolated: readonly FilePlace[]
  release(): Promise<void>
}

type OpenedLog = Omit<OpenedStorage, 'log' | 'takeEntries' | 'release'> & {
  readonly log: RecoveredLog
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
    let { entries } = opened.log
    const takeEntries = (): readonly Entry[] => {
      const taken = entries
      entries = []
      return taken
    }
    const log = { ...opened.log, entries: [] }
    return { ...opened, log, takeEntries, release: () => lock.release() }
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

/** Throws RaftError LOCKED. */
export async function lockDirectory(
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
): Promise<OpenedLog> {
  const { directory, stateMachine } = options
  const snapshots = await SnapshotStore.open(ports.fileSystem, `${directory}/snap`)
  const held = stateMachine.durable?.appliedIndex ?? 0
  const { wal, recovered } = await Wal.open({
    ...ports,
    directory: `${directory}/wal`,
    metadataPath: `${directory}/meta`,
    clusterId: options.clusterId,
    nodeId: options.id,
    isWitness: options.witness === true,
    initialMembership: options.initialMembership,
    hasData: held > 0 || !snapshots.isEmpty,
    onDamage: 'recover',
    ...(options.segmentSizeBytes === undefined
      ? {}
      : { segmentSizeBytes: options.segmentSizeBytes }),
  })
  try {
    const { newest, damaged } = await newestSnapshot(snapshots, wal)
    const log = await continueFrom(wal, recovered, newest)
    const caughtUp = await catchUp(options, { wal, snapshots, newest, held, log })
    const { index } = caughtUp
    const applied = { index, ...appliedState(wal, index, newest) }
    if (newest !== undefined && stateMachine.durable !== undefined) {
      await snapshots.removeUpTo(newest, true)
    }
    const isolated = [...recovered.isolated, ...damaged, ...caughtUp.isolated]
    return { wal, snapshots, log: caughtUp.log, applied, held: Math.max(held, index), isolated }
  } catch (reason) {
    await wal.close()
    throw reason
  }
}

/** Damaged ones are set aside: what they stood for may be in the log, or comes from the peers. */
async function newestSnapshot(
  snapshots: SnapshotStore,
  wal: Wal,
): Promise<{
  readonly newest: SnapshotMeta | undefined
  readonly damaged: readonly FilePlace[]
}> {
  const { newest, damaged } = await snapshots.find()
  const fatal = damaged.find(({ error }) => error.code !== 'CORRUPT' || !wal.canRecover)
  if (fatal !== undefined) throw fatal.error
  await snapshots.setAside(damaged)
  return {
    newest,
    damaged: damaged.map(({ error: { file = '', offset = 0 } }) => ({ file, offset })),
  }
}

/**
 * A snapshot file that the log does not lead to came from a leader, and the crash came before the WAL knew of it: it takes the
 * place of the log.
 */
export async function continueFrom(
  wal: Wal,
  log: RecoveredLog,
  newest: SnapshotMeta | undefined,
): Promise<RecoveredLog> {
  if (newest === undefined || newest.index <= wal.base.index) return log
  if (wal.termAt(newest.index) === newest.term) return log
  const { term, vote } = log.hardState
  const isVoteKept = term >= newest.term
  const hardState: HardState = {
    ...log.hardState,
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
  readonly log: RecoveredLog
}

interface CaughtUp {
  /** What is applied of the log. */
  readonly index: LogIndex
  readonly log: RecoveredLog
  readonly isolated: readonly FilePlace[]
}

/**
 * Restores the state machine from the snapshot if the log does not reach back to what it holds. If log and state machine
 * do not meet, the log lacks something: only a member that others make whole goes on. What is left of a log may be older than
 * what the state machine holds, with other entries at the same indexes: only those count as applied that it knows to be committed.
 */
async function catchUp<Result>(
  { directory, stateMachine }: RaftNodeOptions<Result>,
  { wal, snapshots, newest, held, log }: Found,
): Promise<CaughtUp> {
  const isStale =
    held < wal.base.index || (stateMachine.durable === undefined && newest !== undefined)
  if (!isStale && log.hardState.isRecovering === true) {
    return { index: Math.min(held, log.hardState.commit), log, isolated: [] }
  }
  if (!isStale && held <= wal.lastIndex) return { index: held, log, isolated: [] }
  if (!isStale) {
    const text = `State machine holds entries up to ${held}, the WAL in ${directory} ends at ${wal.lastIndex}`
    if (!wal.canRecover) throw new RaftError('CORRUPT', text, { file: `${directory}/wal` })
    const hardState = await wal.recover(log.hardState, false)
    const isolated = [{ file: `${directory}/wal`, offset: 0 }]
    return { index: hardState.commit, log: { ...log, hardState }, isolated }
  }
  if (newest === undefined || newest.index < wal.base.index) {
    const text = `State machine holds entries up to ${held}, the WAL in ${directory} begins after ${wal.base.index}, and no snapshot fills the gap`
    if (!wal.canRecover) throw new RaftError('CORRUPT', text, { file: `${directory}/snap` })
    const hardState = await wal.recover(log.hardState, true)
    const isolated = [{ file: `${directory}/snap`, offset: 0 }]
    return { index: 0, log: { ...log, hardState, base: wal.base, entries: [] }, isolated }
  }
  await stateMachine.restore(newest.index, snapshots.chunks(newest))
  return { index: newest.index, log, isolated: [] }
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
