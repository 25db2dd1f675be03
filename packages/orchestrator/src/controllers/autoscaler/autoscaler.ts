// HorizontalPodAutoscaler: every sync reads the metrics, asks how many pods would meet the targets, takes the most that any metric asks for
// within what the behaviour allows, and scales. Follows upstream's controller, its conditions and events.
import { jsonEqual } from '../../resources/json-equal.ts'
import type { Condition, Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import { timestamp } from '../../resources/timestamp.ts'
import {
  horizontalPodAutoscalerType,
  type HorizontalPodAutoscaler,
  type HorizontalPodAutoscalerStatus,
  type MetricStatus,
} from '../../resources/workloads/horizontal-pod-autoscaler.ts'
import type { Action, CollectionRef, Reconciliation } from '../action.ts'
import { regarding } from '../owner.ts'
import { boundReplicas, type AutoscalerMemory, type Bounded } from './behavior.ts'
import { evaluateMetric, type Evaluated } from './evaluate.ts'
import type { Reading } from './metrics.ts'

export interface ScaleTarget {
  readonly ref: CollectionRef
  readonly namespace: string | undefined
  readonly name: string
  readonly specReplicas: number
  readonly statusReplicas: number
}
export interface AutoscalerView {
  readonly autoscaler: Stored<HorizontalPodAutoscaler>
  /** A text: why there is none. */
  readonly target: ScaleTarget | string
  /** Of the target. */
  readonly pods: readonly Stored<Pod>[]
  readonly readings: readonly Reading[]
  readonly memory: AutoscalerMemory
  readonly nowMs: number
}
export interface AutoscalerReconciliation extends Reconciliation {
  readonly memory: AutoscalerMemory
}

const syncMs = 15_000

interface Decision {
  readonly replicas: number
  readonly reason: string
  readonly metrics?: readonly MetricStatus[]
  readonly conditions: readonly Condition[]
  readonly actions: readonly Action[]
  readonly memory: AutoscalerMemory
}

export function reconcileAutoscaler(view: AutoscalerView): AutoscalerReconciliation {
  const { autoscaler, target, memory, nowMs } = view
  if (autoscaler.metadata.deletionTimestamp !== undefined) return { actions: [], memory }
  if (typeof target === 'string') {
    const message = `the HPA controller was unable to get the target's current scale: ${target}`
    const conditions = withCondition(view, [], 'AbleToScale', 'False', 'FailedGetScale', message)
    const told = tell(autoscaler, 'Warning', 'FailedGetScale', target)
    const status = { ...autoscaler.status, conditions }
    return { actions: [told, ...statusUpdate(autoscaler, status)], memory, requeueAfterMs: syncMs }
  }
  const decision = decide(view, target)
  const { replicas, reason, actions } = decision
  const isRescaled = replicas !== target.specReplicas
  const { metadata, status } = autoscaler
  const lastScaleTime = isRescaled ? timestamp(nowMs) : status.lastScaleTime
  const conditions = isRescaled
    ? withCondition(
        view,
        decision.conditions,
        'AbleToScale',
        'True',
        'SucceededRescale',
        `the HPA controller was able to update the target scale to ${replicas}`,
      )
    : decision.conditions
  const next: HorizontalPodAutoscalerStatus = {
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    ...(lastScaleTime === undefined ? {} : { lastScaleTime }),
    currentReplicas: target.statusReplicas,
    desiredReplicas: replicas,
    currentMetrics: decision.metrics ?? status.currentMetrics ?? null,
    conditions,
  }
  const change = replicas - target.specReplicas
  return {
    actions: [
      ...(isRescaled ? [rescale(autoscaler, target, replicas, reason)] : []),
      ...actions,
      ...statusUpdate(autoscaler, next),
    ],
    memory: isRescaled
      ? { ...decision.memory, changes: [...decision.memory.changes, { change, atMs: nowMs }] }
      : decision.memory,
    requeueAfterMs: syncMs,
  }
}

function decide(view: AutoscalerView, target: ScaleTarget): Decision {
  const { autoscaler, memory } = view
  const { minReplicas = 1, maxReplicas } = autoscaler.spec
  const current = target.specReplicas
  const able = withCondition(
    view,
    [],
    'AbleToScale',
    'True',
    'SucceededGetScale',
    "the HPA controller was able to get the target's current scale",
  )
  const base = { conditions: able, actions: [], memory }
  if (current === 0 && minReplicas !== 0) {
    const message = 'scaling is disabled since the replica count of the target is zero'
    const reason = 'ScalingDisabled'
    const conditions = withCondition(view, able, 'ScalingActive', 'False', reason, message)
    return { ...base, replicas: 0, reason: '', conditions }
  }
  if (current > maxReplicas)
    return {
      ...base,
      replicas: maxReplicas,
      reason: 'Current number of replicas above Spec.MaxReplicas',
    }
  if (current < minReplicas)
    return {
      ...base,
      replicas: minReplicas,
      reason: 'Current number of replicas below Spec.MinReplicas',
    }
  return decideByMetrics(view, target, able)
}

function decideByMetrics(
  view: AutoscalerView,
  target: ScaleTarget,
  able: readonly Condition[],
): Decision {
  const { autoscaler, memory, nowMs } = view
  const specs = autoscaler.spec.metrics ?? []
  const evaluated = specs.map((spec, index) => evaluateMetric(view, target, spec, index))
  const valid = evaluated.filter((each) => each.type === 'valid')
  const invalid = evaluated.filter((each) => each.type === 'invalid')
  const [firstInvalid] = invalid
  const current = target.specReplicas
  const best = valid.reduce<(typeof valid)[number] | undefined>(
    (most, each) => (most === undefined || each.replicas > most.replicas ? each : most),
    undefined,
  )
  const metrics = evaluated.map((each) => each.status)
  // One that is missing might ask for more: then nothing is taken away.
  if (best === undefined || (firstInvalid !== undefined && best.replicas < current))
    return undecided(view, able, invalid, specs.length, target, metrics)
  const active = withCondition(
    view,
    able,
    'ScalingActive',
    'True',
    'ValidMetricFound',
    `the HPA was able to successfully calculate a replica count from ${best.label}`,
  )
  const bounded = boundReplicas(autoscaler.spec, current, best.replicas, memory, nowMs)
  const isUp = bounded.replicas > current
  return {
    replicas: bounded.replicas,
    reason: isUp ? `${best.label} above target` : 'All metrics below target',
    metrics,
    conditions: withLimits(view, active, bounded),
    actions: [],
    memory: bounded.memory,
  }
}

function undecided(
  view: AutoscalerView,
  able: readonly Condition[],
  invalid: readonly Extract<Evaluated, { type: 'invalid' }>[],
  count: number,
  target: ScaleTarget,
  metrics: readonly MetricStatus[],
): Decision {
  const { autoscaler, memory } = view
  const [first] = invalid
  const why = first?.why ?? 'no metrics'
  const reason = first?.reason ?? 'InvalidMetricSourceType'
  const message = `the HPA was unable to compute the replica count: ${why}`
  const summary = `invalid metrics (${invalid.length} invalid out of ${count}), first error is: ${why}`
  return {
    replicas: target.specReplicas,
    reason: '',
    metrics,
    conditions: withCondition(view, able, 'ScalingActive', 'False', reason, message),
    actions: [
      tell(autoscaler, 'Warning', reason, why),
      tell(autoscaler, 'Warning', 'FailedComputeMetricsReplicas', summary),
    ],
    memory,
  }
}

const limitTexts: Readonly<Record<Bounded['limit'], string>> = {
  DesiredWithinRange: 'the desired count is within the acceptable range',
  TooManyReplicas: 'the desired replica count is more than the maximum replica count',
  TooFewReplicas: 'the desired replica count is less than the minimum replica count',
  ScaleUpLimit: 'the desired replica count is increasing faster than the maximum scale rate',
  ScaleDownLimit: 'the desired replica count is decreasing faster than the maximum scale rate',
}

const heldTexts = {
  down: [
    'ScaleDownStabilized',
    'recent recommendations were higher than current one, applying the highest recent recommendation',
  ],
  up: [
    'ScaleUpStabilized',
    'recent recommendations were lower than current one, applying the lowest recent recommendation',
  ],
  no: ['ReadyForNewScale', 'recommended size matches current size'],
} as const

function withLimits(
  view: AutoscalerView,
  conditions: readonly Condition[],
  { limit, heldFrom }: Bounded,
): readonly Condition[] {
  const [reason, message] = heldTexts[heldFrom ?? 'no']
  const able = withCondition(view, conditions, 'AbleToScale', 'True', reason, message)
  const limited = limit === 'DesiredWithinRange' ? 'False' : 'True'
  return withCondition(view, able, 'ScalingLimited', limited, limit, limitTexts[limit])
}

/** `known` over those of the status, and this one over both. */
function withCondition(
  { autoscaler, nowMs }: AutoscalerView,
  known: readonly Condition[],
  type: string,
  status: Condition['status'],
  reason: string,
  message: string,
): readonly Condition[] {
  const all = [...(autoscaler.status.conditions ?? [])]
  const put = (condition: Condition): void => {
    const at = all.findIndex((each) => each.type === condition.type)
    if (at < 0) all.push(condition)
    else all[at] = condition
  }
  for (const condition of known) put(condition)
  const before = autoscaler.status.conditions?.find((each) => each.type === type)
  const isSame = before?.status === status && before.lastTransitionTime !== undefined
  const lastTransitionTime = isSame ? before.lastTransitionTime : timestamp(nowMs)
  put({
    type,
    status,
    reason,
    message,
    ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }),
  })
  return all
}

