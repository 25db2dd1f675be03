import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ApiError, type ResourceRef, type WatchEvent } from '../../client/api-client.ts'
import { LocalApiClient } from '../../client/local-api-client.ts'
import { resourceTypes } from '../../resources/index.ts'
import type { KubeObject } from '../../resources/object.ts'
import { MemoryStore } from '../memory-store.ts'
import { createSystemNamespaces } from './system-objects.ts'
import { Registries } from './registries.ts'

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>
}

const configMaps: ResourceRef = { group: '', version: 'v1', plural: 'configmaps' }
const pods: ResourceRef = { group: '', version: 'v1', plural: 'pods' }
const namespaces: ResourceRef = { group: '', version: 'v1', plural: 'namespaces' }
const deployments: ResourceRef = { group: 'apps', version: 'v1', plural: 'deployments' }

const configMap = (name: string, data: Record<string, string> = {}, labels = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default', labels },
  data,
})
const pod = (name: string): KubeObject & { spec: object } => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: { containers: [{ name: 'c', image: 'i' }] },
})

let store: MemoryStore
let registries: Registries
let client: LocalApiClient
beforeEach(async () => {
  store = new MemoryStore()
  registries = new Registries({ store, types: resourceTypes })
  await registries.start()
  client = new LocalApiClient(registries)
  await createSystemNamespaces(client)
})
afterEach(async () => {
  registries.close()
  await store.close()
})

const failure = async (promise: Promise<unknown>): Promise<ApiError> => {
  try {
    await promise
  } catch (reason) {
    if (reason instanceof ApiError) return reason
    throw reason
  }
  throw new Error('It did not fail')
}

describe('create', () => {
  test('sets uid, time and resourceVersion and stores under the key that Kubernetes uses', async () => {
    const created = await client.create<ConfigMap>(configMaps, configMap('a', { k: 'v' }))
    expect(created.metadata.uid).toMatch(/^[0-9a-f-]{36}$/)
    expect(created.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(created.metadata.resourceVersion).toBe(String(await store.currentRevision()))
    expect(await store.get('/registry/configmaps/default/a')).toBeDefined()
    expect(await client.get<ConfigMap>(configMaps, 'default', 'a')).toEqual(created)
  })

  test('refuses what is there, a missing namespace, a resourceVersion and an invalid object with the texts users know', async () => {
    await client.create(configMaps, configMap('a'))
    expect(await failure(client.create(configMaps, configMap('a')))).toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
      message: 'configmaps "a" already exists',
    })
    const elsewhere = { ...configMap('a'), metadata: { name: 'a', namespace: 'nons' } }
    expect(await failure(client.create(configMaps, elsewhere))).toMatchObject({
      code: 404,
      message: 'namespaces "nons" not found',
    })
    const versioned = {
      ...configMap('b'),
      metadata: { name: 'b', namespace: 'default', resourceVersion: '1' },
    }
    expect((await failure(client.create(configMaps, versioned))).message).toBe(
      'resourceVersion should not be set on objects to be created',
    )
    const nameless = { ...configMap('b'), metadata: { namespace: 'default' } }
    expect(await failure(client.create(configMaps, nameless))).toMatchObject({
      code: 422,
      reason: 'Invalid',
      message:
        'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
    })
  })

  test('generateName makes names that differ', async () => {
    const names = new Set<string>()
    for (let index = 0; index < 20; index++) {
      const object = { ...configMap(''), metadata: { generateName: 'gn-', namespace: 'default' } }
      names.add((await client.create(configMaps, object)).metadata.name)
    }
    expect(names.size).toBe(20)
    for (const name of names) expect(name).toMatch(/^gn-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
  })

  test('nothing is created in a namespace that is being deleted', async () => {
    await client.create(namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'going' },
    })
    await client.delete(namespaces, undefined, 'going')
    const object = { ...configMap('a'), metadata: { name: 'a', namespace: 'going' } }
    expect(await failure(client.create(configMaps, object))).toMatchObject({
      code: 403,
      reason: 'Forbidden',
      message:
        'configmaps "a" is forbidden: unable to create new content in namespace going because it is being terminated',
    })
  })
})

