// What a member is made of: handed to MemberCore by whoever puts it together.
import type { Limits } from '../limits.ts'
import type { Backend } from '../backend/backend.ts'
import type { JwtTokens } from './auth/jwt-tokens.ts'
import type { Passwords } from './auth/passwords.ts'
import type { ClusterRules } from './cluster-changes.ts'
import type { ClusterLink } from './cluster-link.ts'
import type { Consensus } from './consensus.ts'
import type { LeaderLink, LeaseSettings } from './lease-keeper.ts'
import type { RepairWatchOptions } from './corruption-repair.ts'
import type { MemberClock } from './member-clock.ts'
import type { MemberMetrics } from './member-metrics.ts'
import type { MemberRandom } from './member-random.ts'
import type { PeerQuestions } from './peer-questions.ts'
import type { CommandResult, KvStateMachine } from './state-machine.ts'
import type { StoragePlan } from './storage-options.ts'

/** The ways to the other members. */
export interface MemberWays {
  readonly link: LeaderLink
  readonly clusterLink: ClusterLink
  readonly questions: PeerQuestions
  readonly transport: { connectedSinceMs(id: string): number | undefined }
  readonly isReachable: boolean
}

export interface MemberParts {
  readonly id: bigint
  readonly clusterId: bigint
  readonly name: string
  readonly peerUrls: readonly string[]
  /** Peer URLs of the cluster's first members by id, until they publish their own. */
  readonly knownPeerUrls: ReadonlyMap<string, readonly string[]>
  readonly stateMachine: KvStateMachine
  readonly consensus: Consensus<CommandResult>
  readonly backend: Backend
  readonly clock: MemberClock
  readonly random: MemberRandom
  readonly electionTimeoutMs: number
  /** How often quiet watches that asked for it are told how far they are. */
  readonly progressIntervalMs: number
  readonly peers: MemberWays
  readonly rules: ClusterRules
  readonly leases: LeaseSettings
  /** This member is no member any more. */
  readonly onRemoved: (error: Error) => void
  readonly metrics: MemberMetrics
  /** Left out: what a member does that was told nothing. */
  readonly storage?: StoragePlan
  /** With `corruptRepair`: what becomes of a member whose data differs. */
  readonly repair?: Pick<RepairWatchOptions, 'isRepaired' | 'onDamaged'>
  readonly passwords: Passwords
  /** Undefined: tokens are simple ones. */
  readonly jwt?: JwtTokens | undefined
  /** etcd's if left out; they may change while it runs. */
  readonly limits?: Readonly<Limits>
}
