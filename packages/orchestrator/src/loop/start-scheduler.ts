// The scheduler's shell: decides pod by pod over a view that informers keep up to date, binds side by side. A decision counts at once
// (assumed), so the next one does not wait for the apiserver.
import type { ApiClient } from '../client/api-client.ts'
import { isApiError } from '../client/is-api-error.ts'
import type { Stored } from '../resources/object.ts'
import { Metrics } from '../metrics/metrics.ts'
import {
  type AttemptResult,
  observePending,
  type SchedulerMetrics,
  schedulerMetrics,
} from '../metrics/scheduler-metrics.ts'
import type { Pod } from '../resources/pod.ts'
import { preempt } from '../scheduler/preemption/preempt.ts'
import {
  defaultSchedulerName,
  profileOf,
  type Profile,
  type ProfileOptions,
} from '../scheduler/profile.ts'
import { SchedulingQueue } from '../scheduler/queue/scheduling-queue.ts'
import { schedule, type Failure, type Placement } from '../scheduler/schedule.ts'
import { ClusterView } from '../scheduler/snapshot/cluster-view.ts'
import type { PodFacts } from '../scheduler/snapshot/node-state.ts'
import { ClusterFeed } from './scheduler/cluster-feed.ts'
import { PodWriter } from './scheduler/pod-writer.ts'
import { VolumeBinder } from './scheduler/volume-binder.ts'
import { WriteAllowance } from './write-allowance.ts'

export interface SchedulerOptions {
  readonly client: ApiClient
  /** One per schedulerName; left out: upstream's default profile. */
  readonly profiles?: readonly ProfileOptions[]
  /** Left out: nothing is counted. */
  readonly telemetry?: Metrics
  /** Epoch milliseconds. */
  readonly now?: () => number
  readonly onError?: (error: unknown) => void
  /** Aborted while the caches fill: nothing is scheduled. */
  readonly signal?: AbortSignal
}

/** Writes on their way, in the long run and in a burst; the loop waits when there are so many. */
const writesFew = 16
const writesMany = 32
/** Time of one turn, before others get theirs. */
const turnMs = 4

/** Resolves when the caches are filled and pods are being scheduled. */
export async function startScheduler(
  options: SchedulerOptions,
): Promise<{ close(): Promise<void> }> {
  const scheduler = new Scheduler(options)
  options.signal?.addEventListener('abort', () => scheduler.stop(), { once: true })
  await scheduler.start()
  return scheduler
}

class Scheduler {
  readonly #onError: (error: unknown) => void
  readonly #now: () => number
  readonly #allowance = new WriteAllowance(writesFew, writesMany)
  readonly #profiles: ReadonlyMap<string, Profile>
  readonly #view = new ClusterView()
  readonly #queue = new SchedulingQueue()
  readonly #feed: ClusterFeed
  readonly #writer: PodWriter
  readonly #volumes: VolumeBinder
  readonly #metrics: SchedulerMetrics
  readonly #stopObserving: () => void
  readonly #writes = new Set<Promise<void>>()
  /** Waits for volumes can be long and hold nothing else up. */
  readonly #volumeWaits = new Set<Promise<void>>()
  #start = 0
  #turn: NodeJS.Immediate | undefined
  #timer: NodeJS.Timeout | undefined
  #isRunning = false
  #isStopped = false

