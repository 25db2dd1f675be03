// StatefulSet: pods 0 to n-1 of fixed names, made one after the other and ended from the highest on; a new template is rolled out from the
// highest ordinal down to the partition. Follows upstream's stateful set control: in order, it waits at the first pod that is not available.
import { jsonEqual } from '../../resources/json-equal.ts'
import { scaledValue } from '../../resources/int-or-percent.ts'
import { matchesSelector } from '../../resources/label-selector.ts'
import type { Stored } from '../../resources/object.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import type { ControllerRevision } from '../../resources/workloads/controller-revision.ts'
import { statefulSetType, type StatefulSet } from '../../resources/workloads/stateful-set.ts'
import type { Action, Reconciliation } from '../action.ts'
import { claim, regarding } from '../owner.ts'
import { availableAtMs, isAvailable, isReady } from '../pod-state.ts'
import { followTemplate, revisionOf, truncateHistory, type Revision } from '../revisions.ts'
import {
  claimOwnerRepairs,
  claimRef,
  hasStaleClaim,
  missingClaims,
  type ClaimLookup,
} from './claims.ts'
import {
  firstOrdinal,
  identityRepair,
  memberCreation,
  memberDeletion,
  memberName,
  ordinalOf,
  replicasOf,
  revisionLabel,
} from './members.ts'
import { statefulSetStatus } from './status.ts'

export interface StatefulSetView {
  readonly set: Stored<StatefulSet>
  /** Pods of its namespace that it controls or that nobody controls. */
  readonly pods: readonly Stored<Pod>[]
  /** Revisions it controls, those nobody controls, and any of the next name. */
  readonly revisions: readonly Stored<ControllerRevision>[]
  readonly findClaim: ClaimLookup
  readonly nowMs: number
}

/** What the plan is made from. */
interface Members {
  readonly set: Stored<StatefulSet>
  readonly findClaim: ClaimLookup
  readonly nowMs: number
  readonly current: Revision
  readonly update: Revision
  /** By place; undefined: to be made. */
  readonly slots: readonly (Stored<Pod> | undefined)[]
  /** To be ended, highest ordinal first. */
  readonly condemned: readonly Stored<Pod>[]
}

export const hashLabel = 'controller.kubernetes.io/hash'

export function reconcileStatefulSet(view: StatefulSetView): Reconciliation {
  const { set, nowMs } = view
  const { spec, status, metadata } = set
  const claimed = claim(
    set,
    statefulSetType,
    podType,
    view.pods.filter((pod) => ordinalOf(set, pod) !== undefined),
    (pod) => matchesSelector(spec.selector, pod.metadata.labels),
  )
  const { collisionCount } = status
  const { selector, template } = spec
  const owner = { object: set, ref: statefulSetType, selector, template, collisionCount, hashLabel }
  const revisions = followTemplate(owner, view.revisions)
  if (revisions === undefined) return nextHash(set)
  const stored = revisions.owned.find((each) => each.metadata.name === status.currentRevision)
  const { update } = revisions
  const current = stored === undefined ? update : revisionOf(stored, hashLabel)
  const next = statefulSetStatus({ set, pods: claimed.owned, current, update, nowMs })
  const actions: Action[] = [...claimed.actions, ...revisions.actions]
  if (!jsonEqual(next, status)) {
    const object: StatefulSet = { ...set, status: next }
    actions.push({ type: 'update', ref: statefulSetType, object, subresource: 'status' })
  }
  if (metadata.deletionTimestamp === undefined)
    actions.push(...plan({ ...sort(set, claimed.owned), ...view, current, update }))
  const live = new Set([
    update.name,
    current.name,
    ...claimed.owned.map((pod) => pod.metadata.labels?.[revisionLabel] ?? ''),
  ])
  actions.push(...truncateHistory(revisions.owned, live, spec.revisionHistoryLimit ?? 10))
  const waits = claimed.owned
    .filter((pod) => isReady(pod) && !isAvailable(pod, minReadyOf(set), nowMs))
    .map((pod) => availableAtMs(pod, minReadyOf(set)) - nowMs)
  return waits.length === 0 ? { actions } : { actions, requeueAfterMs: Math.min(...waits) }
}

