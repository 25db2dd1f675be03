import { readFile, stat } from 'node:fs/promises'
import { request as httpsRequest } from 'node:https'
import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { signClientCertificate } from '../pki/certificates.ts'
import { ringBytesMax, ringEventsMax } from '../storage/resource-cache.ts'
import { ApiFixture } from '../testing/api-fixture.ts'

const tableAccept =
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json'
const configMaps = '/api/v1/namespaces/default/configmaps'
const pods = '/api/v1/namespaces/default/pods'
const deployments = '/apis/apps/v1/namespaces/default/deployments'

const configMap = (name: string, data: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
})
const pod = (name: string, containers: readonly string[] = ['c']): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: containers.map((container) => ({ name: container, image: 'i' })) },
})
const deployment = (name: string): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    },
  },
})

let api: ApiFixture
beforeAll(async () => {
  api = await ApiFixture.start()
})
afterAll(async () => {
  expect(api.errors).toEqual([])
  await api.close()
})
beforeEach(async () => {
  for (const path of [configMaps, pods, deployments]) await api.request('DELETE', path)
})

const failure = async (
  method: string,
  path: string,
  options: Parameters<ApiFixture['request']>[2] = {},
): Promise<readonly [number, string, string]> => {
  const { json } = await api.request(method, path, options)
  expect(json).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure' })
  return [json.code, json.reason, json.message]
}

describe('access', () => {
  test('without a certificate health and version are answered and everything else is forbidden', async () => {
    const session = api.connectAs(undefined)
    const ask = async (path: string): Promise<number> =>
      new Promise((resolve) => {
        const stream = session.request({ ':path': path })
        stream.on('response', (headers) => {
          resolve(Number(headers[':status']))
        })
        stream.resume()
        stream.end()
      })
    const paths = ['/healthz', '/livez', '/readyz?verbose', '/version', '/api', pods, '/openapi/v2']
    expect(await Promise.all(paths.map(ask))).toEqual([200, 200, 200, 200, 403, 403, 403])
    session.destroy()
  })

  test('a certificate of another group is forbidden, one of a stranger is none', async () => {
    const { certificates, url } = api.server
    const ask = async (client: { certificate: string; key: string }): Promise<string> =>
      new Promise((resolve, reject) => {
        const request = httpsRequest(
          `${url}${pods}`,
          { ca: certificates.ca.certificate, cert: client.certificate, key: client.key },
          (response) => {
            const chunks: Buffer[] = []
            response.on('data', (chunk: Buffer) => chunks.push(chunk))
            response.on('end', () => {
              const text = Buffer.concat(chunks).toString()
              resolve(`${response.statusCode} ${JSON.parse(text).message}`)
            })
          },
        )
        request.on('error', reject)
        request.end()
      })
    const user = await signClientCertificate(certificates.ca, 'jane', ['dev'])
    expect(await ask(user)).toBe(
      '403 pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"',
    )
    const other = await ApiFixture.start()
    expect(await ask(other.server.certificates.admin)).toBe('401 Unauthorized')
    await other.close()
  })

  test('the kubeconfig is for its owner only and holds everything a client needs', async () => {
    const path = api.server.kubeconfigPath
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const config = parse(await readFile(path, 'utf8'))
    expect(config.clusters[0].cluster.server).toBe(api.server.url)
    expect(Buffer.from(config.users[0].user['client-key-data'], 'base64').toString()).toBe(
      api.server.certificates.admin.key,
    )
  })
})

