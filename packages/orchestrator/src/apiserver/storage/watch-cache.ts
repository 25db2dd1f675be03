// All objects of all served kinds, fed by one list and one watch of the store. One watch for all kinds, because then every write
// moves the cache's revision, and a list that must be current has to wait for one write at most, whatever its kind.
import { StoreRevisionError, type Store, type StoredValue, type StoreEvent } from '../store.ts'
import { ResourceCache } from './resource-cache.ts'
import { collectionPrefix, registryPrefix } from './resource-keys.ts'
import { isJsonObject, type ObjectCodec, StoredObject } from './stored-object.ts'

/** One served kind. */
interface Collection {
  readonly prefix: string
  readonly codec: ObjectCodec
  readonly cache: ResourceCache
}

const pageSize = 5000
const retryDelayMs = 500
/** Own writes whose event has not come back yet; beyond it the oldest are forgotten and their events decoded from bytes. */
const adoptedMax = 4096

export interface WatchCacheOptions {
  readonly store: Store
  /** The store's watch broke or its history was compacted; the cache starts again from a list. */
  readonly onRestart?: (error: Error) => void
}

export class WatchCache {
  readonly #store: Store
  readonly #onRestart: (error: Error) => void
  readonly #byPrefix = new Map<string, Collection>()
  readonly #adopted = new Map<string, StoredObject>()
  readonly #waiters = new Set<() => void>()
  #revision = 0
  #isReady = false
  #isClosed = false
  #closeWatch: () => void = () => undefined
  #retry: NodeJS.Timeout | undefined

  constructor(options: WatchCacheOptions) {
    this.#store = options.store
    this.#onRestart = options.onRestart ?? (() => undefined)
  }

  /** All changes up to it are in the cache. */
  get revision(): number {
    return this.#revision
  }

  /** Whether the cache follows the store now. */
  get isReady(): boolean {
    return this.#isReady
  }

  /** Before start() only. */
  addCollection(
    type: { readonly group: string; readonly plural: string },
    codec: ObjectCodec,
  ): ResourceCache {
    const prefix = collectionPrefix(type)
    const cache = new ResourceCache()
    this.#byPrefix.set(prefix, { prefix, codec, cache })
    return cache
  }

  async start(): Promise<void> {
    const byCollection = new Map<Collection, StoredObject[]>()
    for (const collection of this.#byPrefix.values()) byCollection.set(collection, [])
    let startKey: string | undefined
    let revision: number | undefined
    do {
      const page = await this.#store.list(registryPrefix, {
        limit: pageSize,
        ...(startKey === undefined ? {} : { startKey }),
        ...(revision === undefined ? {} : { revision }),
      })
      revision = page.revision
      for (const value of page.values) this.#place(value, byCollection)
      startKey = page.remaining > 0 ? `${page.values.at(-1)?.key ?? ''}\u0000` : undefined
    } while (startKey !== undefined)
    if (this.#isClosed) return
    for (const [{ cache }, objects] of byCollection) cache.reset(objects, revision)
    this.#isReady = true
    this.#advance(revision)
    this.#closeWatch = this.#store.watch(registryPrefix, revision, {
      events: (events, upTo) => {
        this.#apply(events, upTo)
      },
      ended: (error) => {
        this.#restart(error)
      },
    })
  }

  close(): void {
    this.#isClosed = true
    this.#isReady = false
    clearTimeout(this.#retry)
    this.#closeWatch()
    for (const check of this.#waiters) check()
  }

  /** Whether the cache reached `revision` within the time. */
  async waitFor(revision: number, timeoutMs: number): Promise<boolean> {
    if (this.#isReady && this.#revision >= revision) return true
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer)
        this.#waiters.delete(check)
        resolve(this.#isReady && this.#revision >= revision)
      }
      const check = (): void => {
        if (this.#revision >= revision || this.#isClosed) finish()
      }
      const timer = setTimeout(finish, timeoutMs)
      this.#waiters.add(check)
    })
  }

  /** Takes over an object just written, so that its event need not be decoded; returns the one that all share. */
  adopt(prefix: string, stored: StoredObject): StoredObject {
    const present = this.#byPrefix.get(prefix)?.cache.get(stored.key)
    if (present?.revision === stored.revision) {
      present.adoptValue(stored)
      return present
    }
    if (stored.revision > this.#revision) {
      this.#adopted.set(prefix + stored.key, stored)
      if (this.#adopted.size > adoptedMax) {
        const oldest = this.#adopted.keys().next()
        if (oldest.done !== true) this.#adopted.delete(oldest.value)
      }
    }
    return stored
  }

  #place(value: StoredValue, byCollection: ReadonlyMap<Collection, StoredObject[]>): void {
    const collection = this.#collectionOf(value.key)
    if (collection === undefined || !isJsonObject(value.value)) return
    byCollection.get(collection)?.push(storedObject(collection, value))
  }

  /** Collections are one or two path segments below the root. */
  #collectionOf(key: string): Collection | undefined {
    const first = key.indexOf('/', registryPrefix.length) + 1
    if (first === 0) return undefined
    const collection = this.#byPrefix.get(key.slice(0, first))
    if (collection !== undefined) return collection
    const second = key.indexOf('/', first) + 1
    return second === 0 ? undefined : this.#byPrefix.get(key.slice(0, second))
  }

  #apply(events: readonly StoreEvent[], upTo: number): void {
    const touched = new Set<ResourceCache>()
    for (const event of events) {
      const collection = this.#collectionOf(event.key)
      if (collection === undefined) continue
      const current =
        event.type === 'put' && isJsonObject(event.value)
          ? this.#current(collection, event)
          : undefined
      collection.cache.apply(event.revision, event.key.slice(collection.prefix.length), current)
      touched.add(collection.cache)
    }
    this.#advance(upTo)
    for (const cache of touched) cache.wake()
  }

  #current(collection: Collection, event: StoredValue): StoredObject {
    const adopted = this.#adopted.get(event.key)
    if (adopted !== undefined && adopted.revision <= event.revision) {
      this.#adopted.delete(event.key)
      if (adopted.revision === event.revision) return adopted
    }
    return storedObject(collection, event)
  }

  #advance(revision: number): void {
    this.#revision = Math.max(this.#revision, revision)
    for (const check of this.#waiters) check()
  }

  #restart(error: Error | undefined): void {
    if (this.#isClosed) return
    this.#isReady = false
    this.#onRestart(error ?? new Error('The store ended the watch'))
    const isCompacted = error instanceof StoreRevisionError && error.code === 'COMPACTED'
    const delayMs = isCompacted ? 0 : retryDelayMs
    this.#retry = setTimeout(() => {
      void this.#startAgain()
    }, delayMs)
  }

  async #startAgain(): Promise<void> {
    try {
      await this.start()
    } catch (reason) {
      this.#restart(reason instanceof Error ? reason : new Error(String(reason)))
    }
  }
}

const storedObject = ({ prefix, codec }: Collection, value: StoredValue): StoredObject =>
  new StoredObject(codec, value.key.slice(prefix.length), value.value, value.revision)