  constructor({
    client,
    profiles,
    telemetry = new Metrics(),
    now = Date.now,
    onError = () => undefined,
  }: SchedulerOptions) {
    this.#now = now
    this.#onError = onError
    const made = (profiles ?? [{ schedulerName: defaultSchedulerName }]).map(profileOf)
    this.#profiles = new Map(made.map((profile) => [profile.schedulerName, profile]))
    this.#writer = new PodWriter(client, now, onError)
    this.#feed = new ClusterFeed({
      client,
      view: this.#view,
      queue: this.#queue,
      isWaiting: (pod) => this.#isWaiting(pod),
      onChange: () => this.#wake(),
      onError,
    })
    this.#volumes = new VolumeBinder(client, this.#feed.claims)
    this.#metrics = schedulerMetrics(telemetry)
    this.#stopObserving = observePending(telemetry, () => ({
      ...this.#queue.counts(this.#now()),
      gated: this.#feed.pods.list().filter(isGated).length,
    }))
  }

  async start(): Promise<void> {
    await this.#feed.start()
    if (this.#isStopped) return
    this.#isRunning = true
    this.#wake()
  }

  /** Nothing new is decided. */
  stop(): void {
    this.#isStopped = true
    this.#isRunning = false
    this.#stopObserving()
    this.#feed.close()
    this.#volumes.close()
    clearImmediate(this.#turn)
    clearTimeout(this.#timer)
  }

  async close(): Promise<void> {
    this.stop()
    await Promise.all([...this.#writes, ...this.#volumeWaits])
    await this.#writer.close()
  }

  #isWaiting({ spec, status, metadata }: Stored<Pod>): boolean {
    return (
      (spec.nodeName ?? '') === '' &&
      this.#profiles.has(spec.schedulerName ?? defaultSchedulerName) &&
      metadata.deletionTimestamp === undefined &&
      (spec.schedulingGates ?? []).length === 0 &&
      status.phase !== 'Succeeded' &&
      status.phase !== 'Failed'
    )
  }

  #wake(): void {
    if (!this.#isRunning) return
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined
      this.#decide()
    })
  }

  #decide(): void {
    clearTimeout(this.#timer)
    const endMs = performance.now() + turnMs
    do {
      if (this.#writes.size >= this.#allowance.atOnce) return
      const nowMs = this.#now()
      const pod = this.#queue.take(nowMs)
      if (pod === undefined) {
        const nextMs = this.#queue.nextMs(nowMs)
        if (nextMs !== undefined) this.#timer = setTimeout(() => this.#wake(), nextMs + 1)
        return
      }
      this.#allowance.take(1)
      this.#decideFor(pod)
    } while (performance.now() < endMs)
    this.#wake()
  }

  #decideFor(pod: Stored<Pod>): void {
    const startMs = performance.now()
    const profile = this.#profiles.get(pod.spec.schedulerName ?? defaultSchedulerName)
    const facts = this.#view.factsOf(pod)
    const options = { start: this.#start, ...(profile === undefined ? {} : { profile }) }
    const decision = schedule(facts, this.#view, options)
    if (decision.type === 'unschedulable') {
      this.#failed(facts, decision)
      this.#attempted(pod, 'unschedulable', startMs)
      return
    }
    this.#start = decision.nextStart
    this.#view.assume(facts, decision.nodeName)
    this.#view.nominate(facts, undefined)
    const { volumes } = decision
    for (const { volume, claimKey } of volumes?.bindings ?? [])
      this.#view.volumes.assume(volume, claimKey)
    const group = volumes === undefined ? this.#writes : this.#volumeWaits
    this.#track(group, this.#bind(facts, decision, startMs))
  }

  #failed(facts: PodFacts, failure: Failure): void {
    const { pod } = facts
    const result = preempt(facts, failure, this.#view, this.#feed.budgets())
    this.#queue.failed(pod, this.#now(), failure.kinds)
    if (result.type === 'none') {
      this.#track(
        this.#writes,
        this.#writer.tellUnschedulable(pod, `${failure.message} ${result.message}`),
      )
      return
    }
    const { nodeName, victims } = result
    this.#metrics.preempted(victims.length)
    // Less important pods that wait for the same node look for another one.
    for (const other of this.#view.nominatedTo(nodeName)?.values() ?? [])
      if (other.priority < facts.priority) {
        this.#view.nominate(other, undefined)
        this.#track(this.#writes, this.#writer.clearNomination(other.pod))
      }
    this.#view.nominate(facts, nodeName)
    this.#track(this.#writes, this.#writer.tellUnschedulable(pod, failure.message, nodeName))
    for (const victim of victims)
      this.#track(this.#writes, this.#writer.evict(victim, pod, nodeName))
  }

  #track(group: Set<Promise<void>>, work: Promise<void>): void {
    const tracked = work
      .catch((reason: unknown) => this.#onError(reason))
      .finally(() => {
        group.delete(tracked)
        this.#wake()
      })
    group.add(tracked)
  }

  #attempted({ spec }: Stored<Pod>, result: AttemptResult, startMs: number): void {
    const seconds = (performance.now() - startMs) / 1000
    this.#metrics.attempted(spec.schedulerName ?? defaultSchedulerName, result, seconds)
  }

  async #bind(facts: PodFacts, { nodeName, volumes }: Placement, startMs: number): Promise<void> {
    const { pod, uid } = facts
    try {
      if (volumes !== undefined) await this.#volumes.bind(volumes, nodeName)
      await this.#writer.bind(pod, nodeName)
      this.#attempted(pod, 'scheduled', startMs)
      const waitedMs = this.#now() - Date.parse(pod.metadata.creationTimestamp)
      this.#metrics.scheduled(Math.max(0, waitedMs) / 1000, this.#queue.attemptsBefore(uid) + 1)
      this.#queue.done(uid)
    } catch (reason) {
      this.#attempted(pod, 'error', startMs)
      this.#view.forget(uid)
      for (const { volume } of volumes?.bindings ?? []) this.#view.volumes.forget(volume)
      const { namespace = '', name } = pod.metadata
      const current = this.#feed.pods.get(`${namespace}/${name}`)
      if (current?.metadata.uid === uid && this.#isWaiting(current))
        this.#queue.failed(current, this.#now(), undefined)
      else this.#queue.done(uid)
      // Gone, or bound by somebody else: the informer tells.
      if (!isApiError(reason, 404, 409)) throw reason
    }
  }
}

const isGated = ({ spec }: Pod): boolean =>
  (spec.nodeName ?? '') === '' && (spec.schedulingGates ?? []).length > 0
