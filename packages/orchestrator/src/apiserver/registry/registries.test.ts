import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { configMapType, leaseType, resourceTypes } from '../../resources/index.ts'
import type { KubeObject, ResourceType } from '../../resources/object.ts'
import { servedAs } from '../../resources/served-version.ts'
import { systemUser } from '../access/user.ts'
import { MemoryStore } from '../memory-store.ts'
import { Registries } from './registries.ts'

const everything = { keyPrefix: '' }
const options = { user: systemUser, dryRun: false, fieldManager: 'test' }
/** As a CustomResourceDefinition would bring it. */
const widgetType: ResourceType = {
  ...configMapType,
  group: 'shop.example.com',
  kind: 'ConfigMap',
  plural: 'widgets',
  singular: 'widget',
}

let store: MemoryStore
let registries: Registries

beforeEach(async () => {
  store = new MemoryStore()
  registries = new Registries({ store, types: resourceTypes })
  await registries.start()
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } }
  await registries
    .get({ group: '', version: 'v1', plural: 'namespaces' })
    .create(undefined, { ...namespace, spec: {} } as KubeObject, options)
})
afterEach(() => {
  registries.close()
})

const widget = (name: string): KubeObject => ({
  apiVersion: 'shop.example.com/v1',
  kind: 'ConfigMap',
  metadata: { name },
})
const names = async (): Promise<string[]> => {
  const page = await registries.get(widgetType).list(everything, {
    limit: 0,
    continue: '',
    resourceVersion: '',
    resourceVersionMatch: '',
  })
  return page.items.map((stored) => stored.object.metadata.name)
}

test('a kind that is added has the objects that were there before and those that come', async () => {
  const changes: number[] = []
  const stop = registries.onTypesChange(() => changes.push(registries.types.length))
  const before = registries.types.length
  await registries.add(widgetType)
  await registries.get(widgetType).create('default', widget('a'), options)
  registries.remove(widgetType)
  expect(registries.find(widgetType)).toBeUndefined()
  await registries.add(widgetType)
  expect(await names()).toEqual(['a'])
  await registries.get(widgetType).create('default', widget('b'), options)
  expect(await names()).toEqual(['a', 'b'])
  expect(changes).toEqual([before + 1, before, before + 1])
  stop()
  registries.remove(widgetType)
  expect(changes).toHaveLength(3)
})

test('what is written while a kind is being added is not lost', async () => {
  await registries.add(widgetType)
  const writer = registries.get(widgetType)
  registries.remove(widgetType)
  const writes = Array.from({ length: 50 }, async (_, index) =>
    writer.create('default', widget(`w${index}`), options),
  )
  await registries.add(widgetType)
  await Promise.all(writes)
  expect(await names()).toHaveLength(50)
  await vi.waitFor(() => {
    expect(registries.get(widgetType).cache.size).toBe(50)
  })
})

test('watches of a kind that is removed are told that it is gone', async () => {
  await registries.add(widgetType)
  const cursor = registries.get(widgetType).watch(everything, undefined)
  let isWoken = false
  cursor.onWake = () => {
    isWoken = true
  }
  registries.remove(widgetType)
  expect(isWoken).toBe(true)
  expect(() => cursor.next()).toThrow('too old resource version')
})

test('a replaced kind keeps its objects and its watches, and its versions follow it', async () => {
  await registries.add(widgetType)
  const beta = servedAs(widgetType, { version: 'v1beta1' })
  await registries.add(beta)
  const cursor = registries.get(widgetType).watch(everything, undefined)
  await registries.add({ ...widgetType, shortNames: ['wd'] })
  await registries.get(beta).create('default', widget('a'), options)
  await vi.waitFor(() => {
    expect(cursor.next()?.object.object.metadata.name).toBe('a')
  })
  expect(registries.get(beta)).toBe(registries.get(widgetType))
  expect(registries.get(beta).type.shortNames).toEqual(['wd'])
  expect(await names()).toEqual(['a'])
})

test('a version may be served without the stored one, but not before it at the start', async () => {
  await registries.add(servedAs(widgetType, { version: 'v2' }))
  expect(registries.find(widgetType)).toBeUndefined()
  expect(registries.find({ ...widgetType, version: 'v2' })).toBeDefined()
  expect(
    () => new Registries({ store, types: [servedAs(leaseType, { version: 'v1beta1' })] }),
  ).toThrow('a version of a kind that is not served')
})
