// Garbage collection by ownerReferences: what lost all its owners goes; an owner that is deleted in the foreground waits for its
// dependents; one that is deleted with `orphan` lets them go first.
import type { KubeObject, OwnerReference, Stored } from '../resources/object.ts'
import {
  deletionOf,
  type Action,
  type CollectionRef,
  type ObjectId,
  type Reconciliation,
} from './action.ts'
import { ownersPatch } from './owner.ts'

export interface Collected {
  readonly ref: CollectionRef
  readonly object: Stored<KubeObject>
}
/** What the cache knows of an owner; `unknownKind` is none of ours to judge and counts as there. */
export type OwnerState = Stored<KubeObject> | 'absent' | 'unknownKind'
export interface GarbageView {
  readonly target: Collected
  /** In the order of metadata.ownerReferences. */
  readonly owners: readonly {
    readonly reference: OwnerReference
    readonly id: ObjectId | undefined
    readonly state: OwnerState
  }[]
  readonly dependents: readonly Collected[]
}

const foreground = 'foregroundDeletion'
const orphan = 'orphan'

export function reconcileGarbage(view: GarbageView): Reconciliation {
  const { metadata } = view.target.object
  const finalizers = metadata.finalizers ?? []
  if (metadata.deletionTimestamp !== undefined) {
    if (finalizers.includes(orphan)) return { actions: releaseDependents(view) }
    if (finalizers.includes(foreground)) return { actions: awaitDependents(view) }
    return { actions: [] }
  }
  return { actions: collect(view) }
}

function collect({ target, owners, dependents }: GarbageView): Action[] {
  if (owners.length === 0) return []
  const absent = owners.filter(({ state }) => state === 'absent')
  const { namespace, name, uid } = target.object.metadata
  if (absent.length === owners.length) {
    const ids = owners.map(({ id }) => id).filter((id) => id !== undefined)
    return [{ type: 'deleteUnowned', ref: target.ref, namespace, name, uid, owners: ids }]
  }
  const going = owners.filter(({ state }) => typeof state !== 'string' && isInForeground(state))
  if (going.length === 0) return []
  // Whoever has another owner left stays, and is no dependent of the one that goes.
  if (going.length + absent.length < owners.length) {
    const gone = new Set(going.map(({ reference }) => reference.uid))
    return [withOwners(target, (owner) => (gone.has(owner.uid) ? [] : owner))]
  }
  const deletion = deletionOf(target.ref, target.object, { propagationPolicy: 'Foreground' })
  // Owners that own each other in a circle would wait for ever: here it is cut.
  return dependents.some(({ object }) => isInForeground(object))
    ? [withOwners(target, (owner) => ({ ...owner, blockOwnerDeletion: false })), deletion]
    : [deletion]
}

const isInForeground = ({ metadata }: Stored<KubeObject>): boolean =>
  metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(foreground) === true

const withOwners = (
  { ref, object }: Collected,
  change: (owner: OwnerReference) => OwnerReference | readonly OwnerReference[],
): Action => ownersPatch(ref, object, (object.metadata.ownerReferences ?? []).flatMap(change))

/** Its dependents are deleted on their own account; when the last one that blocks it is gone, so may it. */
function awaitDependents({ target, dependents }: GarbageView): Action[] {
  const { uid } = target.object.metadata
  const isBlocked = dependents.some(({ object }) =>
    object.metadata.ownerReferences?.some(
      (owner) => owner.uid === uid && owner.blockOwnerDeletion === true,
    ),
  )
  return isBlocked ? [] : [withoutFinalizer(target, foreground)]
}

function releaseDependents({ target, dependents }: GarbageView): Action[] {
  if (dependents.length === 0) return [withoutFinalizer(target, orphan)]
  const { uid } = target.object.metadata
  return dependents.map(({ ref, object }) => ({
    type: 'update',
    ref,
    object: {
      ...object,
      metadata: {
        ...object.metadata,
        ownerReferences: (object.metadata.ownerReferences ?? []).filter(
          (owner) => owner.uid !== uid,
        ),
      },
    },
  }))
}

const withoutFinalizer = ({ ref, object }: Collected, finalizer: string): Action => ({
  type: 'update',
  ref,
  object: {
    ...object,
    metadata: {
      ...object.metadata,
      finalizers: (object.metadata.finalizers ?? []).filter((each) => each !== finalizer),
    },
  },
})
