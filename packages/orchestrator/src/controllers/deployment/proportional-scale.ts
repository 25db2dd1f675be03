// A Deployment that was scaled, perhaps in the middle of a roll-out: spreads the new size over its ReplicaSets in proportion to their
// sizes, so that the risk of the roll-out stays what it was.
import type { Deployment } from '../../resources/deployment.ts'
import type { Stored } from '../../resources/object.ts'
import type { ReplicaSet } from '../../resources/replica-set.ts'
import type { Action } from '../action.ts'
import {
  byAge,
  desiredOf,
  isRollingUpdate,
  maxOf,
  replicasOf,
  rolloutBounds,
  scale,
  totalReplicas,
} from './replica-sets.ts'

/** A set that runs pods was sized for another number of replicas. */
export const isScalingEvent = (
  deployment: Stored<Deployment>,
  sets: readonly Stored<ReplicaSet>[],
): boolean =>
  sets.some((set) => {
    const desired = desiredOf(set)
    return replicasOf(set) > 0 && desired !== undefined && desired !== replicasOf(deployment)
  })

export function proportionalScale(
  deployment: Stored<Deployment>,
  newSet: Stored<ReplicaSet> | undefined,
  olds: readonly Stored<ReplicaSet>[],
): Action[] {
  const all = newSet === undefined ? [...olds] : [newSet, ...olds]
  const active = all.filter((set) => replicasOf(set) > 0)
  const wanted = replicasOf(deployment)
  if (active.length <= 1) {
    const only = active[0] ?? newSet ?? byAge(olds).at(-1)
    return only === undefined ? [] : scale(deployment, only, wanted)
  }
  if (newSet !== undefined && isSaturated(deployment, newSet))
    return olds.flatMap((set) => (replicasOf(set) > 0 ? scale(deployment, set, 0) : []))
  return isRollingUpdate(deployment) ? spread(deployment, active) : []
}

const isSaturated = (deployment: Stored<Deployment>, set: Stored<ReplicaSet>): boolean => {
  const wanted = replicasOf(deployment)
  return (
    replicasOf(set) === wanted &&
    desiredOf(set) === wanted &&
    (set.status.availableReplicas ?? 0) === wanted
  )
}

function spread(deployment: Stored<Deployment>, active: readonly Stored<ReplicaSet>[]): Action[] {
  const wanted = replicasOf(deployment)
  const allowed = wanted > 0 ? wanted + rolloutBounds(deployment).surge : 0
  const toAdd = allowed - totalReplicas(active)
  // Growth goes to the larger and newer ones first, shrinking to the larger and older ones.
  const aged = byAge(active)
  const ordered = (toAdd > 0 ? aged.toReversed() : aged).toSorted(
    (left, right) => replicasOf(right) - replicasOf(left),
  )
  let left = toAdd
  const sizes = ordered.map((set) => {
    const share = shareOf(deployment, set, left, allowed)
    left -= share
    return replicasOf(set) + share
  })
  return ordered.flatMap((set, index) => {
    const size = Math.max(0, (sizes[index] ?? 0) + (index === 0 ? left : 0))
    return scale(deployment, set, size)
  })
}

/** What the set gets of `left`, which is below zero when shrinking. */
function shareOf(
  deployment: Stored<Deployment>,
  set: Stored<ReplicaSet>,
  left: number,
  allowed: number,
): number {
  if (left === 0) return 0
  const before = maxOf(set) ?? deployment.status.replicas ?? 0
  if (before === 0) return 0
  const share = Math.round((replicasOf(set) * allowed) / before) - replicasOf(set)
  return left > 0 ? Math.min(Math.max(share, 0), left) : Math.max(Math.min(share, 0), left)
}
