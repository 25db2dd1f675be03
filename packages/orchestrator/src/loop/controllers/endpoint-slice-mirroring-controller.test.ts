import { expect, test } from 'vitest'
import { type EndpointSlice, endpointSliceType } from '../../resources/endpoint-slice.ts'
import { type Endpoints, endpointsType } from '../../resources/endpoints.ts'
import type { Stored } from '../../resources/object.ts'
import { type Service, serviceType } from '../../resources/service.ts'
import { checkControllers } from '../testing/check-controllers.ts'
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

test('the slices of Endpoints written by hand say the same as they, whatever happens', () => {
  const place = 'default/db'
  const found = (cluster: SimulatedCluster): Stored<Endpoints> | undefined =>
    cluster.api.get<Endpoints>(endpointsType, place)
  const service = (cluster: SimulatedCluster): Stored<Service> | undefined =>
    cluster.api.get<Service>(serviceType, place)
  const subsetsOf = (choice: number): NonNullable<Endpoints['subsets']> => [
    {
      addresses: Array.from({ length: choice % 3 }, (_, index) => ({ ip: `10.1.2.${1 + index}` })),
      notReadyAddresses: choice % 2 === 0 ? [] : [{ ip: '10.1.3.1' }, { ip: 'fd00::1' }],
      ports,
    },
  ]
  const said = ({ subsets = [] }: Endpoints): string[] =>
    subsets
      .flatMap(({ addresses = [], notReadyAddresses = [] }) => [
        ...addresses.map(({ ip }) => `${ip} true`),
        ...notReadyAddresses.map(({ ip }) => `${ip} false`),
      ])
      .toSorted()
  checkControllers({
    controllers: [endpointSliceMirroringController],
    setup: (cluster) => {
      cluster.put(serviceType, serviceOf())
      cluster.put(endpointsType, endpointsOf(subsetsOf(5)))
    },
    deeds: [
      (cluster, choice) => {
        const endpoints = found(cluster)
        const object = { ...endpoints, subsets: subsetsOf(choice) } as Endpoints
        if (endpoints === undefined) cluster.put(endpointsType, endpointsOf(subsetsOf(choice)))
        else cluster.api.update(endpointsType, object)
      },
      (cluster) => {
        const { uid } = found(cluster)?.metadata ?? {}
        if (uid !== undefined) cluster.api.delete(endpointsType, place, uid)
      },
      (cluster, choice) => {
        const { uid } = service(cluster)?.metadata ?? {}
        if (uid === undefined)
          cluster.put(serviceType, serviceOf(choice % 2 === 0 ? {} : { app: 'x' }))
        else cluster.api.delete(serviceType, place, uid)
      },
      (cluster, choice) => {
        if (found(cluster) === undefined) return
        const labels = {
          'endpointslice.kubernetes.io/skip-mirror': choice % 2 === 0 ? 'true' : null,
        }
        cluster.api.patch(endpointsType, place, { metadata: { labels } })
      },
    ],
    // One for each family.
    always: (cluster) => {
      const kinds = slices(cluster).map(
        ({ addressType, metadata }) => `${addressType} ${metadata.ownerReferences?.[0]?.uid}`,
      )
      expect(kinds).toEqual([...new Set(kinds)])
    },
    goal: (cluster) => {
      const endpoints = found(cluster)
      const selector = service(cluster)?.spec.selector
      const isSkipped =
        endpoints?.metadata.labels?.['endpointslice.kubernetes.io/skip-mirror'] === 'true'
      const isMirrored =
        endpoints !== undefined &&
        !isSkipped &&
        service(cluster) !== undefined &&
        Object.keys(selector ?? {}).length === 0
      expect(
        slices(cluster)
          .flatMap(({ endpoints: all = [] }) => all)
          .map(({ addresses, conditions }) => `${addresses[0]} ${conditions?.ready}`)
          .toSorted(),
      ).toEqual(isMirrored ? said(endpoints) : [])
    },
    runs: 60,
  })
})
