// A whole member over an instant log, and calls as promises.
import type { Backend } from '../../backend/backend.ts'
import { MemoryBackend } from '../../backend/memory-backend.ts'
import { BcryptPasswords, bcryptCosts } from '../auth/passwords.ts'
import { encodeClusterCommand } from '../cluster-book.ts'
import { highestCommand } from '../command.ts'
import { nodeMemberClock, type MemberClock } from '../member-clock.ts'
import { MemberMetrics } from '../member-metrics.ts'
import { nodeMemberRandom } from '../member-random.ts'
import { MemberCore } from '../member.ts'
import { KvStateMachine, type AppliedEntry } from '../state-machine.ts'
import { plainStoragePlan, type StoragePlan } from '../storage-options.ts'
import type { Done } from '../types.ts'
import { InstantConsensus } from './instant-consensus.ts'

export interface TestMember {
  readonly core: MemberCore
  readonly stateMachine: KvStateMachine
  readonly consensus: InstantConsensus
  readonly backend: Backend
}

export async function openTestMember(
  options: {
    backend?: Backend
    clock?: MemberClock
    log?: AppliedEntry[]
    /** Rows after which the index is saved. */
    indexRowsMax?: number
    storage?: StoragePlan
    /** The highest kind of command that is settled; left out: all that there are. */
    commands?: number
  } = {},
): Promise<TestMember> {
  const {
    backend = new MemoryBackend(),
    clock = nodeMemberClock,
    log,
    indexRowsMax,
    storage = plainStoragePlan,
    commands = highestCommand,
  } = options
  const id = 7n
  const stateMachine = await KvStateMachine.open({
    backend,
    clusterId: 9n,
    memberId: id,
    clock,
    leaseTtlSecondsMin: 2,
    onApplied: ({ term }) => core?.leases.applied(term),
    indexRowsMax,
  })
  let core: MemberCore | undefined
  const idName = id.toString(16).padStart(16, '0')
  const consensus = new InstantConsensus(idName, stateMachine, log)
  core = new MemberCore({
    id,
    clusterId: 9n,
    name: 'test',
    peerUrls: [],
    knownPeerUrls: new Map(),
    stateMachine,
    consensus,
    backend,
    clock,
    random: nodeMemberRandom,
    electionTimeoutMs: 1000,
    progressIntervalMs: 600_000,
    peers: {
      link: { renew: () => undefined, timeToLive: () => undefined },
      clusterLink: { change: () => undefined },
      questions: { ask: () => undefined },
      transport: { connectedSinceMs: () => undefined },
      isReachable: false,
    },
    leases: { revokesPerSecond: 1000, checkpoints: true },
    rules: { strictReconfigCheck: true, learnersMax: 1, learnerAutoPromote: false },
    onRemoved: () => undefined,
    metrics: new MemberMetrics(idName),
    storage,
    passwords: new BcryptPasswords(bcryptCosts.min),
  })
  core.leaderChanged(idName, 1)
  const { cluster } = stateMachine
  cluster.apply(encodeClusterCommand({ op: 'commands', highest: commands, term: 1 }), 1)
  return { core, stateMachine, consensus, backend }
}

/** A callback call as a promise. */
export function ask<T>(start: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, result) => (error === undefined ? resolve(result as T) : reject(error)))
  })
}
