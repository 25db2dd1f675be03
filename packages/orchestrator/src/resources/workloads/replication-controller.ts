// ReplicationController: what ReplicaSet was before selectors could be more than equal labels.
import { ageOf } from '../human-duration.ts'
import type { KubeObject, ResourceType } from '../object.ts'
import { dns1123SubdomainProblems } from '../names.ts'
import { podSpecDefaults } from '../pod-spec/pod-spec-defaults.ts'
import type { PodTemplateSpec } from '../pod-spec/pod-spec.ts'
import { containerImages, containerNames, selectorText } from '../pod-spec/template-cells.ts'
import { allVerbs, prepareSpecUpdate, withFirstGeneration } from '../update-rules.ts'
import { notNegative, required } from '../validation/field-error.ts'
import { replicaSetColumns, type ReplicaSetStatus } from '../replica-set.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'
import { validateServerTemplate } from '../validation/validate-workload.ts'
import { replicasScale } from './replicas-scale.ts'

export interface ReplicationControllerSpec {
  readonly replicas?: number
  readonly minReadySeconds?: number
  readonly selector?: Readonly<Record<string, string>>
  /** Validation sees to it that it is there. */
  readonly template?: PodTemplateSpec
}
export type ReplicationControllerStatus = ReplicaSetStatus
export interface ReplicationController extends KubeObject {
  readonly spec: ReplicationControllerSpec
  readonly status: ReplicationControllerStatus
}

export const replicationControllerType: ResourceType<ReplicationController> = {
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  singular: 'replicationcontroller',
  shortNames: ['rc'],
  categories: ['all'],
  namespaced: true,
  verbs: allVerbs,
  subresources: {
    status: true,
    scale: replicasScale(({ spec }) => ({ matchLabels: spec.selector ?? {} })),
  },
  defaults: replicationControllerDefaults,
  prepareForCreate: (object) => ({ ...withFirstGeneration(object), status: { replicas: 0 } }),
  prepareForUpdate: prepareSpecUpdate,
  validate: ({ metadata, spec }) => [
    ...validateMetadata(metadata, dns1123SubdomainProblems),
    ...notNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...(Object.keys(spec.selector ?? {}).length === 0 ? [required('spec.selector')] : []),
    ...notNegative('spec.replicas', spec.replicas),
    ...(spec.template === undefined
      ? [required('spec.template')]
      : validateServerTemplate(
          spec.template,
          spec.selector === undefined ? undefined : { matchLabels: spec.selector },
          'ReplicationController',
        )),
  ],
  validateUpdate: (object, old) => validateMetadataUpdate(object.metadata, old.metadata),
  columns: replicaSetColumns,
  cells: ({ metadata, spec, status }, now) => [
    metadata.name ?? '',
    spec.replicas ?? 1,
    status.replicas,
    status.readyReplicas ?? 0,
    ageOf(metadata.creationTimestamp, now),
    spec.template === undefined ? '' : containerNames(spec.template.spec),
    spec.template === undefined ? '' : containerImages(spec.template.spec),
    selectorText({ matchLabels: spec.selector ?? {} }),
  ],
  selectableFields: ({ status }) => ({ 'status.replicas': String(status.replicas) }),
}

/** Selector and labels are the template's labels unless given. */
function replicationControllerDefaults(object: ReplicationController): ReplicationController {
  const { spec, metadata } = object
  const { labels } = spec.template?.metadata ?? {}
  const isEmpty = (labelled: Readonly<Record<string, string>> | undefined): boolean =>
    Object.keys(labelled ?? {}).length === 0
  return {
    ...object,
    metadata:
      labels === undefined || !isEmpty(metadata.labels) ? metadata : { ...metadata, labels },
    spec: {
      replicas: 1,
      ...spec,
      ...(labels === undefined || !isEmpty(spec.selector) ? {} : { selector: labels }),
      ...(spec.template === undefined
        ? {}
        : { template: { ...spec.template, spec: podSpecDefaults(spec.template.spec) } }),
    },
  }
}
