// Deployment: brings its pods from one version to the next through ReplicaSets, one small step per reconcile. The next step waits until the
// cache shows what this one did. Follows upstream's deployment controller, its reasons and annotations.
import { deploymentType, revisionAnnotation, type Deployment } from '../../resources/deployment.ts'
import { jsonEqual } from '../../resources/json-equal.ts'
import { matchesSelector } from '../../resources/label-selector.ts'
import type { Condition, Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import { replicaSetType, type ReplicaSet } from '../../resources/replica-set.ts'
import { deletionOf, type Action, type Reconciliation } from '../action.ts'
import { claim, controllerOf, regarding } from '../owner.ts'
import { isScalingEvent, proportionalScale } from './proportional-scale.ts'
import {
  findNewReplicaSet,
  isRollingUpdate,
  newAnnotations,
  newReplicaSet,
  newReplicaSetName,
  replicasOf,
  revisionOf,
  scale,
  scaled,
} from './replica-sets.ts'
import { newReplicaSetSize, rollingUpdateStep } from './rolling-update.ts'
import { deadlineAfterMs, deploymentStatus, isComplete, type RolloutView } from './status.ts'

export interface DeploymentView {
  readonly deployment: Stored<Deployment>
  /** Of its namespace: those it controls, those nobody controls, and any that has the name of its next one. */
  readonly replicaSets: readonly Stored<ReplicaSet>[]
  /** Pods of the ReplicaSets it controls. */
  readonly pods: readonly Stored<Pod>[]
  readonly nowMs: number
}

type Hint = Pick<Condition, 'status' | 'reason' | 'message'>
interface Step {
  readonly actions: readonly Action[]
  readonly hint?: Hint
}

export function reconcileDeployment(view: DeploymentView): Reconciliation {
  const { deployment, nowMs } = view
  if (Object.keys(deployment.spec.selector).length === 0) return { actions: [] }
  const claimed = claim(deployment, deploymentType, replicaSetType, view.replicaSets, (set) =>
    matchesSelector(deployment.spec.selector, set.metadata.labels),
  )
  if (claimed.actions.length > 0) return { actions: claimed.actions }
  const newSet = findNewReplicaSet(deployment, claimed.owned)
  const olds = claimed.owned.filter((set) => set !== newSet)
  const rollout: RolloutView = { deployment, newSet, olds, nowMs }
  if (deployment.metadata.deletionTimestamp !== undefined)
    return withStatus(rollout, { actions: [] })
  const revision = followRevision(rollout)
  if (revision.length > 0) return { actions: revision }
  return withStatus(rollout, stepOf(view, rollout))
}

function stepOf(view: DeploymentView, rollout: RolloutView): Step {
  const { deployment, newSet, olds } = rollout
  const sets = newSet === undefined ? olds : [newSet, ...olds]
  if (deployment.spec.paused === true || isScalingEvent(deployment, sets)) {
    const actions = proportionalScale(deployment, newSet, olds)
    return { actions: actions.length > 0 ? actions : cleanUp(rollout) }
  }
  const step = isRollingUpdate(deployment) ? rollingUpdate(view, rollout) : recreate(view, rollout)
  return step.actions.length > 0 ? step : { ...step, actions: cleanUp(rollout) }
}

/** The new ReplicaSet has the highest revision, and the Deployment shows it. One object a reconcile: both may change under a client. */
function followRevision({ deployment, newSet, olds }: RolloutView): Action[] {
  if (newSet === undefined) return []
  const highestOld = Math.max(0, ...olds.map(revisionOf))
  const annotations = newAnnotations(deployment, newSet, highestOld + 1)
  const { minReadySeconds = 0 } = deployment.spec
  const actions: Action[] = []
  if (
    !jsonEqual(annotations, newSet.metadata.annotations) ||
    (newSet.spec.minReadySeconds ?? 0) !== minReadySeconds
  ) {
    const object: ReplicaSet = {
      ...newSet,
      metadata: { ...newSet.metadata, annotations },
      spec: { ...newSet.spec, minReadySeconds },
    }
    actions.push({ type: 'update', ref: replicaSetType, object })
  }
  const revision = annotations[revisionAnnotation] ?? ''
  if (deployment.metadata.annotations?.[revisionAnnotation] !== revision) {
    const { namespace, name, uid } = deployment.metadata
    const patch = { metadata: { uid, annotations: { [revisionAnnotation]: revision } } }
    actions.push({ type: 'patch', ref: deploymentType, namespace, name, patch })
  }
  return actions
}

function rollingUpdate(view: DeploymentView, rollout: RolloutView): Step {
  const { deployment, newSet, olds } = rollout
  if (newSet === undefined) return createNew(view, rollout, newReplicaSetSize(deployment, olds, 0))
  return { actions: rollingUpdateStep(deployment, newSet, olds) }
}

/** All old pods go before the first new one comes. */
function recreate(view: DeploymentView, rollout: RolloutView): Step {
  const { deployment, newSet, olds } = rollout
  const shrinking = olds.flatMap((set) => (replicasOf(set) > 0 ? scale(deployment, set, 0) : []))
  if (shrinking.length > 0) return { actions: shrinking }
  const oldUids = new Set(olds.map(({ metadata }) => metadata.uid))
  const isAnyOldLeft = view.pods.some(
    (pod) =>
      oldUids.has(controllerOf(pod)?.uid ?? '') &&
      pod.status.phase !== 'Succeeded' &&
      pod.status.phase !== 'Failed',
  )
  if (isAnyOldLeft) return { actions: [] }
  if (newSet === undefined) return createNew(view, rollout, replicasOf(deployment))
  return { actions: scale(deployment, newSet, replicasOf(deployment)) }
}

function createNew(view: DeploymentView, { deployment, olds }: RolloutView, size: number): Step {
  const name = newReplicaSetName(deployment)
  if (view.replicaSets.some((set) => set.metadata.name === name)) return nextHash(deployment)
  const revision = Math.max(0, ...olds.map(revisionOf)) + 1
  const set = newReplicaSet(deployment, size, revision)
  const failed = {
    regarding: regarding(deployment),
    type: 'Warning',
    reason: 'ReplicaSetCreateError',
    message: `Failed to create new replica set "${name}": ERROR`,
  } as const
  const creation: Action = { type: 'create', ref: replicaSetType, object: set, failed }
  return {
    actions: [size > 0 ? { ...creation, done: scaled(deployment, set, 0, size) } : creation],
    hint: {
      status: 'True',
      reason: 'NewReplicaSetCreated',
      message: `Created new replica set "${name}"`,
    },
  }
}

/** Another template has the same hash, or the name is somebody else's: the next try hashes differently. */
function nextHash(deployment: Stored<Deployment>): Step {
  const collisionCount = (deployment.status.collisionCount ?? 0) + 1
  const { namespace, name, uid } = deployment.metadata
  const patch = { metadata: { uid }, status: { collisionCount } }
  return {
    actions: [
      { type: 'patch', ref: deploymentType, namespace, name, patch, subresource: 'status' },
    ],
  }
}

/** Old ReplicaSets beyond the history limit, once the roll-out is complete. */
function cleanUp({ deployment, newSet, olds, nowMs }: RolloutView): Action[] {
  const status = deploymentStatus({ deployment, newSet, olds, nowMs })
  if (!isComplete(deployment, status)) return []
  const limit = deployment.spec.revisionHistoryLimit ?? 10
  const removable = olds
    .filter(
      (set) =>
        replicasOf(set) === 0 &&
        set.status.replicas === 0 &&
        set.metadata.deletionTimestamp === undefined,
    )
    .toSorted((left, right) => revisionOf(left) - revisionOf(right))
  return removable
    .slice(0, Math.max(0, olds.length - limit))
    .map((set) => deletionOf(replicaSetType, set))
}

/** The status goes last: it is for the reader, the step is for the cluster. */
function withStatus(rollout: RolloutView, { actions, hint }: Step): Reconciliation {
  const { deployment, nowMs } = rollout
  // A patch of the status by the step itself would make this update stale.
  if (actions.some((action) => action.type === 'patch')) return { actions }
  const status = deploymentStatus(rollout, hint)
  const all: Action[] = [...actions]
  if (!jsonEqual(status, deployment.status)) {
    const object: Deployment = { ...deployment, status }
    all.push({ type: 'update', ref: deploymentType, object, subresource: 'status' })
  }
  const requeueAfterMs = deadlineAfterMs(deployment, status, nowMs)
  return requeueAfterMs === undefined ? { actions: all } : { actions: all, requeueAfterMs }
}
