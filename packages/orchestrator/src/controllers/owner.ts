// Who controls an object: the one ownerReference with `controller: true`, adoption of orphans and release of what no longer matches.
import type { KubeObject, ObjectMeta, OwnerReference, Stored } from '../resources/object.ts'
import type { Action, CollectionRef, ObjectId, Regarding } from './action.ts'

export const controllerOf = (object: KubeObject): OwnerReference | undefined =>
  object.metadata.ownerReferences?.find((owner) => owner.controller === true)

export const controllerReference = (owner: Stored<KubeObject>): OwnerReference => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid,
  controller: true,
  blockOwnerDeletion: true,
})

export const regarding = (object: Stored<KubeObject>): Regarding => ({
  apiVersion: object.apiVersion,
  kind: object.kind,
  ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
  name: object.metadata.name,
  uid: object.metadata.uid,
})

export const idOf = (ref: CollectionRef, { metadata }: Stored<KubeObject>): ObjectId => ({
  ref,
  namespace: metadata.namespace,
  name: metadata.name,
  uid: metadata.uid,
})

export interface Claim<T extends KubeObject> {
  /** What the owner controls once the actions are done. */
  readonly owned: readonly Stored<T>[]
  readonly actions: readonly Action[]
}

/** Adopts candidates without a controller that match, releases owned ones that do not. An owner that is being deleted adopts nothing. */
export function claim<T extends KubeObject>(
  owner: Stored<KubeObject>,
  ownerRef: CollectionRef,
  ref: CollectionRef,
  candidates: readonly Stored<T>[],
  matches: (object: Stored<T>) => boolean,
): Claim<T> {
  const owned: Stored<T>[] = []
  const actions: Action[] = []
  for (const object of candidates) {
    const controller = controllerOf(object)
    if (controller?.uid === owner.metadata.uid) {
      if (matches(object)) owned.push(object)
      else if (owner.metadata.deletionTimestamp === undefined)
        actions.push(ownersPatch(ref, object, otherOwners(object, owner)))
    } else if (
      controller === undefined &&
      matches(object) &&
      owner.metadata.deletionTimestamp === undefined &&
      object.metadata.deletionTimestamp === undefined
    ) {
      owned.push(object)
      actions.push(
        // The cache may not show yet that the owner is going: then it must not take back what it let go.
        {
          ...ownersPatch(ref, object, [...otherOwners(object, owner), controllerReference(owner)]),
          onlyIf: idOf(ownerRef, owner),
        },
      )
    }
  }
  return { owned, actions }
}

const otherOwners = (object: KubeObject, owner: Stored<KubeObject>): OwnerReference[] =>
  (object.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.metadata.uid)

/** Only if nobody changed the object since: two owners must not both adopt it. */
export const ownersPatch = (
  ref: CollectionRef,
  object: Stored<KubeObject>,
  owners: readonly OwnerReference[],
): Extract<Action, { type: 'patch' }> => ({
  type: 'patch',
  ref,
  namespace: object.metadata.namespace,
  name: object.metadata.name,
  patch: {
    metadata: {
      resourceVersion: object.metadata.resourceVersion,
      ownerReferences: owners.map((owner) => ({ ...owner })),
    },
  },
})

/** Metadata of an object made from a template for `owner`. */
export const metadataFrom = (
  template: ObjectMeta | undefined,
  owner: Stored<KubeObject>,
): ObjectMeta => ({
  ...(owner.metadata.namespace === undefined ? {} : { namespace: owner.metadata.namespace }),
  ...(template?.labels === undefined ? {} : { labels: template.labels }),
  ...(template?.annotations === undefined ? {} : { annotations: template.annotations }),
  ...(template?.finalizers === undefined ? {} : { finalizers: template.finalizers }),
  ownerReferences: [controllerReference(owner)],
})
