// The status of a pod from its containers' records: phases, conditions, waiting and terminated reasons as a kubelet reports them.
import type { Condition, Stored } from '../../resources/object.ts'
import type {
  ContainerState,
  ContainerStatus,
  Pod,
  PodPhase,
  PodStatus,
} from '../../resources/pod.ts'
import type { Container, PodSpec } from '../../resources/pod-spec/pod-spec.ts'
import { timestamp } from '../../resources/timestamp.ts'
import { restartAtMs, type ContainerRecord, type Ending } from './container-record.ts'
import {
  hasInitFailed,
  isInitialized,
  isSidecar,
  recordOf,
  willRestart,
  type ContainerViews,
} from './plan-pod.ts'

export interface PodStatusInput {
  readonly pod: Stored<Pod>
  readonly views: ContainerViews
  /** Its volumes are there. */
  readonly isPrepared: boolean
  /** Why a container that was not started yet waits, e.g. a missing ConfigMap. */
  readonly waiting: ReadonlyMap<string, { readonly reason: string; readonly message?: string }>
  readonly nowMs: number
  readonly startedAtMs: number
  readonly podIp: string
  readonly hostIp: string
  /** Set when the agent itself ended the pod, e.g. DeadlineExceeded. */
  readonly failure?: { readonly reason: string; readonly message: string }
}

export function podStatus(input: PodStatusInput): PodStatus {
  const { pod, views, podIp, hostIp, failure } = input
  const { spec } = pod
  const isRunning = [...views.values()].some(({ record }) => record.state === 'running')
  const wanted = failure === undefined ? wantedPhase(pod, views, isRunning) : 'Failed'
  // Whoever sees that a pod is over may take its place: nothing of it runs by then.
  const phase = isOver(wanted) && isRunning ? (pod.status.phase ?? 'Pending') : wanted
  const initContainers = spec.initContainers ?? []
  const initContainerStatuses = initContainers.map((one) => containerStatus(one, input))
  const containerStatuses = spec.containers.map((one) => containerStatus(one, input))
  const ephemeralContainers = spec.ephemeralContainers ?? []
  const ephemeralContainerStatuses = ephemeralContainers.map((one) => containerStatus(one, input))
  return {
    phase,
    conditions: conditions(input, phase, [...initContainerStatuses, ...containerStatuses]),
    ...(failure === undefined || !isOver(phase) ? {} : failure),
    hostIP: hostIp,
    hostIPs: [{ ip: hostIp }],
    podIP: podIp,
    podIPs: [{ ip: podIp }],
    startTime: timestamp(input.startedAtMs),
    ...(initContainers.length === 0 ? {} : { initContainerStatuses }),
    containerStatuses,
    ...(ephemeralContainers.length === 0 ? {} : { ephemeralContainerStatuses }),
    ...(pod.status.qosClass === undefined ? {} : { qosClass: pod.status.qosClass }),
  }
}

const isOver = (phase: PodPhase): boolean => phase === 'Succeeded' || phase === 'Failed'

function wantedPhase(pod: Stored<Pod>, views: ContainerViews, isRunning: boolean): PodPhase {
  if (pod.metadata.deletionTimestamp === undefined || isRunning) return podPhase(pod.spec, views)
  // Nothing of it is started any more.
  const isDone = pod.spec.containers.every(
    (container) => recordOf(views, container).ending?.exitCode === 0,
  )
  return isDone ? 'Succeeded' : 'Failed'
}

export function podPhase(spec: PodSpec, views: ContainerViews): PodPhase {
  if (hasInitFailed(spec, views)) return 'Failed'
  if (!isInitialized(spec, views)) return 'Pending'
  const records = spec.containers.map((container) => recordOf(views, container))
  if (records.some((record) => record.state === 'created')) return 'Pending'
  if (records.some((record) => record.state === 'running')) return 'Running'
  const isAnyRestarted = spec.containers.some((container) =>
    willRestart(spec, container, recordOf(views, container)),
  )
  if (isAnyRestarted) return 'Running'
  return records.every((record) => record.ending?.exitCode === 0) ? 'Succeeded' : 'Failed'
}

function containerStatus(container: Container, input: PodStatusInput): ContainerStatus {
  const view = input.views.get(container.name)
  const record = recordOf(input.views, container)
  const state = containerState(container, record, input)
  const isRunning = record.state === 'running'
  const isInit = input.pod.spec.initContainers?.includes(container) ?? false
  const isDone = record.state === 'ended' && record.ending?.exitCode === 0
  const isBackingOff = state.waiting !== undefined && record.ending !== undefined
  const last = isBackingOff ? record.ending : record.lastEnding
  return {
    name: container.name,
    state,
    lastState: last === undefined ? {} : { terminated: terminated(last) },
    ready: isInit && !isSidecar(container) ? isDone : isRunning && (view?.isReady ?? false),
    restartCount: record.restartCount,
    image: container.image ?? '',
    imageID: '',
    ...(record.id === '' ? {} : { containerID: `balsa://${record.id}` }),
    started: isRunning && (view?.isStarted ?? false),
    ...(isRunning ? runsWith(container) : {}),
  }
}

/** A resize is in force as soon as it is known: limits are looked up when they are enforced. */
const runsWith = ({
  resources,
}: Container): Pick<ContainerStatus, 'allocatedResources' | 'resources'> => ({
  ...(resources.requests === undefined ? {} : { allocatedResources: resources.requests }),
  resources,
})

