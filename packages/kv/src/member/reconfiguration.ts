// etcd's --strict-reconfig-check: which changes are refused because the cluster could lose its quorum by them. Pure.
import { KvError } from '../errors.ts'
import type { MemberRecord } from '../proto/messages.ts'
import { idText } from './identity.ts'

/** How long a member must have been connected to count as healthy. */
export const healthyMsMin = 5000

export interface ClusterHealth {
  readonly members: readonly MemberRecord[]
  readonly ownId: bigint
  readonly nowMs: number
  /** Undefined: it is not connected. */
  readonly connectedSinceMs: (id: string) => number | undefined
}

/** Voters that have started once: they have published a name. */
function startedOf(voters: readonly MemberRecord[]): number {
  return voters.filter(({ name }) => name !== '').length
}

function votersOf({ members }: ClusterHealth): MemberRecord[] {
  return members.filter(({ isLearner }) => !isLearner)
}

function healthyOf(health: ClusterHealth, voters: readonly MemberRecord[]): number {
  const { ownId, nowMs, connectedSinceMs } = health
  const isHealthy = ({ id }: MemberRecord): boolean => {
    if (id === ownId) return true
    const sinceMs = connectedSinceMs(idText(id))
    return sinceMs !== undefined && nowMs - sinceMs >= healthyMsMin
  }
  return voters.filter(isHealthy).length
}

function quorumOf(count: number): number {
  return Math.floor(count / 2) + 1
}

/** A learner costs no quorum, but nobody is added while a quorum of voters is not well. */
export function strictAddRefusal(health: ClusterHealth, isLearner: boolean): KvError | undefined {
  const voters = votersOf(health)
  const started = startedOf(voters)
  const isFirstGrowth = started === 1 && voters.length === 1
  if (!isLearner && !isFirstGrowth && started < quorumOf(voters.length + 1)) {
    return new KvError('MEMBER_NOT_ENOUGH_STARTED')
  }
  const isHealthy = healthyOf(health, voters) >= quorumOf(voters.length)
  return isHealthy ? undefined : new KvError('UNHEALTHY')
}

/** Of a voter. One that is not connected is no part of the quorum that works, and may go. */
export function strictRemoveRefusal(health: ClusterHealth, id: bigint): KvError | undefined {
  const voters = votersOf(health)
  const others = voters.filter((voter) => voter.id !== id)
  if (startedOf(others) < quorumOf(others.length)) return new KvError('MEMBER_NOT_ENOUGH_STARTED')
  if (id !== health.ownId && health.connectedSinceMs(idText(id)) === undefined) return undefined
  const remaining = healthyOf(health, voters) - 1
  return remaining < quorumOf(voters.length - 1) ? new KvError('UNHEALTHY') : undefined
}

/** The learner itself counts as started. */
export function strictPromoteRefusal(health: ClusterHealth): KvError | undefined {
  const voters = votersOf(health)
  const isEnough = startedOf(voters) + 1 >= quorumOf(voters.length + 1)
  return isEnough ? undefined : new KvError('MEMBER_NOT_ENOUGH_STARTED')
}
