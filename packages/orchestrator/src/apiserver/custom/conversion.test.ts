// Custom kinds whose versions a webhook converts: v1 says `hostPort: "a:1"`, v2 says `host` and `port` apart.
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { hasCondition, waitFor } from '../../client/wait-for.ts'
import type { Json, KubeObject } from '../../resources/object.ts'
import { createAuthority, signLeaf } from '../pki/signer.ts'
import { type Answer, ApiFixture } from '../testing/api-fixture.ts'

interface Review {
  readonly apiVersion: string
  readonly request: {
    readonly uid: string
    readonly desiredAPIVersion: string
    readonly objects: readonly Endpoint[]
  }
}
interface Endpoint extends KubeObject {
  readonly spec?: {
    readonly hostPort?: string
    readonly host?: string
    readonly port?: number
    readonly replicas?: number
  }
}

const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const path = (version: string): string =>
  `/apis/example.com/${version}/namespaces/default/addresses`
const merge = { 'content-type': 'application/merge-patch+json' }
/** What each question asked for, and of how many objects. */
const asked: string[] = []
let misbehave: (response: Json, review: Review) => Json
let api: ApiFixture
let server: Server
let caBundle: string

const converted = (object: Endpoint, apiVersion: string): Endpoint => {
  const { hostPort = '', host = '', port = 0, ...rest } = object.spec ?? {}
  const [name, number] = hostPort.split(':')
  const spec = apiVersion.endsWith('v2')
    ? { ...rest, host: name ?? '', port: Number(number ?? 0) }
    : { ...rest, hostPort: `${host}:${port}` }
  return { ...object, apiVersion, spec }
}

