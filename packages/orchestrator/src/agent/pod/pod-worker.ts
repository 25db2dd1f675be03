// Brings one pod to what its object says and keeps it there: volumes, containers, restarts, graceful end, status. One round at a time:
// whatever happens (a change of the object, an exit, a probe, a timer) only asks for another round, and a round computes from current
// state. Everything a round needs after a crash of the agent is in the pod's files.
import type { ApiClient } from '../../client/api-client.ts'
import { backOffMs } from '../../client/back-off.ts'
import { referenceTo, type EventRecorder } from '../../client/event-recorder.ts'
import { isApiError, isConflict } from '../../client/is-api-error.ts'
import { jsonEqual } from '../../resources/json-equal.ts'
import type { Stored } from '../../resources/object.ts'
import type { Container } from '../../resources/pod-spec/pod-spec.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import { type ApiAddress, ConfigError, ConfigSource } from '../config/config-source.ts'
import type { PodPlace } from '../config/pod-field.ts'
import { hasFilledVolumes, prepareVolumes, refreshVolumes } from '../config/volumes.ts'
import type { LogWriter } from '../logs/log-writer.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { ContainerRun } from './container-run.ts'
import type { LimitedRun } from '../stats/memory-limits.ts'
import type { SampledPod } from '../stats/node-sampler.ts'
import { planPod } from './plan-pod.ts'
import { PodContainers, podGraceMs } from './pod-containers.ts'
import type { PodFiles } from './pod-files.ts'
import { podLabel, podStatus } from './pod-status.ts'

export interface PodWorkerOptions {
  readonly client: ApiClient
  readonly events: EventRecorder
  readonly runtime: Runtime
  readonly files: PodFiles
  readonly podIp: string
  readonly hostIp: string
  readonly allocatable: Readonly<Record<string, string>>
  readonly apiAddress: ApiAddress | undefined
  readonly onError: (error: unknown) => void
  /** Every process is gone and so is the object. */
  readonly onRemoved: () => void
}

/** What a pod that was removed without notice gets. */
const removedGraceMs = 2000
const retryBackOff = { firstMs: 200, maxMs: 10_000 }
/** How late a change of a ConfigMap or Secret may be seen in a volume. */
const refreshMs = 30_000
const refreshMsMin = 1000
const timerMsMax = 0x7fffffff

const annotated = ({ metadata: { labels = {}, annotations = {} } }: Stored<Pod>): object => ({
  labels,
  annotations,
})

export class PodWorker {
  readonly #options: PodWorkerOptions
  readonly #source: ConfigSource
  readonly #containers: PodContainers
  #pod: Stored<Pod>
  #startedAtMs = Date.now()
  #isGone = false
  #isClosed = false
  #isRestored = false
  #arePrepared = false
  #refreshAtMs = Number.POSITIVE_INFINITY
  #killAtMs = Number.POSITIVE_INFINITY
  #failure: { reason: string; message: string } | undefined
  #isRoundWanted = false
  #rounds: Promise<void> | undefined
  /** Rounds that failed, and tries to get something that is missing, in a row. */
  #failures = 0
  #misses = 0
  #timer: NodeJS.Timeout | undefined
  #timerAtMs = Number.POSITIVE_INFINITY

