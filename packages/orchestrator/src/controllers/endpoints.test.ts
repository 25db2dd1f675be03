import { expect, test } from 'vitest'
import type { Endpoints } from '../resources/endpoints.ts'
import type { Stored } from '../resources/object.ts'
import type { Service } from '../resources/service.ts'
import { reconcileEndpoints } from './endpoints.ts'
import { podOf, readyStatus, stored } from './testing/objects.ts'

const key = { namespace: 'default', name: 's' }
const service: Stored<Service> = stored({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { ...key },
  spec: { selector: { app: 'a' }, ports: [{ name: 'http', port: 80, targetPort: 'web' }] },
  status: { loadBalancer: {} },
})
const pod = (name: string, port: number, isReady = true): ReturnType<typeof podOf> =>
  podOf(name, {
    spec: {
      containers: [
        { name: 'c', image: 'i', resources: {}, ports: [{ name: 'web', containerPort: port }] },
      ],
    },
    status: { ...(isReady ? readyStatus : { phase: 'Running' }), podIP: `127.64.0.${name}` },
  })

test('ready addresses are kept apart, and named ports resolved pod by pod', () => {
  const pods = [pod('1', 80), pod('2', 80, false), pod('3', 81)]
  const { actions } = reconcileEndpoints({ key, service, endpoints: undefined, pods })
  expect(actions).toMatchObject([
    {
      type: 'create',
      object: {
        metadata: key,
        subsets: [
          {
            addresses: [{ ip: '127.64.0.1', nodeName: 'n1', targetRef: { name: '1' } }],
            notReadyAddresses: [{ ip: '127.64.0.2' }],
            ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
          },
          { addresses: [{ ip: '127.64.0.3' }], ports: [{ port: 81 }] },
        ],
      },
    },
  ])
})

test('nothing is done when nothing changed, and all is removed with the service', () => {
  const [action] = reconcileEndpoints({
    key,
    service,
    endpoints: undefined,
    pods: [pod('1', 80)],
  }).actions
  if (action?.type !== 'create') throw new Error('nothing was created')
  const endpoints = stored(action.object as Endpoints)
  expect(reconcileEndpoints({ key, service, endpoints, pods: [pod('1', 80)] }).actions).toEqual([])
  expect(reconcileEndpoints({ key, service, endpoints, pods: [] }).actions).toMatchObject([
    { type: 'update', object: { subsets: [] } },
  ])
  expect(
    reconcileEndpoints({ key, service: undefined, endpoints, pods: [] }).actions,
  ).toMatchObject([{ type: 'delete', name: 's' }])
})

test('endpoints that others made are left alone', () => {
  const endpoints: Stored<Endpoints> = stored({
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { ...key },
  })
  const { selector: _selector, ...spec } = service.spec
  expect(
    reconcileEndpoints({ key, service: { ...service, spec }, endpoints, pods: [] }).actions,
  ).toEqual([])
  expect(reconcileEndpoints({ key, service: undefined, endpoints, pods: [] }).actions).toEqual([])
})
