// Kinds that are served in several versions: stored once, shown in the version that was asked for.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ApiFixture } from '../testing/api-fixture.ts'

let api: ApiFixture
beforeAll(async () => {
  api = await ApiFixture.start()
})
afterAll(async () => {
  expect(api.errors).toEqual([])
  await api.close()
})

const stable = '/apis/networking.k8s.io/v1/namespaces/default/ingresses'
const beta = '/apis/networking.k8s.io/v1beta1/namespaces/default/ingresses'
const betaIngress = {
  apiVersion: 'networking.k8s.io/v1beta1',
  kind: 'Ingress',
  metadata: { name: 'a' },
  spec: {
    backend: { serviceName: 'web', servicePort: 80 },
    rules: [
      { http: { paths: [{ path: '/x', backend: { serviceName: 'x', servicePort: 'http' } }] } },
    ],
  },
}
const stableSpec = {
  defaultBackend: { service: { name: 'web', port: { number: 80 } } },
  rules: [
    {
      http: {
        paths: [
          {
            path: '/x',
            pathType: 'ImplementationSpecific',
            backend: { service: { name: 'x', port: { name: 'http' } } },
          },
        ],
      },
    },
  ],
}

test('an object written as a beta is read, listed, watched and patched in every version', async () => {
  const created = await api.request('POST', beta, { body: betaIngress })
  expect(created.status).toBe(201)
  expect(created.json).toMatchObject({
    apiVersion: 'networking.k8s.io/v1beta1',
    spec: { backend: betaIngress.spec.backend },
  })
  const shown = await api.request('GET', `${stable}/a`)
  expect(shown.json).toMatchObject({ apiVersion: 'networking.k8s.io/v1', spec: stableSpec })
  const listed = await api.request('GET', '/apis/extensions/v1beta1/ingresses')
  expect(listed.json).toMatchObject({
    apiVersion: 'extensions/v1beta1',
    kind: 'IngressList',
    items: [{ spec: { backend: { serviceName: 'web' } } }],
  })
  // The list tells the kind of its items, a single object and an event their own.
  for (const path of ['/apis/extensions/v1beta1/ingresses', stable]) {
    const { items } = (await api.request('GET', path)).json
    expect(Object.keys(items[0]).toSorted()).toEqual(['metadata', 'spec', 'status'])
    expect(items[0].metadata.resourceVersion).toBe(created.json.metadata.resourceVersion)
  }
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  const schema = { openAPIV3Schema: { type: 'object' } }
  const versions = [{ name: 'v1', served: true, storage: true, schema }]
  const names = { kind: 'Thing', plural: 'things' }
  const definition = { group: 'example.com', scope: 'Cluster', names, versions }
  const metadata = { name: 'things.example.com' }
  await api.request('POST', definitions, { body: { metadata, spec: definition } })
  const thing = { apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 'a' } }
  const things = '/apis/example.com/v1/things'
  await expect
    .poll(async () => (await api.request('POST', things, { body: thing })).status)
    .toBe(201)
  expect((await api.request('GET', things)).json.items).toMatchObject([thing])
  const watches = [await api.lines(`${beta}?watch=true`), await api.lines(`${stable}?watch=true`)]
  const patched = await api.request('PATCH', `${beta}/a`, {
    body: JSON.stringify({ spec: { backend: { serviceName: 'other' } } }),
    headers: { 'content-type': 'application/merge-patch+json' },
  })
  expect(patched.json).toMatchObject({
    spec: { backend: { serviceName: 'other', servicePort: 80 } },
  })
  const [inBeta, inStable] = await Promise.all(watches.map((watch) => watch.take(2)))
  expect(inBeta?.[1]).toMatchObject({
    type: 'MODIFIED',
    object: {
      apiVersion: 'networking.k8s.io/v1beta1',
      spec: { backend: { serviceName: 'other' } },
    },
  })
  expect(inStable?.[1]).toMatchObject({
    object: {
      apiVersion: 'networking.k8s.io/v1',
      spec: { defaultBackend: { service: { name: 'other' } } },
    },
  })
  for (const watch of watches) watch.close()
  const stored = await api.store.get('/registry/ingress/default/a')
  expect(JSON.parse(Buffer.from(stored?.value ?? '').toString())).toMatchObject({
    apiVersion: 'networking.k8s.io/v1',
  })
})

test('events are the same ones in both groups, under other names of fields', async () => {
  await api.request('POST', '/apis/events.k8s.io/v1/namespaces/default/events', {
    body: {
      metadata: { name: 'e' },
      regarding: { kind: 'Pod', name: 'p', namespace: 'default' },
      note: 'it began',
      reason: 'Began',
      type: 'Normal',
      action: 'Beginning',
      eventTime: '2026-11-21T10:00:00.000000Z',
      reportingController: 'example.com/c',
      reportingInstance: 'c-1',
    },
  })
  const core = await api.request('GET', '/api/v1/namespaces/default/events/e')
  expect(core.json).toMatchObject({
    apiVersion: 'v1',
    involvedObject: { kind: 'Pod', name: 'p' },
    message: 'it began',
    reportingComponent: 'example.com/c',
  })
  const again = await api.request('GET', '/apis/events.k8s.io/v1/events?fieldSelector=reason=Began')
  expect(again.json).toMatchObject({ items: [{ note: 'it began', regarding: { name: 'p' } }] })
})

