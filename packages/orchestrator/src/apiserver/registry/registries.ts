// All served kinds with their registries and watch cache: what the wire and the in-process client both stand on.
import type { KubeObject, ResourceType } from '../../resources/object.ts'
import { apiVersionOf } from '../../resources/served-version.ts'
import { noSuchResource } from '../api-errors.ts'
import { WatchCache } from '../storage/watch-cache.ts'
import type { Store } from '../store.ts'
import type { Authorizer } from '../access/authorizer.ts'
import type { AccessControl } from '../access/access-control.ts'
import { Admission } from '../admission/admission.ts'
import type { PoliciesOptions } from '../admission/admission-policies.ts'
import { admissionPlugins } from '../admission/plugins.ts'
import { ServiceEndpoints } from '../webhooks/remote-endpoint.ts'
import type { MatchContext } from '../webhooks/match-request.ts'
import { WebhookClient } from '../webhooks/webhook-client.ts'
import { Conversion, type ConversionWebhook } from '../custom/conversion.ts'
import { Registry } from './registry.ts'

export interface RegistriesOptions {
  readonly store: Store
  readonly types: readonly ResourceType[]
  /** Epoch milliseconds. */
  readonly now?: () => number
  /** By plural: objects of that kind vanish after so many seconds. */
  readonly ttlSeconds?: Readonly<Record<string, number>>
  readonly onWatchRestart?: (error: Error) => void
  /** What admission asks about rights; left out: plugins that need it are not there. */
  readonly access?: () => AccessControl
}

/** A version of a kind, and the registry of the kind that is stored. */
export interface ServedType {
  readonly type: ResourceType
  readonly registry: Registry
}

export class Registries {
  readonly watchCache: WatchCache
  readonly now: () => number
  /** Where services of the cluster are reached from here. */
  readonly endpoints: ServiceEndpoints
  readonly #options: RegistriesOptions
  readonly #webhooks: WebhookClient
  readonly #admission: Admission
  readonly #conversions = new WeakMap<ResourceType, Conversion>()
  readonly #served = new Map<string, ServedType>()
  readonly #listeners = new Set<() => void>()
  /** By the very object that asked for it: admission asks for the same few with every write. */
  #found = new WeakMap<RegistryRef, { readonly registry: Registry | undefined }>()

  constructor(options: RegistriesOptions) {
    const { store, types, now = Date.now } = options
    this.#options = options
    this.now = now
    this.watchCache = new WatchCache({
      store,
      ...(options.onWatchRestart === undefined ? {} : { onRestart: options.onWatchRestart }),
    })
    const core = (plural: string): Registry => this.get({ group: '', version: 'v1', plural })
    const find = (ref: RegistryRef): Registry | undefined => this.#findSame(ref)
    this.endpoints = new ServiceEndpoints(core, find)
    this.#webhooks = new WebhookClient(this.endpoints)
    const namespace = (name: string): KubeObject | undefined =>
      core('namespaces').cache.get(name)?.object
    const match: MatchContext = {
      namespaceLabels: (name) => namespace(name)?.metadata.labels,
      versionsOf: (type) => this.types.filter((one) => (one.storage ?? one) === type),
    }
    const authorizer = (): Authorizer | undefined => options.access?.().authorizer
    const policies: PoliciesOptions = {
      find,
      match,
      namespace,
      served: (apiVersion, kind) => this.findKind(apiVersion, kind),
      types: () => this.types,
      authorizer,
    }
    this.#admission = new Admission(
      admissionPlugins({
        core,
        find,
        namespaced: () => this.stored.filter(({ type }) => type.namespaced),
        webhooks: { find, client: this.#webhooks, authorizer, ...match },
        policies,
        now,
        access: options.access,
      }),
    )
    for (const type of types) this.#serve(type)
  }

