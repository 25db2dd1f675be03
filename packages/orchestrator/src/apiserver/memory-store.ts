// The Store in memory: for tests and for clusters that need not outlive their process. Keeps the same promises as a real store:
// one revision per write, history until compaction, events in order and exactly once.
import {
  StoreRevisionError,
  type Store,
  type StoredValue,
  type StoreEvent,
  type StoreList,
  type StoreWatchHandlers,
  type StoreWriteResult,
} from './store.ts'

interface Watcher {
  readonly prefix: string
  readonly handlers: StoreWatchHandlers
  /** Events up to here were delivered. */
  revision: number
  isClosed: boolean
}

const ttlSweepMs = 1000

export interface MemoryStoreOptions {
  /** Writes whose history is kept; older revisions are compacted by themselves. */
  readonly historyMax?: number
}

export class MemoryStore implements Store {
  readonly #values = new Map<string, StoredValue>()
  /** The keys of #values, ascending. */
  readonly #keys: string[] = []
  /** One event per revision: #history[i] has revision #compacted + 1 + i. */
  readonly #history: StoreEvent[] = []
  readonly #historyMax: number
  readonly #watchers = new Set<Watcher>()
  readonly #expiries = new Map<string, number>()
  #revision = 1
  #compacted = 1
  #isDelivering = false
  #sweeper: NodeJS.Timeout | undefined
  #delivery: NodeJS.Immediate | undefined

  constructor(options: MemoryStoreOptions = {}) {
    this.#historyMax = options.historyMax ?? 20_000
  }

