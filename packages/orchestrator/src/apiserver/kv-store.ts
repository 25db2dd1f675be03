// The Store over @balsa/kv's Kv: the same code for an embedded member, a Balsa cluster and an etcd cluster.
// A write is one txn guarded by the key's mod revision; keys with a time to live share leases, as upstream's do.
import { KvError, type Kv, type KvEvent, type KvPair, type Operation } from '@balsa/kv'
import {
  StoreRevisionError,
  type Store,
  type StoredValue,
  type StoreEvent,
  type StoreList,
  type StoreWatchHandlers,
  type StoreWriteResult,
} from './store.ts'

interface SharedLease {
  readonly id: Promise<bigint>
  readonly reusableUntil: number
}

/** One lease serves all keys of a TTL that are written within this time. */
const leaseReuseMs = 60_000

const decoder = new TextDecoder()

/** The given Kv stays open when the store is closed. */
export class KvStore implements Store {
  readonly #kv: Kv
  readonly #leases = new Map<number, SharedLease>()
  readonly #watches = new Set<() => void>()

  constructor(kv: Kv) {
    this.#kv = kv
  }

  async get(key: string): Promise<StoredValue | undefined> {
    const pair = await this.#kv.get(key)
    return pair === undefined ? undefined : storedValue(key, pair)
  }

  async list(
    prefix: string,
    options: { startKey?: string; limit?: number; revision?: number },
  ): Promise<StoreList> {
    const { startKey, limit, revision } = options
    try {
      const result = await this.#kv.range({
        key: startKey !== undefined && startKey > prefix ? startKey : prefix,
        rangeEnd: prefixEnd(prefix),
        ...(limit === undefined ? {} : { limit }),
        ...(revision === undefined ? {} : { revision }),
      })
      return {
        values: result.pairs.map((pair) => storedValue(decoder.decode(pair.key), pair)),
        revision: revision ?? result.revision,
        remaining: result.count - result.pairs.length,
      }
    } catch (reason) {
      throw storeError(reason)
    }
  }

  async count(prefix: string): Promise<number> {
    return (await this.#kv.range({ prefix, countOnly: true })).count
  }

  async create(key: string, value: Uint8Array, ttlSeconds?: number): Promise<StoreWriteResult> {
    return this.update(key, value, 0, ttlSeconds)
  }

  async update(
    key: string,
    value: Uint8Array,
    expectedRevision: number,
    ttlSeconds?: number,
  ): Promise<StoreWriteResult> {
    if (ttlSeconds === undefined) {
      return this.#swap(key, expectedRevision, { op: 'put', key, value })
    }
    const lease = await this.#lease(ttlSeconds)
    try {
      return await this.#swap(key, expectedRevision, { op: 'put', key, value, lease })
    } catch (reason) {
      if (!(reason instanceof KvError) || reason.code !== 'LEASE_NOT_FOUND') throw reason
      this.#leases.delete(ttlSeconds)
      const fresh = await this.#lease(ttlSeconds)
      return this.#swap(key, expectedRevision, { op: 'put', key, value, lease: fresh })
    }
  }

  async delete(key: string, expectedRevision: number): Promise<StoreWriteResult> {
    return this.#swap(key, expectedRevision, { op: 'delete', key })
  }

  watch(prefix: string, afterRevision: number, handlers: StoreWatchHandlers): () => void {
    const watch = this.#kv.watch(
      { prefix, startRevision: afterRevision + 1, prevKv: true, progressNotify: true },
      {
        batch: (batch) => {
          handlers.events(batch.events.map(storeEvent), batch.revision)
        },
        ended: (error) => {
          this.#watches.delete(close)
          handlers.ended(error === undefined ? undefined : storeError(error))
        },
      },
    )
    const close = (): void => {
      watch.close()
    }
    this.#watches.add(close)
    return close
  }

  async currentRevision(): Promise<number> {
    return (await this.#kv.range({ key: '/registry/', countOnly: true })).revision
  }

  async compact(revision: number): Promise<void> {
    try {
      await this.#kv.compact(revision)
    } catch (reason) {
      const error = storeError(reason)
      if (error instanceof StoreRevisionError && error.code === 'COMPACTED') return
      throw error
    }
  }

  async close(): Promise<void> {
    for (const close of this.#watches) close()
    return Promise.resolve()
  }

  async #swap(
    key: string,
    expectedRevision: number,
    operation: Operation,
  ): Promise<StoreWriteResult> {
    const bytes = Buffer.from(key)
    const result = await this.#kv.txn({
      if: [{ key: bytes, target: 'mod', is: '=', than: expectedRevision }],
      then: [operation],
      else: [{ op: 'range', key: bytes }],
    })
    if (result.succeeded) return { ok: true, revision: result.revision }
    const read = result.results[0]
    const pair = read?.op === 'range' ? read.pairs[0] : undefined
    return { ok: false, current: pair === undefined ? undefined : storedValue(key, pair) }
  }

  async #lease(ttlSeconds: number): Promise<bigint> {
    const shared = this.#leases.get(ttlSeconds)
    if (shared !== undefined && shared.reusableUntil > Date.now()) return shared.id
    const id = this.#kv.grantLease(ttlSeconds + leaseReuseMs / 1000).then((lease) => lease.id)
    this.#leases.set(ttlSeconds, { id, reusableUntil: Date.now() + leaseReuseMs })
    try {
      return await id
    } catch (reason) {
      this.#leases.delete(ttlSeconds)
      throw reason
    }
  }
}

const storedValue = (key: string, pair: KvPair): StoredValue => ({
  key,
  value: pair.value,
  revision: pair.modRevision,
})

const storeEvent = (event: KvEvent): StoreEvent => {
  const key = decoder.decode(event.kv.key)
  const revision = event.kv.modRevision
  const previous = event.prev?.value
  if (event.type === 'delete') return { type: 'delete', key, revision, previous }
  const { value, version } = event.kv
  return { type: 'put', key, value, revision, created: version === 1, previous }
}

const storeError = (reason: unknown): Error => {
  const error = KvError.from(reason)
  return error.code === 'COMPACTED' || error.code === 'FUTURE_REVISION'
    ? new StoreRevisionError(error.code, { cause: error })
    : error
}

/** The first key after all that begin with `prefix`; prefixes here end in '/', which is not the last byte. */
const prefixEnd = (prefix: string): string =>
  prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)
