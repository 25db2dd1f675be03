// Decides what a pod needs now: which containers to start or stop, and when to look again. A pure function of the spec and the
// containers' records, so that an agent that was restarted decides the same as the one that died.
import type { Container, PodSpec } from '../../resources/pod-spec/pod-spec.ts'
import { newRecord, restartAtMs, type ContainerRecord } from './container-record.ts'

export interface ContainerView {
  readonly record: ContainerRecord
  /** The startup probe passed, or there is none. */
  readonly isStarted: boolean
  readonly isReady: boolean
}
export type ContainerViews = ReadonlyMap<string, ContainerView>

export interface PodPlan {
  readonly start: readonly string[]
  readonly stop: readonly string[]
  /** Epoch milliseconds; undefined: only a change brings something new. */
  readonly wakeAtMs: number | undefined
}

export const isSidecar = (container: Container): boolean => container.restartPolicy === 'Always'

export const recordOf = (views: ContainerViews, container: Container): ContainerRecord =>
  views.get(container.name)?.record ?? newRecord

const isEphemeral = (spec: PodSpec, container: Container): boolean =>
  spec.ephemeralContainers?.includes(container) ?? false

/** Whether an ended container runs again. */
export const willRestart = (
  spec: PodSpec,
  container: Container,
  record: ContainerRecord,
): boolean => {
  if (isEphemeral(spec, container)) return false
  if (isSidecar(container)) return true
  const isInit = spec.initContainers?.includes(container) ?? false
  if (spec.restartPolicy === 'Never') return false
  const hasFailed = record.ending?.exitCode !== 0
  return hasFailed || (!isInit && spec.restartPolicy !== 'OnFailure')
}

const isFinished = (spec: PodSpec, container: Container, record: ContainerRecord): boolean =>
  record.state === 'ended' && !willRestart(spec, container, record)

/** Init containers are through: all exited 0, sidecars run and are started. */
export function isInitialized(spec: PodSpec, views: ContainerViews): boolean {
  if (spec.containers.some((container) => recordOf(views, container).state !== 'created'))
    return true
  return (spec.initContainers ?? []).every((container) => isInitDone(container, views))
}

const isInitDone = (container: Container, views: ContainerViews): boolean => {
  const record = recordOf(views, container)
  if (isSidecar(container))
    return record.state === 'running' && (views.get(container.name)?.isStarted ?? false)
  return record.state === 'ended' && record.ending?.exitCode === 0
}

/** An init container failed for good: the pod has failed. */
export const hasInitFailed = (spec: PodSpec, views: ContainerViews): boolean =>
  (spec.initContainers ?? []).some((container) => {
    const record = recordOf(views, container)
    return (
      !isSidecar(container) && isFinished(spec, container, record) && record.ending?.exitCode !== 0
    )
  })

export function planPod(spec: PodSpec, views: ContainerViews, nowMs: number): PodPlan {
  const initContainers = spec.initContainers ?? []
  const sidecars = initContainers.filter(isSidecar)
  const mains = new Set(spec.containers.map(({ name }) => name))
  const areMainsFinished = spec.containers.every((container) =>
    isFinished(spec, container, recordOf(views, container)),
  )
  if (areMainsFinished || hasInitFailed(spec, views)) {
    const stop = stopsNow(spec, views).filter((name) => !mains.has(name))
    return { start: [], stop, wakeAtMs: undefined }
  }
  const wanted = isInitialized(spec, views)
    ? [...sidecars, ...spec.containers, ...(spec.ephemeralContainers ?? [])]
    : wantedInitContainers(initContainers, views)
  return startsOf(spec, wanted, views, nowMs)
}

/** Which running containers of a pod that ends are stopped next: sidecars come last, each when those after it have ended. */
export function stopsNow(spec: PodSpec, views: ContainerViews): string[] {
  const initContainers = spec.initContainers ?? []
  const isRunning = (container: Container): boolean =>
    recordOf(views, container).state === 'running'
  const first = [
    ...initContainers.filter((container) => !isSidecar(container)),
    ...spec.containers,
    ...(spec.ephemeralContainers ?? []),
  ].filter(isRunning)
  if (first.length > 0) return first.map(({ name }) => name)
  const sidecar = initContainers.findLast(isRunning)
  return sidecar === undefined ? [] : [sidecar.name]
}

/** The first that is not done, and the sidecars before it. */
function wantedInitContainers(
  containers: readonly Container[],
  views: ContainerViews,
): readonly Container[] {
  const current = containers.findIndex((container) => !isInitDone(container, views))
  return containers.filter(
    (container, index) => index === current || (index < current && isSidecar(container)),
  )
}

function startsOf(
  spec: PodSpec,
  wanted: readonly Container[],
  views: ContainerViews,
  nowMs: number,
): PodPlan {
  const start: string[] = []
  let wakeAtMs: number | undefined
  for (const container of wanted) {
    const record = recordOf(views, container)
    if (record.state === 'running' || isFinished(spec, container, record)) continue
    const atMs = record.state === 'created' ? 0 : restartAtMs(record)
    if (atMs <= nowMs) start.push(container.name)
    else wakeAtMs = Math.min(wakeAtMs ?? atMs, atMs)
  }
  return { start, stop: [], wakeAtMs }
}
