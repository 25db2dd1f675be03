// Lease: who holds a role, and since when; how components elect one leader and how agents show that they live.
import { ageColumn, column, nameColumn } from './columns.ts'
import { ageOf } from './human-duration.ts'
import type { FieldError, KubeObject, ResourceType } from './object.ts'
import { dns1123SubdomainProblems } from './names.ts'
import { allVerbs } from './update-rules.ts'
import { invalid } from './validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from './validation/validate-metadata.ts'

export interface Lease extends KubeObject {
  readonly spec: {
    readonly holderIdentity?: string
    readonly leaseDurationSeconds?: number
    /** RFC 3339 with microseconds. */
    readonly acquireTime?: string
    readonly renewTime?: string
    readonly leaseTransitions?: number
  }
}

export const leaseType: ResourceType<Lease> = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  singular: 'lease',
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: allVerbs,
  subresources: {},
  defaults: (object) => object,
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...validateSpec(object.spec),
  ],
  validateUpdate: (object, old) => validateMetadataUpdate(object.metadata, old.metadata),
  columns: [nameColumn, column('Holder', 'Who holds the lease.'), ageColumn],
  cells: (object, now) => [
    object.metadata.name ?? '',
    object.spec.holderIdentity ?? '',
    ageOf(object.metadata.creationTimestamp, now),
  ],
}

function validateSpec(spec: Lease['spec']): FieldError[] {
  const { leaseDurationSeconds: duration, leaseTransitions: transitions } = spec
  return [
    ...(duration !== undefined && duration <= 0
      ? [invalid('spec.leaseDurationSeconds', duration, 'must be greater than 0')]
      : []),
    ...(transitions !== undefined && transitions < 0
      ? [invalid('spec.leaseTransitions', transitions, 'must be greater than or equal to 0')]
      : []),
  ]
}
