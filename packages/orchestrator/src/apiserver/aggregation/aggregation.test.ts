// Group versions that other servers answer for, through the wire and with real kubectl.
import { mkdtempSync, rmSync } from 'node:fs'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Kubectl } from '../../../../../test/kubectl-process.ts'
import { missing, tools } from '../../../../../test/tools.ts'
import { hasCondition, waitFor } from '../../client/wait-for.ts'
import type { ApiService } from '../../resources/aggregation/api-service.ts'
import type { KubeObject, Stored } from '../../resources/object.ts'
import { signClientCertificate } from '../pki/certificates.ts'
import { type Answer, ApiFixture } from '../testing/api-fixture.ts'
import { sampleGroup, type SampleServer, startSampleServer } from './testing/sample-server.ts'

const apiServices = { group: 'apiregistration.k8s.io', version: 'v1', plural: 'apiservices' }
const apiServicesPath = '/apis/apiregistration.k8s.io/v1/apiservices'
const name = `v1.${sampleGroup}`
const flavors = `/apis/${sampleGroup}/v1/namespaces/default/flavors`
const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

let api: ApiFixture
let sample: SampleServer
let home: string
let frontProxyCa: string

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'balsa-kubectl-'))
  api = await ApiFixture.start()
  frontProxyCa = (await api.server.certificates.frontProxy()).ca.certificate
  sample = await startSampleServer('sample.default.svc', frontProxyCa)
  await api.request('POST', '/api/v1/namespaces', { body: { metadata: { name: 'default' } } })
  await create('/api/v1/namespaces/default/services', {
    metadata: { name: 'sample' },
    spec: { ports: [{ port: 443, name: 'https' }] },
  })
  await create('/api/v1/namespaces/default/endpoints', {
    metadata: { name: 'sample' },
    subsets: [{ addresses: [{ ip: '127.0.0.1' }], ports: [{ name: 'https', port: sample.port }] }],
  })
  await create(apiServicesPath, apiService())
  await available(name)
})
afterAll(async () => {
  await api.close()
  await sample.close()
  rmSync(home, { recursive: true, force: true })
})
beforeEach(() => {
  sample.intercept = () => false
  sample.requests.length = 0
})

const create = async (path: string, body: object): Promise<void> => {
  const answer = await api.request('POST', path, { body })
  expect(answer.text).toContain('creationTimestamp')
}
const apiService = (more: object = {}, group = sampleGroup): object => ({
  metadata: { name: `v1.${group}` },
  spec: {
    group,
    version: 'v1',
    service: { namespace: 'default', name: 'sample' },
    caBundle: sample.caBundle,
    groupPriorityMinimum: 2000,
    versionPriority: 10,
    ...more,
  },
})
const available = async (of: string): Promise<void> => {
  await waitFor(api.server.client, apiServices, { name: of }, (one) =>
    hasCondition(one, 'Available'),
  )
}
const reasonOf = async (of: string, reason: string, text = /./): Promise<string> => {
  const messageOf = (one: ApiService | undefined): string =>
    one?.status.conditions?.find((condition) => condition.reason === reason)?.message ?? ''
  const found = await waitFor<ApiService>(api.server.client, apiServices, { name: of }, (one) =>
    text.test(messageOf(one)),
  )
  return messageOf(found)
}
/** Only requests of users: the apiserver looks at the server by itself too. */
const asked = (): SampleServer['requests'] =>
  sample.requests.filter(({ headers }) => headers['x-remote-user'] !== 'system:kube-aggregator')

test('what is served here has Local APIServices, which come and go with kinds that users bring', async () => {
  const { json } = await api.request('GET', apiServicesPath)
  const { items } = json as { items: Stored<ApiService>[] }
  const local = new Map(items.map((item) => [item.metadata.name, item]))
  expect([...local.keys()]).toEqual(
    expect.arrayContaining([
      'v1.',
      'v1.apps',
      'v1.batch',
      'v1beta1.metrics.k8s.io',
      'v2.autoscaling',
    ]),
  )
  expect(local.has('v1.apiregistration.k8s.io')).toBe(false)
  expect(local.get('v1.apps')).toMatchObject({
    metadata: { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } },
    spec: { group: 'apps', version: 'v1', groupPriorityMinimum: 17_800, versionPriority: 15 },
    status: { conditions: [{ type: 'Available', status: 'True', reason: 'Local' }] },
  })
  await create('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    metadata: { name: 'gadgets.example.org' },
    spec: {
      group: 'example.org',
      scope: 'Cluster',
      names: { plural: 'gadgets', kind: 'Gadget' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object' } },
        },
      ],
    },
  })
  await available('v1.example.org')
  // One that is kept always comes back.
  await api.request('DELETE', `${apiServicesPath}/v1.example.org`)
  await available('v1.example.org')
  await api.request(
    'DELETE',
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gadgets.example.org',
  )
  const gone = { name: 'v1.example.org' }
  await waitFor(api.server.client, apiServices, gone, (one) => one === undefined)
  const beta = await api.request('GET', `/apis/apiregistration.k8s.io/v1beta1/apiservices/v1.apps`)
  expect(beta.json).toMatchObject({ apiVersion: 'apiregistration.k8s.io/v1beta1' })
})

