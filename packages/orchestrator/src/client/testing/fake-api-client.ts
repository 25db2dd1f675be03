// An ApiClient over a map, for tests of controllers, scheduler and agent: resourceVersions, watches, conflicts, graceful deletion of
// pods, finalizers and the status subresource behave as the apiserver's; nothing is validated or defaulted.
import type { TokenRequestSpec, TokenRequestStatus } from '../token-request.ts'
import { timestamp } from '../../resources/timestamp.ts'
import {
  ApiError,
  type ApiClient,
  type ApiWatchHandlers,
  type ListOptions,
  type ListResult,
  type PatchType,
  type ResourceRef,
  type WatchEvent,
} from '../api-client.ts'
import { applyPatch } from '../../apiserver/registry/patch.ts'
import { mergeKeysOf, resourceTypes } from '../../resources/index.ts'
import type { Json, KubeObject, Stored } from '../../resources/object.ts'
import { keyOf } from '../object-cache.ts'

type Path = string
interface Change {
  readonly path: Path
  readonly event: Exclude<WatchEvent<KubeObject>, { type: 'BOOKMARK' }>
  readonly before: Stored<KubeObject> | undefined
}
interface Watcher {
  readonly path: Path
  readonly options: ListOptions
  readonly handlers: ApiWatchHandlers<KubeObject>
}
export interface Call {
  readonly verb: 'create' | 'update' | 'patch' | 'delete' | 'bind'
  readonly plural: string
  readonly name: string
}

/** What the apiserver fills in. */
const pendingStatus = { status: { phase: 'Pending' } }

const pathOf = (ref: ResourceRef): Path => `${ref.group}/${ref.plural}`

export class FakeApiClient implements ApiClient {
  readonly #objects = new Map<Path, Map<string, Stored<KubeObject>>>()
  readonly #watchers = new Set<Watcher>()
  readonly #history: Change[] = []
  #held: Change[] | undefined
  #revision = 0
  #uids = 0
  readonly calls: Call[] = []
  /** Thrown before a call is done, when it returns an error. */
  intercept: (call: Call) => Error | undefined = () => undefined
  /** Epoch milliseconds for timestamps. */
  now: () => number = Date.now

