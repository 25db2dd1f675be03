// Stages: what becomes of a pod on a fake node, and when, as data. A stage waits for pods of a shape, after a delay it writes the next
// status or removes the pod. The first stage that fits a pod is its next.
import type { LabelSelector, Stored } from '../resources/object.ts'
import { matchesSelector } from '../resources/label-selector.ts'
import type { Condition } from '../resources/object.ts'
import type { ContainerState, ContainerStatus, Pod, PodStatus } from '../resources/pod.ts'
import type { Container } from '../resources/pod-spec/pod-spec.ts'
import { timestamp } from '../resources/timestamp.ts'

export interface PodStage {
  readonly name: string
  /** All that is given must hold. */
  readonly when: {
    readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed'
    readonly isEnding?: boolean
    /** Kind of the controller, e.g. `Job`. */
    readonly controller?: string
    readonly namespace?: string
    readonly selector?: LabelSelector
  }
  readonly delayMs: number
  /** Up to so much later. */
  readonly jitterMs?: number
  readonly then: 'run' | 'complete' | 'fail' | 'delete'
  /** The share of pods, 0 to 1, that fail instead. */
  readonly failureShare?: number
}

/** Pods run at once, those of Jobs complete after a second, and pods that are deleted go. */
export const defaultStages: readonly PodStage[] = [
  { name: 'pod-delete', when: { isEnding: true }, delayMs: 0, then: 'delete' },
  { name: 'pod-ready', when: { phase: 'Pending' }, delayMs: 0, then: 'run' },
  {
    name: 'pod-complete',
    when: { phase: 'Running', controller: 'Job' },
    delayMs: 1000,
    jitterMs: 1000,
    then: 'complete',
  },
]

export const nextStage = (pod: Stored<Pod>, stages: readonly PodStage[]): PodStage | undefined =>
  stages.find(({ when }) => fits(pod, when))

const fits = ({ metadata, status }: Stored<Pod>, when: PodStage['when']): boolean => {
  const isEnding = metadata.deletionTimestamp !== undefined
  if (isEnding !== (when.isEnding ?? false)) return false
  if (when.phase !== undefined && when.phase !== (status.phase ?? 'Pending')) return false
  if (when.namespace !== undefined && when.namespace !== metadata.namespace) return false
  if (when.selector !== undefined && !matchesSelector(when.selector, metadata.labels)) return false
  return (
    when.controller === undefined ||
    metadata.ownerReferences?.some(
      ({ controller, kind }) => controller === true && kind === when.controller,
    ) === true
  )
}

/** The node controller took its word for the pod's: all containers are ready, the pod is not. */
export const isDoubted = ({ metadata, status }: Stored<Pod>): boolean => {
  const statusOf = (type: string): string | undefined =>
    status.conditions?.find((each) => each.type === type)?.status
  const isRunning = status.phase === 'Running' && metadata.deletionTimestamp === undefined
  return isRunning && statusOf('Ready') === 'False' && statusOf('ContainersReady') === 'True'
}

export interface StageFacts {
  readonly nowMs: number
  readonly hostIp: string
  readonly podIp: string
}

/** The status that the pod has after the stage. */
export function stagedStatus(
  { spec, status }: Stored<Pod>,
  outcome: 'run' | 'complete' | 'fail',
  facts: StageFacts,
): PodStatus {
  const now = timestamp(facts.nowMs)
  const startedAt = status.startTime ?? now
  const state = stateAfter(outcome, startedAt, now)
  const isReady = outcome === 'run'
  const phase = outcome === 'run' ? 'Running' : outcome === 'complete' ? 'Succeeded' : 'Failed'
  const { initContainers = [] } = spec
  return {
    ...status,
    phase,
    conditions: conditionsAfter(status, isReady, outcome === 'complete', now),
    hostIP: facts.hostIp,
    hostIPs: [{ ip: facts.hostIp }],
    podIP: facts.podIp,
    podIPs: [{ ip: facts.podIp }],
    startTime: startedAt,
    ...(initContainers.length === 0
      ? {}
      : {
          initContainerStatuses: initContainers.map((container) =>
            container.restartPolicy === 'Always'
              ? containerAfter(container, state, isReady)
              : containerAfter(container, stateAfter('complete', startedAt, now), true),
          ),
        }),
    containerStatuses: spec.containers.map((container) =>
      containerAfter(container, state, isReady),
    ),
  }
}

const stateAfter = (outcome: string, startedAt: string, now: string): ContainerState =>
  outcome === 'run'
    ? { running: { startedAt: now } }
    : {
        terminated: {
          exitCode: outcome === 'complete' ? 0 : 1,
          reason: outcome === 'complete' ? 'Completed' : 'Error',
          startedAt,
          finishedAt: now,
        },
      }

const containerAfter = (
  { name, image = '' }: Container,
  state: ContainerState,
  ready: boolean,
): ContainerStatus => ({
  name,
  state,
  lastState: {},
  ready,
  restartCount: 0,
  image,
  imageID: '',
  started: state.running !== undefined,
})

function conditionsAfter(
  { conditions = [] }: PodStatus,
  isReady: boolean,
  isCompleted: boolean,
  now: string,
): Condition[] {
  const readiness = {
    status: isReady ? ('True' as const) : ('False' as const),
    ...(isReady ? {} : { reason: isCompleted ? 'PodCompleted' : 'PodFailed' }),
  }
  const written: readonly Pick<Condition, 'type' | 'status' | 'reason'>[] = [
    { type: 'Initialized', status: 'True' },
    { type: 'Ready', ...readiness },
    { type: 'ContainersReady', ...readiness },
  ]
  const kept = conditions.filter(({ type }) => !written.some((each) => each.type === type))
  return [
    ...kept,
    ...written.map((each) => {
      const before = conditions.find(({ type }) => type === each.type)
      const isSame = before?.status === each.status && before.lastTransitionTime !== undefined
      return {
        ...each,
        lastProbeTime: null,
        lastTransitionTime: isSame ? (before.lastTransitionTime ?? now) : now,
      }
    }),
  ]
}
