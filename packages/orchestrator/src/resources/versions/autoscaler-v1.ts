// HorizontalPodAutoscaler as autoscaling/v1 shows it: one target for the CPU; everything else of it is in annotations, as upstream keeps
// it, so that a client of this version does not lose it when it writes back what it has read.
import type { Json, KubeObject, ResourceType } from '../object.ts'
import { servedAs } from '../served-version.ts'
import { decodeObject } from '../schema/decode-object.ts'
import { horizontalPodAutoscalerType } from '../workloads/horizontal-pod-autoscaler.ts'
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerSpec,
  HorizontalPodAutoscalerStatus,
  MetricSpec,
  MetricStatus,
} from '../workloads/horizontal-pod-autoscaler.ts'

interface AutoscalerV1 extends KubeObject {
  readonly spec: Omit<HorizontalPodAutoscalerSpec, 'metrics' | 'behavior'> & {
    readonly targetCPUUtilizationPercentage?: number
  }
  readonly status: Omit<HorizontalPodAutoscalerStatus, 'currentMetrics' | 'conditions'> & {
    readonly currentCPUUtilizationPercentage?: number
  }
}

const annotationPrefix = 'autoscaling.alpha.kubernetes.io/'
/** What the annotations hold. */
interface Rest {
  readonly metrics?: readonly MetricSpec[]
  readonly behavior?: HorizontalPodAutoscalerSpec['behavior']
  readonly 'current-metrics'?: readonly MetricStatus[]
  readonly conditions?: HorizontalPodAutoscalerStatus['conditions']
}
const restNames: readonly (keyof Rest)[] = ['metrics', 'behavior', 'current-metrics', 'conditions']

export const autoscalerV1Type: ResourceType = servedAs(horizontalPodAutoscalerType, {
  version: 'v1',
  toStorage,
  fromStorage,
})

function toStorage(object: KubeObject): KubeObject {
  // decodeObject has just checked it against the schema of this version.
  const { metadata, spec, status, ...head } = object as AutoscalerV1
  const { targetCPUUtilizationPercentage, ...sameSpec } = spec
  const { currentCPUUtilizationPercentage, ...sameStatus } = status
  const rest = readRest(object)
  const cpu =
    targetCPUUtilizationPercentage === undefined ? [] : [cpuMetric(targetCPUUtilizationPercentage)]
  const metrics = [...cpu, ...(rest.metrics ?? [])]
  const currentCpu =
    currentCPUUtilizationPercentage === undefined
      ? []
      : [cpuStatus(currentCPUUtilizationPercentage)]
  const stored: HorizontalPodAutoscaler = {
    ...head,
    metadata: withoutRest(metadata),
    spec: {
      ...sameSpec,
      ...(metrics.length === 0 ? {} : { metrics }),
      ...(rest.behavior === undefined ? {} : { behavior: rest.behavior }),
    },
    status: {
      ...sameStatus,
      currentMetrics: [...currentCpu, ...(rest['current-metrics'] ?? [])],
      conditions: rest.conditions ?? [],
    },
  }
  return stored
}

function fromStorage(object: KubeObject): KubeObject {
  const { metadata, spec, status, ...head } = object as HorizontalPodAutoscaler
  const { metrics = [], behavior, ...sameSpec } = spec
  const { currentMetrics, conditions = [], ...sameStatus } = status
  const cpu = metrics.find(isCpuUtilization)
  const current = (currentMetrics ?? []).find(isCpuUtilizationStatus)
  const targetPercent = cpu?.resource?.target.averageUtilization
  const currentPercent = current?.resource?.current.averageUtilization
  const rest: Record<keyof Rest, unknown> = {
    metrics: notEmpty(metrics.filter((metric) => metric !== cpu)),
    behavior,
    'current-metrics': notEmpty((currentMetrics ?? []).filter((metric) => metric !== current)),
    conditions: notEmpty(conditions),
  }
  const annotations = Object.fromEntries([
    ...Object.entries(metadata.annotations ?? {}),
    ...restNames
      .filter((name) => rest[name] !== undefined)
      .map((name) => [annotationPrefix + name, JSON.stringify(rest[name])]),
  ]) as Record<string, string>
  const shown: AutoscalerV1 = {
    ...head,
    metadata: { ...metadata, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) },
    spec: {
      ...sameSpec,
      ...(targetPercent === undefined ? {} : { targetCPUUtilizationPercentage: targetPercent }),
    },
    status: {
      ...sameStatus,
      ...(currentPercent === undefined ? {} : { currentCPUUtilizationPercentage: currentPercent }),
    },
  }
  return shown
}

/** What the annotations hold, as far as it is what this kind may hold: they are any client's words. */
function readRest({ metadata }: KubeObject): Rest {
  const read = (name: string): Json | undefined => {
    const text = metadata.annotations?.[annotationPrefix + name]
    return text === undefined ? undefined : parsed(text)
  }
  const decoded = decodeObject<HorizontalPodAutoscaler>(horizontalPodAutoscalerType, {
    spec: { metrics: read('metrics') ?? null, behavior: read('behavior') ?? null },
    status: {
      currentMetrics: read('current-metrics') ?? null,
      conditions: read('conditions') ?? null,
    },
  })
  if (!decoded.ok) return {}
  const { spec, status } = decoded.object
  return {
    ...(spec.metrics === undefined ? {} : { metrics: spec.metrics }),
    ...(spec.behavior === undefined ? {} : { behavior: spec.behavior }),
    'current-metrics': status.currentMetrics ?? [],
    conditions: status.conditions ?? [],
  }
}

const parsed = (text: string): Json | undefined => {
  try {
    return JSON.parse(text) as Json
  } catch (reason) {
    if (reason instanceof SyntaxError) return undefined
    throw reason
  }
}

function withoutRest(metadata: KubeObject['metadata']): KubeObject['metadata'] {
  const { annotations, ...others } = metadata
  const kept = Object.entries(annotations ?? {}).filter(
    ([name]) => !restNames.some((rest) => name === annotationPrefix + rest),
  )
  return kept.length === 0 ? others : { ...others, annotations: Object.fromEntries(kept) }
}

const cpuMetric = (averageUtilization: number): MetricSpec => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
})
const cpuStatus = (averageUtilization: number): MetricStatus => ({
  type: 'Resource',
  resource: { name: 'cpu', current: { averageUtilization } },
})
const isCpuUtilization = ({ resource }: MetricSpec): boolean =>
  resource?.name === 'cpu' && resource.target.averageUtilization !== undefined
const isCpuUtilizationStatus = ({ resource }: MetricStatus): boolean =>
  resource?.name === 'cpu' && resource.current.averageUtilization !== undefined

const notEmpty = <T>(list: readonly T[]): readonly T[] | undefined =>
  list.length === 0 ? undefined : list
