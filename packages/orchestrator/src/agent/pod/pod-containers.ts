// The containers of one pod: their records on disk and their runs, found again after a restart of the agent, started, stopped, watched to
// their end. It decides nothing; the pod worker does.
import { randomBytes } from 'node:crypto'
import type { Stored } from '../../resources/object.ts'
import type { ActionHandler, Container } from '../../resources/pod-spec/pod-spec.ts'
import type { Pod } from '../../resources/pod.ts'
import { parseQuantity, quantityUnits } from '../../resources/quantity.ts'
import type { ConfigSource } from '../config/config-source.ts'
import type { PodPlace } from '../config/pod-field.ts'
import { mountVolumes } from '../config/volumes.ts'
import { LogWriter } from '../logs/log-writer.ts'
import type { ProbeKind } from '../probes/prober.ts'
import { RunError, type Run, type RunEnd, type RunSpec, type Runtime } from '../runtime/runtime.ts'
import { ContainerWaits, type RecordEvent, type Waiting } from './container-waits.ts'
import { checkImage } from './image-pulls.ts'
import { endedRecord, newRecord, startedRecord, type ContainerRecord } from './container-record.ts'
import { ContainerRun } from './container-run.ts'
import type { LimitedRun } from '../stats/memory-limits.ts'
import type { SampledRun } from '../stats/node-sampler.ts'
import type { PodFiles } from './pod-files.ts'
import { isSidecar, stopsNow, type ContainerView } from './plan-pod.ts'
import { adoptedSpec, runEnvironment, runSpecOf } from './run-spec.ts'
import { prepareMessage, terminationMessage } from './termination-message.ts'

export interface PodContainersOptions {
  readonly runtime: Runtime
  readonly files: PodFiles
  readonly source: ConfigSource
  /** The pod as it is now. */
  readonly place: () => PodPlace
  readonly onError: (error: unknown) => void
  /** Something changed that a status or a plan depends on. */
  readonly onChange: () => void
  readonly record: RecordEvent
}
const startErrorExitCode = 128
const killedExitCode = 137
const defaultGraceSeconds = 30
const postStartTimeoutMs = 3_600_000
/** Of sidecars, whose turn comes when the time of the others may be over. */
const sidecarGraceMsMin = 2000

export const podGraceMs = (pod: Stored<Pod>): number =>
  (pod.spec.terminationGracePeriodSeconds ?? defaultGraceSeconds) * 1000

export class PodContainers {
  readonly #options: PodContainersOptions
  readonly #records = new Map<string, ContainerRecord>()
  readonly #runs = new Map<string, ContainerRun>()
  readonly #waits: ContainerWaits
  /** Containers whose postStart hook still runs, as they were before they were started. */
  readonly #posting = new Map<string, ContainerRecord>()
  readonly #unfinished = new Set<Promise<void>>()

  constructor(options: PodContainersOptions) {
    this.#options = options
    this.#waits = new ContainerWaits(options.record)
  }

