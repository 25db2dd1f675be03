// The one loop behind every controller: keys come from informers, workers compute what to do from the caches and do it. A reconcile gets
// a key and current state, never an event, so a missed or repeated key does no harm. Failures come back with a growing delay.
import type { Failure, Reconciliation } from '../controllers/action.ts'
import type { ApiClient } from '../client/api-client.ts'
import type { BackOffOptions } from '../client/back-off.ts'
import { ApiEventRecorder } from '../client/event-recorder.ts'
import { isConflict, isNamespaceEnding } from '../client/is-api-error.ts'
import { WorkQueue } from '../client/work-queue.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { observeQueue, queueObserver } from '../metrics/queue-metrics.ts'
import type { KubeObject, Stored } from '../resources/object.ts'
import type { SharedCache } from './controller.ts'
import { ActionExecutor } from './action-executor.ts'
import { ContentsRemainError } from './empty-namespace.ts'
import { Expectations, type SeenView } from './expectations.ts'

/** Which keys a change of a watched object concerns. Called with the object before and after a change. */
export interface Watch {
  subscribe(changed: (keys: readonly string[]) => void): void
  keys(): readonly string[]
  synced(): Promise<void>
}

export const watchOf = <T extends KubeObject>(
  informer: Pick<SharedCache<T>, 'list' | 'onChange' | 'synced'>,
  keysOf: (object: Stored<T>) => readonly string[],
): Watch => ({
  subscribe: (changed) => {
    informer.onChange((_key, current, previous) => {
      if (previous !== undefined) changed(keysOf(previous))
      if (current !== undefined) changed(keysOf(current))
    })
  },
  keys: () => informer.list().flatMap(keysOf),
  synced: () => informer.synced(),
})

/** For changes that mostly concern nobody: `keysOf` sees both states and tells. */
export const watchChanges = <T extends KubeObject>(
  informer: Pick<SharedCache<T>, 'onChange' | 'synced'>,
  keysOf: (current: Stored<T> | undefined, previous: Stored<T> | undefined) => readonly string[],
): Watch => ({
  subscribe: (changed) => {
    informer.onChange((_key, current, previous) => changed(keysOf(current, previous)))
  },
  keys: () => [],
  synced: () => informer.synced(),
})

export interface ControllerOptions {
  readonly name: string
  readonly client: ApiClient
  readonly watches: readonly Watch[]
  /** By collectionName: the caches that must hold own writes before the next reconcile of a key. */
  readonly views: ReadonlyMap<string, SeenView>
  /** A promise if the view holds what no cache does. */
  readonly reconcile: (
    key: string,
    nowMs: number,
    failure: Failure | undefined,
  ) => Reconciliation | Promise<Reconciliation>
  readonly workers?: number
  /** Left out: nothing is counted. */
  readonly telemetry?: Metrics
  readonly backOff?: BackOffOptions
  /** Epoch milliseconds. */
  readonly now?: () => number
  readonly onError?: (error: unknown) => void
}

const workersDefault = 4
/** All keys come again after that, so that nothing depends on one lost change. */
const resyncMs = 600_000
const unseenWritesPollMs = 100
/** A reconcile that takes longer than this holds others up: its key rests so many times as long before it comes again. */
const longReconcileMs = 8
const restsPerReconcile = 10
const restMsMax = 1000

const restAfter = (tookMs: number): number =>
  tookMs < longReconcileMs ? 0 : Math.min(restMsMax, tookMs * restsPerReconcile)

export class ControllerLoop {
  readonly #options: ControllerOptions
  readonly #queue: WorkQueue
  readonly #expectations: Expectations
  readonly #events: ApiEventRecorder
  readonly #executor: ActionExecutor
  readonly #now: () => number
  readonly #stopObserving: (() => void) | undefined
  #workers: Promise<void>[] = []
  #resync: NodeJS.Timeout | undefined

  constructor(options: ControllerOptions) {
    this.#options = options
    const { telemetry, backOff, name } = options
    this.#queue = new WorkQueue({
      ...(backOff === undefined ? {} : { backOff }),
      ...(telemetry === undefined ? {} : { observer: queueObserver(telemetry, name) }),
    })
    this.#stopObserving =
      telemetry === undefined ? undefined : observeQueue(telemetry, name, this.#queue)
    this.#now = options.now ?? Date.now
    this.#expectations = new Expectations(options.views)
    this.#events = new ApiEventRecorder(options.client, { component: options.name }, (error) =>
      options.onError?.(error),
    )
    this.#executor = new ActionExecutor({
      client: options.client,
      events: this.#events,
      expectations: this.#expectations,
      now: this.#now,
    })
  }

  /** Resolves when the caches are filled and the workers run. */
  async start(): Promise<void> {
    for (const watch of this.#options.watches) watch.subscribe((keys) => this.#enqueue(keys))
    await Promise.all(this.#options.watches.map((watch) => watch.synced()))
    this.#resync = setInterval(() => {
      for (const watch of this.#options.watches) this.#enqueue(watch.keys())
    }, resyncMs)
    this.#workers = Array.from({ length: this.#options.workers ?? workersDefault }, () =>
      this.#work(),
    )
  }

  /** Reconciles under way are finished, none is started. */
  async close(): Promise<void> {
    clearInterval(this.#resync)
    this.#queue.close()
    this.#stopObserving?.()
    await Promise.all(this.#workers)
    await this.#events.close()
  }

  #enqueue(keys: readonly string[]): void {
    for (const key of keys) this.#queue.add(key)
  }

  async #work(): Promise<void> {
    for (;;) {
      const key = await this.#queue.take()
      if (key === undefined) return
      this.#queue.done(key, await this.#reconcile(key))
    }
  }

  /** Resolves to how long the key rests. */
  async #reconcile(key: string): Promise<number> {
    const nowMs = this.#now()
    if (!this.#expectations.isSatisfied(key, nowMs)) {
      this.#queue.addAfter(key, unseenWritesPollMs)
      return 0
    }
    let restMs = 0
    try {
      const startedMs = performance.now()
      const reconciled = this.#options.reconcile(key, nowMs, this.#executor.takeFailure(key))
      restMs = restAfter(performance.now() - startedMs)
      const { actions, requeueAfterMs } = await reconciled
      await this.#executor.execute(key, actions)
      this.#queue.forget(key)
      if (requeueAfterMs !== undefined) this.#queue.addAfter(key, requeueAfterMs)
    } catch (reason) {
      // A conflict says no more than that the cache is behind; contents of a namespace take their time.
      const isExpected =
        isConflict(reason) || isNamespaceEnding(reason) || reason instanceof ContentsRemainError
      if (!isExpected) this.#options.onError?.(reason)
      this.#queue.addRateLimited(key)
    }
    return restMs
  }
}
