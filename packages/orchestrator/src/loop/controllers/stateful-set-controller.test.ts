import { expect, test } from 'vitest'
import { objectKey } from '../../client/object-cache.ts'
import { stored } from '../../controllers/testing/objects.ts'
import { isReady } from '../../controllers/pod-state.ts'
import type { KubeObject, Stored } from '../../resources/object.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import { persistentVolumeClaimType } from '../../resources/storage/persistent-volume-claim.ts'
import {
  controllerRevisionType,
  type ControllerRevision,
} from '../../resources/workloads/controller-revision.ts'
import {
  statefulSetType,
  type StatefulSet,
  type StatefulSetSpec,
} from '../../resources/workloads/stateful-set.ts'
import { checkControllers } from '../testing/check-controllers.ts'
import { randomOf, SimulatedCluster } from '../testing/simulated-cluster.ts'
import { statefulSetController } from './stateful-set-controller.ts'

const template = (image: string): StatefulSetSpec['template'] => ({
  metadata: { labels: { app: 'a' } },
  spec: { containers: [{ name: 'c', image, resources: {} }] },
})
const setOf = (replicas: number, more: Partial<StatefulSetSpec> = {}): StatefulSet => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas,
    serviceName: 'web',
    selector: { matchLabels: { app: 'a' } },
    template: template('i:1'),
    updateStrategy: {},
    ...more,
  },
  status: { replicas: 0 },
})
const claim = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
}
const current = (cluster: SimulatedCluster): Stored<StatefulSet> => {
  const set = cluster.api.get<StatefulSet>(statefulSetType, 'default/web')
  if (set === undefined) throw new Error('no set')
  return set
}
const change = (cluster: SimulatedCluster, spec: Partial<StatefulSetSpec>): void => {
  const set = current(cluster)
  cluster.api.update(statefulSetType, { ...set, spec: { ...set.spec, ...spec } } as StatefulSet)
}
const started = (set: StatefulSet): SimulatedCluster => {
  const cluster = new SimulatedCluster({
    controllers: [statefulSetController],
    random: randomOf(7),
  })
  cluster.put(statefulSetType, set)
  return cluster
}
const pods = (cluster: SimulatedCluster): Stored<Pod>[] => cluster.api.all<Pod>(podType)
const images = (cluster: SimulatedCluster): Record<string, string | undefined> =>
  Object.fromEntries(pods(cluster).map((pod) => [pod.metadata.name, pod.spec.containers[0]?.image]))
const claims = (cluster: SimulatedCluster): string[] =>
  cluster.api.all(persistentVolumeClaimType).map(({ metadata }) => metadata.name)

test('pods are made in order, each with its name, host name, index and claim', () => {
  const cluster = started(setOf(3, { volumeClaimTemplates: [claim] }))
  const seen: number[] = []
  cluster.settle(() => {
    const ready = pods(cluster).filter(isReady).length
    // A pod comes only when all before it are ready.
    expect(pods(cluster).length).toBeLessThanOrEqual(ready + 1)
    seen.push(ready)
  })
  expect(Math.max(...seen)).toBe(3)
  expect(claims(cluster)).toEqual(['data-web-0', 'data-web-1', 'data-web-2'])
  expect(cluster.api.get(podType, 'default/web-1')).toMatchObject({
    metadata: {
      labels: {
        'statefulset.kubernetes.io/pod-name': 'web-1',
        'apps.kubernetes.io/pod-index': '1',
        'controller-revision-hash': current(cluster).status.currentRevision,
      },
    },
    spec: {
      hostname: 'web-1',
      subdomain: 'web',
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-web-1' } }],
    },
  })
  expect(cluster.api.events.map(({ message }) => message).slice(0, 2)).toEqual([
    'create Claim data-web-0 Pod web-0 in StatefulSet web success',
    'create Pod web-0 in StatefulSet web successful',
  ])
})

test('a new template comes to one pod at a time, from the highest on, down to the partition', () => {
  const cluster = started(setOf(4))
  cluster.settle()
  const order: string[] = []
  change(cluster, {
    template: template('i:2'),
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } },
  })
  cluster.settle(() => {
    expect(pods(cluster).filter(isReady).length).toBeGreaterThanOrEqual(3)
    for (const [name, image] of Object.entries(images(cluster)))
      if (image === 'i:2' && !order.includes(name)) order.push(name)
  })
  expect(order).toEqual(['web-3', 'web-2', 'web-1'])
  const { status } = current(cluster)
  expect(status.currentRevision).not.toBe(status.updateRevision)
  expect([status.currentReplicas, status.updatedReplicas]).toEqual([1, 3])
  // A pod below the partition comes back as it was.
  const [pod] = pods(cluster).filter(({ metadata }) => metadata.name === 'web-0')
  if (pod !== undefined) cluster.api.delete(podType, objectKey(pod), pod.metadata.uid)
  cluster.settle()
  expect(images(cluster)['web-0']).toBe('i:1')
  change(cluster, { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } } })
  cluster.settle()
  expect(images(cluster)['web-0']).toBe('i:2')
  expect(current(cluster).status.currentRevision).toBe(current(cluster).status.updateRevision)
})

