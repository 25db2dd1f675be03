// StatefulSet: pods with names and volumes of their own, made and ended in order.
import { ageColumn, column, nameColumn, wideColumn } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import { jsonEqual } from '../json-equal.ts'
import type { Condition, FieldError, KubeObject, LabelSelector, ResourceType } from '../object.ts'
import { dns1123LabelProblems } from '../names.ts'
import { podSpecDefaults } from '../pod-spec/pod-spec-defaults.ts'
import type { IntOrString, PodTemplateSpec } from '../pod-spec/pod-spec.ts'
import { containerImages, containerNames } from '../pod-spec/template-cells.ts'
import { allVerbs, prepareSpecUpdate, withFirstGeneration } from '../update-rules.ts'
import {
  forbidden,
  invalid,
  notNegative,
  notSupported,
  required,
} from '../validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'
import {
  validateSelector,
  validateServerTemplate,
  validateShare,
} from '../validation/validate-workload.ts'
import { replicasScale } from './replicas-scale.ts'

/** What of a PersistentVolumeClaim a template needs; the rest passes through. */
export interface VolumeClaim extends KubeObject {
  readonly spec?: object
  readonly status?: object
}
export interface StatefulSetSpec {
  readonly replicas?: number
  readonly selector: LabelSelector
  readonly template: PodTemplateSpec
  readonly volumeClaimTemplates?: readonly VolumeClaim[]
  readonly serviceName: string
  readonly podManagementPolicy?: string
  readonly updateStrategy: {
    readonly type?: string
    readonly rollingUpdate?: {
      readonly partition?: number
      readonly maxUnavailable?: IntOrString
    }
  }
  readonly revisionHistoryLimit?: number
  readonly minReadySeconds?: number
  readonly persistentVolumeClaimRetentionPolicy?: {
    readonly whenDeleted?: string
    readonly whenScaled?: string
  }
  readonly ordinals?: { readonly start?: number }
}
export interface StatefulSetStatus {
  readonly observedGeneration?: number
  readonly replicas: number
  readonly readyReplicas?: number
  readonly currentReplicas?: number
  readonly updatedReplicas?: number
  readonly currentRevision?: string
  readonly updateRevision?: string
  readonly collisionCount?: number
  readonly availableReplicas?: number
  readonly conditions?: readonly Condition[]
}
export interface StatefulSet extends KubeObject {
  readonly spec: StatefulSetSpec
  readonly status: StatefulSetStatus
}

export const statefulSetType: ResourceType<StatefulSet> = {
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  singular: 'statefulset',
  shortNames: ['sts'],
  categories: ['all'],
  namespaced: true,
  verbs: allVerbs,
  subresources: {
    status: true,
    scale: replicasScale(({ spec }) => spec.selector),
  },
  defaults: statefulSetDefaults,
  prepareForCreate: (object) => ({
    ...withFirstGeneration(object),
    status: { replicas: 0, availableReplicas: 0 },
  }),
  prepareForUpdate: prepareSpecUpdate,
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123LabelProblems),
    ...validateSpec(object.spec),
  ],
  validateUpdate: (object, old) => [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...validateSpecUpdate(object.spec, old.spec),
  ],
  columns: [
    nameColumn,
    column('Ready', 'The pods that are ready, of those wanted.'),
    ageColumn,
    wideColumn('Containers', 'Names of the containers in the template.'),
    wideColumn('Images', 'Images of the containers in the template.'),
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name ?? '',
    `${status.readyReplicas ?? 0}/${spec.replicas ?? 1}`,
    ageOf(metadata.creationTimestamp, now),
    containerNames(spec.template.spec),
    containerImages(spec.template.spec),
  ],
}

function statefulSetDefaults({ spec, ...object }: StatefulSet): StatefulSet {
  const { updateStrategy, persistentVolumeClaimRetentionPolicy: retention } = spec
  const type = updateStrategy.type ?? 'RollingUpdate'
  const { rollingUpdate } = updateStrategy
  return {
    ...object,
    spec: {
      replicas: 1,
      podManagementPolicy: 'OrderedReady',
      revisionHistoryLimit: 10,
      ...spec,
      updateStrategy:
        type === 'RollingUpdate'
          ? { ...updateStrategy, type, rollingUpdate: { partition: 0, ...rollingUpdate } }
          : { ...updateStrategy, type },
      persistentVolumeClaimRetentionPolicy: {
        whenDeleted: 'Retain',
        whenScaled: 'Retain',
        ...retention,
      },
      template: { ...spec.template, spec: podSpecDefaults(spec.template.spec) },
      ...(spec.volumeClaimTemplates === undefined
        ? {}
        : { volumeClaimTemplates: spec.volumeClaimTemplates.map(claimDefaults) }),
    },
  }
}