const minReadyOf = ({ spec }: Stored<StatefulSet>): number => spec.minReadySeconds ?? 0

/** The name of the next revision is somebody else's: the next try hashes differently. */
function nextHash(set: Stored<StatefulSet>): Reconciliation {
  const { namespace, name, uid } = set.metadata
  const collisionCount = (set.status.collisionCount ?? 0) + 1
  const patch = { metadata: { uid }, status: { collisionCount } }
  const ref = statefulSetType
  return { actions: [{ type: 'patch', ref, namespace, name, patch, subresource: 'status' }] }
}

function sort(
  set: Stored<StatefulSet>,
  pods: readonly Stored<Pod>[],
): Pick<Members, 'slots' | 'condemned'> {
  const slots: (Stored<Pod> | undefined)[] = Array.from({ length: replicasOf(set) })
  const condemned: Stored<Pod>[] = []
  for (const pod of pods) {
    const place = (ordinalOf(set, pod) ?? -1) - firstOrdinal(set)
    if (place >= 0 && place < slots.length) slots[place] = pod
    else condemned.push(pod)
  }
  const ordinal = (pod: Stored<Pod>): number => ordinalOf(set, pod) ?? 0
  return { slots, condemned: condemned.toSorted((left, right) => ordinal(right) - ordinal(left)) }
}

function plan(members: Members): Action[] {
  const { set, slots, condemned, findClaim } = members
  const isOrdered = set.spec.podManagementPolicy !== 'Parallel'
  const actions: Action[] = condemned.flatMap((pod) =>
    isTerminating(pod) ? [] : claimOwnerRepairs(set, pod, true, findClaim),
  )
  const claims: Action[] = []
  const together: Action[] = []
  for (let place = 0; place < slots.length; place++) {
    const step = replicaStep(members, place)
    if (isOrdered) {
      actions.push(...step.actions)
      if (step.isWaiting) return actions
    } else {
      // Side by side a pod might come before its claims.
      for (const action of step.actions) (isClaimCreation(action) ? claims : together).push(action)
    }
  }
  if (claims.length > 0) actions.push({ type: 'slowStart', actions: claims })
  if (together.length > 0) actions.push({ type: 'slowStart', actions: together })
  const ending = endCondemned(members, isOrdered)
  actions.push(...ending.actions)
  if (ending.isWaiting || set.spec.updateStrategy.type === 'OnDelete') return actions
  return [...actions, ...rollOut(members)]
}

const isClaimCreation = (action: Action): boolean =>
  action.type === 'create' && action.ref === claimRef

interface Step {
  readonly actions: readonly Action[]
  /** In order, nothing may be done beyond this pod. */
  readonly isWaiting: boolean
}

function replicaStep(members: Members, place: number): Step {
  const { set, findClaim, nowMs } = members
  const ordinal = firstOrdinal(set) + place
  const pod = members.slots[place]
  if (pod === undefined) {
    const name = memberName(set, ordinal)
    if (hasStaleClaim(set, name, findClaim)) return { actions: [], isWaiting: true }
    const creation = memberCreation(set, revisionFor(members, place), ordinal)
    const claims = missingClaims(set, name, findClaim)
    return { actions: [...claims, creation], isWaiting: true }
  }
  if (pod.status.phase === 'Failed' || pod.status.phase === 'Succeeded')
    return { actions: isTerminating(pod) ? [] : recreate(set, pod), isWaiting: true }
  const claims =
    pod.status.phase === 'Pending' && !isTerminating(pod)
      ? missingClaims(set, pod.metadata.name, findClaim)
      : []
  if (isTerminating(pod) || !isServing(pod, set, nowMs)) return { actions: claims, isWaiting: true }
  const repairs = [
    ...identityRepair(pod, ordinal),
    ...claimOwnerRepairs(set, pod, false, findClaim),
  ]
  return { actions: [...claims, ...repairs], isWaiting: false }
}