describe('objects', () => {
  test('POST, GET, PUT, PATCH and DELETE answer as Kubernetes does', async () => {
    const created = await api.request('POST', configMaps, { body: configMap('a', { k: '1' }) })
    expect([created.status, created.json.metadata.namespace]).toEqual([201, 'default'])
    const got = await api.request('GET', `${configMaps}/a`)
    expect([got.status, got.json]).toEqual([200, created.json])
    const put = await api.request('PUT', `${configMaps}/a`, {
      body: { ...created.json, data: { k: '2' } },
    })
    expect([put.status, put.json.data]).toEqual([200, { k: '2' }])
    const patched = await api.request('PATCH', `${configMaps}/a`, {
      body: { data: { k: null, n: '3' } },
      headers: { 'content-type': 'application/merge-patch+json' },
    })
    expect([patched.status, patched.json.data]).toEqual([200, { n: '3' }])
    const deleted = await api.request('DELETE', `${configMaps}/a`)
    expect([deleted.status, deleted.json]).toEqual([
      200,
      {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Success',
        details: { name: 'a', kind: 'configmaps', uid: created.json.metadata.uid },
      },
    ])
  })

  test('bodies may be YAML or come without a type, and answers are YAML where asked for', async () => {
    const yaml = await api.request('POST', configMaps, {
      body: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yaml}\ndata: {k: "on", d: "2020-01-01"}\n',
      headers: { 'content-type': 'application/yaml', accept: 'application/yaml' },
    })
    expect(yaml.headers['content-type']).toBe('application/yaml')
    expect(parse(yaml.text).data).toEqual({ k: 'on', d: '2020-01-01' })
    const untyped = await api.request('POST', configMaps, { body: JSON.stringify(configMap('u')) })
    expect(untyped.status).toBe(201)
  })

  test('YAML 1.1 booleans are booleans, so that a text field refuses them', async () => {
    const answer = await failure('POST', pods, {
      body: 'apiVersion: v1\nkind: Pod\nmetadata: {name: y}\nspec: {nodeSelector: {x: y}, containers: [{name: c, image: i}]}\n',
      headers: { 'content-type': 'application/yaml' },
    })
    expect(answer[0]).toBe(400)
    expect(answer[2]).toContain('cannot be handled as a Pod')
  })

  test('dry runs answer but store nothing', async () => {
    const answer = await api.request('POST', `${configMaps}?dryRun=All`, { body: configMap('d') })
    expect([answer.status, answer.json.metadata.uid.length]).toEqual([201, 36])
    expect((await api.request('GET', `${configMaps}/d`)).status).toBe(404)
  })

  test('unknown fields are refused under Strict, warned of by default and ignored under Ignore', async () => {
    const body = { ...configMap('f'), datax: {} }
    expect(await failure('POST', `${configMaps}?fieldValidation=Strict`, { body })).toEqual([
      400,
      'BadRequest',
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "datax"',
    ])
    const warned = await api.request('POST', configMaps, { body })
    expect(warned.headers['warning']).toBe('299 - "unknown field \\"datax\\""')
    const ignored = await api.request('PUT', `${configMaps}/f?fieldValidation=Ignore`, { body })
    expect([ignored.status, ignored.headers['warning']]).toEqual([200, undefined])
  })

  test('status and scale are written through their subresources', async () => {
    await api.request('POST', deployments, { body: deployment('web') })
    const scale = await api.request('GET', `${deployments}/web/scale`)
    expect(scale.json).toMatchObject({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      spec: { replicas: 1 },
      status: { selector: 'app=web' },
    })
    const put = await api.request('PUT', `${deployments}/web/scale`, {
      body: { ...scale.json, spec: { replicas: 4 } },
    })
    expect(put.json.spec).toEqual({ replicas: 4 })
    expect(
      await failure('PATCH', `${deployments}/web/scale`, {
        body: { spec: { replicas: -1 } },
        headers: { 'content-type': 'application/merge-patch+json' },
      }),
    ).toEqual([
      422,
      'Invalid',
      'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    ])
    const status = await api.request('PATCH', `${deployments}/web/status`, {
      body: { status: { replicas: 2 }, spec: { replicas: 9 } },
      headers: { 'content-type': 'application/merge-patch+json' },
    })
    expect([status.json.spec.replicas, status.json.status.replicas]).toEqual([4, 2])
  })

  test('a Binding gives a pod its node, a second one conflicts', async () => {
    await api.request('POST', pods, { body: pod('p') })
    const body = { metadata: { name: 'p' }, target: { kind: 'Node', name: 'n1' } }
    const bound = await api.request('POST', `${pods}/p/binding`, { body })
    expect([bound.status, bound.json.status]).toEqual([201, 'Success'])
    const again = await failure('POST', '/api/v1/namespaces/default/bindings', { body })
    expect(again[1]).toBe('Conflict')
    const field = encodeURIComponent('spec.nodeName=n1')
    const onNode = await api.request('GET', `/api/v1/pods?fieldSelector=${field}`)
    expect(onNode.json.items).toHaveLength(1)
    await api.request('DELETE', `${pods}/p?gracePeriodSeconds=0`)
  })
})

describe('bad requests', () => {
  test('each gets the Status that Kubernetes users know', async () => {
    await api.request('POST', configMaps, { body: configMap('dup') })
    const json = { 'content-type': 'application/json' }
    const cases: [string, string, Parameters<ApiFixture['request']>[2], unknown[]][] = [
      ['GET', `${configMaps}/x`, {}, [404, 'NotFound', 'configmaps "x" not found']],
      ['GET', `${deployments}/x`, {}, [404, 'NotFound', 'deployments.apps "x" not found']],
      [
        'POST',
        configMaps,
        { body: configMap('dup') },
        [409, 'AlreadyExists', 'configmaps "dup" already exists'],
      ],
      [
        'POST',
        '/api/v1/namespaces/nons/configmaps',
        { body: configMap('a') },
        [404, 'NotFound', 'namespaces "nons" not found'],
      ],
      [
        'POST',
        configMaps,
        { body: pod('p') },
        [400, 'BadRequest', expect.stringContaining('cannot be handled as a ConfigMap')],
      ],
      [
        'POST',
        deployments,
        { body: { ...deployment('d'), apiVersion: 'apps/v1beta1' } },
        [
          400,
          'BadRequest',
          'the API version in the data (apps/v1beta1) does not match the expected API version (apps/v1)',
        ],
      ],
      [
        'POST',
        configMaps,
        { body: { ...configMap('a'), metadata: { name: 'a', namespace: 'other' } } },
        [
          400,
          'BadRequest',
          'the namespace of the provided object does not match the namespace sent on the request',
        ],
      ],
      [
        'PUT',
        `${configMaps}/other`,
        { body: configMap('dup') },
        [
          400,
          'BadRequest',
          'the name of the object (dup) does not match the name on the URL (other)',
        ],
      ],
      [
        'POST',
        configMaps,
        { body: '{"kind":', headers: json },
        [400, 'BadRequest', expect.stringContaining('json parse error')],
      ],
      ['POST', configMaps, { body: '[1]', headers: json }, [400, 'BadRequest', expect.any(String)]],
      [
        'POST',
        configMaps,
        { body: 'null', headers: json },
        [400, 'BadRequest', expect.any(String)],
      ],
      [
        'POST',
        configMaps,
        { body: '', headers: json },
        [400, 'BadRequest', 'the request body is empty'],
      ],
      [
        'POST',
        configMaps,
        { body: 'x', headers: { 'content-type': 'text/html' } },
        [415, 'UnsupportedMediaType', expect.any(String)],
      ],
      [
        'PATCH',
        `${configMaps}/dup`,
        { body: '{}', headers: json },
        [415, 'UnsupportedMediaType', expect.any(String)],
      ],
      [
        'POST',
        `${configMaps}/dup`,
        { body: configMap('dup') },
        [
          405,
          'MethodNotAllowed',
          'the server does not allow this method on the requested resource',
        ],
      ],
      [
        'GET',
        '/api/v1/nothings',
        {},
        [404, 'NotFound', 'the server could not find the requested resource'],
      ],
      [
        'GET',
        `${configMaps}/dup/status`,
        {},
        [404, 'NotFound', 'the server could not find the requested resource'],
      ],
      [
        'GET',
        `${configMaps}?labelSelector=a%20in`,
        {},
        [400, 'BadRequest', "unable to parse requirement: found '' expected: '('"],
      ],
      [
        'GET',
        `${pods}?fieldSelector=spec.foo%3D1`,
        {},
        [400, 'BadRequest', 'field label not supported: spec.foo'],
      ],
      [
        'GET',
        `${pods}?continue=nonsense`,
        {},
        [400, 'BadRequest', expect.stringContaining('continue key is not valid')],
      ],
      [
        'GET',
        `${pods}?resourceVersion=abc`,
        {},
        [400, 'BadRequest', expect.stringContaining('invalid resource version')],
      ],
      ['GET', `${pods}?limit=abc`, {}, [400, 'BadRequest', expect.stringContaining('abc')]],
      [
        'GET',
        `${pods}?resourceVersionMatch=Exact`,
        {},
        [422, 'Invalid', expect.stringContaining('resourceVersionMatch')],
      ],
      [
        'GET',
        `${pods}?watch=true&sendInitialEvents=true`,
        {},
        [422, 'Invalid', expect.stringContaining('sendInitialEvents')],
      ],
      [
        'POST',
        pods,
        { body: pod('p', []) },
        [422, 'Invalid', 'Pod "p" is invalid: spec.containers: Required value'],
      ],
      [
        'GET',
        pods,
        { headers: { accept: 'text/html' } },
        [406, 'NotAcceptable', expect.any(String)],
      ],
      [
        'POST',
        `${configMaps}?dryRun=Some`,
        { body: configMap('q') },
        [422, 'Invalid', expect.stringContaining('dryRun')],
      ],
    ]
    for (const [method, path, options, expected] of cases) {
      expect(await failure(method, path, options), `${method} ${path}`).toEqual(expected)
    }
    const unknownGroup = await api.request('GET', '/apis/no.such.group/v1/things')
    expect([unknownGroup.status, unknownGroup.text]).toEqual([404, '404 page not found\n'])
  })

  test('an update with a stale resourceVersion conflicts', async () => {
    const { json } = await api.request('POST', configMaps, { body: configMap('s', { k: '1' }) })
    await api.request('PUT', `${configMaps}/s`, { body: { ...json, data: { k: '2' } } })
    expect(
      await failure('PUT', `${configMaps}/s`, { body: { ...json, data: { k: '3' } } }),
    ).toEqual([
      409,
      'Conflict',
      'Operation cannot be fulfilled on configmaps "s": the object has been modified; please apply your changes to the latest version and try again',
    ])
  })

  test('a body over the limit is 413, at the limit it is read', async () => {
    const limit = 3 * 1024 * 1024
    const headers = { 'content-type': 'application/json' }
    const over = await failure('POST', configMaps, { body: Buffer.alloc(limit + 1, 0x20), headers })
    expect(over.slice(0, 2)).toEqual([413, 'RequestEntityTooLarge'])
    const at = await failure('POST', configMaps, { body: Buffer.alloc(limit, 0x20), headers })
    expect(at[0]).toBe(400)
  })

  test('hostile bodies and paths are refused and the server goes on', async () => {
    const headers = { 'content-type': 'application/json' }
    const deep = `${'[1,'.repeat(100_000)}1${']'.repeat(100_000)}`
    const bodies: [string, Record<string, string>][] = [
      [deep, headers],
      [`{"metadata":{"name":"h","annotations":${deep}}}`, headers],
      [`{"metadata":{"name":"h","managedFields":[{"fieldsV1":${deep}}]}}`, headers],
      [
        '{"metadata":{"name":"h"},"__proto__":{"polluted":1},"data":{"__proto__":{"x":1}}}',
        headers,
      ],
      [
        'a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]',
        { 'content-type': 'application/yaml' },
      ],
      ['k8s\u0000garbage', { 'content-type': 'application/vnd.kubernetes.protobuf' }],
    ]
    for (const [body, type] of bodies) {
      const answer = await api.request('POST', configMaps, { body, headers: type })
      expect(answer.status, body.slice(0, 80)).toBeGreaterThanOrEqual(400)
      expect(answer.status, body.slice(0, 80)).toBeLessThan(500)
    }
    for (const path of [
      `${configMaps}/..`,
      `${configMaps}/%2e%2e`,
      `${configMaps}/a%2Fb`,
      `${configMaps}/%zz`,
      '//',
      '/api/v1/namespaces//pods',
    ]) {
      expect((await api.request('GET', path)).status, path).toBe(404)
    }
    expect(Object.prototype).not.toHaveProperty('polluted')
    expect((await api.request('GET', '/healthz')).text).toBe('ok')
  })

  test('nonsense on the socket harms nobody', async () => {
    const { port } = new URL(api.server.url)
    const plain = connectTcp(Number(port), '127.0.0.1')
    plain.on('error', () => undefined)
    plain.end('GET / HTTP/1.1\r\n\r\n')
    const tls = connectTls({ port: Number(port), rejectUnauthorized: false, ALPNProtocols: ['h2'] })
    tls.on('error', () => undefined)
    tls.resume()
    tls.end(Buffer.alloc(1000, 0xff))
    await Promise.all(
      [plain, tls].map((socket) => new Promise((resolve) => socket.on('close', resolve))),
    )
    expect((await api.request('GET', '/healthz')).text).toBe('ok')
  })
})

test('health is told check by check, by the names that upstream gives them; reviews have no rows', async () => {
  const { text } = await api.request('GET', '/readyz?verbose=1&exclude=etcd&exclude=nope')
  expect(text.split('\n')).toEqual(
    expect.arrayContaining([
      '[+]ping ok',
      '[+]etcd excluded: ok',
      '[+]poststarthook/rbac/bootstrap-roles ok',
      'warn: some health checks cannot be excluded: no matches for "nope"',
      'readyz check passed',
    ]),
  )
  expect((await api.request('GET', '/livez/etcd')).text).toBe('ok')
  const review = await api.request(
    'POST',
    '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    { body: '{"spec":{}}', headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } },
  )
  expect(review.status).toBe(406)
  expect((await api.request('GET', '/livez/none')).status).toBe(404)
  expect((await api.request('GET', '/version?timeout=soon')).status).toBe(400)
})

describe('discovery', () => {
  test('lists groups, versions, kinds and subresources, plain and aggregated', async () => {
    const core = await api.request('GET', '/api/v1')
    const names = core.json.resources.map((resource: { name: string }) => resource.name)
    expect(names).toEqual(
      expect.arrayContaining(['pods', 'pods/log', 'pods/status', 'namespaces/finalize']),
    )
    const [first] = core.json.resources.filter(({ name }: { name: string }) => name === 'pods')
    expect(first.storageVersionHash).toBe('xPOwRZ+Yhw8=')
    const groups = await api.request('GET', '/apis')
    expect(groups.json.groups.map((group: { name: string }) => group.name)).toContain('apps')
    const accept =
      'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'
    const aggregated = await api.request('GET', '/apis', { headers: { accept } })
    expect(aggregated.headers['content-type']).toBe(
      'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
    )
    const { etag = '' } = aggregated.headers
    const known = { accept, 'if-none-match': etag }
    expect((await api.request('GET', '/apis', { headers: known })).status).toBe(304)
    const apps = aggregated.json.items.find(
      (item: { metadata: { name: string } }) => item.metadata.name === 'apps',
    )
    const deployments = apps.versions[0].resources.find(
      (each: { resource: string }) => each.resource === 'deployments',
    )
    expect(deployments).toMatchObject({
      resource: 'deployments',
      scope: 'Namespaced',
      shortNames: ['deploy'],
      responseKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
    })
    const openApiType = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'
    const openApi = await api.request('GET', '/openapi/v2', { headers: { accept: openApiType } })
    expect([openApi.status, openApi.headers['content-type']]).toEqual([
      200,
      'application/octet-stream',
    ])
  })

  test('HEAD answers without a body and pretty with line breaks', async () => {
    const head = await api.request('HEAD', configMaps)
    expect([head.status, head.text]).toEqual([200, ''])
    expect((await api.request('GET', `${configMaps}?pretty=true`)).text).toContain('\n  "kind"')
  })
})

describe('tables and metadata', () => {
  test('a Table has columns, cells and the metadata of each object', async () => {
    await api.request('POST', configMaps, { body: configMap('a', { k: 'v' }) })
    const { json } = await api.request('GET', configMaps, { headers: { accept: tableAccept } })
    expect(json).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1' })
    expect(json.columnDefinitions.map((column: { name: string }) => column.name)).toEqual([
      'Name',
      'Data',
      'Age',
    ])
    expect(json.rows[0].cells.slice(0, 2)).toEqual(['a', 1])
    expect(json.rows[0].object).toMatchObject({
      kind: 'PartialObjectMetadata',
      metadata: { name: 'a' },
    })
    const full = await api.request('GET', `${configMaps}?includeObject=Object`, {
      headers: { accept: tableAccept },
    })
    expect(full.json.rows[0].object.data).toEqual({ k: 'v' })
    const empty = await api.request('GET', pods, { headers: { accept: tableAccept } })
    expect(empty.json.rows).toEqual([])
    const accept = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io'
    const partial = await api.request('GET', configMaps, { headers: { accept } })
    expect(partial.json).toMatchObject({
      kind: 'PartialObjectMetadataList',
      items: [{ metadata: { name: 'a' } }],
    })
    expect(partial.json.items[0].data).toBeUndefined()
  })
})

describe('lists', () => {
  test('limit and continue give every object once, with the number that remains', async () => {
    for (let index = 0; index < 7; index++) {
      await api.request('POST', configMaps, { body: configMap(`c${index}`) })
    }
    const names: string[] = []
    const remaining: unknown[] = []
    let token = ''
    do {
      const { json } = await api.request('GET', `${configMaps}?limit=3&continue=${token}`)
      names.push(...json.items.map((item: { metadata: { name: string } }) => item.metadata.name))
      remaining.push(json.metadata.remainingItemCount)
      token = json.metadata.continue ?? ''
    } while (token !== '')
    expect(names).toEqual(['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6'])
    expect(remaining).toEqual([4, 1, undefined])
  })

  test('resourceVersion 0 and past versions are served, Exact shows the past, the future is 504', async () => {
    const first = await api.request('POST', configMaps, { body: configMap('a') })
    const version = first.json.metadata.resourceVersion
    await api.request('POST', configMaps, { body: configMap('b') })
    const count = async (query: string): Promise<number> =>
      (await api.request('GET', `${configMaps}?${query}`)).json.items.length
    expect(await count('resourceVersion=0')).toBe(2)
    expect(await count(`resourceVersion=${version}&resourceVersionMatch=NotOlderThan`)).toBe(2)
    expect(await count(`resourceVersion=${version}&resourceVersionMatch=Exact`)).toBe(1)
    const future = await api.request(
      'GET',
      `${configMaps}?resourceVersion=999999999&resourceVersionMatch=Exact`,
    )
    expect([future.status, future.json.reason, future.json.details.retryAfterSeconds]).toEqual([
      504,
      'Timeout',
      1,
    ])
  })

  test('a page of a list whose history is compacted is 410 with a token for the rest', async () => {
    for (const name of ['a', 'b', 'c'])
      await api.request('POST', configMaps, { body: configMap(name) })
    const first = await api.request('GET', `${configMaps}?limit=1`)
    await api.request('DELETE', `${configMaps}/c`)
    await api.store.compact(await api.store.currentRevision())
    const path = `${configMaps}?limit=5&continue=${first.json.metadata.continue}`
    const expired = await api.request('GET', path)
    expect([expired.status, expired.json.reason]).toEqual([410, 'Expired'])
    const rest = await api.request(
      'GET',
      `${configMaps}?continue=${expired.json.metadata.continue}`,
    )
    expect(
      rest.json.items.map((item: { metadata: { name: string } }) => item.metadata.name),
    ).toEqual(['b'])
  })
})

describe('watches', () => {
  test('headers come at once, then each change as one line, to every watcher of every form', async () => {
    const { json: list } = await api.request('GET', configMaps)
    const query = `watch=true&resourceVersion=${list.metadata.resourceVersion}`
    const watches = await Promise.all([
      api.lines(`${configMaps}?${query}`),
      api.lines(`${configMaps}?${query}`),
      api.lines(`${configMaps}?${query}`, { accept: tableAccept }),
    ])
    await api.request('POST', configMaps, { body: configMap('a', { k: '1' }) })
    await api.request('PUT', `${configMaps}/a`, { body: configMap('a', { k: '2' }) })
    await api.request('DELETE', `${configMaps}/a`)
    const [one, two, table] = await Promise.all(watches.map((watch) => watch.take(3)))
    expect(one).toEqual(two)
    expect(one?.map((event) => [event.type, event.object.data.k])).toEqual([
      ['ADDED', '1'],
      ['MODIFIED', '2'],
      ['DELETED', '2'],
    ])
    const versions = one?.map((event) => Number(event.object.metadata.resourceVersion)) ?? []
    expect(versions).toEqual(versions.toSorted((a, b) => a - b))
    expect(new Set(versions).size).toBe(3)
    expect(
      table?.map((event) => [event.object.kind, event.object.columnDefinitions === null]),
    ).toEqual([
      ['Table', false],
      ['Table', true],
      ['Table', true],
    ])
    for (const watch of watches) watch.close()
  })

  test('without a resourceVersion the state comes first, and a timeout ends the stream with a bookmark', async () => {
    await api.request('POST', configMaps, { body: configMap('a') })
    const watch = await api.lines(`${configMaps}?watch=1&allowWatchBookmarks=true&timeoutSeconds=1`)
    const events = await watch.all()
    expect(events.map((event) => [event.type, event.object.metadata.name])).toEqual([
      ['ADDED', 'a'],
      ['BOOKMARK', undefined],
    ])
    expect(Number(events[1].object.metadata.resourceVersion)).toBeGreaterThanOrEqual(
      Number(events[0].object.metadata.resourceVersion),
    )
  })

  test('sendInitialEvents gives the state and then a bookmark that ends it', async () => {
    await api.request('POST', configMaps, { body: configMap('a') })
    const watch = await api.lines(
      `${configMaps}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    )
    const [added, bookmark] = await watch.take(2)
    expect(added.type).toBe('ADDED')
    expect(bookmark).toMatchObject({
      type: 'BOOKMARK',
      object: {
        kind: 'ConfigMap',
        metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } },
      },
    })
    watch.close()
  })

  test('a client that does not read is cut off by the ring, not kept in memory', async () => {
    const key = '/registry/leases/default/big'
    const value = Buffer.from(
      `{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"big","annotations":{"x":"${'x'.repeat(64 * 1024)}"}}}`,
    )
    const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases'
    const { json: list } = await api.request('GET', leases)
    const session = api.connectAs(api.server.certificates.admin)
    const stream = session.request({
      ':path': `${leases}?watch=true&resourceVersion=${list.metadata.resourceVersion}`,
    })
    await new Promise((resolve) => stream.on('response', resolve))
    let revision = 0
    for (let written = 0; written <= 2 * ringBytesMax; written += value.length) {
      const result = await api.store.update(key, value, revision)
      if (result.ok) ({ revision } = result)
    }
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    await new Promise((resolve) => stream.on('end', resolve))
    session.destroy()
    const text = Buffer.concat(chunks).toString()
    expect(text.length).toBeLessThan(ringBytesMax)
    const last = JSON.parse(text.trimEnd().split('\n').at(-1) ?? '')
    expect(last).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } })
  })

  test('a watch from before the history is an ERROR event with 410 in a 200 answer', async () => {
    const key = '/registry/leases/default/busy'
    const value = Buffer.from(
      '{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"busy"}}',
    )
    let revision = 0
    for (let index = 0; index <= ringEventsMax; index++) {
      const result = await api.store.update(key, value, revision)
      if (result.ok) ({ revision } = result)
    }
    const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases'
    const watch = await api.lines(`${leases}?watch=true&resourceVersion=1`)
    expect(watch.status).toBe(200)
    const [event] = await watch.all()
    expect(event).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } })
    expect(event.object.message).toMatch(/^too old resource version: 1 \(\d+\)$/)
  })
})

describe('logs', () => {
  const bound = async (name: string, containers: readonly string[]): Promise<void> => {
    await api.request('POST', pods, { body: pod(name, containers) })
    await api.request('POST', `${pods}/${name}/binding`, { body: { target: { name: 'n1' } } })
  }

  test('the container is the only one, the annotated one or the one asked for', async () => {
    const asked: string[] = []
    const unregister = api.server.nodes.register('n1', {
      async *readLog(_pod, options) {
        asked.push(`${options.container} ${options.tailLines} ${options.follow}`)
        yield await Promise.resolve(Buffer.from('line\n'))
      },
    })
    await bound('one', ['c'])
    await bound('two', ['a', 'b'])
    expect((await api.request('GET', `${pods}/one/log?tailLines=5`)).text).toBe('line\n')
    expect((await api.request('GET', `${pods}/two/log?container=b&follow=true`)).text).toBe(
      'line\n',
    )
    expect(asked).toEqual(['c 5 false', 'b undefined true'])
    expect(await failure('GET', `${pods}/two/log`)).toEqual([
      400,
      'BadRequest',
      'a container name must be specified for pod two, choose one of: [a b]',
    ])
    expect((await failure('GET', `${pods}/one/log?container=x`))[2]).toBe(
      'container x is not valid for pod one',
    )
    expect((await failure('GET', `${pods}/one/log?tailLines=-1`))[0]).toBe(422)
    unregister()
    for (const name of ['one', 'two'])
      await api.request('DELETE', `${pods}/${name}?gracePeriodSeconds=0`)
  })
})

test('a field that is named twice is refused under Strict, and warned of otherwise', async () => {
  const body =
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"twice"},"data":{"a":"1","a":"2"}}'
  const path = '/api/v1/namespaces/default/configmaps?fieldValidation='
  const headers = { 'content-type': 'application/json' }
  const strict = await api.request('POST', `${path}Strict`, { body, headers })
  expect([strict.status, strict.json.message]).toEqual([
    400,
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: duplicate field "data.a"',
  ])
  const warned = await api.request('POST', `${path}Warn`, { body, headers })
  expect([warned.status, warned.headers['warning'], warned.json.data]).toEqual([
    201,
    String.raw`299 - "duplicate field \"data.a\""`,
    { a: '2' },
  ])
})
