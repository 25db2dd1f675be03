// Members as checkers see them, made up by a test.
import { config, entry, fresh, nodeId, voters } from '../../../core/testing/test-cluster.ts'
import type {
  Entry,
  Persist,
  RaftConfig,
  RaftStatus,
  Ready,
  RestoredState,
} from '../../../core/types.ts'
import type { AppliedEntry, ObservedMember } from '../checker.ts'

export interface ObservedOptions {
  readonly id?: string
  readonly life?: number
  readonly status?: Partial<RaftStatus>
  readonly entries?: readonly Entry[]
  readonly restored?: Partial<RestoredState>
  readonly config?: Partial<RaftConfig>
  readonly isWitness?: boolean
}

const membership = voters('a', 'b', 'c')

export function observed(options: ObservedOptions = {}): ObservedMember {
  const { entries = [], life = 1 } = options
  const id = nodeId(options.id ?? 'a')
  const status: RaftStatus = {
    id,
    role: 'follower',
    term: 1,
    vote: undefined,
    leader: undefined,
    firstIndex: 1,
    lastIndex: entries.length,
    persistedIndex: entries.length,
    commitIndex: 0,
    appliedIndex: 0,
    membership,
    progress: [],
    isRecovering: false,
    entryCacheSizeBytes: 0,
    ...options.status,
  }
  return {
    id,
    life,
    core: {
      status: () => status,
      log: {
        entryAt: (index) => entries.find((each) => each.index === index),
        termAt: (index) => {
          return index === 0 ? 0 : entries.find((each) => each.index === index)?.term
        },
      },
    },
    isWitness: options.isWitness === true,
    config: config(id, options.config),
    restored: fresh(membership, options.restored),
  }
}

/** Entries from index 1 on, of these terms. */
export function logOf(...terms: number[]): readonly Entry[] {
  return terms.map((term, i) => entry(i + 1, term, `entry ${i + 1}`))
}

export function ready(sequence: number, change: Partial<Ready & Persist> = {}): Ready {
  const { send = [], sendAfterPersist = [], snapshot, entries = [], hardState } = change
  return {
    sequence,
    persist: { snapshot, entries, hardState, mustSync: true },
    send,
    sendAfterPersist,
    apply: [],
    reads: [],
    fetch: [],
  }
}

export function applied(index: number, change: Partial<AppliedEntry> = {}): AppliedEntry {
  return { index, term: 1, numbers: [], commands: [], checksum: 0, ...change }
}
