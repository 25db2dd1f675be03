import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, ApiFixture } from '../testing/api-fixture.ts'

const merge = { 'content-type': 'application/merge-patch+json' }
const inDefault = '/namespaces/default'

let api: ApiFixture
beforeAll(async () => {
  api = await ApiFixture.start()
})
afterAll(async () => {
  expect(api.errors).toEqual([])
  await api.close()
})

const template = {
  metadata: { labels: { a: 'b' } },
  spec: { containers: [{ name: 'c', image: 'i' }], restartPolicy: 'Always' },
}
const selector = { matchLabels: { a: 'b' } }
const once = { template: { spec: { ...template.spec, restartPolicy: 'Never' } } }

describe('a write of the status', () => {
  const write = async (path: string, body: object): Promise<Answer> => {
    const object = { ...body, metadata: { name: 'one', labels: { old: 'y' } } }
    expect((await api.request('POST', path, { body: object })).status).toBe(201)
    const metadata = {
      annotations: { patchedstatus: 'true' },
      labels: { new: 'y' },
      finalizers: ['example.com/f'],
    }
    const patched = { metadata, spec: { priority: 7 }, status: { message: 'm' } }
    return api.request('PATCH', `${path}/one/status`, { body: patched, headers: merge })
  }

  test.each([
    ['/api/v1/nodes', {}],
    [`/api/v1${inDefault}/pods`, { spec: template.spec }],
    [`/api/v1${inDefault}/services`, { spec: { ports: [{ port: 80 }] } }],
    [`/api/v1${inDefault}/resourcequotas`, { spec: { hard: { pods: '1' } } }],
    [`/apis/apps/v1${inDefault}/replicasets`, { spec: { selector, template } }],
    [
      `/apis/batch/v1${inDefault}/cronjobs`,
      { spec: { schedule: '* * * * *', jobTemplate: { spec: once } } },
    ],
    [`/apis/policy/v1${inDefault}/poddisruptionbudgets`, { spec: { selector, minAvailable: 1 } }],
  ])('of %s takes the new metadata along', async (path, body) => {
    const { status, json } = await write(path, body)
    expect(status).toBe(200)
    expect(json.metadata).toMatchObject({
      annotations: { patchedstatus: 'true' },
      labels: { old: 'y', new: 'y' },
      finalizers: ['example.com/f'],
    })
    expect(json.spec?.priority).not.toBe(7)
  })

  test('of a Deployment leaves the labels, and of a Pod the owners', async () => {
    const path = `/apis/apps/v1${inDefault}/deployments`
    const { json } = await write(path, { spec: { selector, template } })
    expect(json.metadata).toMatchObject({ annotations: { patchedstatus: 'true' } })
    expect(json.metadata.labels).toEqual({ old: 'y' })
    const owner = { apiVersion: 'v1', kind: 'Pod', name: 'x', uid: 'u' }
    const body = { metadata: { ownerReferences: [owner] }, status: { message: 'm' } }
    const owned = await api.request('PATCH', `/api/v1${inDefault}/pods/one/status`, {
      body,
      headers: merge,
    })
    expect([owned.status, owned.json.metadata.ownerReferences]).toEqual([200, undefined])
  })

  test.each([
    [
      '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas',
      { spec: { priorityLevelConfiguration: { name: 'global-default' } } },
    ],
    [
      '/apis/storage.k8s.io/v1/volumeattachments',
      { spec: { attacher: 'a.example.com', nodeName: 'n', source: { persistentVolumeName: 'p' } } },
    ],
  ])('of %s leaves all metadata', async (path, body) => {
    const { status, json } = await write(path, body)
    expect([status, json.metadata.annotations]).toEqual([200, undefined])
    expect(json.metadata.labels).toEqual({ old: 'y' })
  })

  test('is refused for an object of the same name that is gone', async () => {
    const path = `/api/v1${inDefault}/resourcequotas/one`
    const { json } = await api.request('GET', path)
    const { resourceVersion: _, ...metadata } = json.metadata
    const body = { ...json, metadata: { ...metadata, uid: 'other' } }
    const refused = await api.request('PUT', `${path}/status`, { body })
    expect([refused.status, refused.json.reason]).toEqual([409, 'Conflict'])
  })

  test('without finalizers ends an object that is being deleted', async () => {
    const path = `/api/v1${inDefault}/resourcequotas/one`
    expect((await api.request('DELETE', path)).json.metadata.deletionTimestamp).toBeDefined()
    const body = { metadata: { finalizers: null } }
    await api.request('PATCH', `${path}/status`, { body, headers: merge })
    expect((await api.request('GET', path)).status).toBe(404)
  })
})

describe('a PUT to a name that is not there', () => {
  test.each([
    ['v1/services', `/api/v1${inDefault}/services`, { spec: { ports: [{ port: 80 }] } }],
    ['v1/limitranges', `/api/v1${inDefault}/limitranges`, { spec: { limits: [] } }],
    ['roles', `/apis/rbac.authorization.k8s.io/v1${inDefault}/roles`, { rules: [] }],
    ['leases', `/apis/coordination.k8s.io/v1${inDefault}/leases`, { spec: {} }],
  ])('makes %s, and says 201 once', async (_kind, path, body) => {
    const object = { ...body, metadata: { name: 'put' } }
    const made = await api.request('PUT', `${path}/put`, { body: object })
    expect(made.status).toBe(201)
    expect((await api.request('PUT', `${path}/put`, { body: made.json })).status).toBe(200)
  })

  test('is refused for a lease that is there, unless it says which version it replaces', async () => {
    const path = `/apis/coordination.k8s.io/v1${inDefault}/leases/put`
    const body = { metadata: { name: 'put' }, spec: {} }
    const { json } = await api.request('PUT', path, { body })
    expect([json.code, json.reason, json.message]).toEqual([
      422,
      'Invalid',
      'leases.coordination.k8s.io "put" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update',
    ])
  })

  test('is a 404 for the others', async () => {
    const body = { metadata: { name: 'put' }, data: {} }
    const path = `/api/v1${inDefault}/configmaps/put`
    expect((await api.request('PUT', path, { body })).status).toBe(404)
  })
})
