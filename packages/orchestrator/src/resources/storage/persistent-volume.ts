// PersistentVolume: storage of the cluster, bound to at most one claim. Its source cannot change, its node affinity says where it is.
import { ageColumn, column, nameColumn, wideColumn } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import { jsonEqual } from '../json-equal.ts'
import { dns1123SubdomainProblems } from '../names.ts'
import type { Cell, FieldError, KubeObject, ResourceType } from '../object.ts'
import type { NodeSelectorTerm, ResourceList } from '../pod-spec/pod-spec.ts'
import { allVerbs, keepStatus } from '../update-rules.ts'
import {
  forbidden,
  invalid,
  invalidEach,
  notEmpty,
  notSupported,
  oneOf,
  required,
} from '../validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'
import { accessModesText, validateAccessModes } from './access-modes.ts'

export interface ClaimReference {
  readonly apiVersion?: string
  readonly kind?: string
  readonly namespace?: string
  readonly name?: string
  readonly uid?: string
  readonly resourceVersion?: string
}
/** The kinds of storage; exactly one is set. Balsa reads the three below. */
interface VolumeSources {
  readonly hostPath?: { readonly path: string; readonly type?: string }
  readonly local?: { readonly path: string; readonly fsType?: string }
  readonly csi?: { readonly driver: string; readonly volumeHandle: string }
}
export interface PersistentVolumeSpec extends VolumeSources {
  readonly capacity?: ResourceList
  readonly accessModes?: readonly string[]
  readonly claimRef?: ClaimReference
  readonly persistentVolumeReclaimPolicy?: string
  readonly storageClassName?: string
  readonly mountOptions?: readonly string[]
  readonly volumeMode?: string
  readonly nodeAffinity?: {
    readonly required?: { readonly nodeSelectorTerms: readonly NodeSelectorTerm[] }
  }
}
export interface PersistentVolume extends KubeObject {
  readonly spec: PersistentVolumeSpec
  readonly status?: {
    readonly phase?: string
    readonly message?: string
    readonly reason?: string
    readonly lastPhaseTransitionTime?: string
  }
}

/** The fields of the spec that are not the source. */
const plainFields: ReadonlySet<string> = new Set([
  'capacity',
  'accessModes',
  'claimRef',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'mountOptions',
  'volumeMode',
  'nodeAffinity',
  'volumeAttributesClassName',
])
const reclaimPolicies: readonly string[] = ['Delete', 'Recycle', 'Retain']
/** Of volumes and claims. */
export const volumeModes: readonly string[] = ['Block', 'Filesystem']

export const persistentVolumeType: ResourceType<PersistentVolume> = {
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  singular: 'persistentvolume',
  shortNames: ['pv'],
  categories: [],
  namespaced: false,
  verbs: allVerbs,
  subresources: { status: true },
  defaults: (object) => ({
    ...object,
    spec: {
      ...object.spec,
      persistentVolumeReclaimPolicy: object.spec.persistentVolumeReclaimPolicy ?? 'Retain',
      volumeMode: object.spec.volumeMode ?? 'Filesystem',
    },
    status: { ...object.status, phase: object.status?.phase ?? 'Pending' },
  }),
  prepareForCreate: (object) => ({ ...object, status: { phase: 'Pending' } }),
  prepareForUpdate: keepStatus,
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...validateSpec(object.spec),
  ],
  validateUpdate: (object, old) => [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...validateSpecUpdate(object.spec, old.spec),
  ],
  columns: [
    nameColumn,
    column('Capacity', 'The size of the volume.'),
    column('Access Modes', 'How the volume may be mounted.'),
    column('Reclaim Policy', 'What happens to the volume when its claim is gone.'),
    column('Status', 'Whether the volume is bound.'),
    column('Claim', 'The claim that the volume is bound to.'),
    column('StorageClass', 'The class of the volume.'),
    column('Reason', 'Why the volume is in this state.'),
    ageColumn,
    wideColumn('VolumeMode', 'A file system or a block device.'),
  ],
  cells: volumeCells,
  selectableFields: ({ metadata }) => ({ name: metadata.name ?? '' }),
}

function volumeCells({ metadata, spec, status }: PersistentVolume, now: number): readonly Cell[] {
  const { claimRef } = spec
  return [
    metadata.name ?? '',
    spec.capacity?.['storage'] ?? '',
    accessModesText(spec.accessModes),
    spec.persistentVolumeReclaimPolicy ?? '',
    metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
    claimRef === undefined ? '' : `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`,
    spec.storageClassName ?? '',
    status?.reason ?? '',
    ageOf(metadata.creationTimestamp, now),
    spec.volumeMode ?? '<unset>',
  ]
}

const sourcesOf = (spec: PersistentVolumeSpec): [string, unknown][] =>
  Object.entries(spec).filter(([field, value]) => !plainFields.has(field) && value !== undefined)

function validateSpec(spec: PersistentVolumeSpec): FieldError[] {
  const { accessModes = [], capacity = {}, storageClassName = '' } = spec
  const capacities = Object.keys(capacity)
  return [
    ...(accessModes.length === 0 ? [required('spec.accessModes')] : []),
    ...validateAccessModes('spec.accessModes', accessModes),
    ...(capacities.length === 0 ? [required('spec.capacity')] : []),
    ...(capacities.length > 0 && (capacity['storage'] === undefined || capacities.length > 1)
      ? [notSupported('spec.capacity', capacity, ['storage'])]
      : []),
    ...(storageClassName === ''
      ? []
      : invalidEach(
          'spec.storageClassName',
          storageClassName,
          dns1123SubdomainProblems(storageClassName),
        )),
    ...oneOf(
      'spec.persistentVolumeReclaimPolicy',
      spec.persistentVolumeReclaimPolicy,
      reclaimPolicies,
    ),
    ...oneOf('spec.volumeMode', spec.volumeMode, volumeModes),
    ...validateSource(spec),
  ]
}

function validateSource(spec: PersistentVolumeSpec): FieldError[] {
  const [first, ...more] = sourcesOf(spec)
  if (first === undefined) return [required('spec', 'must specify a volume type')]
  const { hostPath, local, csi, nodeAffinity } = spec
  return [
    ...more.map(([field]) => forbidden(`spec.${field}`, 'may not specify more than 1 volume type')),
    ...(hostPath === undefined ? [] : notEmpty('spec.hostPath.path', hostPath.path)),
    ...(local === undefined ? [] : notEmpty('spec.local.path', local.path)),
    ...(local !== undefined && nodeAffinity?.required === undefined
      ? [required('spec.nodeAffinity', 'Local volume requires node affinity')]
      : []),
    ...(csi === undefined
      ? []
      : [
          ...notEmpty('spec.csi.driver', csi.driver),
          ...notEmpty('spec.csi.volumeHandle', csi.volumeHandle),
        ]),
  ]
}

function validateSpecUpdate(spec: PersistentVolumeSpec, old: PersistentVolumeSpec): FieldError[] {
  return [
    ...(jsonEqual(Object.fromEntries(sourcesOf(spec)), Object.fromEntries(sourcesOf(old)))
      ? []
      : [
          forbidden(
            'spec.persistentvolumesource',
            'spec.persistentvolumesource is immutable after creation',
          ),
        ]),
    ...(spec.volumeMode === old.volumeMode
      ? []
      : [invalid('spec.volumeMode', spec.volumeMode, 'field is immutable')]),
    ...(old.nodeAffinity === undefined || jsonEqual(spec.nodeAffinity, old.nodeAffinity)
      ? []
      : [invalid('spec.nodeAffinity', spec.nodeAffinity, 'field is immutable')]),
  ]
}