  all<T extends KubeObject>(ref: ResourceRef): Stored<T>[] {
    return [...this.#collection(ref).values()] as Stored<T>[]
  }

  /** Watchers see no changes until release(). */
  hold(): void {
    this.#held ??= []
  }
  release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const change of held) this.#deliver(change)
  }
  /** Ends every watch, with 410 when `error` is left out. */
  breakWatches(error: Error | undefined = new ApiError(410, 'Expired', 'too old')): void {
    for (const watcher of this.#watchers) {
      this.#watchers.delete(watcher)
      watcher.handlers.ended(error)
    }
  }

  async get<T extends KubeObject>(
    ref: ResourceRef,
    namespace: string | undefined,
    name: string,
  ): Promise<Stored<T>> {
    await Promise.resolve()
    return this.#existing(ref, namespace, name) as Stored<T>
  }

  async list<T extends KubeObject>(
    ref: ResourceRef,
    options: ListOptions = {},
  ): Promise<ListResult<T>> {
    await Promise.resolve()
    const items = this.all<T>(ref).filter((object) => isSelected(object, options))
    return { items, resourceVersion: String(this.#revision), continue: undefined }
  }

  watch<T extends KubeObject>(
    ref: ResourceRef,
    options: ListOptions & { resourceVersion: string },
    handlers: ApiWatchHandlers<T>,
  ): () => void {
    const watcher: Watcher = {
      path: pathOf(ref),
      options,
      handlers: handlers,
    }
    queueMicrotask(() => {
      for (const change of this.#history) {
        if (
          Number(change.event.object.metadata.resourceVersion) > Number(options.resourceVersion)
        ) {
          if (this.#held?.includes(change) !== true) offer(watcher, change)
        }
      }
      this.#watchers.add(watcher)
    })
    return () => queueMicrotask(() => this.#watchers.delete(watcher))
  }

  async create<T extends KubeObject>(ref: ResourceRef, object: T): Promise<Stored<T>> {
    await Promise.resolve()
    const { generateName, namespace } = object.metadata
    const suffix = String(++this.#uids).padStart(5, '0')
    const name = object.metadata.name ?? `${generateName ?? ''}${suffix}`
    this.#called({ verb: 'create', plural: ref.plural, name })
    if (this.#collection(ref).has(keyOf(namespace, name)))
      throw new ApiError(409, 'AlreadyExists', `${ref.plural} "${name}" already exists`)
    return this.#write(ref, 'ADDED', {
      ...(ref.plural === 'pods' ? pendingStatus : {}),
      ...object,
      metadata: {
        ...object.metadata,
        name,
        uid: object.metadata.uid ?? `uid-${suffix}`,
        generation: 1,
        creationTimestamp: this.#timestamp(),
      },
    }) as Stored<T>
  }

  async update<T extends KubeObject>(
    ref: ResourceRef,
    object: T,
    subresource?: 'status' | 'finalize' | 'approval',
  ): Promise<Stored<T>> {
    await Promise.resolve()
    const { namespace, name = '', resourceVersion } = object.metadata
    this.#called({ verb: 'update', plural: ref.plural, name })
    const before = this.#existing(ref, namespace, name)
    if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion)
      throw new ApiError(409, 'Conflict', 'the object has been modified')
    return this.#replace(ref, before, object, subresource) as Stored<T>
  }

  async patch<T extends KubeObject>(
    ref: ResourceRef,
    namespace: string | undefined,
    name: string,
    type: PatchType,
    patch: Json,
    subresource?: 'status' | 'scale',
  ): Promise<Stored<T>> {
    await Promise.resolve()
    this.#called({ verb: 'patch', plural: ref.plural, name })
    if (type === 'json') throw new Error('the fake knows no JSON patches')
    const before = this.#existing(ref, namespace, name)
    const kind = resourceTypes.find(({ plural }) => plural === ref.plural)
    const mergeKeys = kind === undefined ? {} : mergeKeysOf(kind)
    const after = applyPatch(before as unknown as Json, type, patch, mergeKeys) as unknown as T
    if (
      after.metadata.resourceVersion !== before.metadata.resourceVersion ||
      after.metadata.uid !== before.metadata.uid
    )
      throw new ApiError(409, 'Conflict', 'the object has been modified')
    return this.#replace(ref, before, after, subresource) as Stored<T>
  }

  /** Merges what is given over what is there: the fake keeps no account of owners. */
  async apply<T extends KubeObject>(ref: ResourceRef, object: T): Promise<Stored<T>> {
    await Promise.resolve()
    const { namespace, name = '' } = object.metadata
    if (!this.#collection(ref).has(keyOf(namespace, name))) return this.create(ref, object)
    return this.patch<T>(ref, namespace, name, 'merge', object as unknown as Json)
  }

  async delete(
    ref: ResourceRef,
    namespace: string | undefined,
    name: string,
    options: { gracePeriodSeconds?: number; uid?: string; resourceVersion?: string } = {},
  ): Promise<void> {
    await Promise.resolve()
    this.#called({ verb: 'delete', plural: ref.plural, name })
    const before = this.#existing(ref, namespace, name)
    if (options.uid !== undefined && options.uid !== before.metadata.uid)
      throw new ApiError(409, 'Conflict', 'the UID in the precondition does not match')
    const grace = this.#graceSeconds(ref, before, options.gracePeriodSeconds)
    if (grace === 0 && (before.metadata.finalizers ?? []).length === 0) this.#remove(ref, before)
    else if (before.metadata.deletionTimestamp === undefined) {
      this.#write(ref, 'MODIFIED', {
        ...before,
        metadata: {
          ...before.metadata,
          deletionTimestamp: this.#timestamp(grace),
          deletionGracePeriodSeconds: grace,
        },
      })
    }
  }

  async createToken(
    namespace: string,
    serviceAccount: string,
    spec: TokenRequestSpec,
  ): Promise<TokenRequestStatus> {
    await Promise.resolve()
    const expiresAtMs = Date.now() + (spec.expirationSeconds ?? 3600) * 1000
    const token = `token-of-${namespace}-${serviceAccount}`
    return { token, expirationTimestamp: timestamp(expiresAtMs) }
  }

  async bind(namespace: string, pod: string, node: string): Promise<void> {
    await Promise.resolve()
    this.#called({ verb: 'bind', plural: 'pods', name: pod })
    const ref = { group: '', version: 'v1', plural: 'pods' }
    const before = this.#existing(ref, namespace, pod) as Stored<KubeObject & { spec: object }>
    if ('nodeName' in before.spec)
      throw new ApiError(409, 'Conflict', `pod ${pod} is already assigned to node`)
    const bound = { ...before, spec: { ...before.spec, nodeName: node } }
    this.#write(ref, 'MODIFIED', bound)
  }

  #called(call: Call): void {
    const error = this.intercept(call)
    if (error !== undefined) throw error
    this.calls.push(call)
  }

  #collection(ref: ResourceRef): Map<string, Stored<KubeObject>> {
    const known = this.#objects.get(pathOf(ref))
    if (known !== undefined) return known
    const made = new Map<string, Stored<KubeObject>>()
    this.#objects.set(pathOf(ref), made)
    return made
  }

  #existing(ref: ResourceRef, namespace: string | undefined, name: string): Stored<KubeObject> {
    const object = this.#collection(ref).get(keyOf(namespace, name))
    if (object === undefined)
      throw new ApiError(404, 'NotFound', `${ref.plural} "${name}" not found`)
    return object
  }

  #replace(
    ref: ResourceRef,
    before: Stored<KubeObject>,
    object: KubeObject,
    subresource: string | undefined,
  ): Stored<KubeObject> {
    const specOf = (of: KubeObject): unknown => ('spec' in of ? of.spec : undefined)
    const status = 'status' in before ? { status: before.status } : {}
    const wanted =
      subresource === 'status'
        ? { ...before, ...('status' in object ? { status: object.status } : {}) }
        : { ...object, ...status }
    const isSpecChanged = JSON.stringify(specOf(wanted)) !== JSON.stringify(specOf(before))
    const after = {
      ...wanted,
      metadata: {
        ...wanted.metadata,
        uid: before.metadata.uid,
        generation: (before.metadata.generation ?? 1) + (isSpecChanged ? 1 : 0),
      },
    }
    const isEnded =
      after.metadata.deletionTimestamp !== undefined &&
      (after.metadata.finalizers ?? []).length === 0 &&
      (before.metadata.finalizers ?? []).length > 0
    if (isEnded || (subresource === 'finalize' && isNamespaceEnded(after))) {
      return this.#remove(ref, after as Stored<KubeObject>)
    }
    if (jsonText(after) === jsonText(before)) return before
    return this.#write(ref, 'MODIFIED', after)
  }

  #graceSeconds(
    ref: ResourceRef,
    object: Stored<KubeObject>,
    requested: number | undefined,
  ): number {
    if (ref.plural === 'namespaces') return 1
    if (ref.plural !== 'pods') return 0
    const pod = object as unknown as {
      spec?: { nodeName?: string; terminationGracePeriodSeconds?: number }
      status?: { phase?: string }
    }
    const isFinished = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
    if (pod.spec?.nodeName === undefined || isFinished) return 0
    return requested ?? pod.spec.terminationGracePeriodSeconds ?? 30
  }

  #write(ref: ResourceRef, type: 'ADDED' | 'MODIFIED', object: KubeObject): Stored<KubeObject> {
    const stored = {
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(++this.#revision) },
    } as Stored<KubeObject>
    const key = keyOf(stored.metadata.namespace, stored.metadata.name)
    const before = this.#collection(ref).get(key)
    this.#collection(ref).set(key, stored)
    this.#changed({ path: pathOf(ref), event: { type, object: stored }, before })
    return stored
  }

  #remove(ref: ResourceRef, object: Stored<KubeObject>): Stored<KubeObject> {
    const last = {
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(++this.#revision) },
    }
    this.#collection(ref).delete(keyOf(object.metadata.namespace, object.metadata.name))
    this.#changed({ path: pathOf(ref), event: { type: 'DELETED', object: last }, before: object })
    return last
  }

  #changed(change: Change): void {
    this.#history.push(change)
    if (this.#held === undefined) this.#deliver(change)
    else this.#held.push(change)
  }
  #deliver(change: Change): void {
    for (const watcher of this.#watchers) offer(watcher, change)
  }

  #timestamp(inSeconds = 0): string {
    return `${new Date(this.now() + inSeconds * 1000).toISOString().slice(0, 19)}Z`
  }
}

