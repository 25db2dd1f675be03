import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cluster, startCluster } from '../../cluster.ts'
import { connectApi, type ApiConnection } from '../../client/connect-api.ts'
import { hasCondition, waitFor } from '../../client/wait-for.ts'
import type { CustomResourceDefinition } from '../../resources/custom/custom-resource-definition.ts'
import type { KubeObject, Stored } from '../../resources/object.ts'

const crds = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' }
const errors: Error[] = []
let cluster: Cluster
let api: ApiConnection
beforeAll(async () => {
  cluster = await startCluster({ agents: 0, onError: (error) => errors.push(error) })
  api = connectApi({ kubeconfig: cluster.kubeconfig })
})
afterAll(async () => {
  api.close()
  await cluster.close()
  expect(errors).toEqual([])
})

interface Website extends KubeObject {
  readonly spec?: Readonly<Record<string, unknown>>
  readonly status?: Readonly<Record<string, unknown>>
}
const version = (
  name: string,
  storage: boolean,
): CustomResourceDefinition['spec']['versions'][number] => ({
  name,
  served: true,
  storage,
  schema: {
    openAPIV3Schema: {
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          properties: { domain: { type: 'string' }, replicas: { type: 'integer', default: 1 } },
          'x-kubernetes-validations': [
            { rule: '!has(self.domain) || self.domain != "bad"', message: 'that domain is bad' },
          ],
        },
        status: { type: 'object', properties: { ready: { type: 'boolean' } } },
      },
    },
  },
  subresources: {
    status: {},
    scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
  },
})
const definition = (
  plural: string,
  more: Partial<CustomResourceDefinition['spec']> = {},
): KubeObject =>
  ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.example.com` },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural, kind: plural.slice(0, -1).replace(/^./, (letter) => letter.toUpperCase()) },
      versions: [version('v1', true)],
      ...more,
    },
  }) as KubeObject
const establish = async (object: KubeObject): Promise<void> => {
  await api.client.create(crds, object)
  const name = object.metadata.name ?? ''
  await waitFor(api.client, crds, { name }, (crd) => hasCondition(crd, 'Established'))
}
const ref = (plural: string, of = 'v1'): typeof crds => ({
  group: 'example.com',
  version: of,
  plural,
})
const named = (kind: string, name: string, spec: Website['spec'] = {}): Website => ({
  apiVersion: 'example.com/v1',
  kind,
  metadata: { name, namespace: 'default' },
  spec,
})

test('a kind that a user brings is defaulted, checked, scaled, and has a status of its own', async () => {
  await establish(definition('websites'))
  const websites = api.resource<Website>(ref('websites'))
  const made = await websites.create({
    ...named('Website', 'one', { domain: 'a' }),
    status: { ready: true },
  })
  expect([made.spec, made.status, made.metadata.generation]).toEqual([
    { domain: 'a', replicas: 1 },
    undefined,
    1,
  ])
  await expect(websites.create(named('Website', 'two', { domain: 'bad' }))).rejects.toThrow(
    'Website.example.com "two" is invalid: spec: Invalid value: "object": that domain is bad',
  )
  await expect(
    websites.create(named('Website', 'two', { domain: 1, replicas: 'x' })),
  ).rejects.toThrow('spec.domain in body must be of type string: "integer"')
  const name = { namespace: 'default', name: 'one' }
  const ready = await websites.patchStatus(name, { status: { ready: true }, spec: { domain: 'b' } })
  expect([ready.spec, ready.status, ready.metadata.generation]).toEqual([
    made.spec,
    { ready: true },
    1,
  ])
  await expect(websites.patchStatus(name, { status: { ready: 'yes' } })).rejects.toThrow(
    'must be of type boolean',
  )
  await api.client.patch(
    ref('websites'),
    'default',
    'one',
    'merge',
    { spec: { replicas: 4 } },
    'scale',
  )
  expect((await websites.get(name)).spec).toEqual({ domain: 'a', replicas: 4 })
  await expect(websites.patch(name, { spec: {} }, 'strategic')).rejects.toMatchObject({ code: 415 })
})

test('a custom object says what it is, and which version of it is replaced', async () => {
  await establish(definition('notes'))
  const { client } = api
  const note = named('Note', 'one', { domain: 'a' })
  const { kind: _kind, ...kindless } = note
  const { apiVersion: _version, ...versionless } = note
  await expect(client.create(ref('notes'), kindless as Website)).rejects.toMatchObject({
    code: 400,
    message: `Note in version "v1" cannot be handled as a Note: Object 'Kind' is missing in '${JSON.stringify(kindless)}'`,
  })
  const mismatch = (sent: string): string =>
    `the API version in the data (${sent}) does not match the expected API version (example.com/v1)`
  await expect(client.create(ref('notes'), versionless as Website)).rejects.toThrow(mismatch(''))
  await expect(
    client.create(ref('notes'), { ...note, apiVersion: 'example.com/v2' }),
  ).rejects.toThrow(mismatch('example.com/v2'))
  await expect(client.create(ref('notes'), { ...note, kind: 'Letter' })).rejects.toMatchObject({
    code: 422,
    message: 'Letter.example.com "one" is invalid: kind: Invalid value: "Letter": must be Note',
  })
  const made = await client.create(ref('notes'), note)
  const unversioned = {
    code: 422,
    message:
      'notes.example.com "one" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update',
  }
  await expect(client.update(ref('notes'), note)).rejects.toMatchObject(unversioned)
  await expect(client.update(ref('notes'), note, 'status')).rejects.toMatchObject(unversioned)
  const missing = named('Note', 'two')
  await expect(client.update(ref('notes'), missing)).rejects.toMatchObject({ code: 404 })
  await client.update(ref('notes'), { ...made, spec: { domain: 'b' } })
  const crd = definition('notes', { versions: [version('v1', true), version('v2', false)] })
  await expect(client.update(crds, crd)).rejects.toThrow(
    'customresourcedefinitions.apiextensions.k8s.io "notes.example.com" is invalid: metadata.resourceVersion',
  )
})

test('several versions show the same objects; the definition goes with its objects', async () => {
  await establish(definition('apps', { versions: [version('v1', false), version('v2', true)] }))
  const v1 = api.resource<Website>(ref('apps'))
  const v2 = api.resource<Website>(ref('apps', 'v2'))
  await v1.create({
    ...named('App', 'one'),
    metadata: { name: 'one', namespace: 'default', finalizers: ['example.com/hold'] },
  })
  const seen = await v2.get({ namespace: 'default', name: 'one' })
  expect([seen.apiVersion, (await v1.list())[0]?.apiVersion]).toEqual([
    'example.com/v2',
    'example.com/v1',
  ])
  const crd = { name: 'apps.example.com' }
  await api.client.delete(crds, undefined, crd.name)
  await waitFor(
    api.client,
    ref('apps'),
    { namespace: 'default', name: 'one' },
    (one) => one?.metadata.deletionTimestamp !== undefined,
  )
  await expect(v1.create(named('App', 'two'))).rejects.toMatchObject({ code: 405 })
  await v1.patch({ namespace: 'default', name: 'one' }, { metadata: { finalizers: null } })
  await waitFor(api.client, crds, crd, (one) => one === undefined)
  await expect(v1.list()).rejects.toMatchObject({ code: 404 })
})

test('a definition that cannot be is refused with every reason, one whose names are taken is not served', async () => {
  const wrong = definition('things', { scope: 'Galaxy', versions: [] })
  await expect(api.client.create(crds, wrong)).rejects.toThrow(
    'must have exactly one version marked as storage version',
  )
  const rule = version('v1', true)
  const broken = {
    ...rule,
    schema: {
      openAPIV3Schema: { type: 'object', 'x-kubernetes-validations': [{ rule: 'self +' }] },
    },
  }
  await expect(
    api.client.create(crds, definition('things', { versions: [broken] })),
  ).rejects.toThrow(
    'spec.versions[0].schema.openAPIV3Schema.x-kubernetes-validations[0].rule: Invalid value: "self +": compilation failed',
  )
  await establish(definition('gadgets'))
  await api.client.create(
    crds,
    definition('widgets', { names: { plural: 'widgets', kind: 'Gadget' } }),
  )
  const refused = (await waitFor(api.client, crds, { name: 'widgets.example.com' }, (crd) =>
    hasCondition(crd, 'NamesAccepted', 'False'),
  )) as Stored<CustomResourceDefinition>
  expect(refused.status.conditions?.map(({ reason }) => reason)).toEqual([
    'SingularConflict',
    'NotAccepted',
  ])
  await expect(api.client.list(ref('widgets'))).rejects.toMatchObject({ code: 404 })
})

test('what a custom object owns goes with it, and it goes with its namespace', async () => {
  await establish(definition('owners'))
  const owners = api.resource<Website>(ref('owners'))
  const owner = await owners.create(named('Owner', 'one'))
  const configMaps = { group: '', version: 'v1', plural: 'configmaps' }
  await api.client.create(configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'owned',
      namespace: 'default',
      ownerReferences: [
        { apiVersion: 'example.com/v1', kind: 'Owner', name: 'one', uid: owner.metadata.uid },
      ],
    },
  })
  await owners.delete({ namespace: 'default', name: 'one' })
  await waitFor(
    api.client,
    configMaps,
    { namespace: 'default', name: 'owned' },
    (one) => one === undefined,
  )
  const namespaces = { group: '', version: 'v1', plural: 'namespaces' }
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'short' } }
  await api.client.create(namespaces, namespace)
  const inside = named('Owner', 'two')
  await owners.create({ ...inside, metadata: { name: 'two', namespace: 'short' } })
  await api.client.delete(namespaces, undefined, 'short')
  await waitFor(api.client, namespaces, { name: 'short' }, (one) => one === undefined)
  expect(await owners.list({ namespace: 'short' })).toEqual([])
})
