// The status of a StatefulSet: how many of its pods are there, ready, and of which revision.
import type { Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import type { StatefulSet, StatefulSetStatus } from '../../resources/workloads/stateful-set.ts'
import { isAvailable, isReady } from '../pod-state.ts'
import type { Revision } from '../revisions.ts'
import { replicasOf, revisionLabel } from './members.ts'

export function statefulSetStatus(view: {
  readonly set: Stored<StatefulSet>
  readonly pods: readonly Stored<Pod>[]
  readonly current: Revision
  readonly update: Revision
  readonly nowMs: number
}): StatefulSetStatus {
  const { set, pods, current, update, nowMs } = view
  const { status, metadata, spec } = set
  const ready = pods.filter((pod) => pod.status.phase === 'Running' && isReady(pod))
  const ofRevision = ({ name }: Revision): number =>
    pods.filter(
      (pod) =>
        pod.metadata.deletionTimestamp === undefined &&
        pod.metadata.labels?.[revisionLabel] === name,
    ).length
  const updatedReplicas = ofRevision(update)
  const wanted = replicasOf(set)
  const isRolledOut =
    spec.updateStrategy.type === 'RollingUpdate' &&
    updatedReplicas === wanted &&
    pods.length === wanted &&
    ready.length === wanted
  const minReadySeconds = spec.minReadySeconds ?? 0
  const { collisionCount = 0, conditions } = status
  const currentReplicas = isRolledOut ? updatedReplicas : ofRevision(current)
  return {
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    replicas: pods.length,
    ...(ready.length === 0 ? {} : { readyReplicas: ready.length }),
    availableReplicas: ready.filter((pod) => isAvailable(pod, minReadySeconds, nowMs)).length,
    ...(currentReplicas === 0 ? {} : { currentReplicas }),
    ...(updatedReplicas === 0 ? {} : { updatedReplicas }),
    currentRevision: isRolledOut ? update.name : current.name,
    updateRevision: update.name,
    collisionCount,
    ...(conditions === undefined ? {} : { conditions }),
  }
}
