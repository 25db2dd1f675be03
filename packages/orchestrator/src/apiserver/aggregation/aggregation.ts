// The group versions that other servers answer for, as APIServices say, and the APIServices of those that this server answers for itself.
import type { ApiClient } from '../../client/api-client.ts'
import { Informer } from '../../client/informer.ts'
import { isConflict } from '../../client/is-api-error.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import {
  type ApiService,
  apiServiceName,
  apiServiceType,
  availableCondition,
  localStatus,
} from '../../resources/aggregation/api-service.ts'
import { endpointSliceType } from '../../resources/endpoint-slice.ts'
import { endpointsType } from '../../resources/endpoints.ts'
import { jsonEqual } from '../../resources/json-equal.ts'
import type { Condition, KubeObject, ResourceType, Stored } from '../../resources/object.ts'
import { serviceType } from '../../resources/service.ts'
import type { FrontProxy } from '../pki/certificates.ts'
import { timestamp } from '../registry/object-metadata.ts'
import type { Registries } from '../registry/registries.ts'
import { serviceNameLabel } from '../webhooks/remote-endpoint.ts'
import { applyLocalApiService, type GroupVersion, localApiServices } from './local-api-services.ts'
import { RemoteApi } from './remote-api.ts'

export interface AggregationOptions {
  readonly registries: Registries
  /** In-process, with all rights. */
  readonly client: ApiClient
  /** Group versions that are served without being stored. */
  readonly virtual: readonly GroupVersion[]
  /** By what other servers know this one. */
  readonly frontProxy: () => Promise<FrontProxy>
  readonly onError: (error: Error) => void
}

/** A server that hangs holds up one worker. */
const workersMax = 8
/** Between two looks at a server that answers. */
const lookEveryMs = 30_000
/** Between looks at one that does not: twice as long each time. */
const retryBackOff = { firstMs: 250, maxMs: 10_000 }

export class Aggregation {
  readonly #options: AggregationOptions
  readonly #informer: Informer<ApiService>
  readonly #queue = new WorkQueue({ backOff: retryBackOff })
  readonly #remotes = new Map<string, RemoteApi>()
  readonly #listeners = new Set<() => void>()
  readonly #watched: Informer<KubeObject>[] = []
  /** The APIServices of this server itself, as of the last change of what it serves. */
  #wanted: ReadonlyMap<string, ApiService> = new Map()
  #isStarted = false
  #stopTypes = (): void => undefined
  #workers: Promise<void>[] = []

  constructor(options: AggregationOptions) {
    this.#options = options
    this.#informer = new Informer({ client: options.client, ref: apiServiceType })
  }

