// The way back for a cluster that has lost its quorum for good: one survivor goes on alone with all that its log holds. Works on the folder
// of a member that does not run. Everything that it changes is one record of the log, so a crash leaves the old state or the new one; the
// raised generation keeps the members of before away from the new cluster.
import { encodeMembership, isJoint, memberIds } from '../core/membership.ts'
import {
  entryType,
  type HardState,
  type LogIndex,
  type Membership,
  type NodeId,
  type Term,
} from '../core/types.ts'
import { RaftError } from '../errors.ts'
import { SnapshotStore } from '../snapshot/snapshot-store.ts'
import { Wal, type WalListener } from '../wal/wal.ts'
import { nodeClock } from './clock-node.ts'
import { nodeFileSystem } from './file-system-node.ts'
import { continueFrom, lockDirectory } from './open-storage.ts'
import type { Clock, FileSystem } from './ports.ts'

export interface LostQuorumOptions {
  readonly id: NodeId
  readonly clusterId: string
  /** Of a member that does not run; as in RaftNodeOptions. */
  readonly directory: string
  /** The cluster id once more: what the other members have and this one has not is lost for good. Left out: only a look. */
  readonly confirm?: string
  readonly fileSystem?: FileSystem
  readonly clock?: Clock
}

/** What the survivor holds. Of several survivors the one with the highest lastTerm, and then lastIndex, loses least. */
export interface LostQuorumReport {
  readonly lastIndex: LogIndex
  readonly lastTerm: Term
  /** Entries up to here were certainly committed; later ones are kept and count as committed from now on. */
  readonly commitIndex: LogIndex
  /** The newest one in the log: those who are to be left behind are in it. */
  readonly membership: Membership
  readonly generation: number
  /** False: this member is the only voter already, and nothing is to be done. */
  readonly isNeeded: boolean
  /** Whether this call has made it the only voter. */
  readonly isDone: boolean
  /** All this for a person. */
  readonly text: string
}

/**
 * Makes a member the only voter of its cluster, with its whole log taken for committed. May be called again after a crash. Throws
 * RaftError LOCKED while the member runs, CORRUPT if there is no log or it is damaged, CLUSTER_MISMATCH for the data of another
 * member, INVALID_MEMBERSHIP for a witness, which holds no data, and NOT_CONFIRMED for a wrong confirmation.
 */
export async function recoverLostQuorum(options: LostQuorumOptions): Promise<LostQuorumReport> {
  const { directory, fileSystem = nodeFileSystem } = options
  await mustHoldLog(fileSystem, directory)
  const lock = await lockDirectory(fileSystem, directory)
  try {
    return await recoverLocked(options, fileSystem)
  } finally {
    await lock.release()
  }
}

/** To open a log that is missing would begin one. */
async function mustHoldLog(fileSystem: FileSystem, directory: string): Promise<void> {
  const names = await fileSystem.list(`${directory}/wal`).catch((reason: unknown) => {
    if (reason instanceof Error && 'code' in reason && reason.code === 'ENOENT') return []
    throw reason
  })
  if (names.some((name) => name.endsWith('.wal'))) return
  const file = `${directory}/wal`
  throw new RaftError('CORRUPT', `Folder ${directory} holds no log of a member`, { file })
}

async function recoverLocked(
  options: LostQuorumOptions,
  fileSystem: FileSystem,
): Promise<LostQuorumReport> {
  const { id, clusterId, directory, confirm, clock = nodeClock } = options
  const snapshots = await SnapshotStore.open(fileSystem, `${directory}/snap`)
  const newest = await snapshots.newest()
  const { wal, recovered } = await Wal.open({
    fileSystem,
    clock,
    directory: `${directory}/wal`,
    metadataPath: `${directory}/meta`,
    clusterId,
    nodeId: id,
    initialMembership: { voters: [id], votersOutgoing: [], learners: [] },
    listener: silent,
  })
  try {
    const { hardState } = await continueFrom(wal, recovered, newest)
    const found = lookAt(options, wal, hardState)
    if (confirm === undefined || !found.isNeeded) return found
    mustBeConfirmed(options, found)
    const term = Math.max(hardState.term, found.lastTerm) + 1
    const index = found.lastIndex + 1
    const data = encodeMembership({ voters: [id], votersOutgoing: [], learners: [] })
    const entry = { index, term, type: entryType.membership, data }
    await wal.beginGeneration(wal.generation + 1, [entry], { term, vote: id, commit: index })
    return { ...found, generation: wal.generation, isDone: true }
  } finally {
    await wal.close()
  }
}

/** What fails is thrown where it is called; what follows the one record does not matter. */
const silent: WalListener = { durable() {}, synced() {}, failed() {} }

function lookAt(
  { id, clusterId }: LostQuorumOptions,
  wal: Wal,
  { commit: commitIndex, isRecovering }: HardState,
): LostQuorumReport {
  const { lastIndex, generation } = wal
  const membership = wal.membershipAt(lastIndex)
  const lastTerm = wal.termAt(lastIndex) ?? wal.base.term
  const others = memberIds(membership).filter((other) => other !== id)
  const isAlone = membership.voters.length === 1 && membership.voters[0] === id
  const isNeeded = !isAlone || isJoint(membership)
  const damage =
    isRecovering === true ? ' Its log was damaged, and lacks entries that it had acknowledged.' : ''
  const text = isNeeded
    ? `Member ${id} of cluster ${clusterId} holds entries up to ${lastIndex} of term ${lastTerm}. All of them are kept; those up to ${commitIndex} are ` +
      `known to be committed. Whatever the members ${others.join(', ')} have beyond that is lost for good, even if it was acknowledged, ` +
      `and they can never come back with their data. If another survivor holds a later term, or more entries of this one, take that one.${damage}`
    : `Member ${id} is the only voter of cluster ${clusterId} (generation ${generation}): there is nothing to recover from.`
  const held = { lastIndex, lastTerm, commitIndex, membership, generation }
  return { ...held, isNeeded, isDone: false, text }
}

function mustBeConfirmed(
  { id, clusterId, confirm }: LostQuorumOptions,
  { membership }: LostQuorumReport,
): void {
  if (membership.witnesses?.includes(id) === true) {
    const text = `Member ${id} is a witness and holds no data: recover another survivor`
    throw new RaftError('INVALID_MEMBERSHIP', text)
  }
  if (confirm === clusterId) return
  const text = `The confirmation is '${confirm ?? ''}', the cluster is '${clusterId}': nothing was changed`
  throw new RaftError('NOT_CONFIRMED', text)
}
