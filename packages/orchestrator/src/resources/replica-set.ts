// ReplicaSet: keeps a number of equal pods alive.
import { ageColumn, column, nameColumn, wideColumn } from './columns.ts'
import { ageOf } from './human-duration.ts'
import type { Cell, Column, Condition, KubeObject, LabelSelector, ResourceType } from './object.ts'
import { dns1123SubdomainProblems } from './names.ts'
import { podSpecDefaults } from './pod-spec/pod-spec-defaults.ts'
import type { PodTemplateSpec } from './pod-spec/pod-spec.ts'
import { containerImages, containerNames, selectorText } from './pod-spec/template-cells.ts'
import { allVerbs, prepareSpecUpdate, withFirstGeneration } from './update-rules.ts'
import { validateMetadata, validateMetadataUpdate } from './validation/validate-metadata.ts'
import { validateReplicaSetSpec, validateSelectorUpdate } from './validation/validate-workload.ts'
import { replicasScale } from './workloads/replicas-scale.ts'

export interface ReplicaSetSpec {
  readonly replicas?: number
  readonly minReadySeconds?: number
  readonly selector: LabelSelector
  readonly template: PodTemplateSpec
}
export interface ReplicaSetStatus {
  readonly replicas: number
  readonly fullyLabeledReplicas?: number
  readonly readyReplicas?: number
  readonly availableReplicas?: number
  readonly observedGeneration?: number
  readonly conditions?: readonly Condition[]
}
export interface ReplicaSet extends KubeObject {
  readonly spec: ReplicaSetSpec
  readonly status: ReplicaSetStatus
}

/** Of ReplicationControllers too. */
export const replicaSetColumns: readonly Column[] = [
  nameColumn,
  column('Desired', 'The number of pods wanted.', 'integer'),
  column('Current', 'The number of pods there are.', 'integer'),
  column('Ready', 'The number of pods that are ready.', 'integer'),
  ageColumn,
  wideColumn('Containers', 'Names of the containers in the template.'),
  wideColumn('Images', 'Images of the containers in the template.'),
  wideColumn('Selector', 'The labels of the pods counted.'),
]

export const replicaSetType: ResourceType<ReplicaSet> = {
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  singular: 'replicaset',
  shortNames: ['rs'],
  categories: ['all'],
  namespaced: true,
  verbs: allVerbs,
  subresources: {
    status: true,
    scale: replicasScale(({ spec }) => spec.selector),
  },
  defaults: ({ spec, ...object }) => ({
    ...object,
    spec: {
      replicas: 1,
      ...spec,
      template: { ...spec.template, spec: podSpecDefaults(spec.template.spec) },
    },
  }),
  prepareForCreate: (object) => ({ ...withFirstGeneration(object), status: { replicas: 0 } }),
  prepareForUpdate: prepareSpecUpdate,
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...validateReplicaSetSpec(object.spec),
  ],
  validateUpdate: (object, old) => [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...validateSelectorUpdate(object.spec.selector, old.spec.selector),
  ],
  columns: replicaSetColumns,
  cells: replicaSetCells,
  selectableFields: (object) => ({ 'status.replicas': String(object.status.replicas) }),
}

function replicaSetCells(object: ReplicaSet, now: number): readonly Cell[] {
  const { spec, status } = object
  return [
    object.metadata.name ?? '',
    spec.replicas ?? 1,
    status.replicas,
    status.readyReplicas ?? 0,
    ageOf(object.metadata.creationTimestamp, now),
    containerNames(spec.template.spec),
    containerImages(spec.template.spec),
    selectorText(spec.selector),
  ]
}
