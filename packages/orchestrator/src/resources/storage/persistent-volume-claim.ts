// PersistentVolumeClaim: what a pod asks of storage. All but immutable: a bound claim may grow, and a volume may be named once.
import { ageColumn, column, nameColumn, wideColumn } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import { jsonEqual } from '../json-equal.ts'
import { dns1123SubdomainProblems } from '../names.ts'
import type {
  Cell,
  Condition,
  FieldError,
  KubeObject,
  LabelSelector,
  ResourceType,
} from '../object.ts'
import type { ResourceList } from '../pod-spec/pod-spec.ts'
import { compareQuantities, parseQuantity } from '../quantity.ts'
import { allVerbs, keepStatus } from '../update-rules.ts'
import { forbidden, invalid, invalidEach, oneOf, required } from '../validation/field-error.ts'
import { validateLabelSelector } from '../validation/validate-label-selector.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'
import { accessModesText, validateAccessModes } from './access-modes.ts'
import { volumeModes } from './persistent-volume.ts'

export interface PersistentVolumeClaimSpec {
  readonly accessModes?: readonly string[]
  readonly selector?: LabelSelector
  readonly resources?: { readonly requests?: ResourceList; readonly limits?: ResourceList }
  readonly volumeName?: string
  /** '' asks for no class; left out for the default one. */
  readonly storageClassName?: string
  readonly volumeMode?: string
  readonly dataSource?: unknown
  readonly dataSourceRef?: unknown
  readonly volumeAttributesClassName?: string
}
export interface PersistentVolumeClaim extends KubeObject {
  readonly spec: PersistentVolumeClaimSpec
  readonly status?: {
    readonly phase?: string
    readonly accessModes?: readonly string[]
    readonly capacity?: ResourceList
    readonly conditions?: readonly Condition[]
  }
}

export const persistentVolumeClaimType: ResourceType<PersistentVolumeClaim> = {
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  singular: 'persistentvolumeclaim',
  shortNames: ['pvc'],
  categories: [],
  namespaced: true,
  verbs: allVerbs,
  subresources: { status: true },
  defaults: (object) => ({
    ...object,
    spec: { ...object.spec, volumeMode: object.spec.volumeMode ?? 'Filesystem' },
    status: { ...object.status, phase: object.status?.phase ?? 'Pending' },
  }),
  prepareForCreate: (object) => ({ ...object, status: { phase: 'Pending' } }),
  prepareForUpdate: keepStatus,
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...validateClaimSpec(object.spec, 'spec'),
  ],
  validateUpdate: (object, old) => [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...validateUpdate(object, old),
  ],
  columns: [
    nameColumn,
    column('Status', 'Whether the claim is bound.'),
    column('Volume', 'The volume that the claim is bound to.'),
    column('Capacity', 'The size of that volume.'),
    column('Access Modes', 'How the volume may be mounted.'),
    column('StorageClass', 'The class that was asked for.'),
    ageColumn,
    wideColumn('VolumeMode', 'A file system or a block device.'),
  ],
  cells: claimCells,
  selectableFields: ({ metadata }) => ({ name: metadata.name ?? '' }),
}

function claimCells(
  { metadata, spec, status }: PersistentVolumeClaim,
  now: number,
): readonly Cell[] {
  const isBound = (spec.volumeName ?? '') !== ''
  return [
    metadata.name ?? '',
    metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
    spec.volumeName ?? '',
    isBound ? (status?.capacity?.['storage'] ?? '0') : '',
    isBound ? accessModesText(status?.accessModes) : '',
    spec.storageClassName ?? '',
    ageOf(metadata.creationTimestamp, now),
    spec.volumeMode ?? '<unset>',
  ]
}

/** Also of the templates of workloads that make claims. */
export function validateClaimSpec(spec: PersistentVolumeClaimSpec, path: string): FieldError[] {
  const { accessModes = [], storageClassName = '' } = spec
  const storage = spec.resources?.requests?.['storage']
  const size = storage === undefined ? undefined : parseQuantity(storage)
  return [
    ...(accessModes.length === 0
      ? [required(`${path}.accessModes`, 'at least 1 access mode is required')]
      : []),
    ...(spec.selector === undefined
      ? []
      : validateLabelSelector(`${path}.selector`, spec.selector)),
    ...validateAccessModes(`${path}.accessModes`, accessModes),
    ...(size === undefined ? [required(`${path}.resources[storage]`)] : []),
    ...(size !== undefined && size.value <= 0n
      ? [invalid(`${path}.resources[storage]`, storage, 'must be greater than zero')]
      : []),
    ...(storageClassName === ''
      ? []
      : invalidEach(
          `${path}.storageClassName`,
          storageClassName,
          dns1123SubdomainProblems(storageClassName),
        )),
    ...(spec.volumeMode === undefined
      ? []
      : oneOf(`${path}.volumeMode`, spec.volumeMode, volumeModes)),
  ]
}

function validateUpdate(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const isBound = old.status?.phase === 'Bound'
  const comparable = (spec: PersistentVolumeClaimSpec): unknown => ({
    ...spec,
    ...((old.spec.volumeName ?? '') === '' ? { volumeName: undefined } : {}),
    ...(old.spec.storageClassName === undefined ? { storageClassName: undefined } : {}),
    volumeAttributesClassName: undefined,
    resources: isBound ? { ...spec.resources, requests: undefined } : spec.resources,
  })
  const asked = parseQuantity(claim.spec.resources?.requests?.['storage'] ?? '')
  const had = parseQuantity(old.spec.resources?.requests?.['storage'] ?? '')
  const shrinks = asked !== undefined && had !== undefined && compareQuantities(asked, had) < 0
  return [
    ...(jsonEqual(comparable(claim.spec), comparable(old.spec))
      ? []
      : [
          forbidden(
            'spec',
            'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
          ),
        ]),
    ...(isBound && shrinks
      ? [forbidden('spec.resources.requests.storage', 'field can not be less than previous value')]
      : []),
  ]
}
