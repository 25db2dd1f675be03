import { expect, test, vi } from 'vitest'
import type { KubeObject } from '../resources/object.ts'
import { startController } from './controller.ts'
import { Resource } from './resource.ts'
import { FakeApiClient } from './testing/fake-api-client.ts'

const sites = { group: 'example.com', version: 'v1', plural: 'sites' }
const configMaps = { group: '', version: 'v1', plural: 'configmaps' }
const site = (name: string): KubeObject => ({
  apiVersion: 'example.com/v1',
  kind: 'Site',
  metadata: { name, namespace: 'default' },
})
const ownedBy = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: `of-${name}`,
    namespace: 'default',
    ownerReferences: [
      { apiVersion: 'example.com/v1', kind: 'Site', name, uid: 'u', controller: true },
    ],
  },
})

test('an object is reconciled when it is there, changes, goes, and when what it owns changes', async () => {
  const client = new FakeApiClient()
  await client.create(sites, site('one'))
  const log: string[] = []
  await using controller = startController({
    client,
    objects: new Resource(client, sites).informer(),
    owned: [{ informer: new Resource(client, configMaps).informer() }],
    reconcile: async ({ namespace, name }, object) => {
      await Promise.resolve()
      log.push(`${namespace}/${name} ${object === undefined ? 'gone' : 'there'}`)
    },
  })
  await controller.synced()
  await vi.waitFor(() => expect(log).toEqual(['default/one there']))
  await client.create(configMaps, ownedBy('one'))
  await vi.waitFor(() => expect(log.length).toBe(2))
  await client.delete(sites, 'default', 'one')
  await vi.waitFor(() =>
    expect(log).toEqual([...Array<string>(2).fill('default/one there'), 'default/one gone']),
  )
})

test('a key that failed comes again, and is never worked on twice at a time', async () => {
  const client = new FakeApiClient()
  const errors: unknown[] = []
  let working = 0
  let most = 0
  let runs = 0
  await using controller = startController({
    client,
    objects: new Resource(client, sites).informer(),
    backOff: { firstMs: 1, maxMs: 5 },
    reconcile: async () => {
      most = Math.max(most, ++working)
      await Promise.resolve()
      working--
      if (++runs < 4) throw new Error(`failure ${runs}`)
    },
    onError: (error, name) => errors.push([String(error), name?.name]),
  })
  await controller.synced()
  await client.create(sites, site('one'))
  for (let i = 0; i < 5; i++)
    await new Resource(client, sites).patch(
      { namespace: 'default', name: 'one' },
      { metadata: { labels: { i: String(i) } } },
    )
  await vi.waitFor(() => expect(runs).toBeGreaterThanOrEqual(4))
  expect(most).toBe(1)
  expect(errors).toEqual([1, 2, 3].map((i) => [`Error: failure ${i}`, 'one']))
})

test('of two copies one works, and the other takes over everything when it ends', async () => {
  const client = new FakeApiClient()
  await client.create(sites, site('one'))
  const log: string[] = []
  const copy = (identity: string): ReturnType<typeof startController> =>
    startController({
      client,
      objects: new Resource(client, sites).informer(),
      leaderElection: {
        namespace: 'default',
        name: 'sites',
        identity,
        leaseDurationMs: 3000,
        renewDeadlineMs: 2000,
        retryPeriodMs: 20,
      },
      reconcile: async ({ name }) => {
        await Promise.resolve()
        log.push(`${identity} ${name}`)
      },
    })
  const a = copy('a')
  await vi.waitFor(() => expect(log).toEqual(['a one']))
  await using b = copy('b')
  await b.synced()
  await client.create(sites, site('two'))
  await vi.waitFor(() => expect(log).toEqual(['a one', 'a two']))
  await a.close()
  await vi.waitFor(() => expect(log.slice(2).sort()).toEqual(['b one', 'b two']))
})
