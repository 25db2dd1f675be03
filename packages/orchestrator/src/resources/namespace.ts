// Namespace: the scope of names. Its finalizer and phase belong to the system; the namespace controller empties and ends it.
import { ageColumn, column, nameColumn } from './columns.ts'
import { ageOf } from './human-duration.ts'
import type { Condition, KubeObject, ResourceType } from './object.ts'
import { allVerbs, keepStatus } from './update-rules.ts'
import { dns1123LabelProblems } from './names.ts'
import { validateMetadata, validateMetadataUpdate } from './validation/validate-metadata.ts'

export interface Namespace extends KubeObject {
  readonly spec: { readonly finalizers?: readonly string[] }
  readonly status: {
    readonly phase?: 'Active' | 'Terminating'
    readonly conditions?: readonly Condition[]
  }
}

const nameLabel = 'kubernetes.io/metadata.name'

export const namespaceType: ResourceType<Namespace> = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  categories: [],
  namespaced: false,
  verbs: allVerbs.filter((verb) => verb !== 'deletecollection'),
  subresources: { status: true },
  defaults: withNameLabel,
  prepareForCreate: (object) => ({
    ...object,
    spec: { ...object.spec, finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  }),
  prepareForUpdate: (object, old) => ({ ...keepStatus(object, old), spec: old.spec }),
  validate: (object) => validateMetadata(object.metadata, dns1123LabelProblems),
  validateUpdate: (object, old) => validateMetadataUpdate(object.metadata, old.metadata),
  columns: [nameColumn, column('Status', 'The status of the namespace'), ageColumn],
  cells: (object, now) => [
    object.metadata.name ?? '',
    object.status.phase ?? '',
    ageOf(object.metadata.creationTimestamp, now),
  ],
  selectableFields: (object) => ({ 'status.phase': object.status.phase ?? '' }),
}

function withNameLabel(object: Namespace): Namespace {
  const { name, labels } = object.metadata
  if (name === undefined || labels?.[nameLabel] === name) return object
  return { ...object, metadata: { ...object.metadata, labels: { ...labels, [nameLabel]: name } } }
}
