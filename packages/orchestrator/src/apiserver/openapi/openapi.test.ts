// The OpenAPI documents as clients fetch them, and what they say of kinds. What kubectl makes of them is tested with kubectl.
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { resourceTypes } from '../../resources/index.ts'
import { allMessages } from '../../resources/schema/messages.ts'
import { describedNames, descriptionOf } from '../../resources/schema/descriptions.ts'
import { Registries } from '../registry/registries.ts'
import { MemoryStore } from '../memory-store.ts'
import { ApiFixture } from '../testing/api-fixture.ts'
import { definitionName, definitionsOf, dialectV2, dialectV3 } from './definitions.ts'
import { documentV3 } from './document-v3.ts'
import { OpenApi } from './openapi.ts'
import type { Schema } from './scalar-schemas.ts'

let api: ApiFixture
beforeAll(async () => {
  api = await ApiFixture.start()
})
afterAll(async () => {
  expect(api.errors).toEqual([])
  await api.close()
})

const kind = (name: string): (typeof resourceTypes)[number] => {
  const found = resourceTypes.find((type) => type.kind === name)
  if (found === undefined) throw new Error(`no kind ${name}`)
  return found
}
const definition = (definitions: ReadonlyMap<string, Schema>, name: string) =>
  definitions.get(name) as { properties: Record<string, unknown> } | undefined

test('the index names a document for every group version, and each address holds for ever', async () => {
  const { json } = await api.request('GET', '/openapi/v3')
  const { paths } = json as { paths: Record<string, { serverRelativeURL: string }> }
  expect(Object.keys(paths)).toEqual(expect.arrayContaining(['api/v1', 'apis/apps/v1']))
  const url = paths['apis/apps/v1']?.serverRelativeURL ?? ''
  const document = await api.request('GET', url)
  expect(document.headers).toMatchObject({ 'cache-control': 'public, immutable' })
  expect(document.json).toMatchObject({
    openapi: '3.0.0',
    paths: {
      '/apis/apps/v1/namespaces/{namespace}/deployments/{name}': {
        patch: {
          'x-kubernetes-group-version-kind': { group: 'apps', version: 'v1', kind: 'Deployment' },
        },
      },
    },
  })
  const old = await api.request('GET', '/openapi/v3/apis/apps/v1?hash=old')
  expect([old.status, old.headers['location']]).toEqual([301, url])
  expect((await api.request('GET', '/openapi/v3/apis/nowhere/v1')).status).toBe(404)
})

test.each(['/openapi/v2', '/openapi/v3', '/openapi/v3/api/v1'])(
  '%s comes compressed where asked, and not at all where the client has it',
  async (path) => {
    const plain = await api.request('GET', path)
    const { etag = '' } = plain.headers
    expect(plain.headers).toMatchObject({ vary: 'Accept-Encoding, Accept' })
    const again = await api.request('GET', path, { headers: { 'if-none-match': etag } })
    expect([again.status, again.text]).toEqual([304, ''])
    const bytes = await api.bytes(path, { 'accept-encoding': 'gzip' })
    expect(gunzipSync(bytes).toString('utf8')).toBe(plain.text)
  },
)

test('v2 tells of custom kinds what v2 can say', () => {
  const custom = (openApiSchema: Schema): unknown => {
    const type = { group: 'example.com', version: 'v1', kind: 'Foo', openApiSchema }
    const foo = definitionsOf([type], dialectV2).get('com.example.v1.Foo')
    return { ...foo, 'x-kubernetes-group-version-kind': undefined }
  }
  const spec = {
    type: 'object',
    properties: {
      mood: { type: 'string', enum: ['Great', 'Down'], default: 'Down', anyOf: [{}] },
      empty: { type: 'string', nullable: true, description: 'may be null' },
      open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: {} },
    },
  }
  expect(custom({ type: 'object', properties: { spec } })).toMatchObject({
    properties: {
      spec: {
        type: 'object',
        properties: {
          mood: { type: 'string', enum: ['Great', 'Down'] },
          empty: { description: 'may be null' },
          open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        },
      },
    },
  })
  const open = {
    type: 'object',
    'x-kubernetes-preserve-unknown-fields': true,
    properties: { spec },
  }
  expect(custom(open)).toEqual({ type: 'object' })
})

test('every reference of every document leads to a definition of it', () => {
  for (const dialect of [dialectV2, dialectV3]) {
    const definitions = definitionsOf(resourceTypes, dialect)
    const references = [...JSON.stringify([...definitions.values()]).matchAll(/"\$ref":"([^"]+)"/g)]
    expect(references.length).toBeGreaterThan(500)
    const missing = references.filter(
      ([, name = '']) => !definitions.has(name.slice(dialect.refPrefix.length)),
    )
    expect(missing).toEqual([])
  }
})