  /** Resolves when every group version of this server has its APIService. */
  async start(): Promise<void> {
    this.#informer.start()
    await this.#informer.synced()
    for (const service of this.#informer.list()) this.#follow(service)
    this.#wanted = this.#localServices()
    const names = new Set([...this.#wanted.keys(), ...this.#informer.list().map(nameOf)])
    await Promise.all([...names].map((name) => this.#syncLocal(name)))
    this.#isStarted = true
    this.#informer.onChange((name, current) => {
      this.#follow(current, name)
      this.#queue.add(name)
    })
    this.#stopTypes = this.#options.registries.onTypesChange(() => {
      const before = this.#wanted
      this.#wanted = this.#localServices()
      for (const name of this.#wanted.keys()) if (!before.has(name)) this.#queue.add(name)
      for (const name of before.keys()) if (!this.#wanted.has(name)) this.#queue.add(name)
    })
    this.#workers = Array.from({ length: workersMax }, () => this.#work())
  }

  async close(): Promise<void> {
    this.#stopTypes()
    this.#informer.close()
    for (const informer of this.#watched) informer.close()
    this.#queue.close()
    // What hangs is cut off, so that no worker waits for it.
    for (const remote of this.#remotes.values()) remote.close()
    await Promise.all(this.#workers)
  }

  get hasRemotes(): boolean {
    return this.#remotes.size > 0
  }

  /** undefined: this server answers itself. */
  find(group: string, version: string): RemoteApi | undefined {
    return this.#remotes.get(apiServiceName({ group, version }))
  }

  get remotes(): readonly RemoteApi[] {
    return [...this.#remotes.values()]
  }

  /** Calls `listener` when what other servers serve, or whether they do, has changed. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener)
  }

  #localServices(): ReadonlyMap<string, ApiService> {
    return localApiServices(this.#options.registries, this.#options.virtual)
  }

  /** At once and without waiting, so that requests go where the newest APIService says. */
  #follow(service: Stored<ApiService> | undefined, name = nameOf(service)): void {
    const known = this.#remotes.get(name)
    const isRemote = service?.spec.service !== undefined
    if (isRemote && known !== undefined && jsonEqual(known.backend.spec, service.spec)) return
    if (!isRemote && known === undefined) return
    known?.close()
    this.#remotes.delete(name)
    if (isRemote) {
      const { registries, frontProxy } = this.#options
      this.#remotes.set(name, new RemoteApi(service, registries.endpoints, frontProxy))
      this.#watchServices()
    }
    this.#changed()
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }

  async #work(): Promise<void> {
    for (;;) {
      const name = await this.#queue.take()
      if (name === undefined) return
      try {
        await this.#sync(name)
      } catch (reason) {
        if (!isConflict(reason)) {
          this.#options.onError(reason instanceof Error ? reason : new Error(String(reason)))
        }
        this.#queue.addRateLimited(name)
      }
      this.#queue.done(name)
    }
  }

  async #sync(name: string): Promise<void> {
    await this.#syncLocal(name)
    const current = this.#informer.get(name)
    if (current === undefined) return
    const remote = this.#remotes.get(name)
    if (remote === undefined) {
      if (current.spec.service === undefined) await this.#writeLocalStatus(current)
      return
    }
    const isChanged = await remote.look()
    if (this.#remotes.get(name) !== remote) return
    if (isChanged) {
      // Something happens there: more may follow soon.
      this.#queue.forget(name)
      this.#changed()
    }
    await this.#writeStatus(current, remote.availability)
    if (remote.isAvailable) {
      this.#queue.forget(name)
      this.#queue.addAfter(name, lookEveryMs)
    } else this.#queue.addRateLimited(name)
  }

  async #syncLocal(name: string): Promise<void> {
    await applyLocalApiService(this.#options.client, this.#informer.get(name), {
      wanted: this.#wanted.get(name),
      isStart: !this.#isStarted,
    })
  }

  async #writeLocalStatus(service: Stored<ApiService>): Promise<void> {
    if (availableCondition(service.status)?.reason === 'Local') return
    const { creationTimestamp } = service.metadata
    const [condition] = localStatus(creationTimestamp).conditions ?? []
    if (condition !== undefined) await this.#writeStatus(service, condition)
  }

  async #writeStatus(
    service: Stored<ApiService>,
    found: Pick<Condition, 'status' | 'reason' | 'message'>,
  ): Promise<void> {
    const { conditions = [] } = service.status
    const before = availableCondition(service.status)
    const { status, reason = '', message = '' } = found
    const isSame =
      before?.status === status && before.reason === reason && before.message === message
    if (isSame) return
    const lastTransitionTime =
      before?.status === status && before.lastTransitionTime !== undefined
        ? before.lastTransitionTime
        : timestamp(this.#options.registries.now())
    const condition: Condition = { type: 'Available', status, reason, message, lastTransitionTime }
    const others = conditions.filter(({ type }) => type !== 'Available')
    await this.#options.client.update<KubeObject>(
      apiServiceType,
      {
        ...service,
        status: { ...service.status, conditions: [...others, condition] },
      } as KubeObject,
      'status',
    )
  }

  /** From the first APIService with a service on: what becomes of services is looked at when it happens. */
  #watchServices(): void {
    if (this.#watched.length > 0) return
    const types = [serviceType, endpointsType, endpointSliceType] as unknown as ResourceType[]
    for (const type of types) {
      if (this.#options.registries.find(type) === undefined) continue
      const informer = new Informer({ client: this.#options.client, ref: type })
      informer.onChange((_key, current, previous) => {
        const { metadata } = current ?? previous ?? {}
        if (metadata !== undefined) {
          this.#serviceChanged(
            metadata.namespace,
            metadata.labels?.[serviceNameLabel] ?? metadata.name,
          )
        }
      })
      informer.start()
      this.#watched.push(informer)
    }
  }

  #serviceChanged(namespace: string | undefined, name: string): void {
    for (const remote of this.#remotes.values()) {
      const { service } = remote.backend.spec
      if (service?.namespace !== namespace || service?.name !== name) continue
      this.#queue.forget(remote.name)
      this.#queue.add(remote.name)
    }
  }
}

const nameOf = (service: Stored<ApiService> | undefined): string => service?.metadata.name ?? ''
