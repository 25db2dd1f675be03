// What is counted of the store and of what is in it, under upstream's names.
import type { CounterSeries, HistogramSeries, Metrics } from '../../metrics/metrics.ts'
import type { Registries } from '../registry/registries.ts'
import { registryPrefix } from '../storage/resource-keys.ts'
import type {
  Store,
  StoredValue,
  StoreList,
  StoreWatchHandlers,
  StoreWriteResult,
} from '../store.ts'

type Operation = 'get' | 'list' | 'count' | 'create' | 'update' | 'delete'

interface Series {
  readonly duration: HistogramSeries
  readonly requests: CounterSeries
  readonly errors: CounterSeries
}

/** Seconds. */
const buckets: readonly number[] = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45,
  60,
]
const labels = ['operation', 'type']

/** Objects of each kind, from the watch cache. */
export const observeObjects = (metrics: Metrics, registries: Registries): void => {
  metrics.collected(
    {
      name: 'apiserver_storage_objects',
      help: '[STABLE] Number of stored objects at the time of last check split by kind.',
      labels: ['resource'],
    },
    () =>
      registries.stored.map(({ type, cache }) => [
        [type.group === '' ? type.plural : `${type.plural}.${type.group}`],
        cache.count(''),
      ]),
  )
}

/** A store that counts what is asked of it and how long that takes. Closing it closes the other one. */
export class MeteredStore implements Store {
  readonly #store: Store
  readonly #metrics: Metrics
  readonly #series = new Map<string, Series>()

  constructor(store: Store, metrics: Metrics) {
    this.#store = store
    this.#metrics = metrics
  }

  async get(key: string): Promise<StoredValue | undefined> {
    return this.#timed('get', key, this.#store.get(key))
  }

  async list(
    prefix: string,
    options: { startKey?: string; limit?: number; revision?: number },
  ): Promise<StoreList> {
    return this.#timed('list', prefix, this.#store.list(prefix, options))
  }

  async count(prefix: string): Promise<number> {
    return this.#timed('count', prefix, this.#store.count(prefix))
  }

  async create(key: string, value: Uint8Array, ttlSeconds?: number): Promise<StoreWriteResult> {
    return this.#timed('create', key, this.#store.create(key, value, ttlSeconds))
  }

  async update(
    key: string,
    value: Uint8Array,
    expectedRevision: number,
    ttlSeconds?: number,
  ): Promise<StoreWriteResult> {
    const written = this.#store.update(key, value, expectedRevision, ttlSeconds)
    return this.#timed('update', key, written)
  }

  async delete(key: string, expectedRevision: number): Promise<StoreWriteResult> {
    return this.#timed('delete', key, this.#store.delete(key, expectedRevision))
  }

  watch(prefix: string, afterRevision: number, handlers: StoreWatchHandlers): () => void {
    return this.#store.watch(prefix, afterRevision, handlers)
  }

  async currentRevision(): Promise<number> {
    return this.#store.currentRevision()
  }

  async compact(revision: number): Promise<void> {
    return this.#store.compact(revision)
  }

  async close(): Promise<void> {
    return this.#store.close()
  }

  async #timed<T>(operation: Operation, key: string, work: Promise<T>): Promise<T> {
    const startMs = performance.now()
    const { duration, requests, errors } = this.#seriesOf(operation, key)
    requests.add()
    try {
      return await work
    } catch (reason) {
      errors.add()
      throw reason
    } finally {
      duration.observe((performance.now() - startMs) / 1000)
    }
  }

  /** Keys of a kind share the part after the prefix. */
  #seriesOf(operation: Operation, key: string): Series {
    const end = key.indexOf('/', registryPrefix.length)
    const type = key.slice(registryPrefix.length, end === -1 ? undefined : end)
    const id = `${operation} ${type}`
    let series = this.#series.get(id)
    if (series === undefined) {
      series = this.#newSeries(operation, type)
      this.#series.set(id, series)
    }
    return series
  }

  #newSeries(operation: Operation, type: string): Series {
    const metrics = this.#metrics
    const duration = metrics.histogram({
      name: 'etcd_request_duration_seconds',
      help: '[ALPHA] Etcd request latency in seconds for each operation and object type.',
      labels,
      buckets,
    })
    const requests = metrics.counter({
      name: 'etcd_requests_total',
      help: '[ALPHA] Etcd request counts for each operation and object type.',
      labels,
    })
    const errors = metrics.counter({
      name: 'etcd_request_errors_total',
      help: '[ALPHA] Etcd failed request counts for each operation and object type.',
      labels,
    })
    return {
      duration: duration.with(operation, type),
      requests: requests.with(operation, type),
      errors: errors.with(operation, type),
    }
  }
}
