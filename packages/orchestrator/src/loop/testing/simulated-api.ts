// An apiserver without a store behind it, for simulations of controllers: the kinds' own defaults, preparation and validation, compare and
// swap, finalizers and graceful deletion. Every change is in a log, from which caches that lag behind are fed.
import type { Action, CollectionRef } from '../../controllers/action.ts'
import { objectKey, keyOf } from '../../client/object-cache.ts'
import { resourceTypes } from '../../resources/index.ts'
import { jsonEqual } from '../../resources/json-equal.ts'
import { namespaceType } from '../../resources/namespace.ts'
import type { Json, KubeObject, ObjectMeta, ResourceType, Stored } from '../../resources/object.ts'
import { applyJsonMergePatch } from '../../resources/patch/json-merge-patch.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import { timestamp } from '../../resources/timestamp.ts'
import { collectionName } from '../expectations.ts'
import { ClusterInvariants } from './cluster-invariants.ts'

/** One change of one object; undefined: it is gone. */
export interface Change {
  readonly revision: number
  readonly key: string
  readonly object: Stored<KubeObject> | undefined
}

/** What an apiserver answers instead of doing it. */
export class Refusal extends Error {
  readonly reason: 'NotFound' | 'Conflict' | 'AlreadyExists' | 'Invalid' | 'Unavailable'

  constructor(reason: Refusal['reason'], message: string) {
    super(message)
    this.reason = reason
  }
}

const types = new Map(
  resourceTypes
    .filter(({ storage }) => storage === undefined)
    .map((type) => [collectionName(type), type]),
)
const typeOf = (ref: CollectionRef): ResourceType => {
  const type = types.get(collectionName(ref))
  if (type === undefined) throw new Error(`no kind ${ref.plural}.${ref.group}`)
  return type
}

export class SimulatedApi {
  readonly #collections = new Map<string, Map<string, Stored<KubeObject>>>()
  readonly #logs = new Map<string, Change[]>()
  /** Those that there ever were objects of. */
  readonly #types = new Map<string, ResourceType>()
  #revision = 0
  #names = 0
  nowMs: number
  readonly events: { readonly reason: string; readonly message: string }[] = []
  readonly invariants = new ClusterInvariants()
  /** Told of every object that was created or changed. */
  onWrite: (object: Stored<KubeObject>) => void = () => undefined
  /** Deletions may ask it to go first, or to let dependents be; else nobody would take its finalizers. */
  hasCollector = false

  constructor(nowMs: number) {
    this.nowMs = nowMs
  }

  get revision(): number {
    return this.#revision
  }
  log(ref: CollectionRef): readonly Change[] {
    return this.#logs.get(collectionName(ref)) ?? []
  }
  all<T extends KubeObject>(ref: CollectionRef): Stored<T>[] {
    return [...(this.#collections.get(collectionName(ref))?.values() ?? [])] as Stored<T>[]
  }
  get<T extends KubeObject>(ref: CollectionRef, key: string): Stored<T> | undefined {
    return this.#collections.get(collectionName(ref))?.get(key) as Stored<T> | undefined
  }
  /** Everything of every kind. */
  everything(): { ref: ResourceType; object: Stored<KubeObject> }[] {
    return [...this.#types.values()].flatMap((ref) =>
      this.all(ref).map((object) => ({ ref, object })),
    )
  }

  create<T extends KubeObject>(ref: CollectionRef, sent: T): Stored<T> {
    const type = typeOf(ref)
    this.#types.set(collectionName(ref), type)
    const name = sent.metadata.name ?? `${sent.metadata.generateName ?? ''}${++this.#names}`
    const { resourceVersion: _version, ...metadata } = sent.metadata
    if (this.get(ref, keyOf(metadata.namespace, name)) !== undefined)
      throw new Refusal('AlreadyExists', `${ref.plural} "${name}" already exists`)
    const object: KubeObject = {
      ...('status' in sent ? {} : { status: {} }),
      ...sent,
      metadata: {
        ...metadata,
        name,
        uid: `uid-${this.#revision + 1}`,
        creationTimestamp: timestamp(this.nowMs),
      },
    }
    this.#checkNamespace(metadata.namespace)
    const defaulted = type.defaults(object)
    const prepared = type.prepareForCreate?.(defaulted) ?? defaulted
    this.#check(type, prepared, undefined)
    return this.#write(ref, prepared) as Stored<T>
  }

  update<T extends KubeObject>(ref: CollectionRef, sent: T, subresource?: string): Stored<T> {
    const type = typeOf(ref)
    const before = this.#existing(ref, objectKey(sent))
    if (
      sent.metadata.resourceVersion !== undefined &&
      sent.metadata.resourceVersion !== before.metadata.resourceVersion
    )
      throw new Refusal('Conflict', 'the object has been modified')
    if (sent.metadata.uid !== undefined && sent.metadata.uid !== before.metadata.uid)
      throw new Refusal('Conflict', 'another object of that name')
    if (subresource === 'finalize') return this.#finalize(ref, before, sent) as Stored<T>
    if (subresource === 'status' || subresource === 'approval') {
      const { status } = sent as KubeObject & { status?: unknown }
      return this.#write(ref, { ...before, status } as KubeObject) as Stored<T>
    }
    const kept = { ...sent, metadata: { ...sent.metadata, ...systemMetadata(before.metadata) } }
    const defaulted = type.defaults(kept)
    const prepared = type.prepareForUpdate?.(defaulted, before) ?? defaulted
    this.#check(type, prepared, before)
    return this.#write(ref, prepared) as Stored<T>
  }

  patch(ref: CollectionRef, key: string, patch: Json, subresource?: string): Stored<KubeObject> {
    const before = this.#existing(ref, key)
    const { metadata } = patch as { metadata?: ObjectMeta }
    if (metadata?.uid !== undefined && metadata.uid !== before.metadata.uid)
      throw new Refusal('Conflict', 'another object of that name')
    if (
      metadata?.resourceVersion !== undefined &&
      metadata.resourceVersion !== before.metadata.resourceVersion
    )
      throw new Refusal('Conflict', 'the object has been modified')
    const patched = applyJsonMergePatch(before as unknown as Json, patch)
    if (!patched.ok) throw new Refusal('Invalid', patched.message)
    return this.update(ref, patched.value as unknown as KubeObject, subresource)
  }

  /** Pods of a node end when its agent says so, objects with finalizers when the last is taken. */
  delete(
    ref: CollectionRef,
    key: string,
    uid: string,
    { graceSeconds, policy }: { readonly graceSeconds?: number; readonly policy?: Policy } = {},
  ): void {
    const found = this.get(ref, key)
    if (found === undefined) return
    if (found.metadata.uid !== uid) throw new Refusal('Conflict', 'another object of that name')
    const object = this.hasCollector ? withPolicy(found, policy) : found
    const isGraceful = ref.plural === 'pods' && graceSeconds !== 0 && isOnNode(object)
    const isHeld = (object.metadata.finalizers ?? []).length > 0 || isNamespaceHeld(object)
    if (!isGraceful && !isHeld) this.#remove(ref, object)
    else if (object.metadata.deletionTimestamp === undefined)
      this.#write(ref, {
        ...object,
        metadata: {
          ...object.metadata,
          deletionTimestamp: timestamp(this.nowMs),
          deletionGracePeriodSeconds: isGraceful ? 30 : 0,
        },
      })
  }

