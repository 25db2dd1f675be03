// One step of a rolling update: the new ReplicaSet grows as far as maxSurge allows, else the old ones shrink as far as maxUnavailable
// allows, unhealthy pods first. One step at a time: the next is computed from what the first one led to.
import type { Deployment } from '../../resources/deployment.ts'
import type { Stored } from '../../resources/object.ts'
import type { ReplicaSet } from '../../resources/replica-set.ts'
import type { Action } from '../action.ts'
import { byAge, replicasOf, rolloutBounds, scale, totalReplicas } from './replica-sets.ts'

/** The size that the new ReplicaSet may have now. */
export function newReplicaSetSize(
  deployment: Stored<Deployment>,
  all: readonly Stored<ReplicaSet>[],
  newReplicas: number,
): number {
  const wanted = replicasOf(deployment)
  if (deployment.spec.strategy.type === 'Recreate') return wanted
  const max = wanted + rolloutBounds(deployment).surge
  const current = totalReplicas(all)
  if (current >= max) return newReplicas
  return newReplicas + Math.min(max - current, Math.max(0, wanted - newReplicas))
}

export function rollingUpdateStep(
  deployment: Stored<Deployment>,
  newSet: Stored<ReplicaSet>,
  olds: readonly Stored<ReplicaSet>[],
): Action[] {
  const wanted = replicasOf(deployment)
  const size =
    replicasOf(newSet) > wanted
      ? wanted
      : newReplicaSetSize(deployment, [newSet, ...olds], replicasOf(newSet))
  const grown = scale(deployment, newSet, size)
  return grown.length > 0 ? grown : shrinkOld(deployment, newSet, olds)
}

function shrinkOld(
  deployment: Stored<Deployment>,
  newSet: Stored<ReplicaSet>,
  olds: readonly Stored<ReplicaSet>[],
): Action[] {
  if (totalReplicas(olds) === 0) return []
  const minAvailable = replicasOf(deployment) - rolloutBounds(deployment).unavailable
  const newUnavailable = replicasOf(newSet) - (newSet.status.availableReplicas ?? 0)
  const shrinkMax = totalReplicas([newSet, ...olds]) - minAvailable - newUnavailable
  if (shrinkMax <= 0) return []
  const sizes = new Map(olds.map((set) => [set, replicasOf(set)]))
  const dropped = dropUnhealthy(olds, sizes, shrinkMax)
  const spare = availableOf([newSet, ...olds]) - minAvailable
  dropHealthy(olds, sizes, Math.min(spare, shrinkMax - dropped))
  return byAge(olds).flatMap((set) => {
    const size = sizes.get(set) ?? replicasOf(set)
    return size === replicasOf(set) ? [] : scale(deployment, set, size)
  })
}

/** A status may be behind a size that was just lowered: pods beyond the size are as good as gone. */
const availableOf = (sets: readonly Stored<ReplicaSet>[]): number =>
  sets.reduce((sum, set) => sum + Math.min(set.status.availableReplicas ?? 0, replicasOf(set)), 0)

/** Pods that are not available cost nothing to drop. Returns how many were dropped. */
function dropUnhealthy(
  olds: readonly Stored<ReplicaSet>[],
  sizes: Map<Stored<ReplicaSet>, number>,
  shrinkMax: number,
): number {
  let left = shrinkMax
  for (const set of byAge(olds)) {
    const dropped = Math.max(0, Math.min(left, replicasOf(set) - availableOf([set])))
    sizes.set(set, replicasOf(set) - dropped)
    left -= dropped
  }
  return shrinkMax - left
}

function dropHealthy(
  olds: readonly Stored<ReplicaSet>[],
  sizes: Map<Stored<ReplicaSet>, number>,
  dropMax: number,
): void {
  let left = dropMax
  for (const set of byAge(olds)) {
    const size = sizes.get(set) ?? 0
    const dropped = Math.max(0, Math.min(left, size))
    sizes.set(set, size - dropped)
    left -= dropped
  }
}
