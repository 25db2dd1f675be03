// Runs a controller of somebody else's: keys from informers, one reconcile a key at a time, failures again after a growing delay, and with
// `leaderElection` only in the copy that leads. Level-triggered: a reconcile gets a name and looks at what is there now.
import type { KubeObject, Stored } from '../resources/object.ts'
import type { ApiClient } from './api-client.ts'
import type { BackOffOptions } from './back-off.ts'
import type { Informer } from './informer.ts'
import { LeaderElection, type LeaderElectionOptions } from './leader-election.ts'
import { objectKey, splitKey } from './object-cache.ts'
import type { ObjectName } from './resource.ts'
import { WorkQueue } from './work-queue.ts'

export interface ControllerOptions<T extends KubeObject> {
  readonly client: ApiClient
  /** The objects it is about; started and closed by the controller. */
  readonly objects: Informer<T>
  /** Other objects, each with the objects of `objects` that a change of it concerns; left out: its controlling owner. */
  readonly owned?: readonly OwnedObjects[]
  /**
   * Makes the world as the object says. `object` is what the cache holds; undefined: it is gone. A promise that rejects, or a throw,
   * brings the key again later; a number returned asks for it again after so many milliseconds.
   */
  readonly reconcile: (
    name: ObjectName,
    object: Stored<T> | undefined,
    signal: AbortSignal,
  ) => Promise<number | undefined | void>
  readonly workers?: number
  readonly backOff?: BackOffOptions
  readonly leaderElection?: Pick<LeaderElectionOptions, 'namespace' | 'name' | 'identity'> &
    Partial<LeaderElectionOptions>
  readonly onError?: (error: unknown, name?: ObjectName) => void
}

export interface OwnedObjects {
  readonly informer: Informer<KubeObject>
  readonly ownersOf?: (object: Stored<KubeObject>) => readonly ObjectName[]
}

export interface Controller {
  /** Resolves when the caches are filled. */
  synced(): Promise<void>
  /** Reconciles under way are finished, none is started. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const workersDefault = 4

export const startController = <T extends KubeObject>(
  options: ControllerOptions<T>,
): Controller => {
  const queue = new WorkQueue(options.backOff === undefined ? {} : { backOff: options.backOff })
  const owned = options.owned ?? []
  const informers: readonly Pick<Informer<T>, 'start' | 'synced' | 'close'>[] = [
    options.objects,
    ...owned.map(({ informer }) => informer),
  ]
  const closing = new AbortController()
  const synced = async (): Promise<void> => {
    await Promise.all(informers.map((informer) => informer.synced()))
  }
  let running: Promise<void>[] = []
  const run = async (signal: AbortSignal): Promise<void> => {
    await synced()
    const workers = Array.from({ length: options.workers ?? workersDefault }, () =>
      work(options, queue, signal),
    )
    await Promise.all(workers)
  }
  options.objects.onChange((key) => queue.add(key))
  for (const { informer, ownersOf } of owned) {
    const add = (object: Stored<KubeObject> | undefined): void => {
      if (object === undefined) return
      const names = ownersOf?.(object) ?? controllersOf(object)
      for (const name of names) queue.add(keyOfName(name))
    }
    informer.onChange((_key, current, previous) => {
      add(previous)
      add(current)
    })
  }
  for (const informer of informers) informer.start()
  const election = startElection(options, (signal) => {
    // What changed while another copy led was its business; now everything is looked at.
    for (const object of options.objects.list()) queue.add(objectKey(object))
    running.push(run(AbortSignal.any([signal, closing.signal])))
  })
  if (election === undefined) running = [run(closing.signal)]
  const close = async (): Promise<void> => {
    closing.abort()
    await election?.close()
    queue.close()
    for (const informer of informers) informer.close()
    await Promise.all(running)
  }
  return { synced, close, [Symbol.asyncDispose]: close }
}

const startElection = <T extends KubeObject>(
  { client, leaderElection, onError }: ControllerOptions<T>,
  onStartedLeading: (signal: AbortSignal) => void,
): LeaderElection | undefined => {
  if (leaderElection === undefined) return undefined
  const election = new LeaderElection({
    client,
    ...(onError === undefined ? {} : { onError }),
    ...leaderElection,
    onStartedLeading: (signal) => {
      onStartedLeading(signal)
      leaderElection.onStartedLeading?.(signal)
    },
  })
  election.start()
  return election
}

const work = async <T extends KubeObject>(
  { objects, reconcile, onError }: ControllerOptions<T>,
  queue: WorkQueue,
  signal: AbortSignal,
): Promise<void> => {
  for (;;) {
    const key = await queue.take()
    if (key === undefined) return
    if (signal.aborted) {
      // Left to the workers of the next time that this copy leads.
      queue.add(key)
      queue.done(key)
      return
    }
    const { namespace, name } = splitKey(key)
    const objectName: ObjectName = namespace === undefined ? { name } : { namespace, name }
    try {
      const againMs = await reconcile(objectName, objects.get(key), signal)
      queue.forget(key)
      if (typeof againMs === 'number') queue.addAfter(key, againMs)
    } catch (reason) {
      if (!signal.aborted) onError?.(reason, objectName)
      queue.addRateLimited(key)
    }
    queue.done(key)
  }
}

const keyOfName = ({ namespace, name }: ObjectName): string =>
  namespace === undefined ? name : `${namespace}/${name}`

const controllersOf = ({ metadata }: Stored<KubeObject>): readonly ObjectName[] =>
  (metadata.ownerReferences ?? [])
    .filter((owner) => owner.controller === true)
    .map(({ name }) =>
      metadata.namespace === undefined ? { name } : { namespace: metadata.namespace, name },
    )
