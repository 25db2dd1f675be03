// What the garbage collector's reconcile needs of the caches: an object's owners and dependents across all kinds.
import { keyOf, objectKey, splitKey } from '../client/object-cache.ts'
import type { GarbageView, OwnerState } from '../controllers/garbage-collector.ts'
import { jsonEqual } from '../resources/json-equal.ts'
import type { KubeObject, OwnerReference, Stored } from '../resources/object.ts'
import { collectionName } from './expectations.ts'
import type { CachedKind } from './controller.ts'
import type { Watch } from './controller-loop.ts'

const separator = '|'
const waitingFinalizers = ['foregroundDeletion', 'orphan']

/** Keys are `COLLECTION|NAMESPACE/NAME`. */
export class GarbageViews {
  readonly #kinds: Map<string, CachedKind>

  constructor(kinds: readonly CachedKind[]) {
    this.#kinds = new Map(kinds.map((kind) => [collectionName(kind.type), kind]))
  }

  add(kind: CachedKind): void {
    this.#kinds.set(collectionName(kind.type), kind)
  }

  remove({ type }: Pick<CachedKind, 'type'>): void {
    this.#kinds.delete(collectionName(type))
  }

  /** The objects that a change of this one may concern: itself, those it owns, and owners that wait for it. */
  keysOf({ type }: CachedKind, object: Stored<KubeObject>): string[] {
    const { ownerReferences = [], finalizers = [] } = object.metadata
    const isOwn =
      ownerReferences.length > 0 || finalizers.some((each) => waitingFinalizers.includes(each))
    const owners = ownerReferences.flatMap((reference) => {
      const kind = this.#kindOf(reference)
      const owner = kind?.informer.get(ownerKey(kind, object, reference))
      return kind !== undefined && owner?.metadata.deletionTimestamp !== undefined
        ? [garbageKey(kind, owner)]
        : []
    })
    const dependents = this.#dependents(object.metadata.uid).map(({ kind, object: dependent }) =>
      garbageKey(kind, dependent),
    )
    return [...(isOwn ? [garbageKey({ type }, object)] : []), ...owners, ...dependents]
  }

  /** Tells of changes that matter to who owns whom; most changes do not, and an owner may have thousands of dependents. */
  watch(kind: CachedKind): Watch {
    const { informer } = kind
    return {
      subscribe: (changed) => {
        informer.onChange((_key, current, previous) => {
          if (current !== undefined && previous !== undefined && isSameOwnership(current, previous))
            return
          if (previous !== undefined) changed(this.keysOf(kind, previous))
          if (current !== undefined) changed(this.keysOf(kind, current))
        })
      },
      keys: () => informer.list().flatMap((object) => this.keysOf(kind, object)),
      synced: () => informer.synced(),
    }
  }

  /** Undefined: the object is gone. */
  view(key: string): GarbageView | undefined {
    const [collection = '', objectPart = ''] = key.split(separator)
    const kind = this.#kinds.get(collection)
    const object = kind?.informer.get(objectPart)
    if (kind === undefined || object === undefined) return undefined
    return {
      target: { ref: kind.type, object },
      owners: (object.metadata.ownerReferences ?? []).map((reference) =>
        this.#owner(object, reference),
      ),
      dependents: this.#dependents(object.metadata.uid).map((dependent) => ({
        ref: dependent.kind.type,
        object: dependent.object,
      })),
    }
  }

  #owner(object: Stored<KubeObject>, reference: OwnerReference): GarbageView['owners'][number] {
    const kind = this.#kindOf(reference)
    if (kind === undefined) return { reference, id: undefined, state: 'unknownKind' }
    const key = ownerKey(kind, object, reference)
    const found = kind.informer.get(key)
    const state: OwnerState = found?.metadata.uid === reference.uid ? found : 'absent'
    const { namespace, name } = splitKey(key)
    return { reference, id: { ref: kind.type, namespace, name, uid: reference.uid }, state }
  }

  #kindOf({ apiVersion, kind }: OwnerReference): CachedKind | undefined {
    const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
    for (const each of this.#kinds.values())
      if (each.type.kind === kind && each.type.group === group) return each
    return undefined
  }

  #dependents(uid: string): { kind: CachedKind; object: Stored<KubeObject> }[] {
    const found: { kind: CachedKind; object: Stored<KubeObject> }[] = []
    for (const kind of this.#kinds.values()) {
      // Of most kinds nothing is owned, and every object that comes or goes is asked about.
      if (kind.informer.isIndexEmpty('owner')) continue
      for (const object of kind.informer.find('owner', uid)) found.push({ kind, object })
    }
    return found
  }
}

/** Whether both are one object with the same owners, finalizers and end. */
const isSameOwnership = (
  { metadata: left }: Stored<KubeObject>,
  { metadata: right }: Stored<KubeObject>,
): boolean =>
  left.uid === right.uid &&
  left.deletionTimestamp === right.deletionTimestamp &&
  jsonEqual(left.ownerReferences, right.ownerReferences) &&
  jsonEqual(left.finalizers, right.finalizers)

const garbageKey = ({ type }: Pick<CachedKind, 'type'>, object: Stored<KubeObject>): string =>
  `${collectionName(type)}${separator}${objectKey(object)}`

/** An owner is in the namespace of what it owns, or in none. */
const ownerKey = (
  { type }: CachedKind,
  object: Stored<KubeObject>,
  { name }: OwnerReference,
): string => keyOf(type.namespaced ? object.metadata.namespace : undefined, name)