beforeAll(async () => {
  const authority = await createAuthority()
  const { key, certificate: cert } = await signLeaf(authority, {
    commonName: 'conversion',
    organizations: [],
    usage: 'server',
    names: [{ type: 'ip', value: '127.0.0.1' }],
  })
  caBundle = Buffer.from(authority.certificate).toString('base64')
  server = createServer({ key, cert }, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const review = JSON.parse(Buffer.concat(chunks).toString()) as Review
      const { uid, desiredAPIVersion, objects } = review.request
      asked.push(`${desiredAPIVersion} ${objects.length}`)
      const convertedObjects = objects.map((object) => converted(object, desiredAPIVersion))
      const answer = {
        apiVersion: review.apiVersion,
        kind: 'ConversionReview',
        response: { uid, result: { status: 'Success' }, convertedObjects },
      }
      response.end(JSON.stringify(misbehave(answer as unknown as Json, review)))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  api = await ApiFixture.start()
  const answer = await api.request('POST', crds, { body: definition('v1') })
  expect(answer.status).toBe(201)
  await established()
})
afterAll(async () => {
  await api.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
beforeEach(() => {
  misbehave = (answer) => answer
  asked.length = 0
})

const schema = (properties: Json): object => ({
  openAPIV3Schema: {
    type: 'object',
    properties: {
      spec: { type: 'object', properties },
      status: { type: 'object', properties: { ready: { type: 'boolean' } } },
    },
  },
})
const subresources = {
  status: {},
  scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
}
const replicas = { type: 'integer' }
const definition = (storage: string): object => ({
  metadata: { name: 'addresses.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'addresses', kind: 'Address' },
    conversion: {
      strategy: 'Webhook',
      webhook: {
        conversionReviewVersions: ['v2', 'v1'],
        clientConfig: {
          url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/convert`,
          caBundle,
        },
      },
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: storage === 'v1',
        schema: schema({ hostPort: { type: 'string' }, replicas }),
        subresources,
      },
      {
        name: 'v2',
        served: true,
        storage: storage === 'v2',
        schema: schema({
          host: { type: 'string' },
          port: { type: 'integer' },
          ready: { type: 'boolean', default: true },
          replicas,
        }),
        subresources,
        additionalPrinterColumns: [{ name: 'Host', type: 'string', jsonPath: '.spec.host' }],
      },
    ],
  },
})
const established = async (): Promise<void> => {
  await waitFor(
    api.server.client,
    { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' },
    { name: 'addresses.example.com' },
    (one) => hasCondition(one, 'Established'),
  )
}
const create = (version: string, name: string, spec: Json): Promise<Answer> =>
  api.request('POST', path(version), {
    body: { apiVersion: `example.com/${version}`, kind: 'Address', metadata: { name }, spec },
  })
const get = (version: string, name: string): Promise<Answer> =>
  api.request('GET', `${path(version)}/${name}`)
/** What is in the store. */
const stored = async (name: string): Promise<Endpoint> => {
  const found = await api.store.get(`/registry/example.com/addresses/default/${name}`)
  return JSON.parse(Buffer.from(found?.value ?? []).toString()) as Endpoint
}

test('an object is stored in one version and read in both, with the defaults of each', async () => {
  const made = await create('v1', 'one', { hostPort: 'a:1' })
  expect(made).toMatchObject({ status: 201, json: { spec: { hostPort: 'a:1' } } })
  expect(asked).toEqual([])
  const { json } = await get('v2', 'one')
  expect(json).toMatchObject({
    apiVersion: 'example.com/v2',
    kind: 'Address',
    metadata: { name: 'one', uid: (made.json as KubeObject).metadata.uid },
    spec: { host: 'a', port: 1, ready: true },
  })
  expect((json as KubeObject).metadata.resourceVersion).toBe(
    (made.json as KubeObject).metadata.resourceVersion,
  )
  const second = await create('v2', 'two', { host: 'b', port: 2 })
  expect(second).toMatchObject({
    status: 201,
    json: { apiVersion: 'example.com/v2', spec: { host: 'b', port: 2 } },
  })
  expect(await stored('two')).toMatchObject({
    apiVersion: 'example.com/v1',
    spec: { hostPort: 'b:2' },
  })
  expect((await get('v1', 'two')).json).toMatchObject({ spec: { hostPort: 'b:2' } })
})

test('a list is converted in one question, what was converted before is not asked for again', async () => {
  for (const name of ['l1', 'l2', 'l3']) await create('v1', name, { hostPort: `${name}:7` })
  asked.length = 0
  const first = await api.request('GET', path('v2'))
  const { items } = first.json as { items: Endpoint[] }
  expect(items.map(({ apiVersion, spec }) => `${apiVersion} ${spec?.host}`)).toEqual(
    expect.arrayContaining(['example.com/v2 l1', 'example.com/v2 l2', 'example.com/v2 l3']),
  )
  expect(asked).toHaveLength(1)
  await api.request('GET', path('v2'))
  expect(asked).toHaveLength(1)
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
  const table = await api.request('GET', path('v2'), { headers: { accept } })
  expect(table.json).toMatchObject({ columnDefinitions: [{ name: 'Name' }, { name: 'Host' }] })
  const { rows } = table.json as { rows: { cells: string[] }[] }
  expect(rows.map(({ cells }) => cells)).toContainEqual(['l2', 'l2'])
})

test('patches, apply, status and scale of either version change the one object', async () => {
  await create('v1', 'p', { hostPort: 'p:1', replicas: 1 })
  const at = (version: string, more = ''): string => `${path(version)}/p${more}`
  const patched = await api.request('PATCH', at('v2'), {
    body: '{"spec":{"port":9}}',
    headers: merge,
  })
  expect(patched.json).toMatchObject({ apiVersion: 'example.com/v2', spec: { host: 'p', port: 9 } })
  expect((await stored('p')).spec).toMatchObject({ hostPort: 'p:9' })
  const applied = await api.request('PATCH', at('v2', '?fieldManager=me&force=true'), {
    body: JSON.stringify({
      apiVersion: 'example.com/v2',
      kind: 'Address',
      metadata: { name: 'p' },
      spec: { host: 'q' },
    }),
    headers: { 'content-type': 'application/apply-patch+yaml' },
  })
  expect(applied).toMatchObject({ status: 200, json: { spec: { host: 'q', port: 9 } } })
  const replaced = await api.request('PUT', at('v2'), {
    body: {
      apiVersion: 'example.com/v2',
      kind: 'Address',
      metadata: { name: 'p', resourceVersion: applied.json.metadata.resourceVersion },
      spec: { host: 'r', port: 3, replicas: 1 },
    },
  })
  expect(replaced.json).toMatchObject({ spec: { host: 'r', port: 3 }, metadata: { generation: 4 } })
  const status = await api.request('PATCH', at('v2', '/status'), {
    body: '{"status":{"ready":true}}',
    headers: merge,
  })
  expect(status.json).toMatchObject({
    apiVersion: 'example.com/v2',
    spec: { host: 'r' },
    status: { ready: true },
  })
  const scale = await api.request('PATCH', at('v2', '/scale'), {
    body: '{"spec":{"replicas":4}}',
    headers: merge,
  })
  expect(scale.json).toMatchObject({ kind: 'Scale', spec: { replicas: 4 } })
  expect(await stored('p')).toMatchObject({
    apiVersion: 'example.com/v1',
    spec: { hostPort: 'r:3', replicas: 4 },
    status: { ready: true },
  })
})

test('a watch shows every event in its version, what is there first', async () => {
  await create('v1', 'w', { hostPort: 'w:1' })
  const lines = await api.lines(`${path('v2')}?watch=1&fieldSelector=metadata.name%3Dw`)
  await lines.take(1)
  const body = '{"spec":{"hostPort":"w:2"}}'
  await api.request('PATCH', `${path('v1')}/w`, { body, headers: merge })
  await api.request('DELETE', `${path('v1')}/w`)
  const events = (await lines.take(3)) as { type: string; object: Endpoint }[]
  lines.close()
  expect(
    events.map(({ type, object }) => `${type} ${object.apiVersion} ${object.spec?.port}`),
  ).toEqual(['ADDED example.com/v2 1', 'MODIFIED example.com/v2 2', 'DELETED example.com/v2 2'])
})

test('a webhook that fails or answers something else is told in upstream’s words', async () => {
  const kind = 'conversion webhook for example.com/v1, Kind=Address'
  const one = (change: Json): ((answer: Json) => Json) => {
    return (answer) => {
      const { response } = answer as { response: { convertedObjects: Json[] } }
      const [object] = response.convertedObjects as { metadata: object }[]
      const changed = { ...object, ...(change as object) }
      return {
        ...(answer as object),
        response: { ...response, convertedObjects: [changed] },
      } as Json
    }
  }
  const respond =
    (more: object): ((answer: Json) => Json) =>
    (answer) => {
      const { response } = answer as { response: object }
      return { ...(answer as object), response: { ...response, ...more } } as Json
    }
  const table: readonly (readonly [(answer: Json) => Json, string])[] = [
    [
      () => ({ apiVersion: 'v1', kind: 'Status' }),
      `${kind} failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got v1, Kind=Status`,
    ],
    [
      () => ({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview' }),
      `${kind} failed: no response provided`,
    ],
    [respond({ result: { status: 'Failed', message: 'no idea' } }), `${kind} failed: no idea`],
    [respond({ result: {} }), `${kind} failed: response.result.status was '', not 'Success'`],
    [respond({ convertedObjects: [] }), `${kind} returned 0 objects, expected 1`],
    [
      one({ apiVersion: 'example.com/v3' }),
      `${kind} returned invalid object at index 0: invalid groupVersion (expected example.com/v2, received example.com/v3)`,
    ],
    [
      one({ kind: 'Other' }),
      `${kind} returned invalid object at index 0: invalid kind (expected Address, received Other)`,
    ],
    [
      one({ metadata: { name: 'else', namespace: 'default' } }),
      `${kind} returned invalid object: must have the same name: bad0 != else`,
    ],
  ]
  await create('v1', 'bad0', { hostPort: 'x:1' })
  for (const [answer, message] of table) {
    misbehave = answer
    const { status, json } = await get('v2', 'bad0')
    expect({ status, message: (json as { message: string }).message }).toEqual({
      status: 500,
      message,
    })
  }
  misbehave = respond({ uid: 'other' })
  expect((await get('v2', 'bad0')).json).toMatchObject({
    message: expect.stringMatching(
      /failed: expected response.uid="[-\w]+", got "other"$/,
    ) as string,
  })
  // Who asks for what is stored needs no webhook.
  expect((await get('v1', 'bad0')).status).toBe(200)
  const list = await api.request('GET', path('v2'))
  expect((list.json as { message: string }).message).toMatch(
    /^conversion webhook for example.com\/v1, Kind=AddressList? failed: expected response.uid/,
  )
})

test('after a change of the stored version old objects stay as they are until they are written', async () => {
  await create('v1', 'old', { hostPort: 'o:1' })
  const changed = await api.request('PATCH', `${crds}/addresses.example.com`, {
    body: JSON.stringify(definition('v2')),
    headers: merge,
  })
  expect(changed.status).toBe(200)
  const crd = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' }
  await waitFor(api.server.client, crd, { name: 'addresses.example.com' }, (one) => {
    const { status } = one as KubeObject & { status?: { storedVersions?: string[] } }
    return status?.storedVersions?.join() === 'v1,v2'
  })
  await create('v2', 'new', { host: 'n', port: 1 })
  expect((await stored('new')).apiVersion).toBe('example.com/v2')
  expect((await get('v1', 'old')).json).toMatchObject({ spec: { hostPort: 'o:1' } })
  expect((await get('v2', 'old')).json).toMatchObject({ spec: { host: 'o', port: 1 } })
  expect((await get('v1', 'new')).json).toMatchObject({ spec: { hostPort: 'n:1' } })
  expect((await stored('old')).apiVersion).toBe('example.com/v1')
  const body = '{"spec":{"hostPort":"o:5"}}'
  await api.request('PATCH', `${path('v1')}/old`, { body, headers: merge })
  expect(await stored('old')).toMatchObject({
    apiVersion: 'example.com/v2',
    spec: { host: 'o', port: 5 },
  })
  expect((await api.request('DELETE', `${path('v1')}/bad0`)).status).toBe(200)
})

test('whoever uses a version that is deprecated is told so', async () => {
  const body = definition('v2') as { spec: { versions: object[] } }
  const [first, second] = body.spec.versions
  const versions = [{ ...first, deprecated: true }, second]
  await api.request('PATCH', `${crds}/addresses.example.com`, {
    body: JSON.stringify({ ...body, spec: { ...body.spec, versions } }),
    headers: merge,
  })
  await expect
    .poll(async () => (await api.request('GET', path('v1'))).headers['warning'])
    .toBe('299 - "example.com/v1 Address is deprecated"')
  expect((await api.request('GET', path('v2'))).headers).not.toHaveProperty('warning')
})

test('a conversion that cannot be is refused', async () => {
  const refused = async (conversion: object): Promise<string> => {
    const body = definition('v1') as { spec: object; metadata: object }
    const { json } = await api.request('POST', crds, {
      body: { ...body, spec: { ...body.spec, conversion } },
    })
    return (json as { message: string }).message
  }
  expect(await refused({ strategy: 'Magic' })).toContain(
    'spec.conversion.strategy: Unsupported value: "Magic"',
  )
  expect(await refused({ strategy: 'Webhook' })).toContain(
    'spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook',
  )
  const webhook = { conversionReviewVersions: ['v9'], clientConfig: { url: 'http://x' } }
  expect(await refused({ strategy: 'Webhook', webhook })).toMatch(
    /'https' is the only allowed URL scheme.*conversionReviewVersions: Invalid value: .*must include at least one of v1, v1beta1/s,
  )
})
