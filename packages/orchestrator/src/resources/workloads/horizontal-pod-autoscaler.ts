// HorizontalPodAutoscaler: keeps a metric of a workload near its target by changing the number of its pods.
import { ageColumn, column, nameColumn } from '../columns.ts'
import { ageOf } from '../human-duration.ts'
import type { Condition, KubeObject, LabelSelector, ResourceType } from '../object.ts'
import { dns1123SubdomainProblems } from '../names.ts'
import { allVerbs, prepareSpecUpdate, withFirstGeneration } from '../update-rules.ts'
import { validateMetadata, validateMetadataUpdate } from '../validation/validate-metadata.ts'
import { targetsText } from './autoscaler-targets.ts'
import { validateAutoscalerSpec } from './validate-autoscaler.ts'

export interface ObjectTarget {
  readonly kind: string
  readonly name: string
  readonly apiVersion?: string
}
export interface MetricIdentifier {
  readonly name: string
  readonly selector?: LabelSelector
}
/** Quantities as text. */
export interface MetricTarget {
  readonly type: string
  readonly value?: string
  readonly averageValue?: string
  readonly averageUtilization?: number
}
export interface MetricSpec {
  readonly type: string
  readonly resource?: { readonly name: string; readonly target: MetricTarget }
  readonly containerResource?: {
    readonly name: string
    readonly container: string
    readonly target: MetricTarget
  }
  readonly pods?: { readonly metric: MetricIdentifier; readonly target: MetricTarget }
  readonly object?: {
    readonly describedObject: ObjectTarget
    readonly metric: MetricIdentifier
    readonly target: MetricTarget
  }
  readonly external?: { readonly metric: MetricIdentifier; readonly target: MetricTarget }
}
export interface MetricValue {
  readonly value?: string
  readonly averageValue?: string
  readonly averageUtilization?: number
}
export interface MetricStatus {
  readonly type: string
  readonly resource?: { readonly name: string; readonly current: MetricValue }
  readonly containerResource?: {
    readonly name: string
    readonly container: string
    readonly current: MetricValue
  }
  readonly pods?: { readonly metric: MetricIdentifier; readonly current: MetricValue }
  readonly object?: {
    readonly describedObject: ObjectTarget
    readonly metric: MetricIdentifier
    readonly current: MetricValue
  }
  readonly external?: { readonly metric: MetricIdentifier; readonly current: MetricValue }
}
export interface ScalingPolicy {
  readonly type: string
  readonly value: number
  readonly periodSeconds: number
}
export interface ScalingRules {
  readonly stabilizationWindowSeconds?: number
  readonly selectPolicy?: string
  readonly policies?: readonly ScalingPolicy[]
  readonly tolerance?: string
}
export interface HorizontalPodAutoscalerSpec {
  readonly scaleTargetRef: ObjectTarget
  readonly minReplicas?: number
  readonly maxReplicas: number
  readonly metrics?: readonly MetricSpec[]
  readonly behavior?: { readonly scaleUp?: ScalingRules; readonly scaleDown?: ScalingRules }
}
export interface HorizontalPodAutoscalerStatus {
  readonly observedGeneration?: number
  readonly lastScaleTime?: string
  readonly currentReplicas?: number
  readonly desiredReplicas: number
  readonly currentMetrics?: readonly MetricStatus[] | null
  readonly conditions?: readonly Condition[]
}
export interface HorizontalPodAutoscaler extends KubeObject {
  readonly spec: HorizontalPodAutoscalerSpec
  readonly status: HorizontalPodAutoscalerStatus
}

/** Upstream's, where a behaviour is given but not all of it. */
export const scaleUpDefaults: Required<Omit<ScalingRules, 'tolerance'>> = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
}
export const scaleDownDefaults: Omit<ScalingRules, 'tolerance'> = {
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
}
const cpuDefault: MetricSpec = {
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
}

export const horizontalPodAutoscalerType: ResourceType<HorizontalPodAutoscaler> = {
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  singular: 'horizontalpodautoscaler',
  shortNames: ['hpa'],
  categories: ['all'],
  namespaced: true,
  verbs: allVerbs,
  subresources: { status: true },
  defaults: autoscalerDefaults,
  prepareForCreate: (object) => ({
    ...withFirstGeneration(object),
    status: { desiredReplicas: 0, currentMetrics: null },
  }),
  prepareForUpdate: prepareSpecUpdate,
  validate: (object) => [
    ...validateMetadata(object.metadata, dns1123SubdomainProblems),
    ...validateAutoscalerSpec(object.spec),
  ],
  validateUpdate: (object, old) => validateMetadataUpdate(object.metadata, old.metadata),
  columns: [
    nameColumn,
    column('Reference', 'What is scaled.'),
    column('Targets', 'The current values of the metrics and their targets.'),
    column('MinPods', 'The fewest pods there may be.'),
    column('MaxPods', 'The most pods there may be.', 'integer'),
    column('Replicas', 'The number of pods there are.', 'integer'),
    ageColumn,
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name ?? '',
    `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`,
    targetsText(spec.metrics ?? [], status.currentMetrics ?? []),
    String(spec.minReplicas ?? '<unset>'),
    spec.maxReplicas,
    status.currentReplicas ?? 0,
    ageOf(metadata.creationTimestamp, now),
  ],
}

function autoscalerDefaults(object: HorizontalPodAutoscaler): HorizontalPodAutoscaler {
  const { spec } = object
  const { scaleUp, scaleDown } = spec.behavior ?? {}
  return {
    ...object,
    spec: {
      minReplicas: 1,
      ...spec,
      metrics:
        spec.metrics === undefined || spec.metrics.length === 0 ? [cpuDefault] : spec.metrics,
      ...(spec.behavior === undefined
        ? {}
        : {
            behavior: {
              scaleUp: { ...scaleUpDefaults, ...scaleUp },
              scaleDown: { ...scaleDownDefaults, ...scaleDown },
            },
          }),
    },
  }
}
