import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deploymentType } from '../../resources/deployment.ts'
import type { Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import {
  horizontalPodAutoscalerType,
  type HorizontalPodAutoscaler,
  type HorizontalPodAutoscalerSpec,
} from '../../resources/workloads/horizontal-pod-autoscaler.ts'
import { podOf, startMs, stored } from '../testing/objects.ts'
import { reconcileAutoscaler, type AutoscalerReconciliation } from './autoscaler.ts'
import { noMemory, type AutoscalerMemory } from './behavior.ts'
import type { Reading, Sample } from './metrics.ts'

const autoscalerOf = (
  spec: Partial<HorizontalPodAutoscalerSpec>,
): Stored<HorizontalPodAutoscaler> =>
  stored(
    horizontalPodAutoscalerType.defaults({
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'h', namespace: 'default' },
      spec: { scaleTargetRef: { kind: 'Deployment', name: 'd' }, maxReplicas: 100, ...spec },
      status: { desiredReplicas: 0, currentMetrics: null },
    }),
  )
const resources = { requests: { cpu: '100m' } }
const podsOf = (count: number, status: Partial<Pod['status']> = {}): Stored<Pod>[] =>
  Array.from({ length: count }, (_, index) =>
    podOf(`p${index}`, {
      spec: { containers: [{ name: 'c', image: 'i', resources }] },
      status: {
        phase: 'Running',
        startTime: '2025-12-31T00:00:00Z',
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2025-12-31T00:00:00Z' }],
        ...status,
      },
    }),
  )
const using = (...millis: readonly number[]): Reading => ({
  type: 'byPod',
  samples: new Map<string, Sample>(
    millis.map((milli, index) => [`p${index}`, { milli, atMs: startMs, windowMs: 15_000 }]),
  ),
})
const total = (milli: number): Reading => ({ type: 'total', milli })

const sync = (options: {
  readonly spec?: Partial<HorizontalPodAutoscalerSpec>
  readonly autoscaler?: Stored<HorizontalPodAutoscaler>
  readonly current: number
  readonly readings: readonly Reading[]
  readonly pods?: readonly Stored<Pod>[]
  readonly memory?: AutoscalerMemory
  readonly nowMs?: number
}): AutoscalerReconciliation & { wanted: number; reasons: Record<string, string | undefined> } => {
  const { current, readings, pods = podsOf(current), memory = noMemory } = options
  const reconciliation = reconcileAutoscaler({
    autoscaler: options.autoscaler ?? autoscalerOf(options.spec ?? {}),
    target: {
      ref: deploymentType,
      namespace: 'default',
      name: 'd',
      specReplicas: current,
      statusReplicas: current,
    },
    pods,
    readings,
    memory,
    nowMs: options.nowMs ?? startMs,
  })
  const scale = reconciliation.actions.find((action) => action.type === 'patch')
  const patch = scale?.patch as { spec: { replicas: number } } | undefined
  const update = reconciliation.actions.find((action) => action.type === 'update')
  const { status } = (update?.object ?? { status: {} }) as HorizontalPodAutoscaler
  return {
    ...reconciliation,
    wanted: patch?.spec.replicas ?? current,
    reasons: Object.fromEntries(
      (status.conditions ?? []).map(({ type, reason }) => [type, reason]),
    ),
  }
}

describe('replicas for a utilisation of 80%', () => {
  test.each([
    ['twice the target', [160, 160], 4],
    ['within the tolerance', [84, 84], 2],
    ['half the target', [40, 40, 40, 40], 2],
    ['above and below make the average', [160, 40], 3],
  ])('%s', (_name, millis, wanted) => {
    expect(sync({ current: millis.length, readings: [using(...millis)] }).wanted).toBe(wanted)
  })

  test('a pod that is not measured counts as idle when it grows and as busy when it shrinks', () => {
    const pods = podsOf(3)
    expect(sync({ current: 3, pods, readings: [using(200, 200)] }).wanted).toBe(5)
    expect(sync({ current: 3, pods, readings: [using(10, 10)] }).wanted).toBe(2)
  })

  test('a pod that starts up does not make it grow', () => {
    const [first, second] = podsOf(2)
    const conditions = [
      { type: 'Ready', status: 'False' as const, lastTransitionTime: '2025-12-31T23:59:00Z' },
    ]
    const starting = {
      ...second,
      status: { phase: 'Running' as const, startTime: '2025-12-31T23:59:00Z', conditions },
    } as Stored<Pod>
    const pods = first === undefined ? [] : [first, starting]
    expect(sync({ current: 2, pods, readings: [using(100, 1000)] }).wanted).toBe(2)
  })

  test('a container that requests nothing has no utilisation', () => {
    const { actions, reasons, wanted } = sync({
      current: 1,
      pods: [podOf('p0')],
      readings: [using(100)],
    })
    expect([wanted, reasons['ScalingActive']]).toEqual([1, 'FailedGetResourceMetric'])
    expect(actions[1]).toMatchObject({
      event: {
        reason: 'FailedComputeMetricsReplicas',
        message:
          'invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: failed to get cpu utilization: missing request for cpu in container c of Pod p0',
      },
    })
  })
})