test('an APIService that cannot be is refused with every reason', async () => {
  const refused = async (body: object): Promise<string> => {
    const { json } = await api.request('POST', apiServicesPath, { body })
    return (json as { message: string }).message
  }
  const wrong = apiService({ version: 'V1', groupPriorityMinimum: 0, versionPriority: 2000 })
  expect(await refused(wrong)).toMatch(
    /must be `spec.version\+"."\+spec.group`: "V1.samples.example.com".*DNS-1035.*groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000.*must be positive and less than 1000/s,
  )
  expect(
    await refused(apiService({ service: { port: 70_000 }, insecureSkipTLSVerify: true })),
  ).toMatch(
    /service.namespace: Required value.*service.name: Required value.*port is not valid: must be between 1 and 65535.*may not be true if caBundle is present/s,
  )
  expect(await refused(apiService({ service: undefined, insecureSkipTLSVerify: true }))).toMatch(
    /caBundle: Invalid value: "\d+ bytes": local APIServices may not have a caBundle.*may not have insecureSkipTLSVerify/s,
  )
})

test('a request goes on in the name of its user, who may do what the roles say', async () => {
  const { certificates } = api.server
  const alice = await signClientCertificate(certificates.ca, 'alice ☃', ['tasters', 'cooks'])
  const before = api.connectAs(certificates.admin)
  api.useSession(api.connectAs(alice))
  const refused = await api.request('GET', flavors)
  expect(refused.json).toMatchObject({
    code: 403,
    message: `flavors.${sampleGroup} is forbidden: User "alice ☃" cannot list resource "flavors" in API group "${sampleGroup}" in the namespace "default"`,
  })
  api.useSession(before)
  await create('/apis/rbac.authorization.k8s.io/v1/clusterroles', {
    metadata: { name: 'tasting' },
    rules: [{ apiGroups: [sampleGroup], resources: ['flavors'], verbs: ['*'] }],
  })
  await create('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name: 'tasting' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'tasting' },
    subjects: [{ kind: 'Group', name: 'tasters' }],
  })
  api.useSession(api.connectAs(alice))
  const forged = { 'x-remote-user': 'root', 'X-Remote-Extra-Scopes': 'all', authorization: '' }
  const list = await api.request('GET', `${flavors}?limit=5`, { headers: forged })
  expect(list.json).toMatchObject({
    kind: 'FlavorList',
    items: [{ metadata: { name: 'vanilla' } }],
  })
  const made = await api.request('POST', flavors, { body: { metadata: { name: 'mint' } } })
  expect(made).toMatchObject({ status: 201, json: { metadata: { name: 'mint' } } })
  api.useSession(api.connectAs(certificates.admin))
  const [got, posted] = asked()
  expect(got).toMatchObject({
    url: `${flavors}?limit=5`,
    certificate: 'front-proxy-client',
    headers: { host: 'sample.default.svc' },
  })
  const user = Buffer.from(String(got?.headers['x-remote-user']), 'latin1').toString('utf8')
  expect(user).toBe('alice ☃')
  expect(got?.headers['x-remote-group']).toBe('tasters, cooks, system:authenticated')
  expect(got?.headers).not.toHaveProperty('x-remote-extra-scopes')
  expect(posted).toMatchObject({ method: 'POST', body: '{"metadata":{"name":"mint"}}' })
  const impersonated = { 'impersonate-user': 'bob', 'impersonate-group': 'tasters' }
  const extra = { ...impersonated, 'impersonate-extra-a%2fb': 'c' }
  await api.request('GET', flavors, { headers: extra })
  expect(asked().at(-1)?.headers).toMatchObject({
    'x-remote-user': 'bob',
    'x-remote-extra-a%2fb': 'c',
  })
})

test('watches and upgrades last as long as both sides like', async () => {
  const watch = await api.lines(`${flavors}?watch=1`)
  const [event] = await watch.take(1)
  expect(event).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'vanilla' } } })
  watch.close()
  const { url, certificates } = api.server
  const echoed = await new Promise<string>((resolve, reject) => {
    const call = httpsRequest(`${url}${flavors}/vanilla/echo`, {
      ca: certificates.ca.certificate,
      cert: certificates.admin.certificate,
      key: certificates.admin.key,
      headers: { connection: 'Upgrade', upgrade: 'echo' },
    })
    call.on('error', reject)
    call.on('upgrade', (_response, socket) => {
      socket.once('data', (chunk: Buffer) => {
        socket.destroy()
        resolve(chunk.toString())
      })
      socket.write('hello')
    })
    call.end()
  })
  expect(echoed).toBe('hello')
})

