// Where autoscalers get their metrics from. What a source does not have is told as unavailable.
import type { Stored } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'
import type {
  MetricIdentifier,
  ObjectTarget,
} from '../resources/workloads/horizontal-pod-autoscaler.ts'

export interface ContainerUsage {
  readonly name: string
  readonly cpuNanocores: number
  readonly memoryBytes: number
}
export interface PodUsage {
  readonly atMs: number
  readonly windowMs: number
  readonly containers: readonly ContainerUsage[]
}

export interface MetricsSource {
  /** By uid; pods that nobody measures are left out. */
  podUsage(pods: readonly Stored<Pod>[]): Promise<ReadonlyMap<string, PodUsage>>
  /** Thousandths, by name of the pod. */
  podMetric?(
    pods: readonly Stored<Pod>[],
    metric: MetricIdentifier,
  ): Promise<ReadonlyMap<string, number>>
  /** Thousandths. */
  objectMetric?(namespace: string, object: ObjectTarget, metric: MetricIdentifier): Promise<number>
  /** Thousandths, of all series that the selector finds. */
  externalMetric?(namespace: string, metric: MetricIdentifier): Promise<number>
}
