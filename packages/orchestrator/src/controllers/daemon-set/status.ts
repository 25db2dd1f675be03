// The status of a DaemonSet: on how many nodes its pods should be, are, are ready and have the newest template.
import type { DaemonSetStatus } from '../../resources/workloads/daemon-set.ts'
import { isAvailable, isReady } from '../pod-state.ts'
import { revisionLabel, type DaemonState } from './daemon-state.ts'

export function daemonSetStatus({
  daemonSet,
  places,
  update,
  nowMs,
}: DaemonState): DaemonSetStatus {
  const { metadata, spec, status } = daemonSet
  const minReadySeconds = spec.minReadySeconds ?? 0
  const wanted = places.filter(({ fit }) => fit.shouldRun)
  // The oldest pod stands for its node.
  const pods = wanted.flatMap((place) => place.pods.slice(0, 1))
  const desired = wanted.length
  const available = pods.filter((pod) => isAvailable(pod, minReadySeconds, nowMs)).length
  const updated = pods.filter((pod) => pod.metadata.labels?.[revisionLabel] === update.hash).length
  const { collisionCount, conditions } = status
  return {
    currentNumberScheduled: pods.length,
    numberMisscheduled: places.filter(({ fit, pods: there }) => !fit.shouldRun && there.length > 0)
      .length,
    desiredNumberScheduled: desired,
    numberReady: pods.filter(isReady).length,
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    ...(updated === 0 ? {} : { updatedNumberScheduled: updated }),
    ...(available === 0 ? {} : { numberAvailable: available }),
    ...(desired === available ? {} : { numberUnavailable: desired - available }),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    ...(conditions === undefined ? {} : { conditions }),
  }
}
