// Garbage collection by ownerReferences: what lost all its owners goes; an owner that is deleted in the foreground waits for its
// dependents; one that is deleted with `orphan` lets them go first.
import type { KubeObject, OwnerReference, Stored } from '../resources/object.ts'
import type { Action, CollectionRef, ObjectId, Reconciliation } from './action.ts'

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
    if (finalizers.includes(foreground)) return { actions: deleteDependents(view) }
    return { actions: [] }
  }
  return { actions: collect(view) }
}

function collect({ target, owners }: GarbageView): Action[] {
  if (owners.length === 0) return []
  const absent = owners.filter(({ state }) => state === 'absent')
  const { namespace, name, uid } = target.object.metadata
  if (absent.length === owners.length) {
    const ids = owners.map(({ id }) => id).filter((id) => id !== undefined)
    return [{ type: 'deleteUnowned', ref: target.ref, namespace, name, uid, owners: ids }]
  }
  const isAwaited = owners.some(({ reference, state }) => {
    if (typeof state === 'string' || reference.blockOwnerDeletion !== true) return false
    const { deletionTimestamp, finalizers = [] } = state.metadata
    return deletionTimestamp !== undefined && finalizers.includes(foreground)
  })
  const isSolelyAwaited =
    isAwaited &&
    owners.every(
      ({ state }) => typeof state !== 'string' && state.metadata.deletionTimestamp !== undefined,
    )
  return isSolelyAwaited
    ? [{ type: 'delete', ref: target.ref, namespace, name, uid, propagationPolicy: 'Foreground' }]
    : []
}

/** The last dependent that blocks it is gone: so may the owner. */
function deleteDependents({ target, dependents }: GarbageView): Action[] {
  const { uid } = target.object.metadata
  const blocking = dependents.filter(({ object }) =>
    object.metadata.ownerReferences?.some(
      (owner) => owner.uid === uid && owner.blockOwnerDeletion === true,
    ),
  )
  if (blocking.length === 0) return [withoutFinalizer(target, foreground)]
  return blocking
    .filter(({ object }) => object.metadata.deletionTimestamp === undefined)
    .map(({ ref, object }) => ({
      type: 'delete',
      ref,
      namespace: object.metadata.namespace,
      name: object.metadata.name,
      uid: object.metadata.uid,
      propagationPolicy: 'Foreground',
    }))
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
