// CSIDriver, CSINode and CSIStorageCapacity: what drivers of storage say of themselves. Balsa keeps and shows them; drivers read them.
import { ageColumn, column, nameColumn } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import { dns1123SubdomainProblems } from '../names.ts'
import type { KubeObject, LabelSelector, ResourceType } from '../object.ts'
import { allVerbs } from '../update-rules.ts'
import { duplicate, invalid, notEmpty } from '../validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'

export interface CsiDriver extends KubeObject {
  readonly spec: {
    readonly attachRequired?: boolean
    readonly podInfoOnMount?: boolean
    readonly storageCapacity?: boolean
    readonly requiresRepublish?: boolean
    readonly seLinuxMount?: boolean
    readonly fsGroupPolicy?: string
    readonly volumeLifecycleModes?: readonly string[]
    readonly tokenRequests?: readonly { readonly audience: string }[]
  }
}
export interface CsiNode extends KubeObject {
  readonly spec: {
    readonly drivers: readonly {
      readonly name: string
      readonly nodeID: string
      readonly topologyKeys?: readonly string[]
      readonly allocatable?: { readonly count?: number }
    }[]
  }
}
export interface CsiStorageCapacity extends KubeObject {
  readonly storageClassName: string
  readonly capacity?: string
  readonly maximumVolumeSize?: string
  readonly nodeTopology?: LabelSelector
}

const base = {
  group: 'storage.k8s.io',
  version: 'v1',
  shortNames: [],
  categories: [],
  verbs: allVerbs,
  subresources: {},
} as const

export const csiDriverType: ResourceType<CsiDriver> = {
  ...base,
  kind: 'CSIDriver',
  plural: 'csidrivers',
  singular: 'csidriver',
  namespaced: false,
  defaults: (object) => ({
    ...object,
    spec: {
      attachRequired: true,
      podInfoOnMount: false,
      storageCapacity: false,
      volumeLifecycleModes: ['Persistent'],
      fsGroupPolicy: 'ReadWriteOnceWithFSType',
      requiresRepublish: false,
      seLinuxMount: false,
      ...object.spec,
    },
  }),
  validate: (object) => validateMetadata(object.metadata, dns1123SubdomainProblems),
  validateUpdate: (object, old) => [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...(object.spec.attachRequired === old.spec.attachRequired
      ? []
      : [invalid('spec.attachedRequired', object.spec.attachRequired, 'field is immutable')]),
  ],
  columns: [
    nameColumn,
    column('AttachRequired', 'Whether volumes are attached before they are mounted.', 'boolean'),
    column('PodInfoOnMount', 'Whether the driver is told of the pod.', 'boolean'),
    column('StorageCapacity', 'Whether the scheduler looks at free capacity.', 'boolean'),
    column('TokenRequests', 'Audiences of tokens that the driver gets.'),
    column('RequiresRepublish', 'Whether the driver is called again and again.', 'boolean'),
    column('Modes', 'What kinds of volumes the driver has.'),
    ageColumn,
  ],
  cells: ({ metadata, spec }, now) => [
    metadata.name ?? '',
    spec.attachRequired !== false,
    spec.podInfoOnMount === true,
    spec.storageCapacity === true,
    spec.tokenRequests?.map(({ audience }) => audience).join(',') ?? '<unset>',
    spec.requiresRepublish === true,
    spec.volumeLifecycleModes?.join(',') ?? '<none>',
    ageOf(metadata.creationTimestamp, now),
  ],
}

export const csiNodeType: ResourceType<CsiNode> = {
  ...base,
  kind: 'CSINode',
  plural: 'csinodes',
  singular: 'csinode',
  namespaced: false,
  defaults: (object) => object,
  validate: ({ metadata, spec }) => [
    ...validateMetadata(metadata, dns1123SubdomainProblems),
    ...(spec.drivers ?? []).flatMap(({ name, nodeID }, index) => [
      ...notEmpty(`spec.drivers[${index}].name`, name),
      ...notEmpty(`spec.drivers[${index}].nodeID`, nodeID),
      ...(spec.drivers.findIndex((driver) => driver.name === name) < index
        ? [duplicate(`spec.drivers[${index}].name`, name)]
        : []),
    ]),
  ],
  validateUpdate: (object, old) => validateMetadataUpdate(object.metadata, old.metadata),
  columns: [nameColumn, column('Drivers', 'How many drivers the node has.', 'integer'), ageColumn],
  cells: ({ metadata, spec }, now) => [
    metadata.name ?? '',
    spec.drivers?.length ?? 0,
    ageOf(metadata.creationTimestamp, now),
  ],
}

export const csiStorageCapacityType: ResourceType<CsiStorageCapacity> = {
  ...base,
  kind: 'CSIStorageCapacity',
  plural: 'csistoragecapacities',
  singular: 'csistoragecapacity',
  namespaced: true,
  defaults: (object) => object,
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...notEmpty('storageClassName', object.storageClassName),
  ],
  validateUpdate: (object, old) => [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...(object.storageClassName === old.storageClassName
      ? []
      : [invalid('storageClassName', object.storageClassName, 'field is immutable')]),
  ],
  columns: [
    nameColumn,
    column('StorageClassName', 'The class the capacity is of.'),
    column('Capacity', 'What is left.'),
  ],
  cells: ({ metadata, storageClassName, capacity }) => [
    metadata.name ?? '',
    storageClassName,
    capacity ?? '<unset>',
  ],
}
