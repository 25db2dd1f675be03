// What a HorizontalPodAutoscaler scales, the pods of it, and what is measured of them.
import { keyOf } from '../../client/object-cache.ts'
import { nothing } from '../../controllers/action.ts'
import { reconcileAutoscaler, type ScaleTarget } from '../../controllers/autoscaler/autoscaler.ts'
import { noMemory, type AutoscalerMemory } from '../../controllers/autoscaler/behavior.ts'
import type { Reading, Sample } from '../../controllers/autoscaler/metrics.ts'
import type { ResourceType, Stored } from '../../resources/object.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import { replicaSetType } from '../../resources/replica-set.ts'
import {
  horizontalPodAutoscalerType,
  type MetricSpec,
  type ObjectTarget,
} from '../../resources/workloads/horizontal-pod-autoscaler.ts'
import { watchChanges } from '../controller-loop.ts'
import {
  ownKey,
  type Caches,
  type Controller,
  type ControllerContext,
  type ServedKinds,
} from '../controller.ts'
import type { MetricsSource, PodUsage } from '../metrics-source.ts'

const noCustomMetrics = 'no custom metrics API is registered'
const noExternalMetrics = 'no external metrics API is registered'

/** Those that users bring, too. */
const scalableTypes = (kinds: ServedKinds): readonly ResourceType[] =>
  kinds.list().filter(({ subresources }) => subresources.scale !== undefined)

/** A text: why there is none. */
function targetOf(
  { informers, kinds }: Pick<ControllerContext, 'informers' | 'kinds'>,
  namespace: string,
  { apiVersion = '', kind, name }: ObjectTarget,
): { target: ScaleTarget; uid: string } | string {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  const type = scalableTypes(kinds).find((each) => each.kind === kind && each.group === group)
  const { scale } = type?.subresources ?? {}
  if (type === undefined || scale === undefined)
    return `no matches for kind "${kind}" in group "${group}"`
  const object = informers.of(type).get(keyOf(namespace, name))
  if (object === undefined)
    return `${type.plural}${group === '' ? '' : `.${group}`} "${name}" not found`
  const { specReplicas, statusReplicas } = scale.get(object)
  const target = { ref: type, namespace, name, specReplicas, statusReplicas }
  return { target, uid: object.metadata.uid }
}

/** Those that the target owns, itself or through ReplicaSets. */
const podsOf = (informers: Caches, uid: string): Stored<Pod>[] => {
  const pods = informers.of(podType)
  const sets = informers.of(replicaSetType).find('owner', uid)
  return [uid, ...sets.map(({ metadata }) => metadata.uid)].flatMap((owner) => [
    ...pods.find('owner', owner),
  ])
}

const nanoPerMilli = 1_000_000

/** Of one resource, summed over the containers that count. */
function samplesOf(
  pods: readonly Stored<Pod>[],
  usage: ReadonlyMap<string, PodUsage>,
  resource: string,
  container: string | undefined,
): Map<string, Sample> {
  const samples = new Map<string, Sample>()
  for (const { metadata } of pods) {
    const found = usage.get(metadata.uid)
    const counted = found?.containers.filter(
      ({ name }) => container === undefined || name === container,
    )
    if (found === undefined || counted === undefined || counted.length === 0) continue
    const milli = counted.reduce(
      (sum, { cpuNanocores, memoryBytes }) =>
        sum + (resource === 'cpu' ? cpuNanocores / nanoPerMilli : memoryBytes * 1000),
      0,
    )
    samples.set(metadata.name, { milli, atMs: found.atMs, windowMs: found.windowMs })
  }
  return samples
}

async function read(
  source: MetricsSource | undefined,
  namespace: string,
  pods: readonly Stored<Pod>[],
  spec: MetricSpec,
  nowMs: number,
): Promise<Reading> {
  const { resource, containerResource, pods: custom, object, external } = spec
  const unavailable = (why: string): Reading => ({ type: 'unavailable', why })
  if (resource !== undefined || containerResource !== undefined) {
    const name = (resource ?? containerResource)?.name ?? ''
    if (name !== 'cpu' && name !== 'memory') return unavailable(`${name} is not measured`)
    const usage = (await source?.podUsage(pods)) ?? new Map<string, PodUsage>()
    const samples = samplesOf(pods, usage, name, containerResource?.container)
    return { type: 'byPod', samples }
  }
  if (custom !== undefined) {
    const values = await source?.podMetric?.(pods, custom.metric)
    if (values === undefined) return unavailable(noCustomMetrics)
    const sample = (milli: number): Sample => ({ milli, atMs: nowMs, windowMs: 0 })
    return {
      type: 'byPod',
      samples: new Map([...values].map(([name, each]) => [name, sample(each)])),
    }
  }
  if (object !== undefined) {
    const milli = await source?.objectMetric?.(namespace, object.describedObject, object.metric)
    return milli === undefined ? unavailable(noCustomMetrics) : { type: 'total', milli }
  }
  if (external === undefined) return unavailable('no source')
  const milli = await source?.externalMetric?.(namespace, external.metric)
  return milli === undefined ? unavailable(noExternalMetrics) : { type: 'total', milli }
}

/** A source that fails says so in the conditions, like one that has nothing. */
const readSafely = async (...args: Parameters<typeof read>): Promise<Reading> => {
  try {
    return await read(...args)
  } catch (reason) {
    return { type: 'unavailable', why: reason instanceof Error ? reason.message : String(reason) }
  }
}

export const autoscalerController: Controller = {
  name: 'horizontal-pod-autoscaler',
  connect: ({ informers, kinds, metrics }) => {
    const all = informers.of(horizontalPodAutoscalerType)
    informers.of(podType)
    for (const type of scalableTypes(kinds)) informers.of(type)
    const memories = new Map<string, AutoscalerMemory>()
    return {
      // Its own status must not set it off: it comes by itself every few seconds.
      watches: [
        watchChanges(all, (current, previous) => {
          const some = current ?? previous
          const isSame = current?.metadata.generation === previous?.metadata.generation
          return some === undefined || isSame ? [] : ownKey(some)
        }),
      ],
      reconcile: async (key, nowMs) => {
        const autoscaler = all.get(key)
        if (autoscaler === undefined) {
          memories.delete(key)
          return nothing
        }
        const { namespace = '' } = autoscaler.metadata
        const found = targetOf({ informers, kinds }, namespace, autoscaler.spec.scaleTargetRef)
        const pods = typeof found === 'string' ? [] : podsOf(informers, found.uid)
        const readings = await Promise.all(
          (autoscaler.spec.metrics ?? []).map((spec) =>
            readSafely(metrics, namespace, pods, spec, nowMs),
          ),
        )
        const { memory, ...reconciliation } = reconcileAutoscaler({
          autoscaler,
          target: typeof found === 'string' ? found : found.target,
          pods,
          readings,
          memory: memories.get(key) ?? noMemory,
          nowMs,
        })
        memories.set(key, memory)
        return reconciliation
      },
    }
  },
}
