// Node lifecycle: a node whose agent fell silent becomes Unknown, its state becomes taints, and pods that do not tolerate the taints are
// evicted when their time is over.
import { jsonEqual } from '../resources/json-equal.ts'
import { nodeType, type Node, type Taint } from '../resources/node.ts'
import type { Condition, Stored } from '../resources/object.ts'
import type { Toleration } from '../resources/pod-spec/pod-spec.ts'
import { podType, type Pod } from '../resources/pod.ts'
import { timestamp } from '../resources/timestamp.ts'
import { tolerates } from '../scheduler/taints.ts'
import { deletionOf, type Action, type Reconciliation } from './action.ts'
import { regarding } from './owner.ts'
import { isReady } from './pod-state.ts'

export interface NodeView {
  readonly node: Stored<Node>
  readonly pods: readonly Stored<Pod>[]
  /** When a sign of life of the agent was last seen, by our own clock. */
  readonly seenAtMs: number
  /** What its lease says it holds for; a lease that is renewed seldom says so. */
  readonly leaseMs?: number
  readonly nowMs: number
}

export const nodeGraceMs = 40_000
const defaultTolerationSeconds = 300
const notReadyKey = 'node.kubernetes.io/not-ready'
const unreachableKey = 'node.kubernetes.io/unreachable'
const heartbeatConditions = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']
const pressureTaints: Readonly<Record<string, string>> = {
  MemoryPressure: 'node.kubernetes.io/memory-pressure',
  DiskPressure: 'node.kubernetes.io/disk-pressure',
  PIDPressure: 'node.kubernetes.io/pid-pressure',
}

export function reconcileNode(view: NodeView): Reconciliation {
  const { node, nowMs, seenAtMs } = view
  const silenceMs = nowMs - seenAtMs
  const graceMs = Math.max(nodeGraceMs, view.leaseMs ?? 0)
  const isSilent = silenceMs >= graceMs
  const ready = conditionOf(node, 'Ready')
  // First the status: taints and evictions follow from what everybody can see.
  if (isSilent && ready?.status !== 'Unknown') return { actions: markUnknown(node, nowMs) }
  const actions = [...updateTaints(node, nowMs), ...markPodsNotReady(view, ready)]
  const eviction = evict(view)
  const waits = [eviction.nextMs, isSilent ? undefined : graceMs - silenceMs + 1]
  const next = waits.filter((wait) => wait !== undefined)
  return {
    actions: [...actions, ...eviction.actions],
    ...(next.length === 0 ? {} : { requeueAfterMs: Math.min(...next) }),
  }
}

/** Pods of a node that is not there (any more): no agent will end them. `missingSinceMs`: when that was first seen. */
export function reconcileMissingNode(
  pods: readonly Stored<Pod>[],
  missingSinceMs: number,
  nowMs: number,
): Reconciliation {
  if (pods.length === 0) return { actions: [] }
  const leftMs = missingSinceMs + nodeGraceMs - nowMs
  if (leftMs > 0) return { actions: [], requeueAfterMs: leftMs }
  return { actions: pods.map((pod) => deletionOf(podType, pod, { gracePeriodSeconds: 0 })) }
}

const conditionOf = (node: Node, type: string): Condition | undefined =>
  node.status.conditions?.find((condition) => condition.type === type)

function markUnknown(node: Stored<Node>, nowMs: number): Action[] {
  const unknown = heartbeatConditions.map((type): Condition => {
    const before = conditionOf(node, type)
    const heartbeat = before?.lastHeartbeatTime
    return {
      type,
      status: 'Unknown',
      reason: before === undefined ? 'NodeStatusNeverUpdated' : 'NodeStatusUnknown',
      message:
        before === undefined
          ? 'Kubelet never posted node status.'
          : 'Kubelet stopped posting node status.',
      ...(heartbeat === undefined ? {} : { lastHeartbeatTime: heartbeat }),
      lastTransitionTime: timestamp(nowMs),
    }
  })
  const others = (node.status.conditions ?? []).filter(
    ({ type }) => !heartbeatConditions.includes(type),
  )
  const object: Node = { ...node, status: { ...node.status, conditions: [...others, ...unknown] } }
  const message = `Node ${node.metadata.name} status is now: NodeNotReady`
  return [
    { type: 'update', ref: nodeType, object, subresource: 'status' },
    {
      type: 'event',
      event: { regarding: regarding(node), type: 'Normal', reason: 'NodeNotReady', message },
    },
  ]
}