test('discovery and OpenAPI show what the server says of its own version and nothing else', async () => {
  const group = await api.request('GET', `/apis/${sampleGroup}`)
  expect(group.json).toMatchObject({ preferredVersion: { groupVersion: `${sampleGroup}/v1` } })
  const { json } = await api.request('GET', '/apis', { headers: { accept: aggregated } })
  const { items } = json as { items: { metadata: { name: string }; versions: object[] }[] }
  const names = items.map(({ metadata }) => metadata.name)
  expect(names.indexOf(sampleGroup)).toBeGreaterThan(names.indexOf('flowcontrol.apiserver.k8s.io'))
  expect(items.find(({ metadata }) => metadata.name === sampleGroup)?.versions).toEqual([
    {
      version: 'v1',
      freshness: 'Current',
      resources: [
        {
          resource: 'flavors',
          responseKind: { group: sampleGroup, version: 'v1', kind: 'Flavor' },
          scope: 'Namespaced',
          singularResource: 'flavor',
          verbs: ['create', 'get', 'list', 'watch'],
          shortNames: ['fl'],
          subresources: [
            {
              subresource: 'status',
              responseKind: { group: sampleGroup, version: 'v1', kind: 'Flavor' },
              verbs: ['get'],
            },
          ],
        },
      ],
    },
  ])
  const plain = await api.request('GET', `/apis/${sampleGroup}/v1`)
  expect(plain.json).toMatchObject({
    kind: 'APIResourceList',
    resources: [{ name: 'flavors' }, {}],
  })
  const index = await api.request('GET', '/openapi/v3')
  const { paths } = index.json as { paths: Record<string, { serverRelativeURL: string }> }
  const url = `/openapi/v3/apis/${sampleGroup}/v1?hash=ABC`
  expect(paths[`apis/${sampleGroup}/v1`]?.serverRelativeURL).toBe(url)
  expect(paths['apis/apps/v1']?.serverRelativeURL).not.toContain('EVIL')
  expect((await api.request('GET', url)).json).toMatchObject({ openapi: '3.0.0' })
  const v2 = await api.bytes('/openapi/v2', {})
  expect(v2.includes('com.example.samples.v1.Origin')).toBe(true)
  expect(v2.includes('com.example.Unused')).toBe(false)
  expect(v2.includes('nowhere')).toBe(false)
})

describe('a server that is not there, hangs or lies', () => {
  const other = 'other.example.com'
  const path = `${apiServicesPath}/v1.${other}`
  const patched = (spec: object): Promise<Answer> =>
    api.request('PATCH', path, {
      body: JSON.stringify({ spec }),
      headers: { 'content-type': 'application/merge-patch+json' },
    })

  test('says why it is not available, and requests are answered with 503', async () => {
    const nowhere = { namespace: 'default', name: 'nowhere' }
    await create(apiServicesPath, apiService({ service: nowhere }, other))
    const missingText = await reasonOf(`v1.${other}`, 'ServiceNotFound')
    expect(missingText).toBe('service/nowhere in "default" is not present')
    const refused = await api.request('GET', `/apis/${other}/v1/things`)
    expect(refused).toMatchObject({ status: 503, text: 'service unavailable\n' })
    const { json } = await api.request('GET', '/apis', { headers: { accept: aggregated } })
    const { items } = json as { items: { metadata: { name: string } }[] }
    expect(items.find(({ metadata }) => metadata.name === other)).toMatchObject({
      versions: [{ version: 'v1', freshness: 'Stale', resources: [] }],
    })
    await create('/api/v1/namespaces/default/services', {
      metadata: { name: 'nowhere' },
      spec: { ports: [{ port: 8443 }] },
    })
    expect(await reasonOf(`v1.${other}`, 'ServicePortError')).toBe(
      'service/nowhere in "default" is not listening on port 443',
    )
    await patched({ service: { port: 8443 } })
    await reasonOf(`v1.${other}`, 'EndpointsNotFound')
    await create('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
      metadata: { name: 'nowhere-1', labels: { 'kubernetes.io/service-name': 'nowhere' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: false } }],
      ports: [{ name: '', port: sample.port }],
    })
    expect(await reasonOf(`v1.${other}`, 'MissingEndpoints')).toContain(
      'no addresses with port name ""',
    )
    await api.request(
      'PATCH',
      '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/nowhere-1',
      {
        body: JSON.stringify({
          endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
        }),
        headers: { 'content-type': 'application/merge-patch+json' },
      },
    )
    // Its certificate is that of another service.
    await reasonOf(
      `v1.${other}`,
      'FailedDiscoveryCheck',
      /failing or missing response from https:\/\/nowhere\.default\.svc:8443\/apis\/other\.example\.com\/v1: .*nowhere\.default\.svc/,
    )
    await patched({ caBundle: null, insecureSkipTLSVerify: true })
    await reasonOf(`v1.${other}`, 'FailedDiscoveryCheck', /bad status from .*: 404$/)
    sample.intercept = ({ url }, response) => {
      if (url !== `/apis/${other}/v1` && url !== '/apis') return false
      response.end(
        '{"kind":"APIResourceList","resources":[{"name":5},{"name":"ok","kind":"Ok","verbs":[1,"get"]}]}',
      )
      return true
    }
    await patched({ versionPriority: 11 })
    await available(`v1.${other}`)
    const documents = await api.request('GET', '/apis', { headers: { accept: aggregated } })
    const groups = (documents.json as { items: { metadata: { name: string } }[] }).items
    expect(groups.find(({ metadata }) => metadata.name === other)).toMatchObject({
      versions: [{ resources: [{ resource: 'ok', verbs: ['get'] }] }],
    })
    expect((await api.request('DELETE', path)).json).toMatchObject({ status: 'Success' })
    expect((await api.request('GET', `/apis/${other}/v1/things`)).status).toBe(404)
  })

  test('one that breaks off is told in plain words, and an unfinished answer is no whole one', async () => {
    sample.intercept = (request) => {
      request.socket.destroy()
      return true
    }
    const refused = await api.request('GET', flavors)
    expect(refused.status).toBe(503)
    expect(refused.text).toMatch(/^error trying to reach service: /)
    sample.intercept = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
      response.write('{"kind":')
      setImmediate(() => response.destroy())
      return true
    }
    await expect(api.request('GET', flavors)).rejects.toThrow()
  })
})

