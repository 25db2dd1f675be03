import { expect, test } from 'vitest'
import type { EndpointSlice, SliceEndpoint } from '../../resources/endpoint-slice.ts'
import type { Stored } from '../../resources/object.ts'
import type { Service, ServiceSpec } from '../../resources/service.ts'
import { Balancer } from './balancer.ts'
import { type ProxyEndpoint, proxyPorts } from './proxy-ports.ts'

const service = (spec: ServiceSpec): Stored<Service> => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: 'web',
    namespace: 'shop',
    uid: 'u',
    resourceVersion: '1',
    creationTimestamp: '',
  },
  spec: { clusterIP: '127.96.1.2', ports: [{ name: 'http', port: 80 }], ...spec },
  status: { loadBalancer: {} },
})
const slice = (
  endpoints: readonly SliceEndpoint[],
  ports: EndpointSlice['ports'] = [{ name: 'http', protocol: 'TCP', port: 8080 }],
): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'web-1', namespace: 'shop' },
  addressType: 'IPv4',
  endpoints,
  ports,
})
const endpoint = (last: number, more: Partial<SliceEndpoint> = {}): SliceEndpoint => ({
  addresses: [`127.64.0.${last}`],
  conditions: { ready: true, serving: true, terminating: false },
  nodeName: `node-${last}`,
  ...more,
})
const shown = (spec: ServiceSpec, slices: readonly EndpointSlice[]): readonly string[] =>
  proxyPorts(service(spec), slices, (name) => name === 'node-1').map(
    ({ protocol, address, port, endpoints, affinityMs }) =>
      `${protocol} ${address}:${port} -> ${endpoints.map((one) => `${one.address}:${one.port}`).join(' ')}${affinityMs === undefined ? '' : ` for ${affinityMs}`}`,
  )

const notReady = { ready: false, serving: false, terminating: false }
const ending = { ready: false, serving: true, terminating: true }

test.each<readonly [string, ServiceSpec, readonly EndpointSlice[], readonly string[]]>([
  [
    'endpoints of all slices',
    {},
    [slice([endpoint(1)]), slice([endpoint(2)])],
    ['TCP 127.96.1.2:80 -> 127.64.0.1:8080 127.64.0.2:8080'],
  ],
  [
    'ready ones only',
    {},
    [slice([endpoint(1), endpoint(2, { conditions: notReady })])],
    ['TCP 127.96.1.2:80 -> 127.64.0.1:8080'],
  ],
  [
    'ending ones where none is ready',
    {},
    [slice([endpoint(1, { conditions: ending }), endpoint(2, { conditions: notReady })])],
    ['TCP 127.96.1.2:80 -> 127.64.0.1:8080'],
  ],
  ['no port without endpoints', {}, [slice([endpoint(1, { conditions: notReady })])], []],
  [
    'no port that no slice has',
    {},
    [slice([endpoint(1)], [{ name: 'other', protocol: 'TCP', port: 1 }])],
    [],
  ],
  [
    'a named port as each slice counts it',
    {},
    [slice([endpoint(1)]), slice([endpoint(2)], [{ name: 'http', protocol: 'TCP', port: 81 }])],
    ['TCP 127.96.1.2:80 -> 127.64.0.1:8080 127.64.0.2:81'],
  ],
  ['nothing for headless ones', { clusterIP: 'None' }, [slice([endpoint(1)])], []],
  [
    'nothing for external names',
    { type: 'ExternalName', clusterIP: '' },
    [slice([endpoint(1)])],
    [],
  ],
  [
    'node ports on loopback',
    { type: 'NodePort', ports: [{ name: 'http', port: 80, nodePort: 30_080 }] },
    [slice([endpoint(1)])],
    ['TCP 127.96.1.2:80 -> 127.64.0.1:8080', 'TCP 127.0.0.1:30080 -> 127.64.0.1:8080'],
  ],
  [
    'pods of this machine where the policy says so',
    { internalTrafficPolicy: 'Local' },
    [slice([endpoint(1), endpoint(2)])],
    ['TCP 127.96.1.2:80 -> 127.64.0.1:8080'],
  ],
  [
    'UDP',
    { ports: [{ name: 'http', port: 53, protocol: 'UDP' }] },
    [slice([endpoint(1)], [{ name: 'http', protocol: 'UDP', port: 53 }])],
    ['UDP 127.96.1.2:53 -> 127.64.0.1:53'],
  ],
  [
    'the affinity of clients',
    { sessionAffinity: 'ClientIP' },
    [slice([endpoint(1)])],
    ['TCP 127.96.1.2:80 -> 127.64.0.1:8080 for 10800000'],
  ],
  [
    'how long affinity lasts',
    { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } } },
    [slice([endpoint(1)])],
    ['TCP 127.96.1.2:80 -> 127.64.0.1:8080 for 5000'],
  ],
])('a Service is proxied as kube-proxy does it: %s', (_what, spec, slices, expected) => {
  expect(shown(spec, slices)).toEqual(expected)
})

const target = (last: number): ProxyEndpoint => ({
  address: `127.64.0.${last}`,
  port: 80,
  nodeName: '',
  pod: undefined,
})

test('connections take turns, and those that were tried are left out', () => {
  const balancer = new Balancer(() => 0)
  const all = [target(1), target(2), target(3)]
  balancer.set(all, undefined)
  expect([1, 2, 3, 4].map(() => balancer.pick('c', [])?.address)).toEqual([
    '127.64.0.1',
    '127.64.0.2',
    '127.64.0.3',
    '127.64.0.1',
  ])
  expect(balancer.pick('c', [target(1), ...all.slice(0, 2)])?.address).toBe('127.64.0.3')
  expect(balancer.pick('c', all)).toBeUndefined()
})

test('with affinity a client stays where it was until it was silent for long, or its endpoint is gone', () => {
  let nowMs = 0
  const balancer = new Balancer(() => nowMs)
  balancer.set([target(1), target(2)], 1000)
  const pick = (client: string): string | undefined => balancer.pick(client, [])?.address
  expect([pick('a'), pick('b'), pick('a'), pick('b')]).toEqual([
    '127.64.0.1',
    '127.64.0.2',
    '127.64.0.1',
    '127.64.0.2',
  ])
  nowMs = 900
  expect(pick('a')).toBe('127.64.0.1')
  nowMs = 1950
  expect(pick('b'), 'its time is over, and it is the turn of the first').toBe('127.64.0.1')
  balancer.set([target(2)], 1000)
  expect(pick('a')).toBe('127.64.0.2')
})