test('other metrics: the one that asks for most decides, and one that is missing keeps it from shrinking', () => {
  const metric = { name: 'm' }
  const metrics: HorizontalPodAutoscalerSpec['metrics'] = [
    { type: 'Pods', pods: { metric, target: { type: 'AverageValue', averageValue: '100m' } } },
    { type: 'External', external: { metric, target: { type: 'AverageValue', averageValue: '2' } } },
    {
      type: 'Object',
      object: {
        metric,
        describedObject: { kind: 'Service', name: 's' },
        target: { type: 'Value', value: '10' },
      },
    },
  ]
  const spec = { metrics }
  const quiet = [using(50, 50), total(4000), total(10_000)]
  expect(sync({ spec, current: 2, readings: quiet }).wanted).toBe(2)
  expect(
    sync({ spec, current: 2, readings: [using(100, 100), total(8000), total(0)] }).wanted,
  ).toBe(4)
  expect(sync({ spec, current: 2, readings: [using(1, 1), total(0), total(20_000)] }).wanted).toBe(
    4,
  )
  const broken: Reading = { type: 'unavailable', why: 'down' }
  const shrinking = sync({ spec, current: 4, readings: [using(1, 1, 1, 1), total(0), broken] })
  expect([shrinking.wanted, shrinking.reasons['ScalingActive']]).toEqual([
    4,
    'FailedGetObjectMetric',
  ])
})

describe('behaviour', () => {
  test('it never grows more than twofold, or by four, in 15 seconds', () => {
    const grown = sync({ current: 3, readings: [using(900, 900, 900)] })
    expect([grown.wanted, grown.reasons['ScalingLimited']]).toEqual([7, 'ScaleUpLimit'])
    const again = { current: 7, readings: [using(...Array.from({ length: 7 }, () => 900))] }
    expect(sync({ ...again, memory: grown.memory, nowMs: startMs + 5000 }).wanted).toBe(7)
    expect(sync({ ...again, memory: grown.memory, nowMs: startMs + 16_000 }).wanted).toBe(14)
  })

  test('it shrinks only when it would have for five minutes', () => {
    const first = sync({ current: 4, readings: [using(80, 80, 80, 80)] })
    const idle = { current: 4, readings: [using(1, 1, 1, 1)] }
    const soon = sync({ ...idle, memory: first.memory, nowMs: startMs + 60_000 })
    expect([soon.wanted, soon.reasons['AbleToScale']]).toEqual([4, 'ScaleDownStabilized'])
    const late = sync({ ...idle, memory: soon.memory, nowMs: startMs + 301_000 })
    expect([late.wanted, late.reasons['AbleToScale']]).toEqual([1, 'SucceededRescale'])
  })

  test('policies say how fast and whether at all', () => {
    const rules = (selectPolicy: string): Partial<HorizontalPodAutoscalerSpec> => ({
      behavior: {
        scaleDown: {
          selectPolicy,
          stabilizationWindowSeconds: 0,
          policies: [
            { type: 'Pods', value: 1, periodSeconds: 60 },
            { type: 'Percent', value: 50, periodSeconds: 60 },
          ],
        },
      },
    })
    const idle = { current: 8, readings: [using(...Array.from({ length: 8 }, () => 0))] }
    const wanted = ['Max', 'Min', 'Disabled'].map(
      (policy) => sync({ ...idle, spec: rules(policy) }).wanted,
    )
    expect(wanted).toEqual([4, 7, 8])
  })
})

test('bounds come first, and zero replicas switch it off', () => {
  const spec = { minReplicas: 2, maxReplicas: 5 }
  expect(sync({ spec, current: 1, readings: [] }).wanted).toBe(2)
  expect(sync({ spec, current: 9, readings: [] }).wanted).toBe(5)
  const off = sync({ spec, current: 0, readings: [] })
  expect([off.wanted, off.reasons['ScalingActive']]).toEqual([0, 'ScalingDisabled'])
  const most = sync({ spec, current: 4, readings: [using(400, 400, 400, 400)] })
  expect([most.wanted, most.reasons['ScalingLimited']]).toEqual([5, 'TooManyReplicas'])
})

test('a target that is not there is told of', () => {
  const { actions } = reconcileAutoscaler({
    autoscaler: autoscalerOf({}),
    target: 'deployments.apps "d" not found',
    pods: [],
    readings: [],
    memory: noMemory,
    nowMs: startMs,
  })
  expect(actions).toMatchObject([
    { event: { reason: 'FailedGetScale', message: 'deployments.apps "d" not found' } },
    { object: { status: { conditions: [{ type: 'AbleToScale', status: 'False' }] } } },
  ])
})

test('under a steady load it comes to rest within its bounds and stays', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 0, max: 5000 }),
      fc.integer({ min: 1, max: 5 }),
      (first, load, minReplicas) => {
        let autoscaler = autoscalerOf({ minReplicas, maxReplicas: 30 })
        let replicas = first
        let memory = noMemory
        const seen: number[] = []
        for (let tick = 0; tick < 80; tick++) {
          const share = load / Math.max(1, replicas)
          const readings = [using(...Array.from({ length: replicas }, () => share))]
          const nowMs = startMs + tick * 15_000
          const result = sync({ autoscaler, current: replicas, readings, memory, nowMs })
          const update = result.actions.find((action) => action.type === 'update')
          if (update !== undefined) autoscaler = update.object as Stored<HorizontalPodAutoscaler>
          replicas = result.wanted
          memory = result.memory
          seen.push(replicas)
        }
        const rest = new Set(seen.slice(-20))
        expect(rest.size).toBe(1)
        expect(replicas).toBeGreaterThanOrEqual(minReplicas)
        expect(replicas).toBeLessThanOrEqual(30)
        const perPod = load / replicas / 80
        if (replicas < 30) expect(perPod).toBeLessThanOrEqual(1.1001)
        if (replicas > minReplicas) expect(load / (replicas - 1) / 80).toBeGreaterThan(0.9)
      },
    ),
    { seed: 20_260_101, numRuns: 100 },
  )
})