/** A pod that ended by itself gives way to a new one of its name. */
const recreate = (set: Stored<StatefulSet>, pod: Stored<Pod>): Action[] => {
  const { namespace, name } = set.metadata
  const verb = pod.status.phase === 'Failed' ? 'failed' : 'terminated'
  return [
    {
      type: 'event',
      event: {
        regarding: regarding(set),
        type: pod.status.phase === 'Failed' ? 'Warning' : 'Normal',
        reason: pod.status.phase === 'Failed' ? 'RecreatingFailedPod' : 'RecreatingTerminatedPod',
        message: `StatefulSet ${namespace ?? ''}/${name} is recreating ${verb} Pod ${pod.metadata.name}`,
      },
    },
    memberDeletion(set, pod),
  ]
}

const isTerminating = (pod: Stored<Pod>): boolean => pod.metadata.deletionTimestamp !== undefined

/** Running, ready, and that for long enough. */
const isServing = (pod: Stored<Pod>, set: Stored<StatefulSet>, nowMs: number): boolean =>
  pod.status.phase === 'Running' && isAvailable(pod, minReadyOf(set), nowMs)

/** Below the partition pods come back as they were. */
function revisionFor({ set, current, update }: Members, place: number): Revision {
  const { type, rollingUpdate } = set.spec.updateStrategy
  if (type !== 'RollingUpdate') return update
  const ordinal = firstOrdinal(set) + place
  const isKept =
    rollingUpdate?.partition === undefined
      ? place < (set.status.currentReplicas ?? 0)
      : ordinal < rollingUpdate.partition
  return isKept ? current : update
}

function endCondemned(members: Members, isOrdered: boolean): Step {
  const { set, slots, condemned, nowMs } = members
  const live = condemned.filter((pod) => !isTerminating(pod))
  if (!isOrdered) {
    const actions = live.map((pod) => memberDeletion(set, pod))
    const together: Action[] = actions.length === 0 ? [] : [{ type: 'slowStart', actions }]
    return { actions: together, isWaiting: false }
  }
  const [highest] = condemned
  if (highest === undefined) return { actions: [], isWaiting: false }
  if (isTerminating(highest)) return { actions: [], isWaiting: true }
  const isHealthy = (pod: Stored<Pod>): boolean => isServing(pod, set, nowMs) && !isTerminating(pod)
  // The lowest unhealthy pod of all is the one that may go although it is not well.
  const all = [...slots.filter((pod) => pod !== undefined), ...condemned.toReversed()]
  const firstUnhealthy = all.find((pod) => !isHealthy(pod))
  if (!isHealthy(highest) && highest !== firstUnhealthy) return { actions: [], isWaiting: true }
  return { actions: [memberDeletion(set, highest)], isWaiting: true }
}

/** Deletes pods of other templates from the highest ordinal on, waiting for each to come back well. */
function rollOut(members: Members): Action[] {
  const { set, slots, update, nowMs } = members
  const { partition = 0, maxUnavailable } = set.spec.updateStrategy.rollingUpdate ?? {}
  const lowest = Math.max(0, partition - firstOrdinal(set))
  const allowed =
    maxUnavailable === undefined
      ? 1
      : Math.max(1, scaledValue(maxUnavailable, replicasOf(set), 'up'))
  const targets = slots.slice(lowest).toReversed()
  const isWell = (pod: Stored<Pod> | undefined): pod is Stored<Pod> =>
    pod !== undefined && !isTerminating(pod) && isServing(pod, set, nowMs)
  let unavailable = 0
  const actions: Action[] = []
  for (const pod of targets) {
    const isOld =
      pod !== undefined &&
      !isTerminating(pod) &&
      pod.metadata.labels?.[revisionLabel] !== update.name
    if (isOld) actions.push(memberDeletion(set, pod))
    if (isOld || !isWell(pod)) unavailable++
    if (unavailable >= allowed) return actions
  }
  return actions
}
