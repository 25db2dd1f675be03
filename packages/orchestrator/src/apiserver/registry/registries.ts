// All served kinds with their registries and watch cache: what the wire and the in-process client both stand on.
import type { ResourceType } from '../../resources/object.ts'
import { noSuchResource } from '../api-errors.ts'
import { WatchCache } from '../storage/watch-cache.ts'
import type { Store } from '../store.ts'
import { Admission } from '../admission/admission.ts'
import { admissionPlugins } from '../admission/plugins.ts'
import { Registry } from './registry.ts'

export interface RegistriesOptions {
  readonly store: Store
  readonly types: readonly ResourceType[]
  /** Epoch milliseconds. */
  readonly now?: () => number
  /** By plural: objects of that kind vanish after so many seconds. */
  readonly ttlSeconds?: Readonly<Record<string, number>>
  readonly onWatchRestart?: (error: Error) => void
}

export class Registries {
  readonly watchCache: WatchCache
  readonly now: () => number
  readonly #registries = new Map<string, Registry>()

  constructor(options: RegistriesOptions) {
    const { store, types, now = Date.now, ttlSeconds = {} } = options
    this.now = now
    this.watchCache = new WatchCache({
      store,
      ...(options.onWatchRestart === undefined ? {} : { onRestart: options.onWatchRestart }),
    })
    const core = (plural: string): Registry => this.get({ group: '', version: 'v1', plural })
    const admission = new Admission(admissionPlugins({ core, now }))
    for (const type of types) {
      const ttl = ttlSeconds[type.plural]
      this.#registries.set(
        idOf(type),
        new Registry({
          type,
          store,
          watchCache: this.watchCache,
          admission,
          now,
          ...(ttl === undefined ? {} : { ttlSeconds: ttl }),
        }),
      )
    }
  }

  get types(): readonly ResourceType[] {
    return [...this.#registries.values()].map((registry) => registry.type)
  }

  find(ref: RegistryRef): Registry | undefined {
    return this.#registries.get(idOf(ref))
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
    this.watchCache.close()
  }
}

interface RegistryRef {
  readonly group: string
  readonly version: string
  readonly plural: string
}

const idOf = ({ group, version, plural }: RegistryRef): string => `${group}/${version}/${plural}`
