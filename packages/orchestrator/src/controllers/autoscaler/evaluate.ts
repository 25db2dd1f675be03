// One metric of an autoscaler: what it asks for, what it shows in the status, and what is said when it cannot be had.
import type { Stored } from '../../resources/object.ts'
import type { Container } from '../../resources/pod-spec/pod-spec.ts'
import type { Pod } from '../../resources/pod.ts'
import { formatQuantity, parseQuantity, quantityMilli } from '../../resources/quantity.ts'
import type {
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValue,
} from '../../resources/workloads/horizontal-pod-autoscaler.ts'
import type { AutoscalerView, ScaleTarget } from './autoscaler.ts'
import { groupPods, type Reading, type Sample } from './metrics.ts'
import { proposeByPods, proposeByTotal, type Proposal } from './replica-count.ts'

export type Evaluated =
  | {
      readonly type: 'valid'
      readonly replicas: number
      readonly label: string
      readonly status: MetricStatus
    }
  | {
      readonly type: 'invalid'
      readonly reason: string
      readonly why: string
      readonly status: MetricStatus
    }

const toleranceDefault = 0.1

export function evaluateMetric(
  view: AutoscalerView,
  target: ScaleTarget,
  spec: MetricSpec,
  index: number,
): Evaluated {
  const reading = view.readings[index] ?? { type: 'unavailable', why: 'not read' }
  const { resource, containerResource, pods, object, external } = spec
  if (resource !== undefined)
    return evaluateResource(view, target, spec, reading, resource, undefined)
  if (containerResource !== undefined) {
    const { container } = containerResource
    return evaluateResource(view, target, spec, reading, containerResource, container)
  }
  if (pods !== undefined) return evaluatePods(view, target, spec, reading, pods)
  if (object !== undefined)
    return evaluateTotal(view, target, spec, reading, { ...object, source: 'Object' })
  if (external !== undefined)
    return evaluateTotal(view, target, spec, reading, { ...external, source: 'External' })
  return invalid(spec, 'InvalidMetricSourceType', `unknown metric source type "${spec.type}"`)
}

const milliOf = (text: string | undefined): number => {
  const quantity = text === undefined ? undefined : parseQuantity(text)
  return quantity === undefined ? 0 : quantityMilli(quantity)
}
const textOf = (milli: number): string =>
  formatQuantity({ value: BigInt(Math.round(milli)) * 1_000_000n, format: 'DecimalSI' })

const toleranceOf = ({ autoscaler }: AutoscalerView): number => {
  const { tolerance } = autoscaler.spec.behavior?.scaleUp ?? {}
  return tolerance === undefined ? toleranceDefault : milliOf(tolerance) / 1000
}

function evaluateResource(
  view: AutoscalerView,
  { specReplicas }: ScaleTarget,
  spec: MetricSpec,
  reading: Reading,
  { name, target }: { readonly name: string; readonly target: MetricTarget },
  container: string | undefined,
): Evaluated {
  const reason =
    container === undefined ? 'FailedGetResourceMetric' : 'FailedGetContainerResourceMetric'
  const isUtilization = target.averageValue === undefined
  const kind = isUtilization ? `${name} utilization` : `resource metric value`
  const fail = (why: string): Evaluated =>
    invalid(
      spec,
      reason,
      `failed to get ${name} resource metric value: failed to get ${kind}: ${why}`,
    )
  if (reading.type !== 'byPod')
    return fail(reading.type === 'unavailable' ? reading.why : 'not measured by pod')
  if (reading.samples.size === 0)
    return fail(
      `unable to get metrics for resource ${name}: no metrics returned from resource metrics API`,
    )
  const requests = isUtilization
    ? requestsOf(view.pods, name, container)
    : new Map<string, number>()
  if (typeof requests === 'string') return fail(requests)
  const proposal = proposeByPods({
    pods: view.pods,
    samples: reading.samples,
    isCpu: name === 'cpu',
    currentReplicas: specReplicas,
    targetMilli: isUtilization ? (target.averageUtilization ?? 0) : milliOf(target.averageValue),
    ...(isUtilization ? { requestsMilli: requests } : {}),
    tolerance: toleranceOf(view),
    nowMs: view.nowMs,
  })
  if (proposal === undefined)
    return fail('did not receive metrics for targeted pods (pods might be unready)')
  const { utilization, averageMilli } = proposal
  const current: MetricValue = {
    ...(utilization === undefined ? {} : { averageUtilization: utilization }),
    averageValue: textOf(averageMilli),
  }
  const where = container === undefined ? `${name} resource` : `${name} container resource`
  const label = isUtilization ? `${where} utilization (percentage of request)` : where
  return { type: 'valid', replicas: proposal.replicas, label, status: withValue(spec, current) }
}