test('whoever asks finds the authorities in a ConfigMap', async () => {
  const json = await waitFor(
    api.server.client,
    { group: '', version: 'v1', plural: 'configmaps' },
    { namespace: 'kube-system', name: 'extension-apiserver-authentication' },
    (one) => one !== undefined,
  )
  const { certificates } = api.server
  expect((json as KubeObject & { data: object }).data).toMatchObject({
    'client-ca-file': `${certificates.ca.certificate.trim()}\n`,
    'requestheader-client-ca-file': `${frontProxyCa.trim()}\n`,
    'requestheader-allowed-names': '["front-proxy-client"]',
    'requestheader-username-headers': '["X-Remote-User"]',
    'requestheader-group-headers': '["X-Remote-Group"]',
    'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
  })
})

describe.each([
  ['newest', tools.kubectl],
  ['old', tools.kubectl120],
] as const)('the %s kubectl', (label, path) => {
  test.skipIf(path === undefined)(
    'finds, reads, explains and deletes as it does upstream',
    async () => {
      const kubectl = new Kubectl(path ?? '', join(home, label), api.server.kubeconfigPath)
      const services = await kubectl.run('get apiservices')
      expect(services).toMatch(/^NAME +SERVICE +AVAILABLE +AGE\n/)
      expect(services).toMatch(/^v1\.apps +Local +True +\S+$/m)
      expect(services).toMatch(/^v1\.samples\.example\.com +default\/sample +True +\S+$/m)
      expect(await kubectl.run('api-versions')).toContain(`${sampleGroup}/v1\n`)
      expect(await kubectl.run('get fl')).toMatch(/^NAME +AGE\nvanilla +\S+\n$/)
      expect(await kubectl.run('get flavors mint -o jsonpath={.sweet}')).toBe('true')
      expect(await kubectl.run('explain flavors.sweet')).toContain('Whether there is sugar in it.')
      const more = `${label}.example.com`
      await create(apiServicesPath, apiService({}, more))
      expect(await kubectl.run(`delete apiservice v1.${more}`)).toBe(
        `apiservice.apiregistration.k8s.io "v1.${more}" deleted\n`,
      )
    },
  )
})

test.skipIf(missing('kubectl'))(
  'kubectl says that a server which is away is unavailable',
  async () => {
    const away = 'away.example.com'
    const service = { namespace: 'default', name: 'away' }
    await create(apiServicesPath, apiService({ service }, away))
    await reasonOf(`v1.${away}`, 'ServiceNotFound')
    const kubectl = new Kubectl(tools.kubectl ?? '', join(home, 'away'), api.server.kubeconfigPath)
    expect(await kubectl.fails(`get --raw /apis/${away}/v1/things`)).toBe(
      'Error from server (ServiceUnavailable): the server is currently unable to handle the request\n',
    )
    expect(await kubectl.run(`get apiservice v1.${away}`)).toMatch(
      /default\/away +False \(ServiceNotFound\)/,
    )
  },
)