test('going back to an earlier template renews its revision, and the oldest beyond the limit go', () => {
  const cluster = started(setOf(1, { revisionHistoryLimit: 1 }))
  for (const image of ['i:1', 'i:2', 'i:1', 'i:3', 'i:4']) {
    change(cluster, { template: template(image) })
    cluster.settle()
  }
  const revisions = cluster.api.all<ControllerRevision>(controllerRevisionType)
  expect(
    revisions.map(({ revision, data }) => [revision, JSON.stringify(data).includes('i:4')]),
  ).toEqual([
    [4, false],
    [5, true],
  ])
})

test('OnDelete leaves pods alone until somebody deletes them', () => {
  const cluster = started(setOf(2, { updateStrategy: { type: 'OnDelete' } }))
  cluster.settle()
  change(cluster, { template: template('i:2') })
  cluster.settle()
  expect(images(cluster)).toEqual({ 'web-0': 'i:1', 'web-1': 'i:1' })
  const [pod] = pods(cluster)
  if (pod !== undefined) cluster.api.delete(podType, objectKey(pod), pod.metadata.uid)
  cluster.settle()
  expect(new Set(Object.values(images(cluster)))).toEqual(new Set(['i:1', 'i:2']))
})

test('ordinals may start elsewhere, and claims go with scaled away pods if the policy says so', () => {
  const cluster = started(
    setOf(3, {
      ordinals: { start: 5 },
      podManagementPolicy: 'Parallel',
      volumeClaimTemplates: [claim],
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Delete' },
    }),
  )
  cluster.settle()
  expect(new Set(Object.keys(images(cluster)))).toEqual(new Set(['web-5', 'web-6', 'web-7']))
  change(cluster, { replicas: 1 })
  cluster.settle()
  expect(claims(cluster)).toEqual(['data-web-5'])
  const owners = cluster.api
    .all<KubeObject>(persistentVolumeClaimType)
    .flatMap(({ metadata }) => metadata.ownerReferences ?? [])
  expect(owners).toEqual([])
  change(cluster, {
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' },
  })
  cluster.settle()
  const [kept] = cluster.api.all<KubeObject>(persistentVolumeClaimType)
  expect(kept?.metadata.ownerReferences).toMatchObject([{ kind: 'StatefulSet', name: 'web' }])
})

test('a revision name that is taken leads to another hash', () => {
  const cluster = started(setOf(1))
  cluster.settle()
  const [revision] = cluster.api.all<ControllerRevision>(controllerRevisionType)
  if (revision === undefined) throw new Error('no revision')
  const other = started(setOf(1))
  const taken = { ...revision, data: {}, metadata: { ...revision.metadata, ownerReferences: [] } }
  other.put(
    controllerRevisionType,
    stored({ ...taken, metadata: { ...taken.metadata, labels: {} } }),
  )
  other.settle()
  expect(current(other).status.collisionCount).toBe(1)
  expect(pods(other)).toHaveLength(1)
})

test('a set has the pods that it wants, whatever happens', () => {
  checkControllers({
    controllers: [statefulSetController],
    ownerless: ['PersistentVolumeClaim'],
    setup: (cluster) => {
      const isParallel = cluster.random() < 0.4
      cluster.put(
        statefulSetType,
        setOf(3, {
          volumeClaimTemplates: [claim],
          ...(isParallel ? { podManagementPolicy: 'Parallel' } : {}),
          persistentVolumeClaimRetentionPolicy: {
            whenScaled: cluster.random() < 0.5 ? 'Delete' : 'Retain',
          },
        }),
      )
    },
    deeds: [
      (cluster, choice) => change(cluster, { replicas: choice % 5 }),
      (cluster, choice) => change(cluster, { template: template(`i:${choice % 3}`) }),
    ],
    goal: (cluster) => {
      const { spec, status } = current(cluster)
      const { replicas = 1 } = spec
      const wanted = spec.template.spec.containers[0]?.image
      expect(images(cluster)).toEqual(
        Object.fromEntries(
          Array.from({ length: replicas }, (_, index) => [`web-${index}`, wanted]),
        ),
      )
      for (const { metadata } of pods(cluster))
        expect(claims(cluster)).toContain(`data-${metadata.name}`)
      expect(status).toMatchObject({ replicas, availableReplicas: replicas })
      expect(status.readyReplicas ?? 0).toBe(replicas)
      expect(status.currentRevision).toBe(status.updateRevision)
    },
    runs: 150,
  })
})
