import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { KubeObject } from '../../resources/object.ts'
import { ApiFixture, type Answer } from '../testing/api-fixture.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'
const configMapRef = { group: '', version: 'v1', plural: 'configmaps' }
const deployments = '/apis/apps/v1/namespaces/default/deployments'

let api: ApiFixture
beforeAll(async () => {
  api = await ApiFixture.start()
})
afterAll(async () => {
  expect(api.errors).toEqual([])
  await api.close()
})
beforeEach(async () => {
  for (const path of [configMaps, deployments]) await api.request('DELETE', path)
})

const apply = async (path: string, manager: string, config: object, query = ''): Promise<Answer> =>
  api.request('PATCH', `${path}?fieldManager=${manager}${query}`, {
    body: JSON.stringify(config),
    headers: { 'content-type': 'application/apply-patch+yaml' },
  })
const configMap = (data: object): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a' },
  data,
})
const owners = ({ json }: Answer): unknown =>
  json.metadata.managedFields.map(
    (entry: { manager: string; operation: string; fieldsV1: unknown }) => [
      entry.manager,
      entry.operation,
      entry.fieldsV1,
    ],
  )

test('the first apply creates, the same again changes nothing, and a field left out is removed', async () => {
  const created = await apply(`${configMaps}/a`, 'm1', configMap({ a: '1', b: '2' }))
  expect([created.status, created.json.data]).toEqual([201, { a: '1', b: '2' }])
  expect(owners(created)).toEqual([['m1', 'Apply', { 'f:data': { 'f:a': {}, 'f:b': {} } }]])
  const again = await apply(`${configMaps}/a`, 'm1', configMap({ a: '1', b: '2' }))
  expect([again.status, again.json.metadata.resourceVersion]).toEqual([
    200,
    created.json.metadata.resourceVersion,
  ])
  const less = await apply(`${configMaps}/a`, 'm1', configMap({ b: '3' }))
  expect(less.json.data).toEqual({ b: '3' })
})

test('what another applier owns conflicts unless forced, and stays when only one of two leaves it out', async () => {
  await apply(`${configMaps}/a`, 'm1', configMap({ a: '1', shared: 'x' }))
  const shared = await apply(`${configMaps}/a`, 'm2', configMap({ shared: 'x' }))
  expect(shared.status).toBe(200)
  const conflict = await apply(`${configMaps}/a`, 'm2', configMap({ a: '2', shared: 'x' }))
  expect(conflict.json).toMatchObject({
    code: 409,
    reason: 'Conflict',
    message: 'Apply failed with 1 conflict: conflict with "m1": .data.a',
    details: {
      causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "m1"', field: '.data.a' }],
    },
  })
  const forced = await apply(`${configMaps}/a`, 'm2', configMap({ a: '2' }), '&force=true')
  expect(forced.json.data).toEqual({ a: '2', shared: 'x' })
  expect(owners(forced)).toEqual([
    ['m1', 'Apply', { 'f:data': { 'f:shared': {} } }],
    ['m2', 'Apply', { 'f:data': { 'f:a': {} } }],
  ])
})

test('updates take ownership, so that an applier hears of them', async () => {
  await apply(`${configMaps}/a`, 'm1', configMap({ a: '1' }))
  await api.request('PATCH', `${configMaps}/a?fieldManager=editor`, {
    body: JSON.stringify({ data: { a: '9' } }),
    headers: { 'content-type': 'application/merge-patch+json' },
  })
  const answer = await apply(`${configMaps}/a`, 'm1', configMap({ a: '1' }))
  expect(answer.json.message).toBe(
    'Apply failed with 1 conflict: conflict with "editor" using v1: .data.a',
  )
})

test('what was there before the first apply belongs to nobody who applies', async () => {
  await api.server.client.create(configMapRef, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'default' },
    data: { a: '1', b: '2' },
  } as KubeObject)
  const answer = await apply(`${configMaps}/a`, 'm1', configMap({ a: '7' }))
  expect(answer.json.message).toBe(
    'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.a',
  )
  const same = await apply(`${configMaps}/a`, 'm1', configMap({ a: '1' }))
  const none = await apply(`${configMaps}/a`, 'm1', configMap({}))
  expect([same.json.data, none.json.data]).toEqual([
    { a: '1', b: '2' },
    { a: '1', b: '2' },
  ])
})

