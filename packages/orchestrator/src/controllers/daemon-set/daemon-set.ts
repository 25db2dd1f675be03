// DaemonSet: one pod on every node that its template fits; a new template is rolled out node by node. Follows upstream's daemon set
// controller: first the right pods on the right nodes, and only when that is done the roll-out.
import { jsonEqual } from '../../resources/json-equal.ts'
import { matchesSelector } from '../../resources/label-selector.ts'
import type { Node } from '../../resources/node.ts'
import type { Stored } from '../../resources/object.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import type { ControllerRevision } from '../../resources/workloads/controller-revision.ts'
import {
  daemonSetType,
  templateGenerationAnnotation,
  type DaemonSet,
} from '../../resources/workloads/daemon-set.ts'
import type { Action, Reconciliation } from '../action.ts'
import { claim, regarding } from '../owner.ts'
import { podCreation, podDeletion } from '../pod-actions.ts'
import { availableAtMs, isAvailable, isReady } from '../pod-state.ts'
import { followTemplate, truncateHistory, type Revision } from '../revisions.ts'
import { daemonSpec, fitOf, nodeOfDaemon, specForNode } from './daemon-nodes.ts'
import { revisionLabel, type DaemonPlace, type DaemonState } from './daemon-state.ts'
import { isSurging, rolloutStep, surplusOf } from './daemon-rollout.ts'
import { daemonSetStatus } from './status.ts'

export interface DaemonSetView {
  readonly daemonSet: Stored<DaemonSet>
  readonly nodes: readonly Stored<Node>[]
  /** Pods of its namespace that it controls or that nobody controls. */
  readonly pods: readonly Stored<Pod>[]
  /** Revisions it controls, those nobody controls, and any of the next name. */
  readonly revisions: readonly Stored<ControllerRevision>[]
  /** How long to wait before a pod that failed on the node is replaced. */
  readonly retryAfterMs: (node: string) => number
  readonly nowMs: number
}
export interface DaemonReconciliation extends Reconciliation {
  /** Nodes whose failed pods are deleted by the actions: the next wait there is longer. */
  readonly failedOn: readonly string[]
}

const generationLabel = 'pod-template-generation'
/** Pods created, and pods deleted, in one reconcile. */
export const burstMax = 250

export function reconcileDaemonSet(view: DaemonSetView): DaemonReconciliation {
  const { daemonSet, nowMs } = view
  const { spec, status, metadata } = daemonSet
  const claimed = claim(daemonSet, daemonSetType, podType, view.pods, (pod) =>
    matchesSelector(spec.selector, pod.metadata.labels),
  )
  const { collisionCount } = status
  const { selector, template } = spec
  const revisions = followTemplate(
    {
      object: daemonSet,
      ref: daemonSetType,
      selector,
      template,
      collisionCount,
      hashLabel: revisionLabel,
    },
    view.revisions,
  )
  if (revisions === undefined) return nextHash(daemonSet)
  const { update, owned } = revisions
  const { places, stray } = placesOf(view, claimed.owned)
  const state: DaemonState = { daemonSet, places, update, nowMs }
  const next = daemonSetStatus(state)
  const actions: Action[] = [...claimed.actions, ...revisions.actions]
  if (!jsonEqual(next, status)) {
    const object: DaemonSet = { ...daemonSet, status: next }
    actions.push({ type: 'update', ref: daemonSetType, object, subresource: 'status' })
  }
  if (metadata.deletionTimestamp !== undefined) return { actions, failedOn: [] }
  const managed = manage(state, view.retryAfterMs)
  const doomed = [...managed.doomed, ...stray]
  const isSettled = managed.missing.length === 0 && doomed.length === 0
  const rollout =
    isSettled && spec.updateStrategy.type === 'RollingUpdate'
      ? rolloutStep(state)
      : { missing: [], doomed: [] }
  actions.push(
    ...managed.events,
    ...changes(
      daemonSet,
      update,
      [...managed.missing, ...rollout.missing],
      [...doomed, ...rollout.doomed],
    ),
  )
  const live = new Set([update.name])
  for (const pod of claimed.owned)
    live.add(`${metadata.name}-${pod.metadata.labels?.[revisionLabel] ?? ''}`)
  actions.push(...truncateHistory(owned, live, spec.revisionHistoryLimit ?? 10))
  const waits = [...managed.waitsMs, ...availabilityWaits(daemonSet, claimed.owned, nowMs)]
  const { failedOn } = managed
  return waits.length === 0
    ? { actions, failedOn }
    : { actions, failedOn, requeueAfterMs: Math.min(...waits) }
}

function nextHash(daemonSet: Stored<DaemonSet>): DaemonReconciliation {
  const { namespace, name, uid } = daemonSet.metadata
  const collisionCount = (daemonSet.status.collisionCount ?? 0) + 1
  const patch = { metadata: { uid }, status: { collisionCount } }
  const ref = daemonSetType
  return {
    actions: [{ type: 'patch', ref, namespace, name, patch, subresource: 'status' }],
    failedOn: [],
  }
}