/** What each pod requests, by name; a text: what is missing. */
function requestsOf(
  pods: readonly Stored<Pod>[],
  resource: string,
  container: string | undefined,
): Map<string, number> | string {
  const requests = new Map<string, number>()
  for (const pod of pods) {
    const counted = pod.spec.containers.filter(
      ({ name }: Container) => container === undefined || name === container,
    )
    let total = 0
    for (const { name, resources } of counted) {
      const request = resources.requests?.[resource]
      if (request === undefined)
        return `missing request for ${resource} in container ${name} of Pod ${pod.metadata.name}`
      total += milliOf(request)
    }
    requests.set(pod.metadata.name, total)
  }
  return requests
}

function evaluatePods(
  view: AutoscalerView,
  { specReplicas }: ScaleTarget,
  spec: MetricSpec,
  reading: Reading,
  { metric, target }: NonNullable<MetricSpec['pods']>,
): Evaluated {
  const samples = reading.type === 'byPod' ? reading.samples : new Map<string, Sample>()
  const proposal = proposeByPods({
    pods: view.pods,
    samples,
    isCpu: false,
    currentReplicas: specReplicas,
    targetMilli: milliOf(target.averageValue),
    tolerance: toleranceOf(view),
    nowMs: view.nowMs,
  })
  if (proposal === undefined) {
    const why = reading.type === 'unavailable' ? reading.why : 'no metrics returned'
    return invalid(
      spec,
      'FailedGetPodsMetric',
      `failed to get pods metric value: unable to get metric ${metric.name}: ${why}`,
    )
  }
  const current = { averageValue: textOf(proposal.averageMilli) }
  const label = `pods metric ${metric.name}`
  return { type: 'valid', replicas: proposal.replicas, label, status: withValue(spec, current) }
}

function evaluateTotal(
  view: AutoscalerView,
  { specReplicas, statusReplicas }: ScaleTarget,
  spec: MetricSpec,
  reading: Reading,
  source: Pick<NonNullable<MetricSpec['external']>, 'metric' | 'target'> & {
    readonly source: 'Object' | 'External'
  },
): Evaluated {
  const { metric, target } = source
  const what = source.source.toLowerCase()
  if (reading.type !== 'total') {
    const why = reading.type === 'unavailable' ? reading.why : 'not a single value'
    return invalid(
      spec,
      `FailedGet${source.source}Metric`,
      `failed to get ${what} metric value: unable to get metric ${metric.name}: ${why}`,
    )
  }
  const isAverage = target.averageValue !== undefined
  const { readyCount } = groupPods(view.pods, everybody(view.pods), false, view.nowMs)
  const proposal: Proposal = proposeByTotal({
    milli: reading.milli,
    targetMilli: milliOf(target.averageValue ?? target.value),
    isAverage,
    currentReplicas: isAverage ? statusReplicas : specReplicas,
    readyCount,
    tolerance: toleranceOf(view),
  })
  const current: MetricValue = isAverage
    ? { averageValue: textOf(proposal.averageMilli) }
    : { value: textOf(reading.milli) }
  const label = `${what} metric ${metric.name}`
  return { type: 'valid', replicas: proposal.replicas, label, status: withValue(spec, current) }
}

/** As if all were measured: only their state counts. */
const everybody = (pods: readonly Stored<Pod>[]): Map<string, Sample> =>
  new Map(pods.map((pod) => [pod.metadata.name, { milli: 0, atMs: 0, windowMs: 0 }]))

const invalid = (spec: MetricSpec, reason: string, why: string): Evaluated => ({
  type: 'invalid',
  reason,
  why,
  status: withValue(spec, {}),
})

/** The status of a metric: its source with the current value in place of the target. */
function withValue(spec: MetricSpec, current: MetricValue): MetricStatus {
  const { type, resource, containerResource, pods, object, external } = spec
  if (resource !== undefined) return { type, resource: { name: resource.name, current } }
  if (containerResource !== undefined) {
    const { name, container } = containerResource
    return { type, containerResource: { name, container, current } }
  }
  if (pods !== undefined) return { type, pods: { metric: pods.metric, current } }
  if (object !== undefined) {
    const { metric, describedObject } = object
    return { type, object: { metric, describedObject, current } }
  }
  return external === undefined
    ? { type }
    : { type, external: { metric: external.metric, current } }
}