  /** What the scheduler's binding does. */
  bind(pod: Stored<Pod>, nodeName: string): void {
    this.#write(podType, { ...pod, spec: { ...pod.spec, nodeName } } as Pod)
  }

  /** What is left of an object whose agent is done with it. */
  end(ref: CollectionRef, object: Stored<KubeObject>): void {
    if ((object.metadata.finalizers ?? []).length === 0) this.#remove(ref, object)
  }

  /** One action, whole or not at all. Returns what was written. */
  perform(action: Exclude<Action, { type: 'slowStart' }>): Stored<KubeObject> | undefined {
    switch (action.type) {
      case 'create':
        return this.create(action.ref, action.object)
      case 'update':
        return this.update(action.ref, action.object, action.subresource)
      case 'patch': {
        const { onlyIf } = action
        if (onlyIf !== undefined) {
          const owner = this.get(onlyIf.ref, keyOf(onlyIf.namespace, onlyIf.name))
          const isThere = owner?.metadata.uid === onlyIf.uid
          if (!isThere || owner.metadata.deletionTimestamp !== undefined) return undefined
        }
        const { unless } = action
        if (unless !== undefined) {
          const found = this.get(unless.ref, keyOf(unless.namespace, unless.name))
          const isThat = unless.uid === undefined || found?.metadata.uid === unless.uid
          if (found !== undefined && isThat) return undefined
        }
        const key = keyOf(action.namespace, action.name)
        return this.patch(action.ref, key, action.patch, action.subresource)
      }
      case 'delete':
        this.delete(action.ref, keyOf(action.namespace, action.name), action.uid, {
          ...(action.propagationPolicy === undefined ? {} : { policy: action.propagationPolicy }),
          ...(action.gracePeriodSeconds === undefined
            ? {}
            : { graceSeconds: action.gracePeriodSeconds }),
        })
        return undefined
      case 'event':
        this.events.push(action.event)
        return undefined
      case 'deleteUnowned': {
        const { ref, namespace, name, uid, owners } = action
        const isOwned = owners.some(
          (owner) =>
            this.get(owner.ref, keyOf(owner.namespace, owner.name))?.metadata.uid === owner.uid,
        )
        if (!isOwned) this.delete(ref, keyOf(namespace, name), uid)
        return undefined
      }
      case 'deleteContents':
        this.#deleteContents(action.refs, action.namespace)
        return undefined
    }
  }

