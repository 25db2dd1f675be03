import { expect, test } from 'vitest'
import { objectKey } from '../../client/object-cache.ts'
import { isReady } from '../../controllers/pod-state.ts'
import { nodeOf, replicaSetOf } from '../../controllers/testing/objects.ts'
import { endpointSliceType, type EndpointSlice } from '../../resources/endpoint-slice.ts'
import { endpointsType, type Endpoints } from '../../resources/endpoints.ts'
import { nodeType } from '../../resources/node.ts'
import type { Stored } from '../../resources/object.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import { replicaSetType } from '../../resources/replica-set.ts'
import { serviceType, type Service } from '../../resources/service.ts'
import { checkControllers } from '../testing/check-controllers.ts'
import { randomOf, SimulatedCluster } from '../testing/simulated-cluster.ts'
import { endpointSliceController } from './endpoint-slice-controller.ts'
import { endpointsController } from './endpoints-controller.ts'
import { replicaSetController } from './replica-set-controller.ts'

const zoneLabel = 'topology.kubernetes.io/zone'
const serviceOf = (app: string): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 's', namespace: 'default' },
  spec: { selector: { app }, ports: [{ port: 80 }], clusterIP: '10.96.0.9' },
  status: { loadBalancer: {} },
})
const current = (cluster: SimulatedCluster): Stored<Service> | undefined =>
  cluster.api.get<Service>(serviceType, 'default/s')
const chosen = (cluster: SimulatedCluster, choice: number): Stored<Pod> | undefined => {
  const pods = cluster.api.all<Pod>(podType)
  return pods[choice % pods.length]
}
/** Uids and zones, as each pod is told of. */
const told = (slices: readonly Stored<EndpointSlice>[]): string[] =>
  slices
    .flatMap(({ endpoints = [] }) => endpoints)
    .map(({ targetRef, zone, conditions }) => `${targetRef?.uid} ${zone} ${conditions?.ready}`)
    .toSorted()

test('a Service has the addresses of its pods, each once, whatever happens', () => {
  checkControllers({
    controllers: [endpointsController, endpointSliceController],
    helpers: [replicaSetController],
    ownerless: ['Endpoints'],
    setup: (cluster) => {
      for (const name of ['n1', 'n2'])
        cluster.put(nodeType, nodeOf(name, { labels: { [zoneLabel]: `zone-of-${name}` } }))
      cluster.put(replicaSetType, replicaSetOf('rs', 3))
      cluster.put(serviceType, serviceOf('a'))
    },
    deeds: [
      (cluster, choice) =>
        cluster.api.patch(replicaSetType, 'default/rs', { spec: { replicas: choice % 5 } }),
      (cluster, choice) => {
        const pod = chosen(cluster, choice)
        const labels = { app: choice % 2 === 0 ? 'b' : 'a' }
        if (pod !== undefined) cluster.api.patch(podType, objectKey(pod), { metadata: { labels } })
      },
      (cluster, choice) => {
        const service = current(cluster)
        if (service === undefined) cluster.put(serviceType, serviceOf('a'))
        else if (choice % 2 === 0)
          cluster.api.delete(serviceType, 'default/s', service.metadata.uid)
        else
          cluster.api.patch(serviceType, 'default/s', {
            spec: { selector: { app: choice % 3 === 0 ? 'b' : 'a' } },
          })
      },
      (cluster, choice) =>
        cluster.api.patch(nodeType, `n${1 + (choice % 2)}`, {
          metadata: { labels: { [zoneLabel]: `zone-${choice % 3}` } },
        }),
    ],
    always: (cluster) => {
      // Few pods of one family: one slice.
      const owners = cluster.api
        .all<EndpointSlice>(endpointSliceType)
        .map(({ metadata }) => metadata.ownerReferences?.[0]?.uid)
      expect(owners).toEqual([...new Set(owners)])
      for (const { metadata } of cluster.api.all(endpointsType)) expect(metadata.name).toBe('s')
    },
    goal: (cluster) => {
      const service = current(cluster)
      const slices = cluster.api.all<EndpointSlice>(endpointSliceType)
      const all = cluster.api.all<Endpoints>(endpointsType)
      if (service === undefined) {
        expect([slices, all]).toEqual([[], []])
        return
      }
      expect(all.map(objectKey)).toEqual(['default/s'])
      const zoneOf = (pod: Stored<Pod>): string | undefined =>
        cluster.api.get(nodeType, pod.spec.nodeName ?? '')?.metadata.labels?.[zoneLabel]
      const pods = cluster.api
        .all<Pod>(podType)
        .filter(
          ({ metadata, status }) =>
            metadata.labels?.['app'] === service.spec.selector?.['app'] &&
            status.podIP !== undefined &&
            status.phase === 'Running',
        )
      expect(told(slices)).toEqual(
        pods.map((pod) => `${pod.metadata.uid} ${zoneOf(pod)} ${isReady(pod)}`).toSorted(),
      )
      const addresses = all.flatMap(({ subsets = [] }) =>
        subsets.flatMap((subset) => (subset.addresses ?? []).map(({ ip }) => ip)),
      )
      expect(addresses.toSorted()).toEqual(
        pods
          .filter(isReady)
          .map(({ status }) => status.podIP ?? '')
          .toSorted(),
      )
    },
    runs: 60,
  })
})

test('the zone of a node that is known later than its pods reaches their Service', () => {
  const cluster = new SimulatedCluster({
    controllers: [endpointSliceController, replicaSetController],
    random: randomOf(1),
  })
  cluster.put(nodeType, nodeOf('n1'))
  cluster.put(replicaSetType, replicaSetOf('rs', 2))
  cluster.put(serviceType, serviceOf('a'))
  cluster.settle()
  cluster.api.patch(nodeType, 'n1', { metadata: { labels: { [zoneLabel]: 'east' } } })
  cluster.settle()
  const [slice] = cluster.api.all<EndpointSlice>(endpointSliceType)
  expect(slice?.endpoints?.map(({ zone }) => zone)).toEqual(['east', 'east'])
})