test('lists with keys are owned item by item', async () => {
  const deployment = (containers: object[], replicas?: number): object => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers } },
    },
  })
  const one = { name: 'one', image: 'i:1', args: ['x'] }
  const path = `${deployments}/web`
  expect((await apply(path, 'm1', deployment([one, { name: 'two', image: 'i' }], 2))).status).toBe(
    201,
  )
  await apply(path, 'm2', deployment([{ name: 'side', image: 's' }]))
  const names = ({ json }: Answer): string[] =>
    json.spec.template.spec.containers.map((container: { name: string }) => container.name)
  const less = await apply(path, 'm1', deployment([{ name: 'one', image: 'i:2' }]))
  expect(names(less).toSorted()).toEqual(['one', 'side'])
  expect(less.json.spec.template.spec.containers[0].args).toBeUndefined()
  // Nobody asks for a number of replicas any more: the default is back.
  expect(less.json.spec.replicas).toBe(1)
  const conflict = await apply(path, 'm2', deployment([{ name: 'one', image: 'i:9' }]))
  expect(conflict.json.message).toContain('.spec.template.spec.containers[name="one"].image')
})

test('whoever creates or updates an object over the wire owns what he wrote, with what was filled in', async () => {
  const created = await api.request('POST', `${deployments}?fieldManager=creator`, {
    body: {
      metadata: { name: 'web', labels: { a: 'b' } },
      spec: {
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80 }] }] },
        },
      },
    },
  })
  const [[manager, operation, fields]] = owners(created) as [[string, string, object]]
  expect([manager, operation]).toEqual(['creator', 'Update'])
  expect(fields).toMatchObject({
    'f:metadata': { 'f:labels': { 'f:a': {} } },
    'f:spec': {
      'f:replicas': {},
      'f:selector': {},
      'f:template': {
        'f:spec': {
          'f:containers': {
            'k:{"name":"c"}': {
              '.': {},
              'f:image': {},
              'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { 'f:protocol': {} } },
            },
          },
        },
      },
    },
  })
  expect(JSON.stringify(fields)).not.toContain('f:status')
  const edited = await api.request('PATCH', `${deployments}/web?fieldManager=editor`, {
    body: JSON.stringify({ spec: { replicas: 3 } }),
    headers: { 'content-type': 'application/merge-patch+json' },
  })
  expect((owners(edited) as unknown[])[1]).toEqual([
    'editor',
    'Update',
    { 'f:spec': { 'f:replicas': {} } },
  ])
  expect(JSON.stringify((owners(edited) as unknown[])[0])).not.toContain('f:replicas')
  const emptied = await api.request('PATCH', `${deployments}/web`, {
    body: JSON.stringify({ metadata: { managedFields: [{}] } }),
    headers: { 'content-type': 'application/merge-patch+json' },
  })
  expect(emptied.json.metadata.managedFields).toBeUndefined()
})

test('items of a list with several keys, of a set and of an object that is owned whole', async () => {
  const service = (ports: object[], selector: object): object => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'dns', finalizers: ['example.com/a'] },
    spec: { ports, selector },
  })
  const path = '/api/v1/namespaces/default/services/dns'
  const udp = { name: 'udp', port: 53, protocol: 'UDP' }
  await apply(path, 'm1', service([{ name: 'tcp', port: 53 }], { a: '1' }))
  const both = await apply(path, 'm2', service([udp], { a: '1' }))
  expect(
    both.json.spec.ports.map((port: { protocol: string }) => port.protocol).toSorted(),
  ).toEqual(['TCP', 'UDP'])
  const conflict = await apply(path, 'm2', service([udp], { a: '1', b: '2' }))
  expect(conflict.json.message).toBe(
    'Apply failed with 1 conflict: conflict with "m1": .spec.selector',
  )
  const less = await apply(path, 'm1', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'dns' },
    spec: { selector: { a: '1' } },
  })
  expect(less.json.spec.ports).toMatchObject([{ name: 'udp' }])
  expect(less.json.metadata.finalizers).toEqual(['example.com/a'])
  await apply(path, 'm2', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'dns' },
    spec: { ports: [udp] },
  })
  await api.request('DELETE', path)
  expect((await api.request('GET', path)).status).toBe(404)
})