describe('services', () => {
  const service = (name: string, spec: object): KubeObject & { spec: object } => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: { ports: [{ port: 80 }], ...spec },
  })
  const services: ResourceRef = { group: '', version: 'v1', plural: 'services' }
  interface WithAddress extends KubeObject {
    readonly spec: { clusterIP?: string; ports: { nodePort?: number }[] }
  }

  test('each gets an address and node ports that no other has', async () => {
    const created = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        client.create(services, service(`s${index}`, { type: 'NodePort' }) as WithAddress),
      ),
    )
    const addresses = new Set(created.map(({ spec }) => spec.clusterIP))
    const ports = new Set(created.map(({ spec }) => spec.ports[0]?.nodePort))
    expect([addresses.size, ports.size]).toEqual([30, 30])
    for (const address of addresses) expect(address).toMatch(/^127\.96\.\d+\.\d+$/)
  })

  test('an address that is taken is refused, a headless service has none', async () => {
    await client.create(services, service('a', { clusterIP: '127.96.7.7' }))
    const second = client.create(services, service('b', { clusterIP: '127.96.7.7' }))
    expect(await failure(second)).toMatchObject({
      code: 422,
      message:
        'Service "b" is invalid: spec.clusterIPs: Invalid value: ["127.96.7.7"]: failed to allocate IP 127.96.7.7: provided IP is already allocated',
    })
    const headless = await client.create(
      services,
      service('c', { clusterIP: 'None', selector: { a: 'b' } }) as WithAddress,
    )
    expect(headless.spec.clusterIP).toBe('None')
  })
})

describe('update', () => {
  test('with a stale resourceVersion conflicts, without one replaces, and what does not change writes nothing', async () => {
    const first = await client.create<ConfigMap>(configMaps, configMap('a', { k: '1' }))
    const second = await client.update<ConfigMap>(configMaps, { ...first, data: { k: '2' } })
    expect(await failure(client.update(configMaps, { ...first, data: { k: '3' } }))).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
    })
    const same = await client.update<ConfigMap>(configMaps, configMap('a', { k: '2' }))
    expect(same.metadata.resourceVersion).toBe(second.metadata.resourceVersion)
    expect(same.metadata.uid).toBe(first.metadata.uid)
  })

  test('a changed spec raises the generation, status belongs to its subresource', async () => {
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'default' },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'c', image: 'i' }] },
        },
      },
      status: { replicas: 7 },
    }
    const created = await client.create(deployments, deployment)
    expect(created.metadata.generation).toBe(1)
    expect(created.status.replicas).toBeUndefined()
    const status = { ...created, spec: { ...created.spec, replicas: 9 }, status: { replicas: 3 } }
    const withStatus = await client.update(deployments, status, 'status')
    expect([withStatus.spec.replicas, withStatus.status, withStatus.metadata.generation]).toEqual([
      1,
      { replicas: 3 },
      1,
    ])
    const scaled = await client.patch<KubeObject & { spec: { replicas: number } }>(
      deployments,
      'default',
      'web',
      'merge',
      { spec: { replicas: 5 } },
      'scale',
    )
    expect([scaled.kind, scaled.spec.replicas]).toEqual(['Scale', 5])
    const after = await client.get<typeof created>(deployments, 'default', 'web')
    expect([after.spec.replicas, after.status, after.metadata.generation]).toEqual([
      5,
      { replicas: 3 },
      2,
    ])
  })

  test('concurrent patches without a resourceVersion all take effect', async () => {
    await client.create(configMaps, configMap('a'))
    await Promise.all(
      Array.from({ length: 32 }, (_, index) =>
        client.patch(configMaps, 'default', 'a', 'merge', { data: { [`k${index}`]: 'v' } }),
      ),
    )
    const { data } = await client.get<ConfigMap>(configMaps, 'default', 'a')
    expect(Object.keys(data ?? {})).toHaveLength(32)
  })

  test('a JSON patch whose test fails is refused with 422 and one that copies without end with 400', async () => {
    await client.create(configMaps, configMap('a', { k: '1' }))
    const testing = [{ op: 'test', path: '/data/k', value: '2' }]
    expect(await failure(client.patch(configMaps, 'default', 'a', 'json', testing))).toMatchObject({
      code: 422,
      message: 'testing value /data/k failed: test failed',
    })
    const bomb = Array.from({ length: 40 }, (_, index) => ({
      op: 'copy',
      from: '/metadata',
      path: `/metadata/x${index}`,
    }))
    expect(await failure(client.patch(configMaps, 'default', 'a', 'json', bomb))).toMatchObject({
      code: 400,
    })
  })
})