  /** In simulations that have Namespaces at all. */
  #checkNamespace(name: string | undefined): void {
    if (name === undefined || !this.#types.has(collectionName(namespaceType))) return
    const namespace = this.get(namespaceType, name)
    if (namespace === undefined) throw new Refusal('NotFound', `namespaces "${name}" not found`)
    if (namespace.metadata.deletionTimestamp !== undefined)
      throw new Refusal('Unavailable', `namespace ${name} is being terminated`)
  }

  #deleteContents(refs: readonly CollectionRef[], namespace: string): void {
    let found = 0
    for (const ref of refs)
      for (const object of this.all(ref)) {
        if (object.metadata.namespace !== namespace) continue
        found++
        this.delete(ref, objectKey(object), object.metadata.uid)
      }
    if (found > 0) throw new Refusal('Unavailable', `${namespace} held ${found} objects`)
  }

  /** The last of a Namespace's own finalizers was its end. */
  #finalize(
    ref: CollectionRef,
    before: Stored<KubeObject>,
    { spec }: KubeObject & { spec?: unknown },
  ): Stored<KubeObject> {
    const object = { ...before, spec } as Stored<KubeObject>
    const isOver = before.metadata.deletionTimestamp !== undefined && !isNamespaceHeld(object)
    return isOver ? this.#remove(ref, object) : this.#write(ref, object)
  }

  #existing(ref: CollectionRef, key: string): Stored<KubeObject> {
    const object = this.get(ref, key)
    if (object === undefined) throw new Refusal('NotFound', `${ref.plural} "${key}" not found`)
    return object
  }

  #check(type: ResourceType, object: KubeObject, old: KubeObject | undefined): void {
    const errors = [
      ...type.validate(object),
      ...(old === undefined ? [] : (type.validateUpdate?.(object, old) ?? [])),
    ]
    if (errors.length > 0)
      throw new Refusal(
        'Invalid',
        errors.map(({ field, message }) => `${field}: ${message}`).join(),
      )
  }

  #write(ref: CollectionRef, object: KubeObject): Stored<KubeObject> {
    const key = objectKey(object)
    const before = this.get(ref, key)
    const { metadata } = object
    if (metadata.deletionTimestamp !== undefined && before !== undefined) {
      const isFreed =
        (metadata.finalizers ?? []).length === 0 && (before.metadata.finalizers ?? []).length > 0
      const isLingering = ref.plural === 'pods' && isOnNode(object)
      if (isFreed && !isLingering)
        return this.#remove(ref, { ...before, ...object } as typeof before)
    }
    if (before !== undefined && jsonEqual(object, before)) return before
    const stored = {
      ...object,
      metadata: { ...metadata, resourceVersion: String(++this.#revision) },
    } as Stored<KubeObject>
    const name = collectionName(ref)
    const collection = this.#collections.get(name) ?? new Map<string, Stored<KubeObject>>()
    this.#collections.set(name, collection.set(key, stored))
    this.#tell(name, { revision: this.#revision, key, object: stored }, before)
    this.onWrite(stored)
    return stored
  }

  #remove(ref: CollectionRef, object: Stored<KubeObject>): Stored<KubeObject> {
    const key = objectKey(object)
    this.#collections.get(collectionName(ref))?.delete(key)
    this.#tell(collectionName(ref), { revision: ++this.#revision, key, object: undefined }, object)
    const metadata = { ...object.metadata, resourceVersion: String(this.#revision) }
    return { ...object, metadata }
  }

  #tell(name: string, change: Change, previous: Stored<KubeObject> | undefined): void {
    const { revision, object } = change
    this.invariants.take({ revision, object, previous })
    const log = this.#logs.get(name)
    if (log === undefined) this.#logs.set(name, [change])
    else log.push(change)
  }
}

type Policy = 'Background' | 'Foreground' | 'Orphan'

const withPolicy = (object: Stored<KubeObject>, policy?: Policy): Stored<KubeObject> => {
  if (policy === undefined || policy === 'Background') return object
  const finalizer = policy === 'Foreground' ? 'foregroundDeletion' : 'orphan'
  const finalizers = [...new Set([...(object.metadata.finalizers ?? []), finalizer])]
  return { ...object, metadata: { ...object.metadata, finalizers } }
}

const isNamespaceHeld = ({ kind, ...object }: KubeObject): boolean => {
  const { spec } = object as { spec?: { finalizers?: readonly string[] } }
  return kind === 'Namespace' && (spec?.finalizers ?? []).length > 0
}

const isOnNode = (object: KubeObject): boolean => {
  const { spec, status } = object as KubeObject & {
    spec?: { nodeName?: string }
    status?: { phase?: string }
  }
  const isOver = status?.phase === 'Succeeded' || status?.phase === 'Failed'
  return (spec?.nodeName ?? '') !== '' && !isOver
}

const systemMetadata = (metadata: ObjectMeta): Partial<ObjectMeta> => {
  const { uid, creationTimestamp, generation, deletionTimestamp, deletionGracePeriodSeconds } =
    metadata
  return Object.fromEntries(
    Object.entries({
      uid,
      creationTimestamp,
      generation,
      deletionTimestamp,
      deletionGracePeriodSeconds,
    }).filter(([, value]) => value !== undefined),
  )
}