test('status is applied by itself, and its owners are told apart', async () => {
  const name = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } }
  await apply(`${deployments}/web`, 'm1', {
    ...name,
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'c', image: 'i' }] },
      },
    },
  })
  const condition = (status: string): object => ({
    ...name,
    spec: { replicas: 9 },
    status: { conditions: [{ type: 'Checked', status }] },
  })
  const path = `${deployments}/web/status`
  const answer = await apply(path, 'checker', condition('True'))
  expect([answer.json.spec.replicas, answer.json.status.conditions]).toMatchObject([
    1,
    [{ type: 'Checked' }],
  ])
  expect(answer.json.metadata.managedFields[1]).toMatchObject({
    manager: 'checker',
    subresource: 'status',
    fieldsV1: { 'f:status': { 'f:conditions': { 'k:{"type":"Checked"}': { 'f:status': {} } } } },
  })
  const conflict = await apply(path, 'other', condition('False'))
  expect(conflict.json.message).toContain(
    'conflict with "checker": .status.conditions[type="Checked"].status',
  )
})

test('an apply without a manager, with managed fields or of another kind is refused', async () => {
  const none = await api.request('PATCH', `${configMaps}/a`, {
    body: JSON.stringify(configMap({})),
    headers: { 'content-type': 'application/apply-patch+yaml' },
  })
  expect([none.status, none.json.message]).toEqual([
    422,
    'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
  ])
  const managed = { ...configMap({}), metadata: { name: 'a', managedFields: [{}] } }
  expect((await apply(`${configMaps}/a`, 'm1', managed)).json.message).toBe(
    'metadata.managedFields must be nil',
  )
  const other = { ...configMap({}), kind: 'Secret' }
  expect((await apply(`${configMaps}/a`, 'm1', other)).status).toBe(400)
  expect((await apply(`${configMaps}/b`, 'm1', configMap({}))).json.message).toBe(
    'the name of the object (a) does not match the name on the URL (b)',
  )
})

test('a configuration nested without end is refused, as JSON and as YAML', async () => {
  const levels = 50_000
  const configs = {
    JSON: `{"apiVersion":"v1","kind":"ConfigMap","x":${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}}`,
    YAML: `apiVersion: v1\nkind: ConfigMap\nx: ${'['.repeat(levels)}`,
  }
  for (const [form, body] of Object.entries(configs)) {
    const answer = await api.request('PATCH', `${configMaps}/a?fieldManager=m`, {
      body,
      headers: { 'content-type': 'application/apply-patch+yaml' },
    })
    expect([form, answer.status, answer.json.reason]).toEqual([form, 400, 'BadRequest'])
  }
})

test('what a kind does not have cannot be applied, and a key that is there twice only without strictness', async () => {
  const applyText = async (body: string, query: string): Promise<Answer> =>
    api.request('PATCH', `${deployments}/d?fieldManager=m&${query}`, {
      body,
      headers: { 'content-type': 'application/apply-patch+yaml' },
    })
  const head = 'apiVersion: apps/v1\nkind: Deployment\n'
  const containers = '{containers: [{name: c, image: i, nope: 1}]}'
  const spec = `spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: ${containers}}}\n`
  const unknown = await applyText(`${head}${spec}other: 1\n`, 'fieldValidation=Ignore')
  expect([unknown.status, unknown.json.reason, unknown.json.message]).toEqual([
    400,
    'BadRequest',
    'failed to create typed patch object (default/d; apps/v1, Kind=Deployment): errors:\n  .spec.template.spec.containers[name="c"].nope: field not declared in schema\n  .other: field not declared in schema',
  ])
  const twice = `${head}${spec.replace(', nope: 1', '')}metadata: {labels: {a: x, a: z}}\n`
  const strict = await applyText(twice, 'fieldValidation=Strict')
  expect([strict.status, strict.json.message]).toEqual([
    400,
    'error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  line 4: key "a" already set in map',
  ])
  const warned = await applyText(twice, '')
  expect([warned.status, warned.json.metadata.labels]).toEqual([201, { a: 'z' }])
  expect(warned.headers['warning']).toContain('already set in map')
})

test('an object that is named by its uid is not made anew', async () => {
  const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', uid: 'u' } }
  const { status, json } = await apply(`${configMaps}/a`, 'm', config)
  expect([status, json.message]).toEqual([
    409,
    'Operation cannot be fulfilled on configmaps "a": uid mismatch: the provided object specified uid u, and no existing object was found',
  ])
})
