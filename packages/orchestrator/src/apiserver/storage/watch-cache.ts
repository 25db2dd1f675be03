// All objects of all served kinds, fed by one list and one watch of the store. One watch for all kinds, because then every write
// moves the cache's revision, and a list that must be current has to wait for one write at most, whatever its kind.
import type { KubeObject, Stored } from '../../resources/object.ts'
import { internalError } from '../api-errors.ts'
import { StoreRevisionError, type Store, type StoredValue, type StoreEvent } from '../store.ts'
import { FreshRevision } from './fresh-revision.ts'
import { OwnWrites } from './own-writes.ts'
import { ResourceCache } from './resource-cache.ts'
import { collectionPrefix, registryPrefix } from './resource-keys.ts'
import { isJsonObject, type ObjectCodec, StoredObject } from './stored-object.ts'

/** One served kind. */
interface Collection {
  readonly prefix: string
  codec: ObjectCodec
  readonly cache: ResourceCache
  /** Events that came while its objects were being listed; undefined: they are all there. */
  pending: StoreEvent[] | undefined
  /** Of the list; older events are in it. */
  listedRevision: number
}

const pageSize = 5000
const retryDelayMs = 500
/** How long a new collection waits for the watch to come to the revision of its list. */
const loadWaitMs = 3000

export interface WatchCacheOptions {
  readonly store: Store
  /** The store's watch broke or its history was compacted; the cache starts again from a list. */
  readonly onRestart?: (error: Error) => void
}

export class WatchCache {
  readonly #store: Store
  readonly #onRestart: (error: Error) => void
  readonly #byPrefix = new Map<string, Collection>()
  readonly #ownWrites = new OwnWrites()
  readonly #fresh: FreshRevision
  readonly #waiters = new Set<() => void>()
  #revision = 0
  #isReady = false
  #isClosed = false
  #closeWatch: () => void = () => undefined
  #retry: NodeJS.Timeout | undefined