test('an autoscaler of v1 keeps what only v2 can say when it is written back', async () => {
  const v2 = '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers'
  const v1 = '/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers'
  const resource = (name: string, averageUtilization: number): object => ({
    type: 'Resource',
    resource: { name, target: { type: 'Utilization', averageUtilization } },
  })
  const spec = {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    minReplicas: 1,
    maxReplicas: 3,
    metrics: [resource('cpu', 50), resource('memory', 70)],
  }
  expect((await api.request('POST', v2, { body: { metadata: { name: 'h' }, spec } })).status).toBe(
    201,
  )
  const { json: shown } = await api.request('GET', `${v1}/h`)
  expect(shown).toMatchObject({
    apiVersion: 'autoscaling/v1',
    spec: { targetCPUUtilizationPercentage: 50 },
  })
  const put = await api.request('PUT', `${v1}/h`, {
    body: { ...shown, spec: { ...shown.spec, targetCPUUtilizationPercentage: 60 } },
  })
  expect(put.status).toBe(200)
  const { json: stored } = await api.request('GET', `${v2}/h`)
  expect(stored).toMatchObject({ spec: { metrics: [resource('cpu', 60), resource('memory', 70)] } })
  expect(stored.metadata.annotations).toBeUndefined()
})

test('an endpoint of the beta has its node and zone in its topology', async () => {
  const path = '/namespaces/default/endpointslices'
  const topology = { 'kubernetes.io/hostname': 'n1', 'topology.kubernetes.io/zone': 'z', rack: '7' }
  const created = await api.request('POST', `/apis/discovery.k8s.io/v1beta1${path}`, {
    body: {
      metadata: { name: 's' },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.0.0.1'], topology }],
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
    },
  })
  expect(created.json.endpoints).toMatchObject([{ topology }])
  const { json } = await api.request('GET', `/apis/discovery.k8s.io/v1${path}/s`)
  expect(json.endpoints).toMatchObject([
    { addresses: ['10.0.0.1'], nodeName: 'n1', zone: 'z', deprecatedTopology: { rack: '7' } },
  ])
})

test('discovery lists the stable version before the betas', async () => {
  const { json } = await api.request('GET', '/apis')
  const networking = (json as { groups: { name: string }[] }).groups.find(
    ({ name }) => name === 'networking.k8s.io',
  )
  expect(networking).toMatchObject({
    versions: [{ version: 'v1' }, { version: 'v1beta1' }],
    preferredVersion: { version: 'v1' },
  })
})

test('through events.k8s.io/v1 only the series of an event changes, through v1 whatever is valid', async () => {
  const fresh = '/apis/events.k8s.io/v1/namespaces/default/events'
  const body = {
    metadata: { name: 'f' },
    eventTime: '2026-11-21T10:00:00.000000Z',
    type: 'Normal',
    reason: 'Began',
    action: 'Begin',
    reportingController: 'example.com/c',
    reportingInstance: 'i',
    regarding: { kind: 'Pod', name: 'p', namespace: 'default' },
  }
  const wrong = { ...body, type: 'Bad', deprecatedCount: 1, action: '', eventTime: undefined }
  const refused = await api.request('POST', fresh, { body: wrong })
  expect(refused.json.details.causes.map(({ field }: { field: string }) => field)).toEqual([
    'eventTime',
    'type',
    'count',
  ])
  expect((await api.request('POST', fresh, { body })).status).toBe(201)
  const patch = async (path: string, change: object): Promise<readonly unknown[]> => {
    const headers = { 'content-type': 'application/merge-patch+json' }
    const { status, json } = await api.request('PATCH', `${path}/f`, { body: change, headers })
    return [status, json.message]
  }
  const series = { count: 2, lastObservedTime: '2026-11-21T10:00:01.000000Z' }
  expect(await patch(fresh, { series })).toEqual([200, undefined])
  expect(await patch(fresh, { series: { count: 1 } })).toEqual([
    422,
    'Event "f" is invalid: series.count: Invalid value: "": should be at least 2',
  ])
  expect(await patch(fresh, { reason: 'Other', regarding: { name: 'q' } })).toEqual([
    422,
    expect.stringMatching(
      /involvedObject: .*field is immutable, reason: .*"Other": field is immutable/,
    ),
  ])
  expect(await patch('/api/v1/namespaces/default/events', { reason: 'Other' })).toEqual([
    200,
    undefined,
  ])
})