function containerState(
  container: Container,
  record: ContainerRecord,
  input: PodStatusInput,
): ContainerState {
  const { pod, views, waiting, nowMs } = input
  if (record.state === 'running') return { running: { startedAt: timestamp(record.startedAtMs) } }
  const why = waiting.get(container.name)
  if (record.ending !== undefined) {
    const isGone = pod.metadata.deletionTimestamp !== undefined || input.failure !== undefined
    if (isGone || !willRestart(pod.spec, container, record))
      return { terminated: terminated(record.ending) }
    if (why !== undefined) return { waiting: why }
    const delayMs = restartAtMs(record) - record.ending.finishedAtMs
    return restartAtMs(record) > nowMs
      ? { waiting: crashLoopBackOff(container, pod, delayMs) }
      : { terminated: terminated(record.ending) }
  }
  if (why !== undefined) return { waiting: why }
  const isMainBehindInit =
    !(pod.spec.initContainers?.includes(container) ?? false) && !isInitialized(pod.spec, views)
  const hasInit = (pod.spec.initContainers ?? []).length > 0
  return {
    waiting: { reason: isMainBehindInit || hasInit ? 'PodInitializing' : 'ContainerCreating' },
  }
}

/** As a kubelet names a pod in its texts. */
export const podLabel = ({ metadata: { name, namespace = '', uid } }: Stored<Pod>): string =>
  `${name}_${namespace}(${uid})`

export const crashLoopBackOff = (
  container: Container,
  pod: Stored<Pod>,
  delayMs: number,
): { reason: string; message: string } => {
  const seconds = Math.round(delayMs / 1000)
  const delay = seconds >= 60 ? `${Math.floor(seconds / 60)}m${seconds % 60}s` : `${seconds}s`
  return {
    reason: 'CrashLoopBackOff',
    message: `back-off ${delay} restarting failed container=${container.name} pod=${podLabel(pod)}`,
  }
}

const terminated = (ending: Ending): NonNullable<ContainerState['terminated']> => ({
  exitCode: ending.exitCode,
  reason: ending.reason,
  ...(ending.message === undefined ? {} : { message: ending.message }),
  startedAt: timestamp(ending.startedAtMs),
  finishedAt: timestamp(ending.finishedAtMs),
  containerID: `balsa://${ending.id}`,
})

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>
const isTrue: Verdict = { status: 'True' }

function conditions(
  input: PodStatusInput,
  phase: PodPhase,
  statuses: readonly ContainerStatus[],
): Condition[] {
  const { pod, nowMs } = input
  const initialized = initializedVerdict(input, phase)
  const containersReady = isOver(phase) ? podCompleted(phase) : readyVerdict(pod.spec, statuses)
  const ready = containersReady.status === 'True' ? gatesVerdict(pod) : containersReady
  const canStart = input.isPrepared && !isOver(phase)
  const verdicts: [string, Verdict][] = [
    ['PodReadyToStartContainers', canStart ? isTrue : { status: 'False' }],
    [
      'Initialized',
      phase === 'Succeeded' ? { status: 'True', reason: 'PodCompleted' } : initialized,
    ],
    ['Ready', ready],
    ['ContainersReady', containersReady],
    ['PodScheduled', isTrue],
  ]
  const own = new Set(verdicts.map(([type]) => type))
  const others = (pod.status.conditions ?? []).filter((condition) => !own.has(condition.type))
  return [
    ...others,
    ...verdicts.map(([type, verdict]) => withTransition(pod, type, verdict, nowMs)),
  ]
}

const podCompleted = (phase: PodPhase): Verdict => ({
  status: 'False',
  reason: phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed',
})

function initializedVerdict({ pod, views }: PodStatusInput, phase: PodPhase): Verdict {
  if (isInitialized(pod.spec, views) && !(phase === 'Failed' && hasInitFailed(pod.spec, views)))
    return isTrue
  const missing = (pod.spec.initContainers ?? [])
    .filter((container) => recordOf(views, container).ending?.exitCode !== 0)
    .map(({ name }) => name)
  return {
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${missing.join(' ')}]`,
  }
}

function readyVerdict(spec: PodSpec, statuses: readonly ContainerStatus[]): Verdict {
  const counted = new Set(
    [...(spec.initContainers ?? []).filter(isSidecar), ...spec.containers].map(({ name }) => name),
  )
  const unready = statuses.filter((status) => counted.has(status.name) && !status.ready)
  if (unready.length === 0) return isTrue
  return {
    status: 'False',
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${unready.map(({ name }) => name).join(' ')}]`,
  }
}

function gatesVerdict(pod: Stored<Pod>): Verdict {
  const texts = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const status = pod.status.conditions?.find(({ type }) => type === conditionType)?.status
    if (status === 'True') return []
    return status === undefined
      ? `corresponding condition of pod readiness gate "${conditionType}" does not exist.`
      : `the status of pod readiness gate "${conditionType}" is not "True", but ${status}`
  })
  if (texts.length === 0) return isTrue
  return { status: 'False', reason: 'ReadinessGatesNotReady', message: texts.join(', ') }
}

function withTransition(
  pod: Stored<Pod>,
  type: string,
  verdict: Verdict,
  nowMs: number,
): Condition {
  const before = pod.status.conditions?.find((condition) => condition.type === type)
  const lastTransitionTime =
    before?.status === verdict.status && before.lastTransitionTime !== undefined
      ? before.lastTransitionTime
      : timestamp(nowMs)
  return { type, ...verdict, lastProbeTime: null, lastTransitionTime }
}
