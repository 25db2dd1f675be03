// One of several copies leads, by a Lease object, as client-go's leader election does it. What others wrote is timed by the own clock from
// the moment it was seen, so clocks of machines need not agree. A leader that cannot renew stops before anyone else may start.
import type { Lease } from '../resources/lease.ts'
import type { KubeObject, Stored } from '../resources/object.ts'
import type { ApiClient, ResourceRef } from './api-client.ts'
import { isApiError, isConflict } from './is-api-error.ts'

export interface LeaderElectionOptions {
  readonly client: ApiClient
  /** The Lease that says who leads; made where it is missing. */
  readonly namespace: string
  readonly name: string
  /** Differs between copies. */
  readonly identity: string
  /** Others wait so long after the last renewal they saw. */
  readonly leaseDurationMs?: number
  /** A leader that has not renewed for so long stops leading; less than the lease's duration. */
  readonly renewDeadlineMs?: number
  readonly retryPeriodMs?: number
  /** Leading begins. `signal` aborts when it ends. */
  readonly onStartedLeading: (signal: AbortSignal) => void
  readonly onStoppedLeading?: () => void
  /** Told of failures to read or write the Lease, before the next try. */
  readonly onError?: (error: unknown) => void
  /** Epoch milliseconds, for the times that the Lease shows; nobody goes by them. */
  readonly now?: () => number
}

const leases: ResourceRef = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' }
const leaseDurationMsDefault = 15_000
const renewDeadlineMsDefault = 10_000
const retryPeriodMsDefault = 2_000
/** Tries of several copies spread out. */
const jitter = 0.2

interface Observed {
  readonly resourceVersion: string
  readonly atMs: number
}

export class LeaderElection {
  readonly #options: LeaderElectionOptions
  readonly #leaseDurationMs: number
  readonly #renewDeadlineMs: number
  readonly #retryPeriodMs: number
  #observed: Observed | undefined
  #leading: AbortController | undefined
  #deadline: NodeJS.Timeout | undefined
  #timer: NodeJS.Timeout | undefined
  #round: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(options: LeaderElectionOptions) {
    this.#options = options
    this.#leaseDurationMs = options.leaseDurationMs ?? leaseDurationMsDefault
    this.#renewDeadlineMs = options.renewDeadlineMs ?? renewDeadlineMsDefault
    this.#retryPeriodMs = options.retryPeriodMs ?? retryPeriodMsDefault
    if (this.#renewDeadlineMs >= this.#leaseDurationMs) {
      throw new Error('renewDeadlineMs must be less than leaseDurationMs: else two may lead')
    }
  }

  get isLeader(): boolean {
    return this.#leading !== undefined
  }

  start(): void {
    this.#round = this.#run()
  }

  /** Stops leading and gives the Lease up, so that another copy need not wait. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#round
    const wasLeader = this.isLeader
    this.#stopLeading()
    if (wasLeader) await this.#release()
  }

  async #run(): Promise<void> {
    try {
      await this.#acquireOrRenew()
    } catch (reason) {
      // Another copy was faster: no news.
      if (!isConflict(reason)) this.#options.onError?.(reason)
    }
    if (this.#isClosed) return
    const delayMs = this.#retryPeriodMs * (1 + Math.random() * jitter)
    this.#timer = setTimeout(() => this.start(), delayMs)
  }

  async #acquireOrRenew(): Promise<void> {
    const { client, namespace, name, identity } = this.#options
    const startedAtMs = performance.now()
    let lease: Stored<Lease>
    try {
      lease = await client.get<Lease>(leases, namespace, name)
    } catch (reason) {
      if (!isApiError(reason, 404)) throw reason
      await client.create<KubeObject>(leases, this.#lease(undefined))
      this.#renewed(startedAtMs)
      return
    }
    const holder = lease.spec.holderIdentity ?? ''
    const { resourceVersion } = lease.metadata
    // From when the answer is here: a question that took long may have been answered just after a renewal.
    if (this.#observed?.resourceVersion !== resourceVersion) {
      this.#observed = { resourceVersion, atMs: performance.now() }
    }
    const durationMs = (lease.spec.leaseDurationSeconds ?? 0) * 1000
    const isHeld = holder !== '' && performance.now() < this.#observed.atMs + durationMs
    if (holder !== identity) {
      // Somebody took it: not possible while the deadline is kept, unless the Lease was changed by hand.
      this.#stopLeading()
      if (isHeld) return
    }
    await client.update<KubeObject>(leases, this.#lease(lease))
    this.#renewed(startedAtMs)
  }

  #lease(before: Stored<Lease> | undefined): Lease {
    const { namespace, name, identity } = this.#options
    const now = microTime(this.#options.now?.() ?? Date.now())
    const isOwn = before?.spec.holderIdentity === identity
    const transitions = before?.spec.leaseTransitions ?? 0
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: before?.metadata ?? { namespace, name },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(this.#leaseDurationMs / 1000),
        acquireTime: isOwn ? (before.spec.acquireTime ?? now) : now,
        renewTime: now,
        leaseTransitions: before === undefined || isOwn ? transitions : transitions + 1,
      },
    }
  }

  #renewed(startedAtMs: number): void {
    if (this.#isClosed && !this.isLeader) return
    clearTimeout(this.#deadline)
    const leftMs = startedAtMs + this.#renewDeadlineMs - performance.now()
    if (leftMs <= 0) {
      this.#stopLeading()
      return
    }
    this.#deadline = setTimeout(() => this.#stopLeading(), leftMs)
    if (this.#leading !== undefined) return
    this.#leading = new AbortController()
    this.#options.onStartedLeading(this.#leading.signal)
  }

  #stopLeading(): void {
    clearTimeout(this.#deadline)
    if (this.#leading === undefined) return
    this.#leading.abort()
    this.#leading = undefined
    this.#options.onStoppedLeading?.()
  }

  async #release(): Promise<void> {
    const { client, namespace, name, identity } = this.#options
    try {
      const lease = await client.get<Lease>(leases, namespace, name)
      if (lease.spec.holderIdentity !== identity) return
      const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 }
      await client.update<KubeObject>(leases, { ...lease, spec } as KubeObject)
    } catch (reason) {
      // Whoever waits gets it when it runs out.
      this.#options.onError?.(reason)
    }
  }
}

/** RFC 3339 with microseconds, as Leases have it. */
const microTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, -1)}000Z`
