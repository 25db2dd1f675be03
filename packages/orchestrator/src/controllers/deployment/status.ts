// The status of a Deployment, written as one so that `kubectl rollout status` never sees half of it: counts, Available, Progressing.
import type { Deployment, DeploymentStatus } from '../../resources/deployment.ts'
import type { Condition, Stored } from '../../resources/object.ts'
import type { ReplicaSet } from '../../resources/replica-set.ts'
import { timestamp } from '../../resources/timestamp.ts'
import { replicasOf, rolloutBounds, totalReplicas } from './replica-sets.ts'

export interface RolloutView {
  readonly deployment: Stored<Deployment>
  readonly newSet: Stored<ReplicaSet> | undefined
  readonly olds: readonly Stored<ReplicaSet>[]
  readonly nowMs: number
}

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>
/** Upstream's "no deadline". */
const noDeadlineSeconds = 2_147_483_647

export const isComplete = (deployment: Stored<Deployment>, status: DeploymentStatus): boolean => {
  const wanted = replicasOf(deployment)
  return (
    (status.updatedReplicas ?? 0) === wanted &&
    (status.replicas ?? 0) === wanted &&
    (status.availableReplicas ?? 0) === wanted &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  )
}

/** `hint` names what this very step does, if it has a reason of its own. */
export function deploymentStatus(view: RolloutView, hint?: Verdict): DeploymentStatus {
  const { deployment, newSet, olds } = view
  const sets = newSet === undefined ? olds : [newSet, ...olds]
  const sum = (pick: (set: Stored<ReplicaSet>) => number | undefined): number =>
    sets.reduce((total, set) => total + (pick(set) ?? 0), 0)
  const availableReplicas = sum(({ status }) => status.availableReplicas)
  const { generation } = deployment.metadata
  const { collisionCount } = deployment.status
  const counts: DeploymentStatus = {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    replicas: sum(({ status }) => status.replicas),
    updatedReplicas: newSet?.status.replicas ?? 0,
    readyReplicas: sum(({ status }) => status.readyReplicas),
    availableReplicas,
    unavailableReplicas: Math.max(0, totalReplicas(sets) - availableReplicas),
    ...(collisionCount === undefined ? {} : { collisionCount }),
  }
  const conditions = [
    availableCondition(view, availableReplicas),
    progressingCondition(view, counts, hint),
    replicaFailure(view),
  ].filter((condition) => condition !== undefined)
  const own = new Set(['Available', 'Progressing', 'ReplicaFailure'])
  const others = (deployment.status.conditions ?? []).filter(({ type }) => !own.has(type))
  return { ...withoutZeros(counts), conditions: [...others, ...conditions] }
}

/** As a ReplicaSet tells it, the new one before the old. */
function replicaFailure({ newSet, olds }: RolloutView): Condition | undefined {
  const sets = newSet === undefined ? olds : [newSet, ...olds]
  const [found] = sets.flatMap(({ status }) =>
    (status.conditions ?? []).filter(
      ({ type, status: is }) => type === 'ReplicaFailure' && is === 'True',
    ),
  )
  const { lastTransitionTime } = found ?? {}
  if (found === undefined || lastTransitionTime === undefined) return found
  return { ...found, lastUpdateTime: lastTransitionTime }
}

/** Upstream leaves counts of zero out. */
const withoutZeros = (counts: DeploymentStatus): DeploymentStatus =>
  Object.fromEntries(
    Object.entries(counts).filter(([name, value]) => value !== 0 || name === 'observedGeneration'),
  )

function availableCondition({ deployment, nowMs }: RolloutView, available: number): Condition {
  const min = replicasOf(deployment) - rolloutBounds(deployment).unavailable
  const verdict: Verdict =
    available >= min
      ? {
          status: 'True',
          reason: 'MinimumReplicasAvailable',
          message: 'Deployment has minimum availability.',
        }
      : {
          status: 'False',
          reason: 'MinimumReplicasUnavailable',
          message: 'Deployment does not have minimum availability.',
        }
  return transition(deployment, 'Available', verdict, nowMs)
}

