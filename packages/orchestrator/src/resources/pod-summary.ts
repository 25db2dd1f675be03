// The READY, STATUS and RESTARTS columns of pods: all containers summed up by upstream's rules (printers.go, printPod).
import { humanDuration } from './human-duration.ts'
import type { ContainerState, ContainerStatus, Pod } from './pod.ts'
import type { Container } from './pod-spec/pod-spec.ts'

export interface PodSummary {
  /** e.g. `1/2`: containers that are ready, of all that keep running. */
  readonly ready: string
  /** e.g. `Running`, `CrashLoopBackOff`, `Init:0/2`, `Completed`, `Terminating`. */
  readonly status: string
  /** e.g. `3 (2m ago)`: all restarts, and when the last one was. */
  readonly restarts: string
}

export const podSummary = (pod: Pod, now: number): PodSummary => {
  const { spec, status } = pod
  const sidecars = (spec.initContainers ?? []).filter(isSidecar)
  const isOfSidecar = ({ name }: ContainerStatus): boolean =>
    sidecars.some((container) => container.name === name)
  const init = initProgress(pod)
  // Once the pod was initialized, a restarted init container does not hide what the others do.
  const isStarted = init.text === undefined || hasCondition(pod, 'Initialized')
  const statuses = status.containerStatuses ?? []
  const counted = isStarted ? [...init.seen.filter(isOfSidecar), ...statuses] : init.seen
  const ready =
    init.seen.filter((one) => isOfSidecar(one) && one.started === true && one.ready).length +
    (isStarted ? statuses.filter(isReadyAndRunning).length : 0)
  return {
    ready: `${ready}/${spec.containers.length + sidecars.length}`,
    status: deletionText(pod) ?? (isStarted ? containersText(pod, init.text) : (init.text ?? '')),
    restarts: restartsText(counted, now),
  }
}

const isSidecar = (container: Container): boolean => container.restartPolicy === 'Always'

const isReadyAndRunning = (one: ContainerStatus): boolean =>
  one.ready && one.state.running !== undefined

const hasCondition = ({ status }: Pod, type: string): boolean =>
  status.conditions?.some((one) => one.type === type && one.status === 'True') === true

const deletionText = ({ metadata, status }: Pod): string | undefined => {
  if (metadata.deletionTimestamp === undefined) return undefined
  if (status.reason === 'NodeLost') return 'Unknown'
  return status.phase === 'Succeeded' || status.phase === 'Failed' ? undefined : 'Terminating'
}

interface InitProgress {
  /** The init containers up to the first that is not done. */
  readonly seen: readonly ContainerStatus[]
  /** What that one says; undefined when all are done. */
  readonly text: string | undefined
}

const initProgress = (pod: Pod): InitProgress => {
  const containers = pod.spec.initContainers ?? []
  const statuses = pod.status.initContainerStatuses ?? []
  const index = statuses.findIndex((one) => {
    const container = containers.find(({ name }) => name === one.name)
    return !isInitialized(one, container)
  })
  const unfinished = statuses[index]
  if (unfinished === undefined) return { seen: statuses, text: undefined }
  return {
    seen: statuses.slice(0, index + 1),
    text: `Init:${unfinishedText(unfinished.state) ?? `${index}/${containers.length}`}`,
  }
}

const isInitialized = (status: ContainerStatus, container: Container | undefined): boolean =>
  status.state.terminated?.exitCode === 0 ||
  (container !== undefined && isSidecar(container) && status.started === true)

const unfinishedText = (state: ContainerState): string | undefined => {
  const text = stateText(state)
  return text === 'PodInitializing' ? undefined : text
}

const containersText = (pod: Pod, initText: string | undefined): string => {
  const statuses = pod.status.containerStatuses ?? []
  let text = initText ?? podReason(pod)
  // From the last to the first, as upstream does: the first container that has something to say wins.
  for (const { state } of statuses.toReversed()) text = stateText(state) ?? text
  if (text !== 'Completed' || !statuses.some(isReadyAndRunning)) return text
  return hasCondition(pod, 'Ready') ? 'Running' : 'NotReady'
}

const podReason = ({ status }: Pod): string => {
  const isGated = status.conditions?.some(
    (one) => one.type === 'PodScheduled' && one.reason === 'SchedulingGated',
  )
  return isGated === true ? 'SchedulingGated' : (status.reason ?? status.phase ?? '')
}

/** What a container that does not run says; undefined for one that runs or has no reason to wait. */
const stateText = ({ waiting, terminated }: ContainerState): string | undefined => {
  if (waiting?.reason !== undefined) return waiting.reason
  if (terminated === undefined) return undefined
  if (terminated.reason !== undefined) return terminated.reason
  return terminated.signal === undefined || terminated.signal === 0
    ? `ExitCode:${terminated.exitCode}`
    : `Signal:${terminated.signal}`
}

const restartsText = (counted: readonly ContainerStatus[], now: number): string => {
  const restarts = counted.reduce((sum, one) => sum + one.restartCount, 0)
  const ends = counted
    .map((one) => Date.parse(one.lastState.terminated?.finishedAt ?? ''))
    .filter((time) => !Number.isNaN(time))
  return restarts === 0 || ends.length === 0
    ? String(restarts)
    : `${restarts} (${humanDuration(now - Math.max(...ends))} ago)`
}
