import { expect, test } from 'vitest'
import { objectKey } from '../../client/object-cache.ts'
import { deploymentOf, podOf, replicaSetOf } from '../../controllers/testing/objects.ts'
import { isActive } from '../../controllers/pod-state.ts'
import { deploymentType, type Deployment } from '../../resources/deployment.ts'
import type { Stored } from '../../resources/object.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import { replicaSetType, type ReplicaSet } from '../../resources/replica-set.ts'
import {
  replicationControllerType,
  type ReplicationController,
} from '../../resources/workloads/replication-controller.ts'
import { checkControllers } from '../testing/check-controllers.ts'
import type { SimulatedCluster } from '../testing/simulated-cluster.ts'
import { deploymentController } from './deployment-controller.ts'
import { replicaSetController } from './replica-set-controller.ts'
import { replicationControllerController } from './replication-controller-controller.ts'

const active = (cluster: SimulatedCluster): Stored<Pod>[] =>
  cluster.api.all<Pod>(podType).filter(isActive)
const orphan = (cluster: SimulatedCluster, choice: number): void => {
  cluster.put<Pod>(podType, { ...podOf(`orphan-${cluster.api.revision}-${choice}`) })
}
/** Somebody takes the label away by which the pod is counted. */
const relabel = (cluster: SimulatedCluster, choice: number): void => {
  const pods = cluster.api.all<Pod>(podType)
  const pod = pods[choice % pods.length]
  if (pod === undefined) return
  cluster.api.patch(podType, objectKey(pod), { metadata: { labels: { app: 'elsewhere' } } })
}
const controllerUids = (cluster: SimulatedCluster, label: string): (string | undefined)[] =>
  active(cluster)
    .filter(({ metadata }) => metadata.labels?.['app'] === label)
    .map(({ metadata }) => metadata.ownerReferences?.find(({ controller }) => controller)?.uid)

test('a replica set has the pods that it wants, whatever happens', () => {
  const set = (cluster: SimulatedCluster): Stored<ReplicaSet> | undefined =>
    cluster.api.get<ReplicaSet>(replicaSetType, 'default/rs')
  checkControllers({
    controllers: [replicaSetController],
    setup: (cluster) => cluster.put(replicaSetType, replicaSetOf('rs', 3)),
    deeds: [
      (cluster, choice) =>
        cluster.api.patch(replicaSetType, 'default/rs', { spec: { replicas: choice % 7 } }),
      orphan,
      relabel,
    ],
    // Duplicates would be more than it ever wanted.
    always: (cluster) => {
      const made = active(cluster).filter(
        ({ metadata }) => metadata.labels?.['app'] === 'a' && metadata.generateName === 'rs-',
      )
      expect(made.length).toBeLessThanOrEqual(6)
    },
    goal: (cluster) => {
      const owner = set(cluster)
      expect(controllerUids(cluster, 'a')).toEqual(
        Array.from({ length: owner?.spec.replicas ?? 0 }, () => owner?.metadata.uid),
      )
      expect(controllerUids(cluster, 'elsewhere').filter((uid) => uid !== undefined)).toEqual([])
      expect(owner?.status).toMatchObject({
        replicas: owner?.spec.replicas,
        readyReplicas: owner?.spec.replicas,
        availableReplicas: owner?.spec.replicas,
        observedGeneration: owner?.metadata.generation,
      })
    },
  })
})

test('a replication controller has the pods that it wants, whatever happens', () => {
  const { replicas = 3, template } = replicaSetOf('rc', 3).spec
  checkControllers({
    controllers: [replicationControllerController],
    setup: (cluster) =>
      cluster.put<ReplicationController>(replicationControllerType, {
        apiVersion: 'v1',
        kind: 'ReplicationController',
        metadata: { name: 'rc', namespace: 'default' },
        spec: { replicas, selector: { app: 'a' }, template },
        status: { replicas: 0 },
      }),
    deeds: [
      (cluster, choice) =>
        cluster.api.patch(replicationControllerType, 'default/rc', {
          spec: { replicas: choice % 5 },
        }),
      orphan,
      relabel,
    ],
    goal: (cluster) => {
      const owner = cluster.api.get<ReplicationController>(replicationControllerType, 'default/rc')
      expect(controllerUids(cluster, 'a')).toEqual(
        Array.from({ length: owner?.spec.replicas ?? 0 }, () => owner?.metadata.uid),
      )
      expect(controllerUids(cluster, 'elsewhere').filter((uid) => uid !== undefined)).toEqual([])
      expect(owner?.status.readyReplicas).toBe(owner?.spec.replicas)
    },
    runs: 40,
  })
})

test('a deployment comes to run what it says, whatever happens', () => {
  const current = (cluster: SimulatedCluster): Stored<Deployment> | undefined =>
    cluster.api.get<Deployment>(deploymentType, 'default/d')
  const change = (cluster: SimulatedCluster, spec: Partial<Deployment['spec']>): void => {
    const deployment = current(cluster)
    if (deployment === undefined) return
    const { resourceVersion: _version, ...metadata } = deployment.metadata
    const object = { ...deployment, metadata, spec: { ...deployment.spec, ...spec } }
    cluster.api.update(deploymentType, object as Deployment)
  }
  checkControllers({
    controllers: [deploymentController],
    helpers: [replicaSetController],
    setup: (cluster) => cluster.put(deploymentType, deploymentOf('d', 3)),
    deeds: [
      (cluster, choice) => change(cluster, { replicas: choice % 8 }),
      (cluster, choice) =>
        change(cluster, { template: deploymentOf('d', 1, `i:${choice % 3}`).spec.template }),
      (cluster, choice) => change(cluster, { paused: choice % 2 === 0 }),
      (cluster, choice) =>
        change(cluster, {
          strategy: { type: choice % 2 === 0 ? 'Recreate' : 'RollingUpdate' },
        }),
    ],
    calm: (cluster) => change(cluster, { paused: false }),
    goal: (cluster) => {
      const { spec, status } = current(cluster) ?? {}
      const wanted = spec?.template.spec.containers[0]?.image
      const pods = active(cluster)
      expect(pods.map((pod) => pod.spec.containers[0]?.image)).toEqual(
        Array.from({ length: spec?.replicas ?? 0 }, () => wanted),
      )
      const sets = cluster.api.all<ReplicaSet>(replicaSetType)
      const running = sets.filter((set) => set.spec.template.spec.containers[0]?.image === wanted)
      expect(running).toHaveLength(1)
      expect(status?.availableReplicas ?? 0).toBe(spec?.replicas)
      expect(status?.conditions?.find(({ type }) => type === 'Progressing')?.reason).toBe(
        'NewReplicaSetAvailable',
      )
    },
  })
})
