// The shared caches of one process in a simulation: each kind is as far behind the apiserver as the test lets it be.
import type { ChangeHandler } from '../../client/informer.ts'
import { type IndexFunction, ObjectCache, objectKey } from '../../client/object-cache.ts'
import type { KubeObject, ResourceType, Stored } from '../../resources/object.ts'
import type { CachedKind, Caches, SharedCache } from '../controller.ts'
import { collectionName, type SeenView } from '../expectations.ts'
import { sharedIndexes } from '../informers.ts'
import type { SimulatedApi } from './simulated-api.ts'

class SimulatedCache implements SharedCache<KubeObject> {
  readonly type: ResourceType
  readonly #api: SimulatedApi
  readonly #cache = new ObjectCache<KubeObject>(sharedIndexes)
  readonly #handlers: ChangeHandler<KubeObject>[] = []
  #position: number
  #seen: number

  /** Begins with all there is, as a list does. */
  constructor(api: SimulatedApi, type: ResourceType) {
    this.type = type
    this.#api = api
    this.#position = api.log(type).length
    this.#seen = api.revision
    for (const object of api.all(type)) this.#cache.set(objectKey(object), object)
  }

  get seenResourceVersion(): string {
    return String(this.#seen)
  }
  get(key: string): Stored<KubeObject> | undefined {
    return this.#cache.get(key)
  }
  list(): Stored<KubeObject>[] {
    return this.#cache.list()
  }
  find(index: string, value: string): Stored<KubeObject>[] {
    return this.#cache.find(index, value)
  }
  isIndexEmpty(index: string): boolean {
    return this.#cache.isIndexEmpty(index)
  }
  addIndex(name: string, of: IndexFunction<KubeObject>): void {
    this.#cache.addIndex(name, of)
  }
  onChange(handler: ChangeHandler<KubeObject>): void {
    for (const object of this.#cache.list()) handler(objectKey(object), object, undefined)
    this.#handlers.push(handler)
  }
  synced(): Promise<void> {
    return Promise.resolve()
  }

  get lag(): number {
    return this.#api.log(this.type).length - this.#position
  }

  /** The next `count` changes, or all there are. */
  deliver(count: number): void {
    const log = this.#api.log(this.type)
    const until = Math.min(log.length, this.#position + count)
    while (this.#position < until) {
      const change = log[this.#position++]
      if (change === undefined) return
      const previous =
        change.object === undefined
          ? this.#cache.delete(change.key)
          : this.#cache.set(change.key, change.object)
      this.#seen = change.revision
      for (const handler of this.#handlers) handler(change.key, change.object, previous)
    }
    // Nothing more to come: as after a bookmark.
    if (until === log.length) this.#seen = this.#api.revision
  }
}

export class SimulatedCaches implements Caches {
  readonly #api: SimulatedApi
  readonly #caches = new Map<string, SimulatedCache>()

  constructor(api: SimulatedApi) {
    this.#api = api
  }

  drop(type: ResourceType): void {
    this.#caches.delete(collectionName(type))
  }

  of<T extends KubeObject>(type: ResourceType<T>): SharedCache<T> {
    const name = collectionName(type)
    const cache =
      this.#caches.get(name) ?? new SimulatedCache(this.#api, type as unknown as ResourceType)
    this.#caches.set(name, cache)
    return cache as unknown as SharedCache<T>
  }
  get all(): readonly CachedKind[] {
    return this.kinds.map((informer) => ({ type: informer.type, informer }))
  }
  get kinds(): SimulatedCache[] {
    return [...this.#caches.values()]
  }
  get views(): ReadonlyMap<string, SeenView> {
    return this.#caches
  }
}
