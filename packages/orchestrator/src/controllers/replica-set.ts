// ReplicaSet: keeps `spec.replicas` active pods. Claims what matches, creates in a slow start, deletes what is least worth keeping.
import { jsonEqual } from '../resources/json-equal.ts'
import { matchesSelector } from '../resources/label-selector.ts'
import type { Stored } from '../resources/object.ts'
import { podType, type Pod } from '../resources/pod.ts'
import { replicaSetType, type ReplicaSet, type ReplicaSetStatus } from '../resources/replica-set.ts'
import type { Action, Announced, Reconciliation } from './action.ts'
import { claim, metadataFrom, regarding } from './owner.ts'
import { availableAtMs, deletionOrder, isActive, isAvailable, isReady } from './pod-state.ts'

export interface ReplicaSetView {
  readonly replicaSet: Stored<ReplicaSet>
  /** Pods of its namespace that it controls or that nobody controls. */
  readonly pods: readonly Stored<Pod>[]
  readonly nowMs: number
}

/** Pods created or deleted in one reconcile. */
export const burstMax = 500

export function reconcileReplicaSet({ replicaSet, pods, nowMs }: ReplicaSetView): Reconciliation {
  const { spec, metadata } = replicaSet
  const claimed = claim(replicaSet, podType, pods.filter(isActive), (pod) =>
    matchesSelector(spec.selector, pod.metadata.labels),
  )
  const active = claimed.owned
  const status = replicaSetStatus(replicaSet, active, nowMs)
  const actions: Action[] = [...claimed.actions]
  if (!jsonEqual(status, replicaSet.status))
    actions.push({
      type: 'update',
      ref: replicaSetType,
      object: { ...replicaSet, status } as ReplicaSet,
      subresource: 'status',
    })
  if (metadata.deletionTimestamp === undefined) actions.push(...manage(replicaSet, active))
  const nextMs = nextAvailableMs(replicaSet, active, nowMs)
  return nextMs === undefined ? { actions } : { actions, requeueAfterMs: nextMs }
}

function manage(replicaSet: Stored<ReplicaSet>, active: readonly Stored<Pod>[]): Action[] {
  const excess = active.length - (replicaSet.spec.replicas ?? 1)
  if (excess === 0) return []
  if (excess < 0) {
    const creations = Array.from({ length: Math.min(-excess, burstMax) }, () =>
      creation(replicaSet),
    )
    return [{ type: 'slowStart', actions: creations }]
  }
  const doomed = deletionOrder(active).slice(0, Math.min(excess, burstMax))
  return [{ type: 'slowStart', actions: doomed.map((pod) => deletion(replicaSet, pod)) }]
}

function creation(replicaSet: Stored<ReplicaSet>): Action {
  const { template } = replicaSet.spec
  const pod: Omit<Pod, 'status'> = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${replicaSet.metadata.name}-`,
      ...metadataFrom(template.metadata, replicaSet),
    },
    spec: template.spec,
  }
  const events = announced(replicaSet, 'Create', 'Created pod: NAME', 'Error creating: ERROR')
  return { type: 'create', ref: podType, object: pod, ...events }
}

function deletion(replicaSet: Stored<ReplicaSet>, pod: Stored<Pod>): Action {
  const { namespace, name, uid } = pod.metadata
  const events = announced(replicaSet, 'Delete', 'Deleted pod: NAME', 'Error deleting: ERROR')
  return { type: 'delete', ref: podType, namespace, name, uid, ...events }
}

const announced = (
  replicaSet: Stored<ReplicaSet>,
  verb: 'Create' | 'Delete',
  done: string,
  failed: string,
): Announced => ({
  done: {
    regarding: regarding(replicaSet),
    type: 'Normal',
    reason: `Successful${verb}`,
    message: done,
  },
  failed: {
    regarding: regarding(replicaSet),
    type: 'Warning',
    reason: `Failed${verb}`,
    message: failed,
  },
})

function replicaSetStatus(
  replicaSet: Stored<ReplicaSet>,
  active: readonly Stored<Pod>[],
  nowMs: number,
): ReplicaSetStatus {
  const { spec, status, metadata } = replicaSet
  const templateLabels = spec.template.metadata?.labels ?? {}
  const minReadySeconds = spec.minReadySeconds ?? 0
  const isFullyLabeled = (pod: Stored<Pod>): boolean =>
    Object.entries(templateLabels).every(([key, value]) => pod.metadata.labels?.[key] === value)
  return {
    ...status,
    replicas: active.length,
    fullyLabeledReplicas: active.filter(isFullyLabeled).length,
    readyReplicas: active.filter(isReady).length,
    availableReplicas: active.filter((pod) => isAvailable(pod, minReadySeconds, nowMs)).length,
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
  }
}

/** Milliseconds until the next ready pod becomes available. */
function nextAvailableMs(
  { spec }: Stored<ReplicaSet>,
  active: readonly Stored<Pod>[],
  nowMs: number,
): number | undefined {
  const minReadySeconds = spec.minReadySeconds ?? 0
  const waits = active
    .filter((pod) => isReady(pod) && !isAvailable(pod, minReadySeconds, nowMs))
    .map((pod) => availableAtMs(pod, minReadySeconds) - nowMs)
  return waits.length === 0 ? undefined : Math.min(...waits)
}
