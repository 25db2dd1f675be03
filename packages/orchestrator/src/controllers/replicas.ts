// What ReplicaSet and ReplicationController do alike: keep a number of active pods of one template. Claims what matches, creates in a slow
// start, deletes what is least worth keeping.
import { jsonEqual } from '../resources/json-equal.ts'
import { selectorMatcher } from '../resources/label-selector.ts'
import type { Condition, KubeObject, LabelSelector, Stored } from '../resources/object.ts'
import type { PodTemplateSpec } from '../resources/pod-spec/pod-spec.ts'
import { podType, type Pod } from '../resources/pod.ts'
import { timestamp } from '../resources/timestamp.ts'
import type { Action, CollectionRef, Failure, Reconciliation } from './action.ts'
import { claim } from './owner.ts'
import { podCreation, podDeletion } from './pod-actions.ts'
import { availableAtMs, deletionOrder, isActive, isAvailable, isReady } from './pod-state.ts'

export interface ReplicasStatus {
  readonly replicas: number
  readonly fullyLabeledReplicas?: number
  readonly readyReplicas?: number
  readonly availableReplicas?: number
  readonly observedGeneration?: number
  readonly conditions?: readonly Condition[]
}
export interface ReplicasOwner extends KubeObject {
  readonly status: ReplicasStatus
}

export interface ReplicasView {
  readonly owner: Stored<ReplicasOwner>
  readonly ref: CollectionRef
  readonly selector: LabelSelector
  readonly template: PodTemplateSpec
  readonly replicas: number
  readonly minReadySeconds: number
  /** Pods of its namespace that it controls or that nobody controls. */
  readonly pods: readonly Stored<Pod>[]
  /** What the last try failed with. */
  readonly failure?: Failure | undefined
  readonly nowMs: number
}

/** Pods created or deleted in one reconcile. */
export const burstMax = 500

export function reconcileReplicas(view: ReplicasView): Reconciliation {
  const { owner, ref, selector } = view
  const matches = selectorMatcher(selector)
  const claimed = claim(owner, ref, podType, view.pods.filter(isActive), (pod) =>
    matches(pod.metadata.labels),
  )
  const active = claimed.owned
  const status = statusOf(view, active)
  const actions: Action[] = [...claimed.actions]
  if (!jsonEqual(status, owner.status)) {
    const object: ReplicasOwner = { ...owner, status }
    actions.push({ type: 'update', ref, object, subresource: 'status' })
  }
  if (owner.metadata.deletionTimestamp === undefined) actions.push(...manage(view, active))
  const nextMs = nextAvailableMs(view, active)
  return nextMs === undefined ? { actions } : { actions, requeueAfterMs: nextMs }
}

function manage(
  { owner, template, replicas }: ReplicasView,
  active: readonly Stored<Pod>[],
): Action[] {
  const excess = active.length - replicas
  if (excess === 0) return []
  if (excess < 0) {
    const creation = podCreation(owner, template)
    const actions = Array.from({ length: Math.min(-excess, burstMax) }, () => creation)
    return [{ type: 'slowStart', actions }]
  }
  const doomed = deletionOrder(active).slice(0, Math.min(excess, burstMax))
  return [{ type: 'slowStart', actions: doomed.map((pod) => podDeletion(owner, pod)) }]
}

/** One look at each pod: there may be tens of thousands, and nothing else runs meanwhile. */
function statusOf(view: ReplicasView, active: readonly Stored<Pod>[]): ReplicasStatus {
  const { owner, template, minReadySeconds, nowMs } = view
  const { status, metadata } = owner
  const hasLabels = selectorMatcher({ matchLabels: template.metadata?.labels ?? {} })
  let fullyLabeledReplicas = 0
  let readyReplicas = 0
  let availableReplicas = 0
  for (const pod of active) {
    if (hasLabels(pod.metadata.labels)) fullyLabeledReplicas++
    if (!isReady(pod)) continue
    readyReplicas++
    if (minReadySeconds === 0 || availableAtMs(pod, minReadySeconds) <= nowMs) availableReplicas++
  }
  const { conditions: _before, ...rest } = status
  const conditions = conditionsOf(view)
  return {
    ...rest,
    replicas: active.length,
    fullyLabeledReplicas,
    readyReplicas,
    availableReplicas,
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    ...(conditions.length === 0 ? {} : { conditions }),
  }
}

/** ReplicaFailure is there as long as creating or deleting pods fails. */
function conditionsOf({ owner, failure, nowMs }: ReplicasView): readonly Condition[] {
  const before = owner.status.conditions ?? []
  const others = before.filter(({ type }) => type !== 'ReplicaFailure')
  if (failure === undefined || (failure.verb !== 'create' && failure.verb !== 'delete'))
    return others
  const reason = failure.verb === 'create' ? 'FailedCreate' : 'FailedDelete'
  const known = before.find(({ type }) => type === 'ReplicaFailure')
  if (known?.reason === reason) return before
  const condition: Condition = {
    type: 'ReplicaFailure',
    status: 'True',
    reason,
    message: failure.message,
    lastTransitionTime: timestamp(nowMs),
  }
  return [...others, condition]
}

/** Milliseconds until the next ready pod becomes available. */
function nextAvailableMs(
  { minReadySeconds, nowMs }: ReplicasView,
  active: readonly Stored<Pod>[],
): number | undefined {
  if (minReadySeconds === 0) return undefined
  const waits = active
    .filter((pod) => isReady(pod) && !isAvailable(pod, minReadySeconds, nowMs))
    .map((pod) => availableAtMs(pod, minReadySeconds) - nowMs)
  return waits.length === 0 ? undefined : Math.min(...waits)
}