function progressingCondition(
  view: RolloutView,
  counts: DeploymentStatus,
  hint: Verdict | undefined,
): Condition | undefined {
  const { deployment, nowMs } = view
  const before = conditionOf(deployment, 'Progressing')
  if (!hasDeadline(deployment)) return undefined
  if (hint !== undefined) return transition(deployment, 'Progressing', hint, nowMs, true)
  if (deployment.spec.paused === true) {
    const message = 'Deployment is paused'
    return before?.reason === 'DeploymentPaused'
      ? before
      : transition(
          deployment,
          'Progressing',
          { status: 'Unknown', reason: 'DeploymentPaused', message },
          nowMs,
          true,
        )
  }
  const subject =
    view.newSet === undefined
      ? `Deployment "${deployment.metadata.name}"`
      : `ReplicaSet "${view.newSet.metadata.name}"`
  const isDone =
    counts.replicas === counts.updatedReplicas && before?.reason === 'NewReplicaSetAvailable'
  if (isDone && isComplete(deployment, counts)) return before
  if (isComplete(deployment, counts)) {
    const message = `${subject} has successfully progressed.`
    return transition(
      deployment,
      'Progressing',
      { status: 'True', reason: 'NewReplicaSetAvailable', message },
      nowMs,
      true,
    )
  }
  if (isDone) return before
  if (before?.reason === 'DeploymentPaused') {
    const message = 'Deployment is resumed'
    return transition(
      deployment,
      'Progressing',
      { status: 'Unknown', reason: 'DeploymentResumed', message },
      nowMs,
      true,
    )
  }
  // What timed out was another ReplicaSet's roll-out, e.g. before an undo: this one has a deadline of its own.
  const isNewRollout =
    before?.reason === 'ProgressDeadlineExceeded' && before.message?.startsWith(subject) === false
  if (before === undefined || isNewRollout || isProgressing(deployment.status, counts)) {
    const message = `${subject} is progressing.`
    return transition(
      deployment,
      'Progressing',
      { status: 'True', reason: 'ReplicaSetUpdated', message },
      nowMs,
      true,
    )
  }
  if (isTimedOut(deployment, before, nowMs)) {
    const message = `${subject} has timed out progressing.`
    const verdict: Verdict = { status: 'False', reason: 'ProgressDeadlineExceeded', message }
    return before.reason === verdict.reason
      ? before
      : transition(deployment, 'Progressing', verdict, nowMs, true)
  }
  return before
}

const hasDeadline = ({ spec }: Stored<Deployment>): boolean =>
  spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== noDeadlineSeconds

const isProgressing = (before: DeploymentStatus, now: DeploymentStatus): boolean =>
  (now.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
  (now.replicas ?? 0) - (now.updatedReplicas ?? 0) <
    (before.replicas ?? 0) - (before.updatedReplicas ?? 0) ||
  (now.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
  (now.availableReplicas ?? 0) > (before.availableReplicas ?? 0)

const isTimedOut = (deployment: Stored<Deployment>, condition: Condition, nowMs: number): boolean =>
  condition.reason === 'ProgressDeadlineExceeded' || deadlineMs(deployment, condition) <= nowMs

const deadlineMs = ({ spec }: Stored<Deployment>, condition: Condition): number =>
  (Date.parse(condition.lastUpdateTime ?? '') || 0) + (spec.progressDeadlineSeconds ?? 0) * 1000

/** Milliseconds until the roll-out has taken too long; undefined when nothing is under way. */
export function deadlineAfterMs(
  deployment: Stored<Deployment>,
  status: DeploymentStatus,
  nowMs: number,
): number | undefined {
  if (!hasDeadline(deployment) || deployment.spec.paused === true) return undefined
  const condition = status.conditions?.find(({ type }) => type === 'Progressing')
  const isOver =
    condition?.reason === 'NewReplicaSetAvailable' ||
    condition?.reason === 'ProgressDeadlineExceeded'
  if (condition === undefined || isOver) return undefined
  return Math.max(0, deadlineMs(deployment, condition) - nowMs) + 1000
}

const conditionOf = ({ status }: Stored<Deployment>, type: string): Condition | undefined =>
  status.conditions?.find((condition) => condition.type === type)

/** `isUpdate`: lastUpdateTime moves even if the status stays. */
function transition(
  deployment: Stored<Deployment>,
  type: string,
  verdict: Verdict,
  nowMs: number,
  isUpdate = false,
): Condition {
  const before = conditionOf(deployment, type)
  const now = timestamp(nowMs)
  const isSame = before?.status === verdict.status && before.reason === verdict.reason
  if (isSame && !isUpdate) return before
  const lastTransitionTime =
    before?.status === verdict.status ? before.lastTransitionTime : undefined
  return { type, ...verdict, lastUpdateTime: now, lastTransitionTime: lastTransitionTime ?? now }
}
