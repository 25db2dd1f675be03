import { expect, test } from 'vitest'
import { type EndpointSlice, endpointSliceType } from '../../resources/endpoint-slice.ts'
import { type Endpoints, endpointsType } from '../../resources/endpoints.ts'
import type { Stored } from '../../resources/object.ts'
import { type Service, serviceType } from '../../resources/service.ts'
import { randomOf, SimulatedCluster } from '../testing/simulated-cluster.ts'
import { endpointSliceMirroringController } from './endpoint-slice-mirroring-controller.ts'

const metadata = { name: 'db', namespace: 'default' }
const serviceOf = (selector: Service['spec']['selector'] = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata,
  spec: { selector, ports: [{ port: 80 }] },
  status: { loadBalancer: {} },
})
const endpointsOf = (
  subsets: Endpoints['subsets'],
  more: Partial<Endpoints['metadata']> = {},
): Endpoints => ({
  apiVersion: 'v1',
  kind: 'Endpoints',
  metadata: { ...metadata, ...more },
  subsets: subsets ?? [],
})
const ports = [{ name: 'sql', port: 5432 }]
const started = (endpoints: Endpoints, service = serviceOf()): SimulatedCluster => {
  const controllers = [endpointSliceMirroringController]
  const cluster = new SimulatedCluster({ controllers, random: randomOf(5) })
  cluster.put(serviceType, service)
  cluster.put(endpointsType, endpoints)
  cluster.settle()
  return cluster
}
const slices = (cluster: SimulatedCluster): Stored<EndpointSlice>[] =>
  cluster.api.all<EndpointSlice>(endpointSliceType)

test('Endpoints written by hand are said in slices, which follow them and go with them', () => {
  const both = [
    {
      addresses: [{ ip: '10.1.2.3' }, { ip: 'fd00::1' }],
      notReadyAddresses: [{ ip: '10.1.2.4' }],
      ports,
    },
  ]
  const cluster = started(endpointsOf(both, { labels: { a: 'b' } }))
  const [four, six] = slices(cluster)
  expect(four).toMatchObject({
    addressType: 'IPv4',
    metadata: {
      labels: {
        a: 'b',
        'kubernetes.io/service-name': 'db',
        'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
      },
      ownerReferences: [{ kind: 'Endpoints', name: 'db', controller: true }],
    },
    endpoints: [
      { addresses: ['10.1.2.3'], conditions: { ready: true } },
      { addresses: ['10.1.2.4'], conditions: { ready: false } },
    ],
    ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }],
  })
  expect(six).toMatchObject({ addressType: 'IPv6', endpoints: [{ addresses: ['fd00::1'] }] })
  const before = cluster.api.get<Endpoints>(endpointsType, 'default/db')
  if (before === undefined) throw new Error('no endpoints')
  cluster.api.update(endpointsType, {
    ...before,
    subsets: [{ addresses: [{ ip: '10.2.3.4' }], ports }],
  } as Endpoints)
  cluster.settle()
  expect(slices(cluster)).toMatchObject([
    { metadata: { uid: four?.metadata.uid }, endpoints: [{ addresses: ['10.2.3.4'] }] },
  ])
  cluster.api.delete(endpointsType, 'default/db', before.metadata.uid)
  cluster.settle()
  expect(slices(cluster)).toEqual([])
})

test('Endpoints of a Service with a selector, and those that say so, have no mirror', () => {
  const one = [{ addresses: [{ ip: '10.1.2.3' }], ports }]
  expect(slices(started(endpointsOf(one), serviceOf({ app: 'x' })))).toEqual([])
  const labels = { 'endpointslice.kubernetes.io/skip-mirror': 'true' }
  expect(slices(started(endpointsOf(one, { labels })))).toEqual([])
})
