// Performs the actions of a reconcile through the API client, in order, and notes what the cache must see before the next reconcile.
// It stops at the first failure and throws it; the loop comes back later.
import type {
  Action,
  Announcement,
  CollectionRef,
  Failure,
  ObjectId,
} from '../controllers/action.ts'
import type { ApiClient } from '../client/api-client.ts'
import type { EventRecorder } from '../client/event-recorder.ts'
import { isApiError, isConflict } from '../client/is-api-error.ts'
import type { ObjectMeta } from '../resources/object.ts'
import { emptyNamespace } from './empty-namespace.ts'
import type { Expectations } from './expectations.ts'
import { WriteAllowance } from './write-allowance.ts'

/** Requests of one batch of a slow start, at most: in the long run, and in a burst. */
const batchActionsFew = 12
const batchActionsMany = 32

export interface ActionExecutorOptions {
  readonly client: ApiClient
  readonly events: EventRecorder
  readonly expectations: Expectations
  readonly now: () => number
}

/** Without uid: any of that name. */
type LiveId = Omit<ObjectId, 'uid'> & { readonly uid: string | undefined }
type Request = Extract<Action, { type: 'create' | 'update' | 'patch' | 'delete' }>

export class ActionExecutor {
  readonly #options: ActionExecutorOptions
  readonly #allowance = new WriteAllowance(batchActionsFew, batchActionsMany)
  /** By key: what the last execution failed with, until it is taken. */
  readonly #failures = new Map<string, Failure>()

  constructor(options: ActionExecutorOptions) {
    this.#options = options
  }

  /** What the last execution for the key failed with. */
  takeFailure(key: string): Failure | undefined {
    const failure = this.#failures.get(key)
    this.#failures.delete(key)
    return failure
  }

  /** `key` is the one whose next reconcile waits for these writes. */
  async execute(key: string, actions: readonly Action[]): Promise<void> {
    for (const action of actions) {
      if (action.type === 'slowStart') await this.#slowStart(key, action.actions)
      else if (action.type === 'event') this.#options.events.record(action.event)
      else if (action.type === 'patch') {
        if (await this.#isWanted(action)) await this.#announced(key, action)
      } else if (action.type === 'deleteUnowned') await this.#deleteUnowned(key, action)
      else if (action.type === 'deleteContents') {
        const { client, now } = this.#options
        await emptyNamespace(client, action.namespace, action.refs, now())
      } else await this.#announced(key, action)
    }
  }

  async #slowStart(key: string, actions: readonly Action[]): Promise<void> {
    for (let start = 0, size = 1; start < actions.length; start += size, size *= 2) {
      size = Math.min(size, this.#allowance.atOnce)
      const batch = actions.slice(start, start + size)
      this.#allowance.take(batch.length)
      const results = await Promise.allSettled(batch.map((action) => this.execute(key, [action])))
      const failed = results.find((result) => result.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    }
  }

  async #announced(key: string, action: Request): Promise<void> {
    try {
      const name = await this.#request(key, action)
      this.#tell(action.done, name, '')
    } catch (reason) {
      // What was to be changed is gone: the cache is about to show it.
      const isChange = action.type === 'update' || action.type === 'patch'
      if (isChange && isApiError(reason, 404)) return
      const name = action.type === 'create' || action.type === 'update' ? '' : action.name
      const text = reason instanceof Error ? reason.message : String(reason)
      if (!isConflict(reason)) {
        this.#failures.set(key, { verb: action.type, message: text })
        this.#tell(action.failed, name, text)
      }
      throw reason
    }
  }

  #tell(announcement: Announcement | undefined, name: string, error: string): void {
    if (announcement === undefined) return
    const message = announcement.message.replaceAll('NAME', name).replaceAll('ERROR', error)
    this.#options.events.record({ ...announcement, message })
  }

  /** Returns the name of the object acted on. */
  async #request(key: string, action: Request): Promise<string> {
    const { client } = this.#options
    switch (action.type) {
      case 'create': {
        const { metadata } = await client.create(action.ref, action.object)
        this.#wrote(key, action.ref, metadata.resourceVersion)
        return metadata.name
      }
      case 'update': {
        const { metadata } = await client.update(action.ref, action.object, action.subresource)
        this.#wrote(key, action.ref, metadata.resourceVersion)
        return metadata.name
      }
      case 'patch': {
        const { ref, namespace, name, patch, subresource } = action
        const { metadata } = await client.patch(ref, namespace, name, 'merge', patch, subresource)
        this.#wrote(key, ref, metadata.resourceVersion)
        return name
      }
      case 'delete':
        await this.#delete(key, action)
        return action.name
    }
  }

  async #delete(key: string, action: Extract<Action, { type: 'delete' }>): Promise<void> {
    const { ref, namespace, name, uid, propagationPolicy, gracePeriodSeconds } = action
    try {
      await this.#options.client.delete(ref, namespace, name, {
        uid,
        ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
        ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      })
    } catch (reason) {
      if (!isApiError(reason, 404)) throw reason
    }
    this.#options.expectations.deleted(key, { ref, namespace, name, uid }, this.#options.now())
  }

  async #deleteUnowned(
    key: string,
    action: Extract<Action, { type: 'deleteUnowned' }>,
  ): Promise<void> {
    for (const owner of action.owners) if (await this.#exists(owner)) return
    const { ref, namespace, name, uid } = action
    await this.#delete(key, { type: 'delete', ref, namespace, name, uid })
  }

  async #isWanted({ onlyIf, unless }: Extract<Action, { type: 'patch' }>): Promise<boolean> {
    if (onlyIf !== undefined && !(await this.#stays(onlyIf))) return false
    return unless === undefined || !(await this.#exists(unless))
  }

  async #exists(id: LiveId): Promise<boolean> {
    return (await this.#live(id)) !== undefined
  }

  async #stays(id: ObjectId): Promise<boolean> {
    const metadata = await this.#live(id)
    return metadata !== undefined && metadata.deletionTimestamp === undefined
  }

  /** Read anew; undefined: gone, or another of that name. */
  async #live({ ref, namespace, name, uid }: LiveId): Promise<ObjectMeta | undefined> {
    try {
      const { metadata } = await this.#options.client.get(ref, namespace, name)
      return uid === undefined || metadata.uid === uid ? metadata : undefined
    } catch (reason) {
      if (isApiError(reason, 404)) return undefined
      throw reason
    }
  }

  #wrote(key: string, ref: CollectionRef, resourceVersion: string): void {
    this.#options.expectations.wrote(key, ref, resourceVersion, this.#options.now())
  }
}
