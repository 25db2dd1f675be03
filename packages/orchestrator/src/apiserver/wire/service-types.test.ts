import { afterAll, beforeAll, expect, test } from 'vitest'
import { ApiFixture } from '../testing/api-fixture.ts'

const services = '/api/v1/namespaces/default/services'
const merge = { 'content-type': 'application/merge-patch+json' }

let api: ApiFixture
beforeAll(async () => {
  api = await ApiFixture.start()
})
afterAll(async () => {
  expect(api.errors).toEqual([])
  await api.close()
})

interface ServiceJson {
  readonly clusterIP?: string
  readonly ports: readonly { readonly nodePort?: number }[]
}

const create = async (name: string, spec: object): Promise<ServiceJson> => {
  const body = { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } }
  const { status, json } = await api.request('POST', services, { body })
  expect(status).toBe(201)
  return json.spec
}
const change = async (name: string, spec: object): Promise<ServiceJson> => {
  const { status, json } = await api.request('PATCH', `${services}/${name}`, {
    body: { spec },
    headers: merge,
  })
  expect([status, json.message]).toEqual([200, undefined])
  return json.spec
}

test('a service that becomes one of another type gets what the type has and loses what it has not', async () => {
  const { clusterIP } = await create('typed', {})
  const nodePort = await change('typed', { type: 'NodePort' })
  expect(nodePort).toMatchObject({ clusterIP, externalTrafficPolicy: 'Cluster' })
  expect(nodePort.ports[0]?.nodePort).toBeGreaterThanOrEqual(30_000)
  const balanced = await change('typed', { type: 'LoadBalancer' })
  expect(balanced).toMatchObject({ ports: nodePort.ports, allocateLoadBalancerNodePorts: true })
  const inside = await change('typed', { type: 'ClusterIP' })
  expect(inside).toMatchObject({ clusterIP, ports: [{ port: 80 }] })
  expect(inside.ports[0]).not.toHaveProperty('nodePort')
  expect(inside).not.toHaveProperty('externalTrafficPolicy')
  const named = await change('typed', { type: 'ExternalName', externalName: 'a.example.com' })
  for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'internalTrafficPolicy']) {
    expect(named).not.toHaveProperty(field)
  }
  const back = await change('typed', { type: 'NodePort', externalName: null })
  expect(back.clusterIP).toMatch(/^127\.96\./)
  expect(back.ports[0]?.nodePort).toBeGreaterThanOrEqual(30_000)
})

test('an update may ask for a node port that is free, and for no other', async () => {
  const { ports } = await create('first', { type: 'NodePort' })
  await create('second', { type: 'NodePort' })
  const body = { spec: { ports: [{ port: 80, nodePort: ports[0]?.nodePort }] } }
  const taken = await api.request('PATCH', `${services}/second`, { body, headers: merge })
  expect([taken.status, taken.json.message]).toEqual([
    422,
    expect.stringContaining('provided port is already allocated'),
  ])
  const own = await change('first', { ports: [{ port: 81, nodePort: ports[0]?.nodePort }] })
  expect(own.ports).toMatchObject([{ port: 81, nodePort: ports[0]?.nodePort }])
  const more = [
    { port: 81, name: 'a' },
    { port: 82, name: 'b' },
  ]
  const two = await change('first', { ports: more })
  expect(new Set(two.ports.map(({ nodePort }) => nodePort)).size).toBe(2)
  expect(two.ports[0]?.nodePort).toBe(ports[0]?.nodePort)
})

test('a load balancer that keeps to its nodes has a port where their health is asked', async () => {
  const port = (spec: object): number =>
    (spec as { healthCheckNodePort?: number }).healthCheckNodePort ?? 0
  const local = { type: 'LoadBalancer', externalTrafficPolicy: 'Local' }
  const made = port(await create('healthy', local))
  expect(made).toBeGreaterThanOrEqual(30_000)
  expect(port(await change('healthy', { selector: { a: 'b' } }))).toBe(made)
  expect(port(await change('healthy', { externalTrafficPolicy: 'Cluster' }))).toBe(0)
  expect(port(await change('healthy', { externalTrafficPolicy: 'Local' }))).not.toBe(0)
})

test('families of addresses and the time of an affinity have their defaults', async () => {
  const families = { ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' }
  expect(await create('sticky', { sessionAffinity: 'ClientIP' })).toMatchObject({
    ...families,
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
  })
  expect(await change('sticky', { sessionAffinity: 'None' })).not.toHaveProperty(
    'sessionAffinityConfig',
  )
  expect(await create('headless', { clusterIP: 'None' })).toMatchObject({
    ...families,
    clusterIPs: ['None'],
  })
})

test.each(['10.96.0.10', '127.97.0.1', '127.96.0.0', '127.96.255.255'])(
  'a service cannot ask for the address %s, which is not one of services',
  async (clusterIP) => {
    const body = { metadata: { name: 'outside' }, spec: { ports: [{ port: 80 }], clusterIP } }
    const { json } = await api.request('POST', services, { body })
    expect([json.code, json.message]).toEqual([
      422,
      `Service "outside" is invalid: spec.clusterIPs: Invalid value: ["${clusterIP}"]: failed to allocate IP ${clusterIP}: the provided IP (${clusterIP}) is not in the valid range. The range of valid IPs is 127.96.0.0/16`,
    ])
  },
)
