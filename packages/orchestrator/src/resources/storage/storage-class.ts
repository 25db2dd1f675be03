// StorageClass: a kind of storage that claims ask for by name, and who makes volumes of it.
import { ageColumn, column, nameColumn } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import { jsonEqual } from '../json-equal.ts'
import { dns1123SubdomainProblems } from '../names.ts'
import type { FieldError, KubeObject, ResourceType } from '../object.ts'
import { allVerbs } from '../update-rules.ts'
import { forbidden, invalid, notEmpty, oneOf } from '../validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'

export interface StorageClass extends KubeObject {
  readonly provisioner: string
  readonly parameters?: Readonly<Record<string, string>>
  readonly reclaimPolicy?: string
  readonly mountOptions?: readonly string[]
  readonly allowVolumeExpansion?: boolean
  readonly volumeBindingMode?: string
  readonly allowedTopologies?: readonly {
    readonly matchLabelExpressions?: readonly {
      readonly key: string
      readonly values: readonly string[]
    }[]
  }[]
}

export const defaultClassAnnotation = 'storageclass.kubernetes.io/is-default-class'
const betaDefaultClassAnnotation = 'storageclass.beta.kubernetes.io/is-default-class'

/** Whether claims that name no class get this one. */
export const isDefaultClass = ({ metadata }: StorageClass): boolean =>
  metadata.annotations?.[defaultClassAnnotation] === 'true' ||
  metadata.annotations?.[betaDefaultClassAnnotation] === 'true'

export const storageClassType: ResourceType<StorageClass> = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  singular: 'storageclass',
  shortNames: ['sc'],
  categories: [],
  namespaced: false,
  verbs: allVerbs,
  subresources: {},
  defaults: (object) => ({
    ...object,
    reclaimPolicy: object.reclaimPolicy ?? 'Delete',
    volumeBindingMode: object.volumeBindingMode ?? 'Immediate',
  }),
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...notEmpty('provisioner', object.provisioner),
    ...oneOf('reclaimPolicy', object.reclaimPolicy, ['Delete', 'Retain']),
    ...oneOf('volumeBindingMode', object.volumeBindingMode, ['Immediate', 'WaitForFirstConsumer']),
  ],
  validateUpdate: (object, old) => [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...(['parameters', 'provisioner', 'reclaimPolicy'] as const).flatMap((field): FieldError[] =>
      jsonEqual(object[field], old[field])
        ? []
        : [forbidden(field, `updates to ${field} are forbidden.`)],
    ),
    ...(object.volumeBindingMode === old.volumeBindingMode
      ? []
      : [invalid('volumeBindingMode', object.volumeBindingMode, 'field is immutable')]),
  ],
  columns: [
    nameColumn,
    column('Provisioner', 'Who makes volumes of the class.'),
    column('ReclaimPolicy', 'What happens to a volume when its claim is gone.'),
    column('VolumeBindingMode', 'When a claim gets its volume.'),
    column('AllowVolumeExpansion', 'Whether claims may grow.'),
    ageColumn,
  ],
  cells: (object, now) => [
    `${object.metadata.name ?? ''}${isDefaultClass(object) ? ' (default)' : ''}`,
    object.provisioner,
    object.reclaimPolicy ?? '',
    object.volumeBindingMode ?? '',
    object.allowVolumeExpansion === true,
    ageOf(object.metadata.creationTimestamp, now),
  ],
}

/** Folders of nodes; made at the start of a cluster. */
export const standardStorageClass: StorageClass = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'standard', annotations: { [defaultClassAnnotation]: 'true' } },
  provisioner: 'balsa.dev/local',
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'WaitForFirstConsumer',
}
