// DaemonSet: one pod on every node that its template fits.
import { ageColumn, column, nameColumn, wideColumn } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import { scaledValue } from '../int-or-percent.ts'
import { jsonEqual } from '../json-equal.ts'
import type { Condition, FieldError, KubeObject, LabelSelector, ResourceType } from '../object.ts'
import { dns1123SubdomainProblems } from '../names.ts'
import { podSpecDefaults } from '../pod-spec/pod-spec-defaults.ts'
import type { IntOrString, PodTemplateSpec } from '../pod-spec/pod-spec.ts'
import { containerImages, containerNames, selectorText } from '../pod-spec/template-cells.ts'
import { allVerbs, prepareSpecUpdate, withFirstGeneration } from '../update-rules.ts'
import { invalid, notNegative, notSupported, required } from '../validation/field-error.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'
import {
  validateSelector,
  validateSelectorUpdate,
  validateServerTemplate,
  validateShare,
} from '../validation/validate-workload.ts'

export interface DaemonSetUpdateStrategy {
  readonly type?: string
  readonly rollingUpdate?: {
    readonly maxUnavailable?: IntOrString
    readonly maxSurge?: IntOrString
  }
}
export interface DaemonSetSpec {
  readonly selector: LabelSelector
  readonly template: PodTemplateSpec
  readonly updateStrategy: DaemonSetUpdateStrategy
  readonly minReadySeconds?: number
  readonly revisionHistoryLimit?: number
}
export interface DaemonSetStatus {
  readonly currentNumberScheduled: number
  readonly numberMisscheduled: number
  readonly desiredNumberScheduled: number
  readonly numberReady: number
  readonly observedGeneration?: number
  readonly updatedNumberScheduled?: number
  readonly numberAvailable?: number
  readonly numberUnavailable?: number
  readonly collisionCount?: number
  readonly conditions?: readonly Condition[]
}
export interface DaemonSet extends KubeObject {
  readonly spec: DaemonSetSpec
  readonly status: DaemonSetStatus
}

/** Counts the templates; its value becomes a label of pods, as it did when it was a field. */
export const templateGenerationAnnotation = 'deprecated.daemonset.template.generation'

const emptyStatus: DaemonSetStatus = {
  currentNumberScheduled: 0,
  numberMisscheduled: 0,
  desiredNumberScheduled: 0,
  numberReady: 0,
}

export const daemonSetType: ResourceType<DaemonSet> = {
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  singular: 'daemonset',
  shortNames: ['ds'],
  categories: ['all'],
  namespaced: true,
  verbs: allVerbs,
  subresources: { status: true },
  defaults: daemonSetDefaults,
  prepareForCreate: (object) => ({
    ...withTemplateGeneration(withFirstGeneration(object), 1),
    status: emptyStatus,
  }),
  prepareForUpdate: (object, old) => {
    const generation = Number(old.metadata.annotations?.[templateGenerationAnnotation] ?? 1)
    const isSame = jsonEqual(object.spec.template, old.spec.template)
    return withTemplateGeneration(prepareSpecUpdate(object, old), generation + (isSame ? 0 : 1))
  },
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...validateSpec(object.spec),
  ],
  validateUpdate: (object, old) => [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...validateSelectorUpdate(object.spec.selector, old.spec.selector),
  ],
  columns: [
    nameColumn,
    column('Desired', 'The number of nodes that should run a pod.', 'integer'),
    column('Current', 'The number of those nodes that have one.', 'integer'),
    column('Ready', 'The number of those whose pod is ready.', 'integer'),
    column('Up-to-date', 'The number of those whose pod has the newest template.', 'integer'),
    column('Available', 'The number of those whose pod is ready for long enough.', 'integer'),
    column('Node Selector', 'The labels of the nodes that should run a pod.'),
    ageColumn,
    wideColumn('Containers', 'Names of the containers in the template.'),
    wideColumn('Images', 'Images of the containers in the template.'),
    wideColumn('Selector', 'The labels of the pods counted.'),
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name ?? '',
    status.desiredNumberScheduled,
    status.currentNumberScheduled,
    status.numberReady,
    status.updatedNumberScheduled ?? 0,
    status.numberAvailable ?? 0,
    selectorText({ matchLabels: spec.template.spec.nodeSelector ?? {} }),
    ageOf(metadata.creationTimestamp, now),
    containerNames(spec.template.spec),
    containerImages(spec.template.spec),
    selectorText(spec.selector),
  ],
}

const withTemplateGeneration = (object: DaemonSet, generation: number): DaemonSet => ({
  ...object,
  metadata: {
    ...object.metadata,
    annotations: {
      ...object.metadata.annotations,
      [templateGenerationAnnotation]: String(generation),
    },
  },
})

function daemonSetDefaults({ spec, ...object }: DaemonSet): DaemonSet {
  const type = spec.updateStrategy.type ?? 'RollingUpdate'
  const { rollingUpdate } = spec.updateStrategy
  return {
    ...object,
    spec: {
      revisionHistoryLimit: 10,
      ...spec,
      updateStrategy:
        type === 'RollingUpdate'
          ? {
              ...spec.updateStrategy,
              type,
              rollingUpdate: { maxUnavailable: 1, maxSurge: 0, ...rollingUpdate },
            }
          : { ...spec.updateStrategy, type },
      template: { ...spec.template, spec: podSpecDefaults(spec.template.spec) },
    },
  }
}

const validateSpec = (spec: DaemonSetSpec): FieldError[] => [
  ...validateSelector(spec.selector, 'daemonset'),
  ...validateServerTemplate(spec.template, spec.selector, 'DaemonSet'),
  ...notNegative('spec.minReadySeconds', spec.minReadySeconds),
  ...validateStrategy(spec.updateStrategy),
  ...notNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
]

const strategyTypes: readonly string[] = ['RollingUpdate', 'OnDelete']

function validateStrategy({ type = '', rollingUpdate }: DaemonSetUpdateStrategy): FieldError[] {
  const path = 'spec.updateStrategy'
  if (!strategyTypes.includes(type)) return [notSupported(`${path}.type`, type, strategyTypes)]
  if (type === 'OnDelete') return []
  if (rollingUpdate === undefined) return [required(`${path}.rollingUpdate`)]
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate
  const hasUnavailable = scaledValue(maxUnavailable, 100, 'up') > 0
  const hasSurge = scaledValue(maxSurge, 100, 'up') > 0
  return [
    ...validateShare(maxUnavailable, `${path}.rollingUpdate.maxUnavailable`),
    ...validateShare(maxSurge, `${path}.rollingUpdate.maxSurge`),
    ...(hasUnavailable && hasSurge
      ? [
          invalid(
            `${path}.rollingUpdate.maxSurge`,
            maxSurge,
            'may not be set when maxUnavailable is non-zero',
          ),
        ]
      : []),
    ...(!hasUnavailable && !hasSurge
      ? [required(`${path}.rollingUpdate.maxUnavailable`, 'cannot be 0 when maxSurge is 0')]
      : []),
  ]
}