/** `stray`: pods for nodes that are gone, which nobody will ever run. */
function placesOf(
  { daemonSet, nodes }: DaemonSetView,
  pods: readonly Stored<Pod>[],
): { places: DaemonPlace[]; stray: Stored<Pod>[] } {
  const byNode = new Map<string, Stored<Pod>[]>()
  for (const pod of pods) {
    const node = nodeOfDaemon(pod)
    if (node === undefined) continue
    const there = byNode.get(node)
    if (there === undefined) byNode.set(node, [pod])
    else there.push(pod)
  }
  const spec = daemonSpec(daemonSet.spec.template.spec)
  const places = nodes.map((node) => {
    const { name } = node.metadata
    const there = (byNode.get(name) ?? []).toSorted(byAge)
    byNode.delete(name)
    return { node: name, fit: fitOf(spec, node), pods: there }
  })
  const stray = [...byNode.values()]
    .flat()
    .filter((pod) => (pod.spec.nodeName ?? '') === '' && isStaying(pod))
  return { places, stray }
}

const byAge = (left: Stored<Pod>, right: Stored<Pod>): number => {
  const [a, b] = [left.metadata, right.metadata]
  if (a.creationTimestamp !== b.creationTimestamp)
    return a.creationTimestamp < b.creationTimestamp ? -1 : 1
  return a.name < b.name ? -1 : 1
}

const isStaying = (pod: Stored<Pod>): boolean => pod.metadata.deletionTimestamp === undefined

interface Managed {
  /** Nodes that need a pod. */
  readonly missing: string[]
  readonly doomed: Stored<Pod>[]
  readonly events: Action[]
  readonly failedOn: string[]
  readonly waitsMs: number[]
}

function manage(state: DaemonState, retryAfterMs: (node: string) => number): Managed {
  const managed: Managed = { missing: [], doomed: [], events: [], failedOn: [], waitsMs: [] }
  for (const place of state.places) {
    const { node, fit, pods } = place
    if (fit.shouldRun && pods.length === 0) managed.missing.push(node)
    else if (!fit.mayStay) managed.doomed.push(...pods.filter(isStaying))
    else if (pods.length > 0) settlePlace(state, place, retryAfterMs, managed)
  }
  return managed
}

/** On one node: pods that ended are cleared away, of several that run one stays. */
function settlePlace(
  state: DaemonState,
  { node, pods }: DaemonPlace,
  retryAfterMs: (node: string) => number,
  managed: Managed,
): void {
  const running: Stored<Pod>[] = []
  for (const pod of pods.filter(isStaying)) {
    const { phase } = pod.status
    if (phase !== 'Failed' && phase !== 'Succeeded') running.push(pod)
    else if (phase === 'Failed' && retryAfterMs(node) > 0) managed.waitsMs.push(retryAfterMs(node))
    else {
      managed.events.push(endedEvent(state.daemonSet, pod, node))
      managed.doomed.push(pod)
      if (phase === 'Failed') managed.failedOn.push(node)
    }
  }
  managed.doomed.push(...(isSurging(state) ? surplusOf(state, running) : running.slice(1)))
}

function endedEvent(daemonSet: Stored<DaemonSet>, pod: Stored<Pod>, node: string): Action {
  const isFailed = pod.status.phase === 'Failed'
  const { namespace, name } = pod.metadata
  const message = isFailed
    ? `Found failed daemon pod ${namespace ?? ''}/${name} on node ${node}, will try to kill it`
    : `Found succeeded daemon pod ${namespace ?? ''}/${name} on node ${node}, will try to delete it`
  return {
    type: 'event',
    event: {
      regarding: regarding(daemonSet),
      type: isFailed ? 'Warning' : 'Normal',
      reason: isFailed ? 'FailedDaemonPod' : 'SucceededDaemonPod',
      message,
    },
  }
}

function changes(
  daemonSet: Stored<DaemonSet>,
  update: Revision,
  missing: readonly string[],
  doomed: readonly Stored<Pod>[],
): Action[] {
  const actions: Action[] = []
  if (doomed.length > 0)
    actions.push({
      type: 'slowStart',
      actions: doomed.slice(0, burstMax).map((pod) => podDeletion(daemonSet, pod)),
    })
  if (missing.length === 0) return actions
  const { template } = daemonSet.spec
  const spec = daemonSpec(template.spec)
  const generation = daemonSet.metadata.annotations?.[templateGenerationAnnotation]
  const labels = {
    ...template.metadata?.labels,
    [revisionLabel]: update.hash,
    ...(generation === undefined ? {} : { [generationLabel]: generation }),
  }
  const creations = missing
    .slice(0, burstMax)
    .map((node) =>
      podCreation(daemonSet, { ...template, spec: specForNode(spec, node) }, { labels }),
    )
  actions.push({ type: 'slowStart', actions: creations })
  return actions
}

const availabilityWaits = (
  { spec }: Stored<DaemonSet>,
  pods: readonly Stored<Pod>[],
  nowMs: number,
): number[] => {
  const minReadySeconds = spec.minReadySeconds ?? 0
  if (minReadySeconds === 0) return []
  return pods
    .filter((pod) => isReady(pod) && !isAvailable(pod, minReadySeconds, nowMs))
    .map((pod) => availableAtMs(pod, minReadySeconds) - nowMs)
}
