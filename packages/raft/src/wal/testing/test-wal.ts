// A WAL over a simulated disk, and a model of what it must hold: the whole log after every append, so that a recovered log can be found
// among them.
import type { Entry, HardState, NodeId, Persist, SnapshotMeta } from '../../core/types.ts'
import type { Clock, FileSystem } from '../../node/ports.ts'
import { SeededRandom } from '../../simulation/random.ts'
import { SimDisk } from '../../simulation/sim-disk.ts'
import { SimFileSystem } from '../../simulation/sim-file-system.ts'
import type { RecoveredLog } from '../recovery.ts'
import { Wal } from '../wal.ts'

export const nodeId = 'n1' as NodeId
export const membership = { voters: [nodeId], votersOutgoing: [], learners: [] }
export const directory = 'member/wal'
export const metadataPath = 'member/meta'

let time = 0
const clock: Clock = {
  now: () => time++,
  setTimer: () => () => {},
  defer: queueMicrotask,
}

export interface TestWal {
  readonly wal: Wal
  readonly recovered: RecoveredLog
  readonly fileSystem: SimFileSystem
  readonly durable: number[]
  readonly syncs: number[]
  readonly failures: Error[]
}

export function newDisk(seed: number): SimDisk {
  const disk = new SimDisk(new SeededRandom(seed))
  disk.makeDirectory(directory)
  disk.syncDirectory('.')
  disk.syncDirectory('member')
  return disk
}

export interface TestWalOptions {
  readonly segmentSizeBytes?: number
  readonly clusterId?: string
  readonly isWitness?: boolean
  readonly onDamage?: 'refuse' | 'recover'
  /** Instead of one without faults. */
  readonly fileSystem?: FileSystem
  /** Others than the member itself, so that it is not the only voter. */
  readonly otherVoters?: readonly NodeId[]
}

export async function openWal(disk: SimDisk, options: TestWalOptions = {}): Promise<TestWal> {
  const fileSystem = new SimFileSystem(disk)
  const durable: number[] = []
  const syncs: number[] = []
  const failures: Error[] = []
  const { wal, recovered } = await Wal.open({
    fileSystem: options.fileSystem ?? fileSystem,
    clock,
    directory,
    metadataPath,
    clusterId: options.clusterId ?? 'test',
    nodeId,
    initialMembership: {
      ...membership,
      voters: [...membership.voters, ...(options.otherVoters ?? [])],
    },
    ...(options.isWitness === undefined ? {} : { isWitness: options.isWitness }),
    ...(options.onDamage === undefined ? {} : { onDamage: options.onDamage }),
    segmentSizeBytes: options.segmentSizeBytes ?? 4096,
    listener: {
      durable: (sequence) => durable.push(sequence),
      synced: (_durationMs, sizeBytes) => syncs.push(sizeBytes),
      failed: (error) => failures.push(error),
    },
  })
  return { wal, recovered, fileSystem, durable, syncs, failures }
}

export function entry(index: number, term: number, data: Uint8Array | string = ''): Entry {
  return { index, term, type: 0, data: Uint8Array.from(Buffer.from(data)) }
}

export function persistEntries(entries: readonly Entry[], hardState?: HardState): Persist {
  return { snapshot: undefined, entries, hardState, mustSync: true }
}

/** What the log holds after some append. */
export interface ModelState {
  readonly entries: ReadonlyMap<number, Entry>
  readonly lastIndex: number
  /** The index of the last snapshot that replaced the log; 0 for none. */
  readonly replacedAt: SnapshotMeta | undefined
  readonly term: number
  readonly vote: NodeId | undefined
}

export const emptyState: ModelState = {
  entries: new Map(),
  lastIndex: 0,
  replacedAt: undefined,
  term: 0,
  vote: undefined,
}

export function advance(state: ModelState, persist: Persist): ModelState {
  const replacedAt = persist.snapshot ?? state.replacedAt
  const isReplaced = persist.snapshot !== undefined
  const entries = new Map(isReplaced ? [] : state.entries)
  let lastIndex = persist.snapshot?.index ?? state.lastIndex
  const first = persist.entries[0]
  if (first !== undefined) {
    for (const index of entries.keys()) if (index >= first.index) entries.delete(index)
    for (const item of persist.entries) entries.set(item.index, item)
    lastIndex = first.index + persist.entries.length - 1
  }
  const { term, vote } = persist.hardState ?? state
  return { entries, lastIndex, replacedAt, term, vote }
}

/** Whether a recovered log holds exactly the entries of this state, apart from those before its base. */
export function isSameLog(log: RecoveredLog, state: ModelState): boolean {
  const { base, entries } = log
  const baseTerm =
    base.index === 0
      ? 0
      : base.index === state.replacedAt?.index
        ? state.replacedAt.term
        : state.entries.get(base.index)?.term
  return (
    base.index >= (state.replacedAt?.index ?? 0) &&
    base.term === baseTerm &&
    base.index + entries.length === state.lastIndex &&
    entries.every((item) => {
      const known = state.entries.get(item.index)
      return known?.term === item.term && Buffer.from(known.data).equals(item.data)
    })
  )
}

/** As isSameLog(), with term and vote. */
export function isSame(log: RecoveredLog, state: ModelState): boolean {
  const { term, vote } = log.hardState
  return isSameLog(log, state) && term === state.term && vote === state.vote
}
