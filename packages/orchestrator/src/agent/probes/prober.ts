// Probes one run of one container: the startup probe first, then readiness and liveness side by side, each on its own beat. Consecutive
// results are counted against the thresholds; one that could not be tried counts neither way.
import type { Container, Probe } from '../../resources/pod-spec/pod-spec.ts'
import { tryProbe, type ProbeResult, type ProbeTarget } from './probe-action.ts'

export type ProbeKind = 'Startup' | 'Readiness' | 'Liveness'

export interface ProberListener {
  /** isStarted or isReady may have changed. */
  changed(): void
  /** A startup or liveness probe failed too often: the container must be killed. */
  failed(kind: ProbeKind): void
  /** One try went wrong. */
  unhealthy(kind: ProbeKind, result: ProbeResult): void
}

const defaultPeriodSeconds = 10
const defaultFailureThreshold = 3
/** Before the first regular try of a startup or readiness probe come quick ones, so that a pod is not ready late; only success counts. */
const quickTriesMs: readonly number[] = [50, 100, 200, 400]

export class Prober {
  readonly #target: ProbeTarget
  readonly #listener: ProberListener
  readonly #timers = new Set<NodeJS.Timeout>()
  #isClosed = false
  #isStarted: boolean
  #isReady: boolean

  /** `before`: what was known of a run that is taken over. */
  constructor(
    target: ProbeTarget,
    listener: ProberListener,
    before: { readonly isStarted: boolean; readonly isReady: boolean },
  ) {
    this.#target = target
    this.#listener = listener
    const { container } = target
    this.#isStarted = container.startupProbe === undefined || before.isStarted
    this.#isReady = container.readinessProbe === undefined || before.isReady
    if (container.startupProbe === undefined || before.isStarted) this.#afterStart(container)
    else this.#beat('Startup', container.startupProbe)
  }

  get isStarted(): boolean {
    return this.#isStarted
  }
  get isReady(): boolean {
    return this.#isStarted && this.#isReady
  }

  close(): void {
    this.#isClosed = true
    for (const timer of this.#timers) clearTimeout(timer)
  }

  #afterStart(container: Container): void {
    if (container.readinessProbe !== undefined) this.#beat('Readiness', container.readinessProbe)
    if (container.livenessProbe !== undefined) this.#beat('Liveness', container.livenessProbe)
  }

  #beat(kind: ProbeKind, probe: Probe): void {
    const counts = { successes: 0, failures: 0 }
    const delayMs = (probe.initialDelaySeconds ?? 0) * 1000
    const regular = (): void => void this.#round(kind, probe, counts)
    if (kind === 'Liveness') this.#after(delayMs, regular)
    else this.#after(delayMs, () => void this.#quickRounds(kind, probe, counts))
  }

  async #quickRounds(
    kind: ProbeKind,
    probe: Probe,
    counts: { successes: number; failures: number },
  ): Promise<void> {
    for (const delayMs of quickTriesMs) {
      if (kind === 'Readiness' && this.#isReady) break
      await new Promise<void>((resolve) => {
        this.#after(delayMs, resolve)
      })
      const result = await this.#try(probe)
      if (this.#isClosed) return
      if (result.outcome !== 'success') continue
      if (this.#count(kind, probe, counts, result) === 'over') return
    }
    await this.#round(kind, probe, counts)
  }

  async #round(
    kind: ProbeKind,
    probe: Probe,
    counts: { successes: number; failures: number },
  ): Promise<void> {
    const result = await this.#try(probe)
    if (this.#isClosed || this.#count(kind, probe, counts, result) === 'over') return
    const delayMs = (probe.periodSeconds ?? defaultPeriodSeconds) * 1000
    this.#after(delayMs, () => void this.#round(kind, probe, counts))
  }

  async #try(probe: Probe): Promise<ProbeResult> {
    try {
      return await tryProbe(probe, this.#target)
    } catch (reason) {
      return { outcome: 'unknown', message: String(reason) }
    }
  }

  #after(delayMs: number, round: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      round()
    }, delayMs)
    this.#timers.add(timer)
  }

  /** `over`: this probe is not tried again for this run. */
  #count(
    kind: ProbeKind,
    probe: Probe,
    counts: { successes: number; failures: number },
    result: ProbeResult,
  ): 'over' | 'goOn' {
    if (result.outcome !== 'success') this.#listener.unhealthy(kind, result)
    if (result.outcome === 'unknown') return 'goOn'
    if (result.outcome === 'success') {
      counts.failures = 0
      if (++counts.successes < (probe.successThreshold ?? 1)) return 'goOn'
      return this.#succeeded(kind)
    }
    counts.successes = 0
    if (++counts.failures < (probe.failureThreshold ?? defaultFailureThreshold)) return 'goOn'
    if (kind !== 'Readiness') {
      this.#listener.failed(kind)
      return 'over'
    }
    this.#setReady(false)
    return 'goOn'
  }

  #succeeded(kind: ProbeKind): 'over' | 'goOn' {
    if (kind === 'Readiness') this.#setReady(true)
    if (kind !== 'Startup') return 'goOn'
    this.#isStarted = true
    this.#listener.changed()
    this.#afterStart(this.#target.container)
    return 'over'
  }

  #setReady(isReady: boolean): void {
    if (this.#isReady === isReady) return
    this.#isReady = isReady
    this.#listener.changed()
  }
}
