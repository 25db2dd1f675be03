// The STATUS and RESTARTS columns of pods: one word for the state of all containers, by upstream's rules (printers.go, printPod).
import { humanDuration } from './human-duration.ts'
import type { ContainerState, ContainerStatus, Pod } from './pod.ts'
import type { Container } from './pod-spec/pod-spec.ts'

/** e.g. `Running`, `CrashLoopBackOff`, `Init:0/2`, `Completed`, `Terminating`. */
export const podStatusText = (pod: Pod): string => {
  const { metadata, status } = pod
  if (metadata.deletionTimestamp !== undefined && status.reason !== 'NodeLost') {
    const ended = status.phase === 'Succeeded' || status.phase === 'Failed'
    if (!ended) return 'Terminating'
  }
  if (metadata.deletionTimestamp !== undefined && status.reason === 'NodeLost') return 'Unknown'
  return initializingText(pod) ?? containersText(pod)
}

/** e.g. `3 (2m ago)`: all restarts, and when the last one was. */
export const podRestartsText = (pod: Pod, now: number): string => {
  const { spec, status } = pod
  const sidecars = new Set((spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name))
  const initStatuses = status.initContainerStatuses ?? []
  const counted =
    initializingText(pod) === undefined
      ? [
          ...initStatuses.filter((one) => sidecars.has(one.name)),
          ...(status.containerStatuses ?? []),
        ]
      : initStatuses
  const restarts = counted.reduce((sum, one) => sum + one.restartCount, 0)
  const ends = counted
    .map((one) => Date.parse(one.lastState.terminated?.finishedAt ?? ''))
    .filter((time) => !Number.isNaN(time))
  if (restarts === 0 || ends.length === 0) return String(restarts)
  return `${restarts} (${humanDuration(now - Math.max(...ends))} ago)`
}

const isSidecar = (container: Container): boolean => container.restartPolicy === 'Always'

/** What the first unfinished init container says; undefined when all are done. */
const initializingText = (pod: Pod): string | undefined => {
  const containers = pod.spec.initContainers ?? []
  for (const [index, status] of (pod.status.initContainerStatuses ?? []).entries()) {
    const container = containers.find(({ name }) => name === status.name)
    if (isInitialized(status, container)) continue
    const { terminated, waiting } = status.state
    if (terminated !== undefined) {
      return `Init:${terminated.reason === undefined || terminated.reason === '' ? exitText(status.state) : terminated.reason}`
    }
    const reason = waiting?.reason ?? ''
    return reason !== '' && reason !== 'PodInitializing'
      ? `Init:${reason}`
      : `Init:${index}/${containers.length}`
  }
  return undefined
}

const isInitialized = (status: ContainerStatus, container: Container | undefined): boolean =>
  status.state.terminated?.exitCode === 0 ||
  (container !== undefined && isSidecar(container) && status.started === true)

const containersText = (pod: Pod): string => {
  const statuses = pod.status.containerStatuses ?? []
  let text = podReason(pod)
  // From the last to the first, as upstream does: the first container that has something to say wins.
  for (const { state } of statuses.toReversed()) text = containerText(state) ?? text
  const running = statuses.some((one) => one.ready && one.state.running !== undefined)
  if (text !== 'Completed' || !running) return text
  const ready = pod.status.conditions?.some(
    (condition) => condition.type === 'Ready' && condition.status === 'True',
  )
  return ready === true ? 'Running' : 'NotReady'
}

const podReason = (pod: Pod): string => {
  const { reason, phase, conditions } = pod.status
  const gated = conditions?.some(
    (condition) => condition.type === 'PodScheduled' && condition.reason === 'SchedulingGated',
  )
  if (gated === true) return 'SchedulingGated'
  return reason === undefined || reason === '' ? (phase ?? '') : reason
}

const containerText = (state: ContainerState): string | undefined => {
  const waiting = state.waiting?.reason ?? ''
  if (waiting !== '') return waiting
  if (state.terminated === undefined) return undefined
  const reason = state.terminated.reason ?? ''
  return reason === '' ? exitText(state) : reason
}

const exitText = ({ terminated }: ContainerState): string =>
  terminated?.signal === undefined || terminated.signal === 0
    ? `ExitCode:${terminated?.exitCode ?? 0}`
    : `Signal:${terminated.signal}`