describe('delete', () => {
  test('an object with finalizers is marked and vanishes with the last of them', async () => {
    const object = {
      ...configMap('a'),
      metadata: { name: 'a', namespace: 'default', finalizers: ['x/y'] },
    }
    await client.create(configMaps, object)
    await client.delete(configMaps, 'default', 'a')
    const marked = await client.get(configMaps, 'default', 'a')
    expect(marked.metadata.deletionTimestamp).toBeDefined()
    expect(marked.metadata.deletionGracePeriodSeconds).toBe(0)
    await client.patch(configMaps, 'default', 'a', 'merge', { metadata: { finalizers: null } })
    expect((await failure(client.get(configMaps, 'default', 'a'))).code).toBe(404)
  })

  test('a bound pod gets its grace and is removed by a delete without grace and with its uid', async () => {
    await client.create(pods, pod('p'))
    await client.bind('default', 'p', 'n1')
    await client.delete(pods, 'default', 'p')
    const marked = await client.get(pods, 'default', 'p')
    expect(marked.metadata.deletionGracePeriodSeconds).toBe(30)
    await client.delete(pods, 'default', 'p', { gracePeriodSeconds: 5 })
    const shorter = await client.get(pods, 'default', 'p')
    expect(shorter.metadata.deletionGracePeriodSeconds).toBe(5)
    const wrong = client.delete(pods, 'default', 'p', { gracePeriodSeconds: 0, uid: 'other' })
    expect((await failure(wrong)).reason).toBe('Conflict')
    await client.delete(pods, 'default', 'p', {
      gracePeriodSeconds: 0,
      uid: marked.metadata.uid,
    })
    expect((await failure(client.get(pods, 'default', 'p'))).code).toBe(404)
  })

  test('a pod that is not bound vanishes at once; binding it twice conflicts', async () => {
    await client.create(pods, pod('p'))
    await client.create(pods, pod('q'))
    await client.delete(pods, 'default', 'p')
    expect((await failure(client.get(pods, 'default', 'p'))).code).toBe(404)
    await client.bind('default', 'q', 'n1')
    expect((await failure(client.bind('default', 'q', 'n2'))).message).toBe(
      'Operation cannot be fulfilled on pods/binding "q": pod q is already assigned to node "n1"',
    )
  })

  test('a namespace stays Terminating until it is finalized; those of the system cannot be deleted', async () => {
    await client.create(namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'x' },
    })
    await client.delete(namespaces, undefined, 'x')
    const going = await client.get<KubeObject & { status: { phase: string } }>(
      namespaces,
      undefined,
      'x',
    )
    expect(going.status.phase).toBe('Terminating')
    await client.update(
      namespaces,
      { ...going, spec: { finalizers: [] } } as KubeObject,
      'finalize',
    )
    expect((await failure(client.get(namespaces, undefined, 'x'))).code).toBe(404)
    expect((await failure(client.delete(namespaces, undefined, 'default'))).message).toBe(
      'namespaces "default" is forbidden: this namespace may not be deleted',
    )
  })
})

describe('list and watch', () => {
  test('pages of one list show one revision whatever is written between them', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await client.create(configMaps, configMap(name))
    const first = await client.list(configMaps, { namespace: 'default', limit: 2 })
    await client.delete(configMaps, 'default', 'c')
    await client.create(configMaps, configMap('e'))
    const second = await client.list(configMaps, {
      namespace: 'default',
      limit: 2,
      ...(first.continue === undefined ? {} : { continue: first.continue }),
    })
    expect(first.items.map((item) => item.metadata.name)).toEqual(['a', 'b'])
    expect(second.items.map((item) => item.metadata.name)).toEqual(['c', 'd'])
    expect(second.resourceVersion).toBe(first.resourceVersion)
    expect(second.continue).toBeUndefined()
  })

  test('a list shows every write that was answered before it', async () => {
    for (let index = 0; index < 50; index++) {
      await client.create(configMaps, configMap(`c${index}`))
      const { items } = await client.list(configMaps, { namespace: 'default' })
      expect(items).toHaveLength(index + 1)
    }
  })

  test('a watch with a selector sees objects come, change and go by their labels', async () => {
    const { resourceVersion } = await client.list(configMaps)
    const events: string[] = []
    const close = client.watch<ConfigMap>(
      configMaps,
      { namespace: 'default', labelSelector: 'app=web', resourceVersion },
      {
        event: (event: WatchEvent<ConfigMap>) => {
          if (event.type === 'BOOKMARK') return
          events.push(
            `${event.type} ${event.object.metadata.name} ${event.object.metadata.labels?.['app'] ?? ''}`,
          )
        },
        ended: () => undefined,
      },
    )
    await client.create(configMaps, configMap('other', {}, { app: 'db' }))
    const object = await client.create(configMaps, configMap('a', {}, { app: 'db' }))
    const label = (app: string): Promise<unknown> =>
      client.patch(configMaps, 'default', object.metadata.name, 'merge', {
        metadata: { labels: { app } },
      })
    await label('web')
    await client.patch(configMaps, 'default', 'a', 'merge', { data: { k: 'v' } })
    await label('db')
    await label('web')
    await client.delete(configMaps, 'default', 'a')
    await expect
      .poll(() => events)
      .toEqual(['ADDED a web', 'MODIFIED a web', 'DELETED a web', 'ADDED a web', 'DELETED a web'])
    close()
  })

  test('selectors that cannot be parsed or are not supported are refused', async () => {
    expect(await failure(client.list(configMaps, { labelSelector: 'a in' }))).toMatchObject({
      code: 400,
      message: "unable to parse requirement: found '' expected: '('",
    })
    expect((await failure(client.list(pods, { fieldSelector: 'spec.foo=1' }))).message).toBe(
      'field label not supported: spec.foo',
    )
  })
})
