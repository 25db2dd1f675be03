// The log of a member that begins with a state it did not get from raft, such as a restored backup. The log begins after that state, so
// that members without it get a snapshot, and in a generation of its own, so that nobody who lacks the state can pass for a peer.
import { encodeMembership } from '../core/membership.ts'
import { entryType, type LogIndex, type Membership, type NodeId, type Term } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import { SnapshotStore } from '../snapshot/snapshot-store.ts'
import { Wal, type WalListener } from '../wal/wal.ts'
import { nodeClock } from './clock-node.ts'
import { nodeFileSystem } from './file-system-node.ts'
import { lockDirectory } from './open-storage.ts'
import type { Clock, FileSystem } from './ports.ts'

export interface SeedLogOptions {
  readonly id: NodeId
  readonly clusterId: string
  /** As in RaftNodeOptions; its parent exists, a log does not. */
  readonly directory: string
  /** The members that begin together: each of them with the same state, index and term. */
  readonly membership: Membership
  /** What the state machine says it holds: 1 or more. */
  readonly index: LogIndex
  readonly term: Term
  readonly fileSystem?: FileSystem
  readonly clock?: Clock
}

/** Durable when it resolves. Throws RaftError LOCKED while a member runs there, CORRUPT if the folder holds a log or a snapshot. */
export async function seedLog(options: SeedLogOptions): Promise<void> {
  const { directory, fileSystem = nodeFileSystem } = options
  for (const path of [directory, `${directory}/wal`, `${directory}/snap`]) {
    await fileSystem.makeDirectory(path)
  }
  const lock = await lockDirectory(fileSystem, directory)
  try {
    const snapshots = await SnapshotStore.open(fileSystem, `${directory}/snap`)
    const { isEmpty } = snapshots
    const names = await fileSystem.list(`${directory}/wal`)
    if (!isEmpty || names.length > 0) {
      const text = `Folder ${directory} holds a log already`
      throw new RaftError('CORRUPT', text, { file: directory })
    }
    await writeLog(options, fileSystem)
    await fileSystem.syncDirectory(directory)
  } finally {
    await lock.release()
  }
}

async function writeLog(options: SeedLogOptions, fileSystem: FileSystem): Promise<void> {
  const { id, clusterId, directory, membership, index, clock = nodeClock } = options
  const term = Math.max(options.term, 1)
  const { wal } = await Wal.open({
    fileSystem,
    clock,
    directory: `${directory}/wal`,
    metadataPath: `${directory}/meta`,
    clusterId,
    nodeId: id,
    initialMembership: membership,
    listener: silent,
  })
  try {
    await wal.replace({ index, term, membership }, { term, vote: undefined, commit: index })
    // All members write the same entry: it is as committed as the state before it.
    const data = encodeMembership(membership)
    const entry = { index: index + 1, term, type: entryType.membership, data }
    const hardState = { term, vote: undefined, commit: entry.index }
    await wal.beginGeneration(index, [entry], hardState)
  } finally {
    await wal.close()
  }
}

/** What fails is thrown where it is called. */
const silent: WalListener = { durable() {}, synced() {}, failed() {} }