  async get(key: string): Promise<StoredValue | undefined> {
    return Promise.resolve(this.#values.get(key))
  }

  async list(
    prefix: string,
    options: { startKey?: string; limit?: number; revision?: number },
  ): Promise<StoreList> {
    const revision = options.revision ?? this.#revision
    if (revision > this.#revision) throw new StoreRevisionError('FUTURE_REVISION')
    if (revision < this.#compacted) throw new StoreRevisionError('COMPACTED')
    const start =
      options.startKey !== undefined && options.startKey > prefix ? options.startKey : prefix
    const all =
      revision === this.#revision
        ? this.#current(prefix, start)
        : this.#past(prefix, start, revision)
    const limit = options.limit === undefined || options.limit === 0 ? all.length : options.limit
    const values = all.slice(0, limit)
    return Promise.resolve({ values, revision, remaining: all.length - values.length })
  }

  async count(prefix: string): Promise<number> {
    return Promise.resolve(this.#current(prefix, prefix).length)
  }

  async create(key: string, value: Uint8Array, ttlSeconds?: number): Promise<StoreWriteResult> {
    return this.#write(key, 0, value, ttlSeconds)
  }

  async update(
    key: string,
    value: Uint8Array,
    expectedRevision: number,
    ttlSeconds?: number,
  ): Promise<StoreWriteResult> {
    return this.#write(key, expectedRevision, value, ttlSeconds)
  }

  async delete(key: string, expectedRevision: number): Promise<StoreWriteResult> {
    return this.#write(key, expectedRevision, undefined, undefined)
  }

  watch(prefix: string, afterRevision: number, handlers: StoreWatchHandlers): () => void {
    const watcher: Watcher = { prefix, handlers, revision: afterRevision, isClosed: false }
    this.#watchers.add(watcher)
    queueMicrotask(() => {
      this.#deliver()
    })
    return () => {
      this.#end(watcher, undefined)
    }
  }

  async currentRevision(): Promise<number> {
    return Promise.resolve(this.#revision)
  }

  async compact(revision: number): Promise<void> {
    if (revision > this.#revision) throw new StoreRevisionError('FUTURE_REVISION')
    this.#forget(revision)
    return Promise.resolve()
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper)
    clearImmediate(this.#delivery)
    for (const watcher of this.#watchers) this.#end(watcher, undefined)
    return Promise.resolve()
  }

  async #write(
    key: string,
    expectedRevision: number,
    value: Uint8Array | undefined,
    ttlSeconds: number | undefined,
  ): Promise<StoreWriteResult> {
    const current = this.#values.get(key)
    if ((current?.revision ?? 0) !== expectedRevision)
      return Promise.resolve({ ok: false, current })
    const revision = ++this.#revision
    const previous = current?.value
    if (value === undefined) {
      this.#values.delete(key)
      this.#keys.splice(this.#position(key), 1)
      this.#history.push({ type: 'delete', key, revision, previous })
    } else {
      this.#values.set(key, { key, value, revision })
      if (current === undefined) this.#keys.splice(this.#position(key), 0, key)
      const created = current === undefined
      this.#history.push({ type: 'put', key, value, revision, created, previous })
    }
    this.#expire(key, value === undefined ? undefined : ttlSeconds)
    if (this.#history.length > this.#historyMax * 2) this.#forget(revision - this.#historyMax)
    this.#deliverSoon()
    return Promise.resolve({ ok: true, revision })
  }

  /** Where `key` is, or would be inserted, in #keys. */
  #position(key: string): number {
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#keys[middle] ?? '') < key) low = middle + 1
      else high = middle
    }
    return low
  }

  #current(prefix: string, start: string): StoredValue[] {
    const found: StoredValue[] = []
    for (let index = this.#position(start); index < this.#keys.length; index++) {
      const key = this.#keys[index] ?? ''
      if (!key.startsWith(prefix)) break
      const value = this.#values.get(key)
      if (value !== undefined) found.push(value)
    }
    return found
  }

  /** The picture at an older revision: today's values with the later events undone, newest first. */
  #past(prefix: string, start: string, revision: number): StoredValue[] {
    const picture = new Map(this.#current(prefix, start).map((value) => [value.key, value]))
    for (let index = this.#history.length - 1; index >= 0; index--) {
      const event = this.#history[index]
      if (event === undefined || event.revision <= revision) break
      if (!event.key.startsWith(prefix) || event.key < start) continue
      if (event.previous === undefined) picture.delete(event.key)
      else picture.set(event.key, { key: event.key, value: event.previous, revision: 0 })
    }
    const dated = [...picture.values()].map((value) =>
      value.revision === 0 || value.revision > revision
        ? { ...value, revision: this.#lastChange(value.key, revision) }
        : value,
    )
    return dated.sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  /** The revision of the last change of `key` at or before `revision`; a change older than history counts as its start. */
  #lastChange(key: string, revision: number): number {
    for (let index = this.#history.length - 1; index >= 0; index--) {
      const event = this.#history[index]
      if (event?.key === key && event.revision <= revision) return event.revision
    }
    return this.#compacted
  }

  #forget(revision: number): void {
    if (revision <= this.#compacted) return
    this.#history.splice(0, revision - this.#compacted)
    this.#compacted = revision
  }

  /** What is written in one turn is told together, as other stores do it: a watcher works through many events at once. */
  #deliverSoon(): void {
    this.#delivery ??= setImmediate(() => {
      this.#delivery = undefined
      this.#deliver()
    })
  }

  /** Not re-entrant: a handler that writes is delivered its event after the one it is handling. */
  #deliver(): void {
    if (this.#isDelivering) return
    this.#isDelivering = true
    try {
      let isBehind = true
      while (isBehind) {
        isBehind = false
        const revision = this.#revision
        for (const watcher of this.#watchers) this.#deliverTo(watcher, revision)
        isBehind = this.#revision > revision
      }
    } finally {
      this.#isDelivering = false
    }
  }

  #deliverTo(watcher: Watcher, revision: number): void {
    if (watcher.revision >= revision) return
    if (watcher.revision < this.#compacted) {
      this.#end(watcher, new StoreRevisionError('COMPACTED'))
      return
    }
    const first = watcher.revision - this.#compacted
    const events = this.#history
      .slice(first, revision - this.#compacted)
      .filter((event) => event.key.startsWith(watcher.prefix))
    watcher.revision = revision
    watcher.handlers.events(events, revision)
  }

  #end(watcher: Watcher, error: Error | undefined): void {
    if (watcher.isClosed) return
    watcher.isClosed = true
    this.#watchers.delete(watcher)
    watcher.handlers.ended(error)
  }

  #expire(key: string, ttlSeconds: number | undefined): void {
    if (ttlSeconds === undefined) {
      this.#expiries.delete(key)
      return
    }
    this.#expiries.set(key, Date.now() + ttlSeconds * 1000)
    this.#sweeper ??= setInterval(() => {
      void this.#sweep()
    }, ttlSweepMs).unref()
  }

  async #sweep(): Promise<void> {
    const now = Date.now()
    for (const [key, expiry] of this.#expiries) {
      const value = this.#values.get(key)
      if (expiry <= now && value !== undefined) await this.delete(key, value.revision)
    }
  }
}
