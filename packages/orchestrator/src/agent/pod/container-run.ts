// One run of one container while it lasts: its processes, its log, its probes, and how it is brought to an end.
import { watch, type FSWatcher } from 'node:fs'
import type { ActionHandler } from '../../resources/pod-spec/pod-spec.ts'
import type { LogWriter } from '../logs/log-writer.ts'
import { Prober, type ProberListener } from '../probes/prober.ts'
import { tryProbe, type ProbeResult, type ProbeTarget } from '../probes/probe-action.ts'
import type { RunInput } from '../runtime/run-input.ts'
import type { Run, RunEnd, RunSpec } from '../runtime/runtime.ts'

export interface ContainerRunOptions {
  readonly run: Run
  readonly spec: RunSpec
  readonly writer: LogWriter
  readonly target: ProbeTarget
  readonly listener: ProberListener & { preStopFailed(): void }
  /** Its postStart hook runs first: no probe is tried before `posted`. */
  readonly isPosting: boolean
  /** What was known of a run that is taken over from another agent. */
  readonly before?: { readonly isStarted: boolean; readonly isReady: boolean }
  readonly onError: (error: unknown) => void
}

const afterHookMsMin = 2000
/** Bursts of output are moved to the log together. */
const pumpDelayMs = 20
/** For changes that the file system did not tell of; often where it tells of none. */
const pumpIntervalMs = { watched: 5000, unwatched: 250 }

export class ContainerRun {
  readonly #options: ContainerRunOptions
  #prober: Prober | undefined
  readonly #watcher: FSWatcher | undefined
  readonly #interval: NodeJS.Timeout
  #pumpTimer: NodeJS.Timeout | undefined
  #killTimer: NodeJS.Timeout | undefined
  #killAtMs = Number.POSITIVE_INFINITY
  #isStopping = false
  #isOutOfMemory = false
  #isEnded = false
  readonly #outputListeners = new Set<() => void>()

  constructor(options: ContainerRunOptions) {
    this.#options = options
    if (!options.isPosting) this.posted()
    this.#watcher = this.#watchOutput()
    this.#interval = setInterval(
      () => this.#grew(),
      this.#watcher === undefined ? pumpIntervalMs.unwatched : pumpIntervalMs.watched,
    )
    this.#pumpSoon()
  }

  get pid(): number {
    return this.#options.run.pid
  }
  /** Resolves when no process is left. */
  get exited(): Promise<unknown> {
    return this.#options.run.exited
  }
  get spec(): RunSpec {
    return this.#options.spec
  }
  get input(): RunInput | undefined {
    return this.#options.run.input
  }
  /** All output is in its files. */
  get isEnded(): boolean {
    return this.#isEnded
  }
  /** Called when there may be more output, and at the end. Returns the function that ends it. */
  onOutput(listener: () => void): () => void {
    this.#outputListeners.add(listener)
    return () => this.#outputListeners.delete(listener)
  }
  get writer(): LogWriter {
    return this.#options.writer
  }
  get isStarted(): boolean {
    return this.#prober?.isStarted ?? false
  }
  get isReady(): boolean {
    return !this.#isStopping && (this.#prober?.isReady ?? false)
  }
  get isStopping(): boolean {
    return this.#isStopping
  }
  /** It was ended because it used more memory than it may. */
  get isOutOfMemory(): boolean {
    return this.#isOutOfMemory
  }

  /** Resolves when no process is left and the log is complete. */
  async ended(): Promise<RunEnd> {
    const end = await this.#options.run.exited
    this.#stopWatching()
    this.#isEnded = true
    this.#tellOutput()
    await this.#options.writer.finish()
    return end
  }

  /** The hook, SIGTERM, and SIGKILL `graceMs` from now; a later call can only bring the end nearer. */
  stop(graceMs: number, preStop?: ActionHandler): void {
    const killAtMs = Date.now() + Math.max(graceMs, 0)
    if (killAtMs < this.#killAtMs) {
      this.#killAtMs = killAtMs
      clearTimeout(this.#killTimer)
      if (graceMs <= 0) this.#options.run.signal('SIGKILL')
      else this.#killAfter(graceMs)
    }
    if (this.#isStopping) return
    this.#isStopping = true
    this.#prober?.close()
    if (preStop === undefined) this.#options.run.signal('SIGTERM')
    else void this.#terminateAfter(preStop, graceMs)
  }

  /** Its probes begin. */
  posted(): void {
    const { target, listener, before = { isStarted: false, isReady: false } } = this.#options
    this.#prober ??= new Prober(target, listener, before)
  }

  /** Ends all of it at once, as the kernel does it in a cgroup. */
  outOfMemory(): void {
    this.#isOutOfMemory = true
    this.#options.run.signal('SIGKILL')
  }

  /** Runs a lifecycle hook. */
  async hook(action: ActionHandler, timeoutMs: number): Promise<ProbeResult> {
    if (action.sleep !== undefined) {
      const { seconds } = action.sleep
      await new Promise((resolve) =>
        setTimeout(resolve, Math.min(seconds * 1000, timeoutMs)).unref(),
      )
      return { outcome: 'success', message: '' }
    }
    const timeoutSeconds = timeoutMs / 1000
    return tryProbe({ ...action, timeoutSeconds }, this.#options.target)
  }

  /** The agent goes, the processes stay. */
  async detach(): Promise<void> {
    clearTimeout(this.#killTimer)
    this.#options.run.detach()
    this.#stopWatching()
    await this.#options.writer.pump()
    await this.#options.writer.close()
  }

  #killAfter(delayMs: number): void {
    clearTimeout(this.#killTimer)
    this.#killTimer = setTimeout(() => this.#options.run.signal('SIGKILL'), delayMs)
  }

  async #terminateAfter(preStop: ActionHandler, graceMs: number): Promise<void> {
    try {
      const { outcome } = await this.hook(preStop, graceMs)
      if (outcome !== 'success') this.#options.listener.preStopFailed()
    } catch (reason) {
      this.#options.onError(reason)
    }
    if (this.#isEnded) return
    // However long the hook took, the program has a moment to end.
    const leftMs = this.#killAtMs - Date.now()
    if (leftMs < afterHookMsMin && graceMs >= afterHookMsMin) this.#killAfter(afterHookMsMin)
    this.#options.run.signal('SIGTERM')
  }

  #watchOutput(): FSWatcher | undefined {
    try {
      const watcher = watch(this.#options.spec.runDir, () => this.#grew())
      watcher.on('error', (error) => this.#options.onError(error))
      return watcher
    } catch (reason) {
      this.#options.onError(reason)
      return undefined
    }
  }

  #grew(): void {
    this.#pumpSoon()
    this.#tellOutput()
  }

  #tellOutput(): void {
    for (const listener of this.#outputListeners) listener()
  }

  #pumpSoon(): void {
    this.#pumpTimer ??= setTimeout(() => {
      this.#pumpTimer = undefined
      this.#options.writer.pump().catch(this.#options.onError)
    }, pumpDelayMs)
  }

  #stopWatching(): void {
    this.#watcher?.close()
    clearInterval(this.#interval)
    clearTimeout(this.#pumpTimer)
    clearTimeout(this.#killTimer)
    this.#prober?.close()
  }
}