const claimDefaults = (claim: VolumeClaim): VolumeClaim => ({
  ...claim,
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  spec: { volumeMode: 'Filesystem', ...claim.spec },
  status: { phase: 'Pending', ...claim.status },
})

const validateSpec = (spec: StatefulSetSpec): FieldError[] => [
  ...validatePolicy(spec.podManagementPolicy),
  ...validateStrategy(spec.updateStrategy),
  ...validateRetention(spec),
  ...notNegative('spec.replicas', spec.replicas),
  ...notNegative('spec.minReadySeconds', spec.minReadySeconds),
  ...notNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
  ...notNegative('spec.ordinals.start', spec.ordinals?.start),
  ...validateSelector(spec.selector, 'statefulset'),
  ...validateServerTemplate(withClaims(spec), spec.selector, 'StatefulSet'),
]

/** The template as its pods will have it: containers may mount what the claim templates bring. */
const withClaims = ({ template, volumeClaimTemplates = [] }: StatefulSetSpec): PodTemplateSpec => {
  if (volumeClaimTemplates.length === 0) return template
  const { volumes = [] } = template.spec
  const known = new Set(volumes.map(({ name }) => name))
  const claimed = volumeClaimTemplates
    .map(({ metadata }) => metadata.name ?? '')
    .filter((name) => !known.has(name))
    .map((name) => ({ name, persistentVolumeClaim: { claimName: name } }))
  return { ...template, spec: { ...template.spec, volumes: [...volumes, ...claimed] } }
}

const validatePolicy = (policy: string | undefined): FieldError[] => {
  const path = 'spec.podManagementPolicy'
  if (policy === undefined || policy === '') return [required(path)]
  return policy === 'OrderedReady' || policy === 'Parallel'
    ? []
    : [invalid(path, policy, "must be 'OrderedReady' or 'Parallel'")]
}

function validateStrategy(strategy: StatefulSetSpec['updateStrategy']): FieldError[] {
  const path = 'spec.updateStrategy'
  const { type = '', rollingUpdate } = strategy
  if (type === '') return [required(path)]
  if (type === 'OnDelete') {
    const detail = `only allowed for updateStrategy 'RollingUpdate'`
    return rollingUpdate === undefined
      ? []
      : [invalid(`${path}.rollingUpdate`, rollingUpdate, detail)]
  }
  if (type !== 'RollingUpdate')
    return [invalid(path, strategy, "must be 'RollingUpdate' or 'OnDelete'")]
  const { partition, maxUnavailable } = rollingUpdate ?? {}
  return [
    ...notNegative(`${path}.rollingUpdate.partition`, partition),
    ...(maxUnavailable === undefined
      ? []
      : validateShare(maxUnavailable, `${path}.rollingUpdate.maxUnavailable`)),
  ]
}

const retentionPolicies: readonly string[] = ['Retain', 'Delete']

const validateRetention = (spec: StatefulSetSpec): FieldError[] =>
  Object.entries(spec.persistentVolumeClaimRetentionPolicy ?? {}).flatMap(([name, policy]) =>
    retentionPolicies.includes(policy)
      ? []
      : [
          notSupported(
            `spec.persistentVolumeClaimRetentionPolicy.${name}`,
            policy,
            retentionPolicies,
          ),
        ],
  )

const changeable: readonly string[] = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
]

/** The names and volumes of pods that exist must not change under them. */
const validateSpecUpdate = (spec: StatefulSetSpec, old: StatefulSetSpec): FieldError[] => {
  const fixed = (of: StatefulSetSpec): unknown =>
    Object.fromEntries(Object.entries(of).filter(([name]) => !changeable.includes(name)))
  if (jsonEqual(fixed(spec), fixed(old))) return []
  return [
    forbidden(
      'spec',
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    ),
  ]
}