test('a list says how it is merged, a field whether it is required', () => {
  const definitions = definitionsOf([kind('Pod'), kind('Deployment')], dialectV3)
  const spec = definition(definitions, 'io.k8s.api.core.v1.PodSpec')
  expect(spec).toMatchObject({ required: ['containers'] })
  expect(spec?.properties['volumes']).toMatchObject({
    type: 'array',
    items: { allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.Volume' }], default: {} },
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    'x-kubernetes-patch-merge-key': 'name',
    'x-kubernetes-patch-strategy': 'merge,retainKeys',
  })
  expect(spec?.properties['tolerations']).toMatchObject({ 'x-kubernetes-list-type': 'atomic' })
  const strategy = definition(definitions, 'io.k8s.api.apps.v1.DeploymentSpec')
  expect(strategy?.properties['strategy']).toMatchObject({
    allOf: [{ $ref: '#/components/schemas/io.k8s.api.apps.v1.DeploymentStrategy' }],
    'x-kubernetes-patch-strategy': 'retainKeys',
  })
  expect(definition(definitions, 'io.k8s.api.apps.v1.DeploymentList')).toMatchObject({
    'x-kubernetes-group-version-kind': [{ group: 'apps', version: 'v1', kind: 'DeploymentList' }],
  })
})

test('values that Go has a type for are references to its name, and what Go always writes has a default', () => {
  const v3 = definitionsOf([kind('Deployment')], dialectV3)
  const properties = (name: string): Record<string, unknown> | undefined =>
    definition(v3, name)?.properties
  const ref = (name: string): object => ({ $ref: `#/components/schemas/${name}` })
  const intOrString = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString'
  const quantity = 'io.k8s.apimachinery.pkg.api.resource.Quantity'
  expect(v3.get(intOrString)).toMatchObject({ format: 'int-or-string', oneOf: [{}, {}] })
  expect(properties('io.k8s.api.apps.v1.RollingUpdateDeployment')).toMatchObject({
    maxSurge: { allOf: [ref(intOrString)] },
  })
  expect(properties('io.k8s.api.core.v1.ResourceRequirements')).toMatchObject({
    limits: { type: 'object', additionalProperties: ref(quantity) },
  })
  expect(properties('io.k8s.api.core.v1.Container')).toMatchObject({
    name: { type: 'string', default: '' },
    resources: { allOf: [ref('io.k8s.api.core.v1.ResourceRequirements')], default: {} },
    command: { items: { type: 'string', default: '' } },
  })
  const labels = properties('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta')?.['labels']
  expect(labels).toMatchObject({ additionalProperties: { type: 'string', default: '' } })
  const selector = properties('io.k8s.api.apps.v1.DeploymentSpec')?.['selector']
  expect(Object.keys(selector as object).toSorted()).toEqual(['allOf', 'description'])
  const v2 = definitionsOf([kind('Deployment')], dialectV2)
  expect(v2.get(intOrString)).toMatchObject({ type: 'string', format: 'int-or-string' })
  expect(definition(v2, 'io.k8s.api.apps.v1.Deployment')?.properties['spec']).toEqual({
    $ref: '#/definitions/io.k8s.api.apps.v1.DeploymentSpec',
    description: 'What is wanted.',
  })
})

test('both versions tell what can be done where, by the names that generated clients use', async () => {
  const operations = async (path: string): Promise<string[]> => {
    const { paths } = (await api.request('GET', path)).json as {
      paths: Record<string, Record<string, { operationId?: string }>>
    }
    return Object.values(paths)
      .flatMap((item) => Object.values(item).flatMap(({ operationId }) => operationId ?? []))
      .toSorted()
  }
  const all = await operations('/openapi/v2')
  expect(new Set(all).size).toBe(all.length)
  expect(all).toEqual(
    expect.arrayContaining([
      'connectCoreV1GetNamespacedPodExec',
      'createCoreV1NamespacedPod',
      'deleteAppsV1CollectionNamespacedDeployment',
      'listCoreV1PodForAllNamespaces',
      'patchAppsV1NamespacedDeploymentStatus',
      'readCoreV1Node',
      'readCoreV1NamespacedPodLog',
      'replaceAppsV1NamespacedDeploymentScale',
      'listRbacAuthorizationV1ClusterRole',
    ]),
  )
  const apps = all.filter((name) => /^[a-z]+AppsV1[A-Z]/.test(name))
  expect(await operations('/openapi/v3/apis/apps/v1')).toEqual(apps)
})

test('a kind with a schema of its own is described by it, and the documents follow what is served', async () => {
  const widget = {
    ...kind('ConfigMap'),
    group: 'shop.example.com',
    kind: 'Widget',
    plural: 'widgets',
    openApiSchema: { type: 'object', properties: { size: { type: 'integer' } } },
  }
  expect(definitionName(widget)).toBe('com.example.shop.v1.Widget')
  const document = documentV3([widget], []) as {
    components: { schemas: Record<string, { properties: object }> }
  }
  expect(document.components.schemas['com.example.shop.v1.Widget']).toMatchObject({
    properties: { size: { type: 'integer' }, kind: { type: 'string' } },
  })
  const registries = new Registries({ store: new MemoryStore(), types: resourceTypes })
  await registries.start()
  const openApi = new OpenApi(registries, [])
  expect(openApi.places.has('apis/shop.example.com/v1')).toBe(false)
  await registries.add(widget)
  expect(openApi.places.has('apis/shop.example.com/v1')).toBe(true)
  registries.close()
})

test('every kind is described, and no text is about what is not there', () => {
  const undescribed = resourceTypes.filter((type) => descriptionOf(type.kind) === undefined)
  expect(undescribed.map((type) => type.kind)).toEqual([])
  const names = new Set(
    [...allMessages()].flatMap(({ name, fields }) => [
      name,
      ...fields.flatMap((field) => [`${name}.${field.name}`, `.${field.name}`]),
    ]),
  )
  expect(describedNames().filter((name) => !names.has(name))).toEqual([])
})