  constructor(options: WatchCacheOptions) {
    this.#store = options.store
    this.#fresh = new FreshRevision(options.store)
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

  /** A place for the objects of `type`, the same as before where it has one already. start() or load() fills it. */
  addCollection(
    type: { readonly group: string; readonly plural: string },
    codec: ObjectCodec,
  ): ResourceCache {
    const prefix = collectionPrefix(type)
    const known = this.#byPrefix.get(prefix)
    if (known !== undefined) {
      known.codec = codec
      return known.cache
    }
    const cache = new ResourceCache()
    this.#byPrefix.set(prefix, { prefix, codec, cache, pending: [], listedRevision: 0 })
    return cache
  }

  /** Its watchers are told that they are too late. */
  removeCollection(type: { readonly group: string; readonly plural: string }): void {
    const prefix = collectionPrefix(type)
    this.#byPrefix.get(prefix)?.cache.reset([], this.#revision)
    this.#byPrefix.delete(prefix)
  }

  /** Fills a collection that was added after start(). */
  async load(type: { readonly group: string; readonly plural: string }): Promise<void> {
    const collection = this.#byPrefix.get(collectionPrefix(type))
    if (collection?.pending === undefined) return
    const byCollection = new Map([[collection, []]])
    const revision = await this.#list(collection.prefix, byCollection)
    this.#fill(collection, byCollection.get(collection) ?? [], revision)
    await this.waitFor(revision, loadWaitMs)
  }

  async start(): Promise<void> {
    const byCollection = new Map<Collection, StoredObject[]>()
    for (const collection of this.#byPrefix.values()) byCollection.set(collection, [])
    const revision = await this.#list(registryPrefix, byCollection)
    // The watch begins at this revision, so what was added while the list ran has to be listed at it too.
    for (const collection of this.#byPrefix.values()) {
      if (byCollection.has(collection)) continue
      byCollection.set(collection, [])
      await this.#list(collection.prefix, byCollection, revision)
    }
    if (this.#isClosed) return
    for (const [collection, objects] of byCollection) {
      collection.pending = []
      this.#fill(collection, objects, revision)
    }
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

  /** All objects under `prefix` by their collection; returns the revision that they show. */
  async #list(
    prefix: string,
    byCollection: ReadonlyMap<Collection, StoredObject[]>,
    at?: number,
  ): Promise<number> {
    let startKey: string | undefined
    let revision = at
    do {
      const page = await this.#store.list(prefix, {
        limit: pageSize,
        ...(startKey === undefined ? {} : { startKey }),
        ...(revision === undefined ? {} : { revision }),
      })
      revision = page.revision
      for (const value of page.values) this.#place(value, byCollection)
      startKey = page.remaining > 0 ? `${page.values.at(-1)?.key ?? ''}\u0000` : undefined
    } while (startKey !== undefined)
    return revision
  }

  #fill(collection: Collection, objects: readonly StoredObject[], revision: number): void {
    const { cache, pending } = collection
    if (pending === undefined) return
    cache.reset(objects, revision)
    collection.listedRevision = revision
    collection.pending = undefined
    for (const event of pending) this.#take(collection, event)
    cache.wake()
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

  /** The store's revision, not older than the call. Rejects as the store does. */
  async currentRevision(): Promise<number> {
    return this.#fresh.read()
  }

  /** Whether the cache shows all that was written before the call; it is not waited for. */
  async isFresh(): Promise<boolean> {
    if (!this.#isReady) return false
    const revision = await this.#fresh.read()
    return this.#isReady && this.#revision >= revision
  }

  /** Before an object is written: its event will not be decoded. written() or forgetWrite() must follow. */
  expectWrite(storeKey: string, value: Buffer, object: KubeObject): void {
    this.#ownWrites.expect(storeKey, value, object)
  }
  forgetWrite(storeKey: string, value: Buffer): void {
    this.#ownWrites.forget(storeKey, value)
  }

  /** The object just written, as all share it. */
  written(
    prefix: string,
    value: StoredValue & { readonly value: Buffer },
    object: KubeObject,
  ): StoredObject {
    const collection = this.#byPrefix.get(prefix)
    const present = collection?.cache.get(value.key.slice(prefix.length))
    if (present?.revision === value.revision) return present
    if (collection === undefined)
      throw internalError(`the kind of ${value.key} is no longer served`)
    const stored = ownObject(collection, value, object)
    if (value.revision > this.#revision) this.#ownWrites.written(value.key, value.value, stored)
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
      if (collection.pending !== undefined) {
        collection.pending.push(event)
        continue
      }
      this.#take(collection, event)
      touched.add(collection.cache)
    }
    this.#advance(upTo)
    for (const cache of touched) cache.wake()
  }

  #take(collection: Collection, event: StoreEvent): void {
    if (event.revision <= collection.listedRevision) return
    const current =
      event.type === 'put' && isJsonObject(event.value)
        ? this.#current(collection, event)
        : undefined
    collection.cache.apply(event.revision, event.key.slice(collection.prefix.length), current)
  }

  #current(collection: Collection, event: StoredValue): StoredObject {
    const own = this.#ownWrites.take(event.key, event.value)
    if (own === undefined) return storedObject(collection, event)
    return own.stored?.revision === event.revision
      ? own.stored
      : ownObject(collection, event, own.object)
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

/** With the value that was encoded, so that it is not decoded. */
const ownObject = (
  { prefix, codec }: Collection,
  { key, value, revision }: StoredValue,
  object: KubeObject,
): StoredObject => {
  const metadata = { ...object.metadata, resourceVersion: String(revision) }
  // The registry has given it the metadata that stored objects have.
  const stored = { ...object, metadata } as Stored<KubeObject>
  return new StoredObject(codec, key.slice(prefix.length), value, revision, stored)
}

const storedObject = ({ prefix, codec }: Collection, value: StoredValue): StoredObject =>
  new StoredObject(codec, value.key.slice(prefix.length), value.value, value.revision)