  constructor(pod: Stored<Pod>, options: PodWorkerOptions) {
    this.#pod = pod
    this.#options = options
    const { namespace = '' } = pod.metadata
    this.#source = new ConfigSource(options.client, namespace, options.apiAddress)
    this.#containers = new PodContainers({
      runtime: options.runtime,
      files: options.files,
      source: this.#source,
      place: () => this.#place(),
      onError: options.onError,
      onChange: () => this.#wake(),
      record: (...event) => this.#record(...event),
    })
    this.#wake()
  }

  /** The pod takes no place on the node any more: it has run to its end, or its object is gone. The scheduler counts it so too. */
  get isOver(): boolean {
    const { phase } = this.#pod.status
    return this.#isGone || phase === 'Succeeded' || phase === 'Failed'
  }

  /** As the worker knows it. */
  get pod(): Stored<Pod> {
    return this.#pod
  }

  get address(): string {
    return this.#options.podIp
  }

  update(pod: Stored<Pod>): void {
    if (Number(pod.metadata.resourceVersion) <= Number(this.#pod.metadata.resourceVersion)) return
    // Volumes may show labels and annotations.
    if (!jsonEqual(annotated(pod), annotated(this.#pod))) this.#refreshAtMs = 0
    this.#pod = pod
    this.#wake()
  }

  /** The object is gone: so must be the processes. */
  removed(): void {
    this.#isGone = true
    this.#wake()
  }

  /** `isStopping`: ends the processes; else they stay for the next agent. */
  async close(isStopping: boolean): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#rounds
    if (!isStopping) {
      await this.#containers.detach()
      return
    }
    this.#containers.stopAll(removedGraceMs, 'atOnce')
    await this.#containers.ended()
  }

  /** What of the pod is counted when its use of resources is. */
  sampled(): SampledPod {
    const { namespace = '', name, uid } = this.#pod.metadata
    const runs = this.#containers.sampled()
    return { namespace, name, uid, startedAtMs: this.#startedAtMs, runs }
  }

  limited(): LimitedRun[] {
    return this.#containers.limited()
  }

  /** A container that runs now. */
  running(name: string): { container: Container; run: ContainerRun } | undefined {
    return this.#containers.running(name)
  }

  log(
    container: string,
    isPrevious: boolean,
  ): { path: string; writer: LogWriter | undefined } | undefined {
    return this.#containers.log(container, isPrevious)
  }

  #wake(): void {
    if (this.#isClosed) return
    this.#isRoundWanted = true
    this.#rounds ??= this.#work()
  }

  /** The earliest wish since the last round counts. */
  #wakeAfter(delayMs: number): void {
    const atMs = Date.now() + delayMs
    if (atMs >= this.#timerAtMs) return
    clearTimeout(this.#timer)
    this.#timerAtMs = atMs
    this.#timer = setTimeout(() => this.#wake(), Math.min(delayMs, timerMsMax))
  }

  async #work(): Promise<void> {
    while (this.#isRoundWanted && !this.#isClosed) {
      this.#isRoundWanted = false
      clearTimeout(this.#timer)
      this.#timerAtMs = Number.POSITIVE_INFINITY
      try {
        await this.#round()
        this.#failures = 0
      } catch (reason) {
        if (!isConflict(reason)) this.#options.onError(reason)
        this.#wakeAfter(backOffMs(++this.#failures, retryBackOff))
      }
    }
    // In the same turn as the last look at the wish, so that no wish falls between.
    this.#rounds = undefined
  }

  async #round(): Promise<void> {
    if (!this.#isRestored) await this.#restore()
    const { metadata, status } = this.#pod
    if (this.#isGone || metadata.deletionTimestamp !== undefined) return this.#end()
    if (status.phase === 'Succeeded' || status.phase === 'Failed') {
      this.#containers.stopAll(podGraceMs(this.#pod), 'inOrder')
      if (this.#failure !== undefined) await this.#postStatus()
      return
    }
    this.#checkDeadline()
    if (this.#failure !== undefined) this.#containers.stopAll(podGraceMs(this.#pod), 'inOrder')
    if (this.#failure === undefined && (await this.#prepare())) await this.#startAndStop()
    await this.#postStatus()
  }

  async #restore(): Promise<void> {
    const { files, podIp } = this.#options
    const { uid, namespace = '', name } = this.#pod.metadata
    await this.#containers.restore()
    const { startTime } = this.#pod.status
    if (startTime !== undefined) this.#startedAtMs = Date.parse(startTime)
    await files.create({ uid, namespace, name, podIp, startedAtMs: this.#startedAtMs })
    this.#isRestored = true
  }

  #checkDeadline(): void {
    const seconds = this.#pod.spec.activeDeadlineSeconds
    if (seconds === undefined || this.#failure !== undefined) return
    const leftMs = this.#startedAtMs + seconds * 1000 - Date.now()
    if (leftMs > 0) {
      this.#wakeAfter(leftMs)
      return
    }
    this.#failure = {
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    }
    this.#record('Normal', this.#failure.reason, this.#failure.message)
  }

  /** False while a volume cannot be made; says so and tries again later. */
  async #prepare(): Promise<boolean> {
    if (this.#arePrepared) return this.#refreshDue()
    try {
      await prepareVolumes(this.#place(), this.#source, this.#options.files.volumesDir)
      this.#arePrepared = true
      this.#refreshAtMs = Date.now() + refreshMs
      return await this.#refreshDue()
    } catch (reason) {
      if (!(reason instanceof ConfigError)) throw reason
      this.#record('Warning', 'FailedMount', reason.message)
      this.#wakeAfter(backOffMs(++this.#misses, retryBackOff))
      return false
    }
  }

  /** Looks whether it is time to. */
  async #refreshDue(): Promise<true> {
    const place = this.#place()
    if (!hasFilledVolumes(place)) return true
    if (Math.min(this.#refreshAtMs, this.#source.tokensDueAtMs) <= Date.now()) {
      this.#refreshAtMs = Date.now() + refreshMs
      try {
        await refreshVolumes(place, this.#source, this.#options.files.volumesDir)
      } catch (reason) {
        // What is there is good for a while yet, and the pod has other needs.
        this.#options.onError(reason)
      }
    }
    const dueAtMs = Math.min(this.#refreshAtMs, this.#source.tokensDueAtMs)
    this.#wakeAfter(Math.max(dueAtMs - Date.now(), refreshMsMin))
    return true
  }

  async #startAndStop(): Promise<void> {
    const plan = planPod(this.#pod.spec, this.#containers.views(), Date.now())
    let isAnyWaiting = false
    for (const container of this.#containers.all()) {
      if (plan.stop.includes(container.name))
        this.#containers.stop(container, podGraceMs(this.#pod))
      const isWanted = plan.start.includes(container.name) && !this.#isClosed
      if (isWanted && (await this.#containers.start(container)) === 'waits') isAnyWaiting = true
      // The next one is started when its postStart hook has ended.
      if (this.#containers.isPosting(container)) break
    }
    if (isAnyWaiting) this.#wakeAfter(backOffMs(++this.#misses, retryBackOff))
    else this.#misses = 0
    if (plan.wakeAtMs === undefined) return
    this.#wakeAfter(plan.wakeAtMs - Date.now())
    this.#tellBackOff()
  }

  #tellBackOff(): void {
    for (const container of this.#containers.all()) {
      const record = this.#containers.record(container)
      if (record?.state !== 'ended' || record.backOff === undefined) continue
      const message = `Back-off restarting failed container ${container.name} in pod ${podLabel(this.#pod)}`
      this.#record('Warning', 'BackOff', message, container)
    }
  }

  /** The pod is to go: ends the processes in the time they have, then the object, then the files. */
  async #end(): Promise<void> {
    const nowMs = Date.now()
    const { deletionGracePeriodSeconds: seconds } = this.#pod.metadata
    const askedMs = seconds === undefined ? podGraceMs(this.#pod) : seconds * 1000
    this.#killAtMs = Math.min(this.#killAtMs, nowMs + (this.#isGone ? removedGraceMs : askedMs))
    const leftMs = Math.max(0, this.#killAtMs - nowMs)
    this.#containers.stopAll(leftMs, this.#isGone || askedMs === 0 ? 'atOnce' : 'inOrder')
    if (!this.#isGone) await this.#postStatus()
    if (!this.#containers.areAllEnded) return
    if (!this.#isGone) {
      await this.#deleteObject()
      return
    }
    await this.#options.files.remove()
    this.#isClosed = true
    this.#options.onRemoved()
  }

  async #deleteObject(): Promise<void> {
    const { namespace, name, uid } = this.#pod.metadata
    try {
      const options = { gracePeriodSeconds: 0, uid }
      await this.#options.client.delete(podType, namespace, name, options)
    } catch (reason) {
      // Gone already, or replaced by another of the same name: the informer tells.
      if (!isApiError(reason, 404, 409)) throw reason
    }
  }

  #place(): PodPlace {
    const { podIp, hostIp, allocatable } = this.#options
    return { pod: this.#pod, podIp, hostIp, allocatable }
  }

  async #postStatus(): Promise<void> {
    const { podIp, hostIp, client } = this.#options
    const status = podStatus({
      pod: this.#pod,
      views: this.#containers.reportedViews(),
      isPrepared: this.#arePrepared,
      waiting: this.#containers.waiting,
      nowMs: Date.now(),
      startedAtMs: this.#startedAtMs,
      podIp,
      hostIp,
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
    })
    if (jsonEqual(status, this.#pod.status)) return
    try {
      this.update(await client.update<Pod>(podType, { ...this.#pod, status }, 'status'))
    } catch (reason) {
      if (isApiError(reason, 404)) return
      if (isConflict(reason)) await this.#refresh()
      throw reason
    }
  }

  async #refresh(): Promise<void> {
    const { namespace, name, uid } = this.#pod.metadata
    const fresh = await this.#options.client.get<Pod>(podType, namespace, name)
    if (fresh.metadata.uid === uid) this.update(fresh)
  }

  #record(
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    container?: Container,
  ): void {
    const { spec } = this.#pod
    const isOf = (list: readonly Container[] | undefined): boolean =>
      list?.some(({ name }) => name === container?.name) ?? false
    let list = 'containers'
    if (isOf(spec.initContainers)) list = 'initContainers'
    if (isOf(spec.ephemeralContainers)) list = 'ephemeralContainers'
    const fieldPath = container === undefined ? undefined : `spec.${list}{${container.name}}`
    const regarding = referenceTo(this.#pod, fieldPath)
    this.#options.events.record({ regarding, type, reason, message })
  }
}