  /** Every served version of every kind. */
  get types(): readonly ResourceType[] {
    return [...this.#served.values()].map((served) => served.type)
  }

  /** The kinds that are stored. */
  get stored(): readonly Registry[] {
    return [...new Set([...this.#served.values()].map((served) => served.registry))]
  }

  /**
   * Serves `type` from now on, once its objects are in the cache; a type that is served already is replaced and its watches go on.
   * `webhook`: converts between the versions of the kind.
   */
  async add(type: ResourceType, webhook?: ConversionWebhook): Promise<void> {
    const stored = type.storage ?? type
    if (webhook === undefined) this.#conversions.delete(stored)
    else if (!this.#conversions.has(stored)) {
      this.#conversions.set(stored, new Conversion(webhook, this.#webhooks))
    }
    if (this.#served.has(idOf(stored))) this.#serve(type)
    else {
      // Stored, but not served itself: another version may have brought its registry.
      const known = this.stored.find((registry) => registry.type === stored)
      const registry = known ?? this.#newRegistry(stored)
      if (known === undefined) await this.watchCache.load(stored)
      this.#served.set(idOf(type), { type, registry })
    }
    this.#changed()
  }

  /** Watches of a kind of which no version is left end with 410 Expired; its objects stay in the store. */
  remove(type: RegistryRef): void {
    const served = this.#served.get(idOf(type))
    if (served === undefined) return
    this.#served.delete(idOf(type))
    // Those of this process that watch it stop before it ends under them.
    this.#changed()
    if (!this.stored.includes(served.registry)) {
      this.watchCache.removeCollection(served.registry.type)
    }
  }

  /** Calls `listener` after every change of what is served; returns how to stop that. */
  onTypesChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #findSame(ref: RegistryRef): Registry | undefined {
    let found = this.#found.get(ref)
    if (found === undefined) {
      found = { registry: this.find(ref) }
      this.#found.set(ref, found)
    }
    return found.registry
  }

  #changed(): void {
    this.#found = new WeakMap()
    for (const listener of this.#listeners) listener()
  }

  #serve(type: ResourceType): void {
    const { storage } = type
    const registry =
      storage === undefined ? this.#newRegistry(type) : this.#served.get(idOf(storage))?.registry
    if (registry === undefined) {
      throw new Error(`${type.plural} ${type.version} is a version of a kind that is not served`)
    }
    this.#served.set(idOf(type), { type, registry })
    this.#found = new WeakMap()
    if (storage !== undefined) return
    for (const [id, served] of this.#served) {
      const isVersion =
        served.type.storage !== undefined && idOf(served.type.storage) === idOf(type)
      if (isVersion) this.#served.set(id, { type: served.type, registry })
    }
  }

  #newRegistry(type: ResourceType): Registry {
    const { store, ttlSeconds = {} } = this.#options
    const ttl = ttlSeconds[type.plural]
    const conversion = this.#conversions.get(type)
    return new Registry({
      type,
      store,
      watchCache: this.watchCache,
      admission: this.#admission,
      now: this.now,
      ...(ttl === undefined ? {} : { ttlSeconds: ttl }),
      ...(conversion === undefined ? {} : { conversion }),
    })
  }

  /** The registry of the kind, whichever of its versions `ref` names. */
  find(ref: RegistryRef): Registry | undefined {
    return this.#served.get(idOf(ref))?.registry
  }

  findServed(ref: RegistryRef): ServedType | undefined {
    return this.#served.get(idOf(ref))
  }

  /** The version of a kind as objects name it. */
  findKind(apiVersion: string, kind: string): ServedType | undefined {
    return [...this.#served.values()].find(
      ({ type }) => type.kind === kind && apiVersionOf(type) === apiVersion,
    )
  }

  /** Throws ApiError NotFound for a kind that is not served. */
  get(ref: RegistryRef): Registry {
    const registry = this.find(ref)
    if (registry === undefined) throw noSuchResource()
    return registry
  }

  /** Fills the watch cache; before it nothing but writes works. */
  async start(): Promise<void> {
    await this.watchCache.start()
  }

  close(): void {
    this.#webhooks.close()
    this.watchCache.close()
  }
}

interface RegistryRef {
  readonly group: string
  readonly version: string
  readonly plural: string
}

const idOf = ({ group, version, plural }: RegistryRef): string => `${group}/${version}/${plural}`