const statusUpdate = (
  autoscaler: Stored<HorizontalPodAutoscaler>,
  status: HorizontalPodAutoscalerStatus,
): Action[] => {
  if (jsonEqual(status, autoscaler.status)) return []
  const object: HorizontalPodAutoscaler = { ...autoscaler, status }
  return [{ type: 'update', ref: horizontalPodAutoscalerType, object, subresource: 'status' }]
}

const tell = (
  autoscaler: Stored<HorizontalPodAutoscaler>,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
): Action => ({ type: 'event', event: { regarding: regarding(autoscaler), type, reason, message } })

const rescale = (
  autoscaler: Stored<HorizontalPodAutoscaler>,
  { ref, namespace, name }: ScaleTarget,
  replicas: number,
  reason: string,
): Action => ({
  type: 'patch',
  ref,
  namespace,
  name,
  patch: { spec: { replicas } },
  subresource: 'scale',
  done: {
    regarding: regarding(autoscaler),
    type: 'Normal',
    reason: 'SuccessfulRescale',
    message: `New size: ${replicas}; reason: ${reason}`,
  },
  failed: {
    regarding: regarding(autoscaler),
    type: 'Warning',
    reason: 'FailedRescale',
    message: `New size: ${replicas}; reason: ${reason}; error: ERROR`,
  },
})