  get areAllEnded(): boolean {
    return this.#runs.size === 0
  }
  /** Why containers that were not started yet wait. */
  get waiting(): ReadonlyMap<string, Waiting> {
    return this.#waits.all
  }
  record(container: Container): ContainerRecord | undefined {
    return this.#records.get(container.name)
  }
  all(): readonly Container[] {
    const { spec } = this.#pod
    return [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])]
  }
  views(): Map<string, ContainerView> {
    return new Map(
      [...this.#records].map(([name, record]) => {
        const run = this.#runs.get(name)
        const view = { record, isStarted: run?.isStarted ?? false, isReady: run?.isReady ?? false }
        return [name, view]
      }),
    )
  }

  /** As they are told of: a container is there only when its postStart hook has ended well. */
  reportedViews(): Map<string, ContainerView> {
    const views = this.views()
    for (const [name, record] of this.#posting)
      views.set(name, { record, isStarted: false, isReady: false })
    return views
  }
  isPosting({ name }: Container): boolean {
    return this.#posting.has(name)
  }

  /** The log of a container's current run, or of the one before; undefined where there is none. */
  log(
    container: string,
    isPrevious: boolean,
  ): { path: string; writer: LogWriter | undefined } | undefined {
    const record = this.#records.get(container)
    if (record === undefined || record.state === 'created') return undefined
    // Between two runs the last one counts as the previous one.
    const isBetween = record.state === 'ended' && this.#pod.spec.restartPolicy !== 'Never'
    const number = record.restartCount - (isPrevious && !isBetween ? 1 : 0)
    if (number < 0) return undefined
    const writer = isPrevious ? undefined : this.#runs.get(container)?.writer
    return { path: this.#options.files.logPath(container, number), writer }
  }

  sampled(): SampledRun[] {
    return [...this.#runs].map(([container, { pid }]) => {
      const startedAtMs = this.#records.get(container)?.startedAtMs ?? 0
      return { container, pid, startedAtMs }
    })
  }

  /** Runs that may use so much memory and no more. */
  limited(): LimitedRun[] {
    if (this.#runs.size === 0) return []
    return this.all().flatMap(({ name, resources }): LimitedRun[] => {
      const run = this.#runs.get(name)
      const memory = resources.limits?.['memory']
      const limit = memory === undefined ? undefined : parseQuantity(memory)
      if (run === undefined || limit === undefined || limit.value <= 0n) return []
      const { pid } = run
      return [{ pid, limitBytes: quantityUnits(limit), exceeded: () => run.outOfMemory() }]
    })
  }

  /** A container that runs now. */
  running(name: string): { container: Container; run: ContainerRun } | undefined {
    const container = this.all().find((one) => one.name === name)
    const run = this.#runs.get(name)
    return container === undefined || run === undefined ? undefined : { container, run }
  }

  /** Finds what an agent before this one left running. */
  async restore(): Promise<void> {
    for (const container of this.all()) {
      const record = await this.#options.files.loadContainer(container.name)
      if (record === undefined) continue
      this.#records.set(container.name, record)
      if (record.state === 'running') await this.#restoreRun(container, record)
    }
  }

  /** `waits`: what it needs is missing, try again; all else shows in its record. */
  async start(container: Container): Promise<'started' | 'waits'> {
    const before = this.#records.get(container.name) ?? newRecord
    const record = startedRecord(before, randomBytes(32).toString('hex'), Date.now())
    if (this.#waits.isTooEarly(container)) return 'waits'
    let spec: RunSpec
    try {
      const env = await runEnvironment(container, this.#options)
      await mountVolumes(container, this.#options.files, env)
      await prepareMessage(container, this.#options.files)
      spec = await runSpecOf(container, env, record, this.#options)
      await checkImage(container, spec)
    } catch (reason) {
      if (reason instanceof RunError) await this.#startFailed(container, record, reason)
      else this.#waits.add(container, reason)
      return reason instanceof RunError ? 'started' : 'waits'
    }
    this.#waits.delete(container)
    await this.#options.files.removeOldRun(container.name, record.restartCount)
    await this.#save(container, record)
    try {
      await this.#run(container, record, spec, before)
    } catch (reason) {
      await this.#startFailed(container, record, reason)
    }
    return 'started'
  }

  /** `why` is told once. */
  stop(
    container: Container,
    graceMs: number,
    why: string = `Stopping container ${container.name}`,
  ): void {
    const run = this.#runs.get(container.name)
    if (run === undefined) return
    if (!run.isStopping) this.#options.record('Normal', 'Killing', why, container)
    run.stop(graceMs, graceMs > 0 ? container.lifecycle?.preStop : undefined)
  }

  /** `inOrder`: sidecars when it is their turn, so call it again when a container has ended. */
  stopAll(graceMs: number, how: 'inOrder' | 'atOnce'): void {
    const now = how === 'inOrder' ? stopsNow(this.#pod.spec, this.views()) : undefined
    for (const container of this.all()) {
      if (now?.includes(container.name) === false) continue
      const isLate = now !== undefined && isSidecar(container)
      this.stop(container, isLate ? Math.max(graceMs, sidecarGraceMsMin) : graceMs)
    }
  }

  /** The processes stay for the next agent. */
  async detach(): Promise<void> {
    for (const run of this.#runs.values()) await run.detach()
  }
  /** Resolves when all runs have ended and are recorded. */
  async ended(): Promise<void> {
    await Promise.all(this.#unfinished)
  }

  get #pod(): Stored<Pod> {
    return this.#options.place().pod
  }

  async #restoreRun(container: Container, record: ContainerRecord): Promise<void> {
    const { files, runtime } = this.#options
    const runDir = files.runDir(container.name, record.restartCount)
    const found = await runtime.find(runDir)
    if (found === 'neverStarted') {
      this.#records.set(container.name, { ...record, state: 'created' })
    } else if ('pid' in found) {
      const spec = await adoptedSpec(container, record, this.#options, this.#options.onError)
      await this.#attach(container, record, found, spec, this.#reported(container))
    } else {
      const logPath = files.logPath(container.name, record.restartCount)
      await (await LogWriter.open({ runDir, logPath })).finish()
      await this.#saveEnd(container, record, found)
    }
  }

  /** What the pod's status says of the container: it holds until a probe says otherwise. */
  #reported(container: Container): { isStarted: boolean; isReady: boolean } {
    const { containerStatuses = [], initContainerStatuses = [] } = this.#pod.status
    const status = [...containerStatuses, ...initContainerStatuses].find(
      ({ name }) => name === container.name,
    )
    return { isStarted: status?.started ?? false, isReady: status?.ready ?? false }
  }

  async #run(
    container: Container,
    record: ContainerRecord,
    spec: RunSpec,
    before: ContainerRecord,
  ): Promise<void> {
    const pulled = `Container image "${container.image ?? ''}" already present on machine`
    this.#options.record('Normal', 'Pulled', pulled, container)
    const run = await this.#options.runtime.start(spec)
    if (container.lifecycle?.postStart !== undefined) this.#posting.set(container.name, before)
    try {
      this.#options.record('Normal', 'Created', `Created container: ${container.name}`, container)
      await this.#attach(container, record, run, spec)
    } catch (reason) {
      // A process that nobody watches must not go on.
      run.signal('SIGKILL')
      throw reason
    }
    this.#options.record('Normal', 'Started', `Started container ${container.name}`, container)
    this.#postStart(container)
  }

  /** Counts as a run that failed: the next one is tried after the back-off. */
  async #startFailed(
    container: Container,
    record: ContainerRecord,
    reason: unknown,
  ): Promise<void> {
    if (!(reason instanceof RunError)) this.#options.onError(reason)
    const text = reason instanceof Error ? reason.message : String(reason)
    const message = `failed to start container "${container.name}": ${text}`
    this.#options.record('Warning', 'Failed', `Error: ${message}`, container)
    const how = { exitCode: startErrorExitCode, reason: 'StartError', message }
    await this.#save(container, endedRecord(record, { ...how, finishedAtMs: Date.now() }))
    this.#options.onChange()
  }

  async #attach(
    container: Container,
    record: ContainerRecord,
    run: Run,
    spec: RunSpec,
    before?: { readonly isStarted: boolean; readonly isReady: boolean },
  ): Promise<void> {
    const { files, place, runtime, onError, onChange } = this.#options
    const { runDir, env, cwd } = spec
    const logPath = files.logPath(container.name, record.restartCount)
    const containerRun = new ContainerRun({
      run,
      spec,
      writer: await LogWriter.open({ runDir, logPath }),
      onError,
      ...(before === undefined ? {} : { before }),
      isPosting: this.#posting.has(container.name),
      target: {
        container,
        podIp: place().podIp,
        execute: (argv, timeoutMs) => runtime.execute({ runDir, argv, env, cwd }, timeoutMs),
      },
      listener: {
        changed: onChange,
        failed: (kind) => this.#probeFailed(container, kind),
        preStopFailed: () =>
          this.#options.record('Warning', 'FailedPreStopHook', 'PreStopHook failed', container),
        unhealthy: (kind, { outcome, message }) => {
          const what = outcome === 'unknown' ? 'errored' : 'failed'
          this.#options.record(
            'Warning',
            'Unhealthy',
            `${kind} probe ${what}: ${message}`,
            container,
          )
        },
      },
    })
    this.#runs.set(container.name, containerRun)
    this.#track(this.#watchEnd(container, record, containerRun))
  }

  #probeFailed(container: Container, kind: ProbeKind): void {
    const { spec } = this.#pod
    const { name, startupProbe, livenessProbe } = container
    const isRestarted = spec.restartPolicy !== 'Never' || isSidecar(container)
    const what = `Container ${name} failed ${kind.toLowerCase()} probe`
    const seconds = (kind === 'Startup' ? startupProbe : livenessProbe)
      ?.terminationGracePeriodSeconds
    const graceMs = seconds === undefined ? podGraceMs(this.#pod) : seconds * 1000
    this.stop(container, graceMs, isRestarted ? `${what}, will be restarted` : what)
  }

  async #watchEnd(container: Container, record: ContainerRecord, run: ContainerRun): Promise<void> {
    const end = await run.ended()
    const isKilled = run.isOutOfMemory && end.exitCode === killedExitCode
    await this.#saveEnd(container, record, isKilled ? { ...end, reason: 'OOMKilled' } : end)
    this.#runs.delete(container.name)
    if (this.#posting.delete(container.name)) this.#waits.delete(container)
    this.#options.onChange()
  }

  #postStart(container: Container): void {
    const action = container.lifecycle?.postStart
    const run = this.#runs.get(container.name)
    if (action === undefined || run === undefined) return
    this.#track(this.#runPostStart(container, run, action))
  }

  async #runPostStart(
    container: Container,
    run: ContainerRun,
    action: ActionHandler,
  ): Promise<void> {
    const { outcome, message } = await Promise.race([
      run.hook(action, postStartTimeoutMs),
      run.exited.then(() => ({ outcome: 'unknown', message: '' })),
    ])
    if (run.isStopping || run.isEnded) return
    if (outcome === 'success') {
      this.#posting.delete(container.name)
      run.posted()
    } else {
      // Events are read by many: what the hook said is in the status alone.
      this.#options.record('Warning', 'FailedPostStartHook', 'PostStartHook failed', container)
      this.#waits.set(container, { reason: 'PostStartHookError', message })
      this.stop(container, podGraceMs(this.#pod), 'FailedPostStartHook')
    }
    this.#options.onChange()
  }

  #track(work: Promise<void>): void {
    const tracked = work
      .catch((reason: unknown) => this.#options.onError(reason))
      .finally(() => this.#unfinished.delete(tracked))
    this.#unfinished.add(tracked)
  }

  async #saveEnd(
    container: Container,
    record: ContainerRecord,
    end: RunEnd & { readonly reason?: string },
  ): Promise<void> {
    const { files } = this.#options
    const logPath = files.logPath(container.name, record.restartCount)
    const { exitCode } = end
    const message = await terminationMessage(container, files, { exitCode, logPath })
    const how = message === undefined ? end : { ...end, message }
    await this.#save(container, endedRecord(record, how))
  }

  async #save(container: Container, record: ContainerRecord): Promise<void> {
    this.#records.set(container.name, record)
    await this.#options.files.saveContainer(container.name, record)
  }
}