const jsonText = (object: object): string => JSON.stringify(object)

function isNamespaceEnded(object: KubeObject): boolean {
  const spec = (object as unknown as { spec?: { finalizers?: readonly string[] } }).spec
  return object.metadata.deletionTimestamp !== undefined && (spec?.finalizers ?? []).length === 0
}

/** Entering a selector is ADDED, leaving it DELETED. */
function offer(watcher: Watcher, { path, event, before }: Change): void {
  if (path !== watcher.path) return
  const isNow = event.type !== 'DELETED' && isSelected(event.object, watcher.options)
  const wasBefore = before !== undefined && isSelected(before, watcher.options)
  if (isNow)
    watcher.handlers.event({ type: wasBefore ? 'MODIFIED' : 'ADDED', object: event.object })
  else if (wasBefore) watcher.handlers.event({ type: 'DELETED', object: event.object })
}

function isSelected(object: KubeObject, options: ListOptions): boolean {
  if (options.labelSelector !== undefined) throw new Error('the fake knows no label selectors')
  if (options.namespace !== undefined && object.metadata.namespace !== options.namespace)
    return false
  return (options.fieldSelector ?? '')
    .split(',')
    .filter((term) => term !== '')
    .every((term) => {
      const [path = '', wanted = ''] = term.split('=')
      let value: unknown = object
      for (const name of path.split('.')) {
        value = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
      }
      return (value ?? '') === wanted
    })
}
