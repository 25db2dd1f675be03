import { expect, test } from 'vitest'
import { objectKey } from '../../client/object-cache.ts'
import { isReady } from '../../controllers/pod-state.ts'
import { reconcileDisruptionBudget } from '../../controllers/disruption-budget.ts'
import { podOf, replicaSetOf, startMs, stored } from '../../controllers/testing/objects.ts'
import type { Stored } from '../../resources/object.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import { replicaSetType } from '../../resources/replica-set.ts'
import {
  podDisruptionBudgetType,
  type PodDisruptionBudget,
  type PodDisruptionBudgetSpec,
} from '../../resources/workloads/pod-disruption-budget.ts'
import { checkControllers } from '../testing/check-controllers.ts'
import { randomOf, SimulatedCluster } from '../testing/simulated-cluster.ts'
import { disruptionController } from './disruption-controller.ts'
import { replicaSetController } from './replica-set-controller.ts'

const budgetOf = (spec: PodDisruptionBudgetSpec): PodDisruptionBudget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'b', namespace: 'default' },
  spec: { selector: { matchLabels: { app: 'a' } }, ...spec },
  status: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
})
const controllers = [disruptionController, replicaSetController]
const started = (spec: PodDisruptionBudgetSpec, replicas = 4): SimulatedCluster => {
  const cluster = new SimulatedCluster({ controllers, random: randomOf(2) })
  cluster.put(replicaSetType, replicaSetOf('rs', replicas))
  cluster.put(podDisruptionBudgetType, budgetOf(spec))
  cluster.settle()
  return cluster
}
const current = (cluster: SimulatedCluster): Stored<PodDisruptionBudget> => {
  const budget = cluster.api.get<PodDisruptionBudget>(podDisruptionBudgetType, 'default/b')
  if (budget === undefined) throw new Error('no budget')
  return budget
}

test.each<[PodDisruptionBudgetSpec, number, number]>([
  [{ minAvailable: 3 }, 3, 1],
  [{ minAvailable: '50%' }, 2, 2],
  [{ minAvailable: '51%' }, 3, 1],
  [{ maxUnavailable: 1 }, 3, 1],
  [{ maxUnavailable: '30%' }, 2, 2],
  [{ minAvailable: 5 }, 5, 0],
])('of four pods %j needs %d and lets %d go', (spec, desiredHealthy, disruptionsAllowed) => {
  const { status } = current(started(spec))
  expect(status).toMatchObject({
    currentHealthy: 4,
    expectedPods: 4,
    desiredHealthy,
    disruptionsAllowed,
    observedGeneration: 1,
    conditions: [
      {
        type: 'DisruptionAllowed',
        status: disruptionsAllowed > 0 ? 'True' : 'False',
        reason: disruptionsAllowed > 0 ? 'SufficientPods' : 'InsufficientPods',
      },
    ],
  })
})

test('a granted eviction takes room until the pod is gone, or for two minutes', () => {
  const cluster = started({ minAvailable: 3 })
  const [pod] = cluster.api.all<Pod>(podType)
  const budget = current(cluster)
  const disruptedPods = { [pod?.metadata.name ?? '']: '2026-01-01T00:01:00Z' }
  cluster.api.nowMs = Date.parse('2026-01-01T00:01:00Z')
  const status = { ...budget.status, disruptedPods, disruptionsAllowed: 0 }
  cluster.api.update(
    podDisruptionBudgetType,
    { ...budget, status } as PodDisruptionBudget,
    'status',
  )
  cluster.deliverAll()
  while (cluster.reconcileSome(Number.POSITIVE_INFINITY, false)) cluster.deliverAll()
  expect(current(cluster).status).toMatchObject({ disruptionsAllowed: 0, currentHealthy: 3 })
  cluster.settle()
  expect(current(cluster).status).toMatchObject({ disruptionsAllowed: 1, currentHealthy: 4 })
  expect(current(cluster).status.disruptedPods).toBeUndefined()
})

test('pods that nothing wants a number of are told of', () => {
  const budget = stored(budgetOf({ maxUnavailable: 1 }))
  const pods = [podOf('alone')]
  const view = { budget, pods, makerOf: () => undefined, nowMs: startMs }
  expect(reconcileDisruptionBudget(view).actions).toMatchObject([
    { type: 'update', object: { status: { expectedPods: 0, disruptionsAllowed: 0 } } },
    {
      event: {
        reason: 'UnmanagedPods',
        message: expect.stringContaining('Unmanaged pods: [alone]') as string,
      },
    },
  ])
})

test('the budget counts what there is, whatever happens', () => {
  checkControllers({
    controllers: [disruptionController],
    helpers: [replicaSetController],
    setup: (cluster) => {
      cluster.put(replicaSetType, replicaSetOf('rs', 4))
      cluster.put(podDisruptionBudgetType, budgetOf({ maxUnavailable: '50%' }))
    },
    deeds: [
      (cluster, choice) =>
        cluster.api.patch(replicaSetType, 'default/rs', { spec: { replicas: choice % 6 } }),
      (cluster, choice) => {
        const pods = cluster.api.all<Pod>(podType)
        const pod = pods[choice % pods.length]
        if (pod !== undefined)
          cluster.api.patch(podType, objectKey(pod), { metadata: { labels: { app: 'b' } } })
      },
    ],
    goal: (cluster) => {
      const selected = cluster.api
        .all<Pod>(podType)
        .filter((pod) => pod.metadata.labels?.['app'] === 'a' && isReady(pod))
      const { currentHealthy, desiredHealthy, disruptionsAllowed } = current(cluster).status
      expect(currentHealthy).toBe(selected.length)
      expect(disruptionsAllowed).toBe(Math.max(0, currentHealthy - desiredHealthy))
    },
    runs: 60,
  })
})
