// Namespace deletion: everything in it goes, then its own finalizer, with which the apiserver removes it.
import { namespaceType, type Namespace } from '../resources/namespace.ts'
import type { Stored } from '../resources/object.ts'
import type { CollectionRef, Reconciliation } from './action.ts'

const finalizer = 'kubernetes'

/** `refs`: all namespaced kinds that the server knows. */
export function reconcileNamespace(
  namespace: Stored<Namespace>,
  refs: readonly CollectionRef[],
): Reconciliation {
  const { metadata, spec } = namespace
  const finalizers = spec.finalizers ?? []
  if (metadata.deletionTimestamp === undefined || !finalizers.includes(finalizer))
    return { actions: [] }
  const object: Namespace = {
    ...namespace,
    spec: { ...spec, finalizers: finalizers.filter((each) => each !== finalizer) },
  }
  return {
    actions: [
      { type: 'deleteContents', refs, namespace: metadata.name },
      { type: 'update', ref: namespaceType, object, subresource: 'finalize' },
    ],
  }
}
