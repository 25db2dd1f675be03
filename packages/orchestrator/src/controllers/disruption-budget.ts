// PodDisruptionBudget: counts the healthy pods that it selects and says how many of them may be evicted now. Evictions that were granted
// count as unhealthy until the pod shows it, so that two evictions do not use the same room.
import { scaledValue } from '../resources/int-or-percent.ts'
import { jsonEqual } from '../resources/json-equal.ts'
import type { Stored } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'
import { timestamp } from '../resources/timestamp.ts'
import {
  podDisruptionBudgetType,
  type PodDisruptionBudget,
  type PodDisruptionBudgetStatus,
} from '../resources/workloads/pod-disruption-budget.ts'
import type { Action, Reconciliation } from './action.ts'
import { regarding } from './owner.ts'
import { isReady } from './pod-state.ts'

/** What makes pods, and how many of them it wants. */
export interface PodMaker {
  readonly uid: string
  readonly replicas: number
}
export interface DisruptionBudgetView {
  readonly budget: Stored<PodDisruptionBudget>
  /** Those that it selects. */
  readonly pods: readonly Stored<Pod>[]
  /** Undefined: nothing that says how many there should be. */
  readonly makerOf: (pod: Stored<Pod>) => PodMaker | undefined
  readonly nowMs: number
}

/** A granted eviction that did not end the pod by then is forgotten. */
const evictionMs = 120_000

export function reconcileDisruptionBudget(view: DisruptionBudgetView): Reconciliation {
  const { budget, pods, nowMs } = view
  const { metadata, status } = budget
  if (metadata.deletionTimestamp !== undefined) return { actions: [] }
  const actions: Action[] = []
  if (pods.length === 0) actions.push(told(budget, 'Normal', 'NoPods', 'No matching pods found'))
  const { expectedPods, desiredHealthy, unmanaged } = expectation(view)
  if (unmanaged.length > 0) actions.push(unmanagedEvent(budget, unmanaged))
  const evicted = pendingEvictions(view)
  const currentHealthy = pods.filter(
    (pod) =>
      isReady(pod) &&
      pod.metadata.deletionTimestamp === undefined &&
      evicted[pod.metadata.name] === undefined,
  ).length
  const room = currentHealthy - desiredHealthy
  const disruptionsAllowed = expectedPods > 0 && room > 0 ? room : 0
  const next: PodDisruptionBudgetStatus = {
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    ...(Object.keys(evicted).length === 0 ? {} : { disruptedPods: evicted }),
    disruptionsAllowed,
    currentHealthy,
    desiredHealthy,
    expectedPods,
    conditions: [
      ...(status.conditions ?? []).filter(({ type }) => type !== 'DisruptionAllowed'),
      condition(budget, disruptionsAllowed, nowMs),
    ],
  }
  const waits = Object.values(evicted).map((time) => Date.parse(time) + evictionMs - nowMs)
  const again = waits.length === 0 ? {} : { requeueAfterMs: Math.max(0, Math.min(...waits)) }
  // Events are for changes: pods come and go all the time.
  if (jsonEqual(next, status)) return { actions: [], ...again }
  const object: PodDisruptionBudget = { ...budget, status: next }
  const ref = podDisruptionBudgetType
  return { actions: [{ type: 'update', ref, object, subresource: 'status' }, ...actions], ...again }
}

function expectation({ budget, pods, makerOf }: DisruptionBudgetView): {
  expectedPods: number
  desiredHealthy: number
  unmanaged: readonly Stored<Pod>[]
} {
  const { minAvailable, maxUnavailable } = budget.spec
  if (typeof minAvailable === 'number')
    return { expectedPods: pods.length, desiredHealthy: minAvailable, unmanaged: [] }
  if (minAvailable === undefined && maxUnavailable === undefined)
    return { expectedPods: 0, desiredHealthy: 0, unmanaged: [] }
  const makers = new Map<string, number>()
  const unmanaged: Stored<Pod>[] = []
  for (const pod of pods) {
    const maker = makerOf(pod)
    if (maker === undefined) unmanaged.push(pod)
    else makers.set(maker.uid, maker.replicas)
  }
  const expectedPods = [...makers.values()].reduce((sum, replicas) => sum + replicas, 0)
  const desiredHealthy =
    maxUnavailable === undefined
      ? scaledValue(minAvailable, expectedPods, 'up')
      : Math.max(0, expectedPods - scaledValue(maxUnavailable, expectedPods, 'up'))
  return { expectedPods, desiredHealthy, unmanaged }
}

function pendingEvictions({
  budget,
  pods,
  nowMs,
}: DisruptionBudgetView): Readonly<Record<string, string>> {
  const there = new Set(
    pods
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata }) => metadata.name),
  )
  return Object.fromEntries(
    Object.entries(budget.status.disruptedPods ?? {}).filter(
      ([name, time]) => there.has(name) && Date.parse(time) + evictionMs > nowMs,
    ),
  )
}

function condition(
  { metadata, status }: Stored<PodDisruptionBudget>,
  allowed: number,
  nowMs: number,
): NonNullable<PodDisruptionBudgetStatus['conditions']>[number] {
  const before = status.conditions?.find(({ type }) => type === 'DisruptionAllowed')
  const wanted = allowed > 0 ? 'True' : 'False'
  return {
    type: 'DisruptionAllowed',
    status: wanted,
    reason: allowed > 0 ? 'SufficientPods' : 'InsufficientPods',
    message: '',
    lastTransitionTime:
      before?.status === wanted && before.lastTransitionTime !== undefined
        ? before.lastTransitionTime
        : timestamp(nowMs),
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
  }
}

const told = (
  budget: Stored<PodDisruptionBudget>,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
): Action => ({ type: 'event', event: { regarding: regarding(budget), type, reason, message } })

const namesShownMax = 5

const unmanagedEvent = (
  budget: Stored<PodDisruptionBudget>,
  unmanaged: readonly Stored<Pod>[],
): Action => {
  const names = unmanaged.slice(0, namesShownMax).map(({ metadata }) => metadata.name)
  const message = `Pods selected by this PodDisruptionBudget were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value. Unmanaged pods: [${names.join(' ')}]`
  return told(budget, 'Warning', 'UnmanagedPods', message)
}
