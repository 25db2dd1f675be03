import { expect, test } from 'vitest'
import type { Service, ServiceSpec } from '../../resources/service.ts'
import { serviceVariables } from './service-links.ts'

const service = (name: string, spec: ServiceSpec): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'shop' },
  spec,
  status: { loadBalancer: {} },
})

test('a Service with two ports is told as a kubelet tells it', () => {
  const ports = [
    { name: 'web', port: 80, protocol: 'TCP' },
    { name: 'dns-udp', port: 53, protocol: 'UDP' },
  ]
  const variables = serviceVariables([service('redis-primary', { clusterIP: '127.96.0.7', ports })])
  expect(Object.fromEntries(variables)).toEqual({
    REDIS_PRIMARY_SERVICE_HOST: '127.96.0.7',
    REDIS_PRIMARY_SERVICE_PORT: '80',
    REDIS_PRIMARY_SERVICE_PORT_WEB: '80',
    REDIS_PRIMARY_SERVICE_PORT_DNS_UDP: '53',
    REDIS_PRIMARY_PORT: 'tcp://127.96.0.7:80',
    REDIS_PRIMARY_PORT_80_TCP: 'tcp://127.96.0.7:80',
    REDIS_PRIMARY_PORT_80_TCP_PROTO: 'tcp',
    REDIS_PRIMARY_PORT_80_TCP_PORT: '80',
    REDIS_PRIMARY_PORT_80_TCP_ADDR: '127.96.0.7',
    REDIS_PRIMARY_PORT_53_UDP: 'udp://127.96.0.7:53',
    REDIS_PRIMARY_PORT_53_UDP_PROTO: 'udp',
    REDIS_PRIMARY_PORT_53_UDP_PORT: '53',
    REDIS_PRIMARY_PORT_53_UDP_ADDR: '127.96.0.7',
  })
})

test('headless Services and names of others have no variables', () => {
  expect(
    serviceVariables([
      service('headless', { clusterIP: 'None', ports: [{ port: 80 }] }),
      service('elsewhere', { type: 'ExternalName', externalName: 'example.org' }),
    ]),
  ).toEqual([])
})
