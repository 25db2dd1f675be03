// A cache of one collection that follows the apiserver: list, then watch, resumed where it stopped, listed again when the server
// forgot that place. Its promises: handlers of one key run in the order of its changes and after the cache holds the change; a deletion
// missed while disconnected is reported at the next list; objects are shared and never changed.
import type { KubeObject, Stored } from '../resources/object.ts'
import type { ApiClient, ListOptions, ResourceRef, WatchEvent } from './api-client.ts'
import { backOffMs } from './back-off.ts'
import { isApiError } from './is-api-error.ts'
import { type IndexFunction, ObjectCache, objectKey } from './object-cache.ts'

/** `current` undefined: the object is gone, `previous` is the last that was seen. */
export type ChangeHandler<T extends KubeObject> = (
  key: string,
  current: Stored<T> | undefined,
  previous: Stored<T> | undefined,
) => void

export interface InformerOptions<T extends KubeObject> {
  readonly client: ApiClient
  readonly ref: ResourceRef
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>>
  /** Told of every failure to list or watch, before the next try. */
  readonly onError?: (error: unknown) => void
}

const pageItemsMax = 1000
/** Pauses before a list or watch is tried again. */
const retryBackOff = { firstMs: 50, maxMs: 10_000 }

export class Informer<T extends KubeObject> {
  readonly #options: InformerOptions<T>
  readonly #cache: ObjectCache<T>
  readonly #handlers: ChangeHandler<T>[] = []
  #resourceVersion = ''
  #isSynced = false
  #isClosed = false
  #failures = 0
  #closeWatch: (() => void) | undefined
  #retry: NodeJS.Timeout | undefined
  #whenSynced: (() => void)[] = []

  constructor(options: InformerOptions<T>) {
    this.#options = options
    this.#cache = new ObjectCache(options.indexes)
  }

  /** Handlers added before start() see every object; added later, they first get those already known. */
  onChange(handler: ChangeHandler<T>): void {
    for (const object of this.#cache.list()) handler(objectKey(object), object, undefined)
    this.#handlers.push(handler)
  }

  /** At any time; a name that is taken keeps its first function. */
  addIndex(name: string, of: IndexFunction<T>): void {
    this.#cache.addIndex(name, of)
  }

  start(): void {
    void this.#listAndWatch()
  }

  /** Resolves once the first list is in the cache, or at close(). */
  synced(): Promise<void> {
    if (this.#isSynced || this.#isClosed) return Promise.resolve()
    return new Promise((resolve) => this.#whenSynced.push(resolve))
  }

  get isSynced(): boolean {
    return this.#isSynced
  }

  /** Every change up to this resourceVersion is in the cache. */
  get seenResourceVersion(): string {
    return this.#resourceVersion
  }

  get(key: string): Stored<T> | undefined {
    return this.#cache.get(key)
  }
  list(): Stored<T>[] {
    return this.#cache.list()
  }
  find(index: string, value: string): Stored<T>[] {
    return this.#cache.find(index, value)
  }
  /** Whether find() has nothing for any value. */
  isIndexEmpty(index: string): boolean {
    return this.#cache.isIndexEmpty(index)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#retry)
    this.#closeWatch?.()
    this.#closeWatch = undefined
    for (const resolve of this.#whenSynced.splice(0)) resolve()
  }

  async #listAndWatch(): Promise<void> {
    try {
      const items: Stored<T>[] = []
      let next: string | undefined
      let resourceVersion = ''
      do {
        const page = await this.#options.client.list<T>(this.#options.ref, {
          ...this.#selection(),
          limit: pageItemsMax,
          ...(next === undefined ? {} : { continue: next }),
        })
        items.push(...page.items)
        resourceVersion = page.resourceVersion
        next = page.continue
      } while (next !== undefined && next !== '')
      if (this.#isClosed) return
      this.#replace(items, resourceVersion)
      this.#watch()
    } catch (reason) {
      this.#tryAgain(reason, () => void this.#listAndWatch())
    }
  }

  #selection(): ListOptions {
    const { namespace, labelSelector, fieldSelector } = this.#options
    return {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    }
  }

  #replace(items: readonly Stored<T>[], resourceVersion: string): void {
    const listed = new Set(items.map(objectKey))
    for (const key of this.#cache.keys()) if (!listed.has(key)) this.#remove(key)
    for (const object of items) this.#put(object)
    this.#resourceVersion = resourceVersion
    this.#isSynced = true
    for (const resolve of this.#whenSynced.splice(0)) resolve()
  }

  #watch(): void {
    if (this.#isClosed) return
    let isEnded = false
    const close = this.#options.client.watch<T>(
      this.#options.ref,
      { ...this.#selection(), resourceVersion: this.#resourceVersion },
      {
        event: (event) => {
          if (!isEnded && !this.#isClosed) this.#apply(event)
        },
        ended: (error) => {
          if (isEnded || this.#isClosed) return
          isEnded = true
          this.#closeWatch = undefined
          this.#watchEnded(error)
        },
      },
    )
    if (isEnded) close()
    else this.#closeWatch = close
  }

  #apply(event: WatchEvent<T>): void {
    this.#failures = 0
    if (event.type === 'BOOKMARK') {
      this.#resourceVersion = event.resourceVersion
      return
    }
    if (event.type === 'DELETED') this.#remove(objectKey(event.object))
    else this.#put(event.object)
    this.#resourceVersion = event.object.metadata.resourceVersion
  }

  #watchEnded(error: Error | undefined): void {
    // A server ends a watch now and then; that is no failure.
    if (error === undefined) this.#failures = 0
    if (isApiError(error, 410)) this.#tryAgain(error, () => void this.#listAndWatch())
    else this.#tryAgain(error, () => this.#watch())
  }

  #tryAgain(reason: unknown, again: () => void): void {
    if (this.#isClosed) return
    if (reason !== undefined) this.#options.onError?.(reason)
    const delayMs = backOffMs(++this.#failures, retryBackOff)
    this.#retry = setTimeout(again, delayMs * (0.5 + Math.random() / 2))
  }

  #put(object: Stored<T>): void {
    const key = objectKey(object)
    const previous = this.#cache.get(key)
    if (previous?.metadata.resourceVersion === object.metadata.resourceVersion) return
    this.#cache.set(key, object)
    for (const handler of this.#handlers) handler(key, object, previous)
  }

  #remove(key: string): void {
    const previous = this.#cache.delete(key)
    if (previous === undefined) return
    for (const handler of this.#handlers) handler(key, undefined, previous)
  }
}
