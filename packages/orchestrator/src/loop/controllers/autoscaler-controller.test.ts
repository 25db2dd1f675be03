import { expect, test } from 'vitest'
import { reconcileAutoscaler } from '../../controllers/autoscaler/autoscaler.ts'
import { noMemory, type AutoscalerMemory } from '../../controllers/autoscaler/behavior.ts'
import type { Sample } from '../../controllers/autoscaler/metrics.ts'
import { isReady } from '../../controllers/pod-state.ts'
import { deploymentOf } from '../../controllers/testing/objects.ts'
import { deploymentType, type Deployment } from '../../resources/deployment.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import {
  horizontalPodAutoscalerType,
  type HorizontalPodAutoscaler,
} from '../../resources/workloads/horizontal-pod-autoscaler.ts'
import { nothing } from '../../controllers/action.ts'
import { watchChanges } from '../controller-loop.ts'
import { ownKey, type Controller } from '../controller.ts'
import { checkControllers } from '../testing/check-controllers.ts'
import type { SimulatedCluster } from '../testing/simulated-cluster.ts'
import { deploymentController } from './deployment-controller.ts'
import { replicaSetController } from './replica-set-controller.ts'

const key = 'default/d'
const requestMilli = 100
const targetPercent = 50
const bounds = { minReplicas: 1, maxReplicas: 10 }
/** Nothing changes for so long after the last change: syncs without end would keep the simulation going. */
const restMs = 30 * 60_000

const autoscaler: HorizontalPodAutoscaler = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'd', namespace: 'default' },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
    ...bounds,
    metrics: [
      {
        type: 'Resource',
        resource: {
          name: 'cpu',
          target: { type: 'Utilization', averageUtilization: targetPercent },
        },
      },
    ],
  },
  status: { desiredReplicas: 0, currentMetrics: null },
}

/** The load of the whole Deployment, shared by the pods that are ready. */
class Load {
  milli = 200
  changedMs = 0
}

/** What autoscalerController is, with metrics that are there at once: simulations do not wait. */
const autoscalerOver = (load: Load): Controller => ({
  name: 'horizontal-pod-autoscaler',
  connect: ({ informers }) => {
    const all = informers.of(horizontalPodAutoscalerType)
    const deployments = informers.of(deploymentType)
    const pods = informers.of(podType)
    // As its process has it: gone with a crash.
    let memory: AutoscalerMemory = noMemory
    return {
      watches: [
        watchChanges(all, (current, previous) =>
          current === undefined || current.metadata.generation === previous?.metadata.generation
            ? []
            : ownKey(current),
        ),
      ],
      reconcile: (_key, nowMs) => {
        const found = all.get(key)
        const deployment = deployments.get(key)
        if (found === undefined) return nothing
        const own = pods.list()
        const ready = own.filter(isReady)
        const sample = (): Sample => ({
          milli: load.milli / ready.length,
          atMs: nowMs,
          windowMs: 15_000,
        })
        const result = reconcileAutoscaler({
          autoscaler: found,
          target:
            deployment === undefined
              ? 'gone'
              : {
                  ref: deploymentType,
                  namespace: 'default',
                  name: 'd',
                  specReplicas: deployment.spec.replicas ?? 1,
                  statusReplicas: deployment.status.replicas ?? 0,
                },
          pods: own,
          readings: [
            {
              type: 'byPod',
              samples: new Map(ready.map(({ metadata }) => [metadata.name, sample()])),
            },
          ],
          memory,
          nowMs,
        })
        memory = result.memory
        const { actions, requeueAfterMs = 0 } = result
        return nowMs - load.changedMs > restMs ? { actions } : { actions, requeueAfterMs }
      },
    }
  },
})

test('an autoscaler gives its Deployment the pods that the load needs and lets it be, whatever happens', () => {
  const load = new Load()
  const replicas = (cluster: SimulatedCluster): number =>
    cluster.api.get<Deployment>(deploymentType, key)?.spec.replicas ?? 1
  const change = (cluster: SimulatedCluster, milli: number): void => {
    load.milli = milli
    load.changedMs = cluster.api.nowMs
  }
  checkControllers({
    controllers: [autoscalerOver(load)],
    helpers: [deploymentController, replicaSetController],
    setup: (cluster) => {
      const { spec, ...deployment } = deploymentOf('d', 2)
      const resources = { requests: { cpu: `${requestMilli}m` } }
      const containers = [{ name: 'c', image: 'i:1', resources }]
      const template = { ...spec.template, spec: { containers } }
      cluster.put(deploymentType, { ...deployment, spec: { ...spec, template } } as Deployment)
      cluster.put(horizontalPodAutoscalerType, horizontalPodAutoscalerType.defaults(autoscaler))
      change(cluster, 200)
    },
    deeds: [
      (cluster, choice) => change(cluster, (choice * 7) % 900),
      // Somebody scales by hand.
      (cluster, choice) => {
        cluster.api.patch(deploymentType, key, { spec: { replicas: 1 + (choice % 12) } })
        load.changedMs = cluster.api.nowMs
      },
    ],
    calm: (cluster) => {
      load.changedMs = cluster.api.nowMs
    },
    always: (cluster) => {
      const { desiredReplicas = 0 } =
        cluster.api.get<HorizontalPodAutoscaler>(horizontalPodAutoscalerType, key)?.status ?? {}
      expect(desiredReplicas).toBeLessThanOrEqual(bounds.maxReplicas)
    },
    goal: (cluster) => {
      const now = replicas(cluster)
      expect(now).toBeGreaterThanOrEqual(bounds.minReplicas)
      expect(now).toBeLessThanOrEqual(bounds.maxReplicas)
      // Within a tenth of the target, unless a bound or the next whole pod is in the way.
      const ratioOf = (count: number): number =>
        load.milli / count / ((requestMilli * targetPercent) / 100)
      if (now < bounds.maxReplicas) expect(ratioOf(now)).toBeLessThanOrEqual(1.11)
      if (now > bounds.minReplicas) expect(ratioOf(now - 1)).toBeGreaterThan(0.89)
      const pods = cluster.api.all<Pod>(podType).filter(isReady)
      expect(pods).toHaveLength(now)
      const own = cluster.api.get<HorizontalPodAutoscaler>(horizontalPodAutoscalerType, key)
      expect(own?.status).toMatchObject({ desiredReplicas: now, currentReplicas: now })
    },
    runs: 12,
  })
})
