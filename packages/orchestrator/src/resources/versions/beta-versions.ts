// The betas that older clients insist on and whose fields are those of the stable version.
import { apiVersionOf, servedAs } from '../served-version.ts'
import type { ResourceType } from '../object.ts'

/** By the stored version, the kinds and the versions they are served in besides. */
const betas: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'apiregistration.k8s.io/v1': { apiservices: ['v1beta1'] },
  'batch/v1': { cronjobs: ['v1beta1'] },
  'policy/v1': { poddisruptionbudgets: ['v1beta1'] },
  'autoscaling/v2': { horizontalpodautoscalers: ['v2beta2'] },
  'coordination.k8s.io/v1': { leases: ['v1beta1'] },
  'networking.k8s.io/v1': { ingressclasses: ['v1beta1'] },
  'node.k8s.io/v1': { runtimeclasses: ['v1beta1'] },
  'scheduling.k8s.io/v1': { priorityclasses: ['v1beta1'] },
  'storage.k8s.io/v1': {
    csidrivers: ['v1beta1'],
    csinodes: ['v1beta1'],
    csistoragecapacities: ['v1beta1'],
    storageclasses: ['v1beta1'],
    volumeattachments: ['v1beta1'],
  },
}

/** `types` and, after each, its betas. */
export const withBetas = (types: readonly ResourceType[]): ResourceType[] =>
  types.flatMap((type) => [
    type,
    ...(betas[apiVersionOf(type)]?.[type.plural] ?? []).map((version) =>
      servedAs(type, { version }),
    ),
  ])