/** The taints that this controller keeps; all others are left alone. */
function updateTaints(node: Stored<Node>, nowMs: number): Action[] {
  const wanted = wantedTaints(node)
  const kept = new Set([
    notReadyKey,
    unreachableKey,
    'node.kubernetes.io/unschedulable',
    ...Object.values(pressureTaints),
  ])
  const before = node.spec.taints ?? []
  const taints: Taint[] = before.filter(
    (taint) => !kept.has(taint.key) || wanted.some((one) => isSame(one, taint)),
  )
  for (const taint of wanted) {
    if (!taints.some((one) => isSame(one, taint)))
      taints.push({ ...taint, timeAdded: timestamp(nowMs) })
  }
  if (jsonEqual(taints, before)) return []
  const { taints: _before, ...spec } = node.spec
  const object: Node = { ...node, spec: taints.length === 0 ? spec : { ...spec, taints } }
  return [{ type: 'update', ref: nodeType, object }]
}

const isSame = (left: Taint, right: Taint): boolean =>
  left.key === right.key && left.effect === right.effect

function wantedTaints(node: Node): Taint[] {
  const ready = conditionOf(node, 'Ready')
  const key = ready?.status === 'Unknown' ? unreachableKey : notReadyKey
  const pressures = Object.entries(pressureTaints).filter(
    ([type]) => conditionOf(node, type)?.status === 'True',
  )
  return [
    ...(ready?.status === 'True'
      ? []
      : [
          { key, effect: 'NoSchedule' },
          { key, effect: 'NoExecute' },
        ]),
    ...(node.spec.unschedulable === true
      ? [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }]
      : []),
    ...pressures.map(([, pressureKey]) => ({ key: pressureKey, effect: 'NoSchedule' })),
  ]
}

/** Nobody vouches for the pods of a node that is not ready: services must not send there. */
function markPodsNotReady({ pods, nowMs }: NodeView, ready: Condition | undefined): Action[] {
  if (ready === undefined || ready.status !== 'Unknown') return []
  return pods.filter(isReady).map((pod) => {
    const conditions = (pod.status.conditions ?? []).map((condition) =>
      condition.type === 'Ready'
        ? { ...condition, status: 'False' as const, lastTransitionTime: timestamp(nowMs) }
        : condition,
    )
    const object: Pod = { ...pod, status: { ...pod.status, conditions } }
    return { type: 'update', ref: podType, object, subresource: 'status' }
  })
}

function evict({ node, pods, nowMs }: NodeView): {
  readonly actions: readonly Action[]
  readonly nextMs: number | undefined
} {
  const taints = (node.spec.taints ?? []).filter(({ effect }) => effect === 'NoExecute')
  const actions: Action[] = []
  let nextMs: number | undefined
  for (const pod of pods) {
    if (taints.length === 0 || pod.metadata.deletionTimestamp !== undefined) continue
    const atMs = Math.min(...taints.map((taint) => evictionAtMs(pod, taint, nowMs)))
    if (atMs <= nowMs) actions.push(eviction(pod))
    else nextMs = Math.min(nextMs ?? Number.POSITIVE_INFINITY, atMs - nowMs)
  }
  return { actions, nextMs: nextMs === Number.POSITIVE_INFINITY ? undefined : nextMs }
}

/** When the taint drives the pod away; never: Infinity. */
function evictionAtMs(pod: Stored<Pod>, taint: Taint, nowMs: number): number {
  const sinceMs = Date.parse(taint.timeAdded ?? '') || nowMs
  const matching = tolerationsOf(pod, taint).filter((toleration) => tolerates(toleration, taint))
  if (matching.length === 0) return 0
  const seconds = matching
    .map(({ tolerationSeconds }) => tolerationSeconds)
    .filter((each) => each !== undefined)
  return seconds.length === 0
    ? Number.POSITIVE_INFINITY
    : sinceMs + Math.max(0, Math.min(...seconds)) * 1000
}

/** Admission adds these to pods; those made without it are treated alike. */
function tolerationsOf(pod: Stored<Pod>, taint: Taint): readonly Toleration[] {
  const own = pod.spec.tolerations ?? []
  const isDefaulted = taint.key === notReadyKey || taint.key === unreachableKey
  if (!isDefaulted || own.some((toleration) => tolerates(toleration, taint))) return own
  const { key, effect } = taint
  return [{ key, effect, operator: 'Exists', tolerationSeconds: defaultTolerationSeconds }]
}

function eviction(pod: Stored<Pod>): Action {
  const { namespace, name } = pod.metadata
  const message = `Marking for deletion Pod ${namespace}/${name}`
  return deletionOf(podType, pod, {
    done: { regarding: regarding(pod), type: 'Normal', reason: 'TaintManagerEviction', message },
  })
}
