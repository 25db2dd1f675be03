// The scale of workloads that have spec.replicas and status.replicas.
import { formatSelector } from '../label-selector.ts'
import type { KubeObject, LabelSelector, ResourceType } from '../object.ts'

interface Replicated extends KubeObject {
  readonly spec: { readonly replicas?: number }
  readonly status: { readonly replicas?: number }
}

/** `selectorOf`: which pods are counted. */
export const replicasScale = <T extends Replicated>(
  selectorOf: (object: T) => LabelSelector,
): NonNullable<ResourceType<T>['subresources']['scale']> => ({
  get: (object) => ({
    specReplicas: object.spec.replicas ?? 1,
    statusReplicas: object.status.replicas ?? 0,
    selector: formatSelector(selectorOf(object)),
  }),
  set: (object, replicas) => ({ ...object, spec: { ...object.spec, replicas } }),
})
