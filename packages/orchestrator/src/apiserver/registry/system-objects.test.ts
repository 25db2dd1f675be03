// What a server makes at its start while another one that starts makes the same.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ApiClient, ApiError } from '../../client/api-client.ts'
import { serviceCidrType } from '../../resources/networking/service-cidr.ts'
import { ApiFixture } from '../testing/api-fixture.ts'
import { publishClusterInfo } from './cluster-info.ts'
import {
  createKubernetesService,
  createServiceCidr,
  createStandardStorageClass,
  createSystemNamespaces,
  createSystemPriorityClasses,
} from './system-objects.ts'

let api: ApiFixture
beforeAll(async () => {
  api = await ApiFixture.start()
})
afterAll(() => api.close())

/** Sees each object only from the second look on, as if the other server had made it in between. */
const late = (client: ApiClient): ApiClient => {
  const seen = new Set<string>()
  return new Proxy(client, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property)
      if (typeof value !== 'function') return value
      if (property !== 'get') return value.bind(target) as unknown
      return (...[ref, namespace, name]: Parameters<ApiClient['get']>) => {
        const key = `${ref.plural} ${name}`
        if (seen.has(key)) return target.get(ref, namespace, name)
        seen.add(key)
        return Promise.reject(new ApiError(404, 'NotFound', `${key} not found`))
      }
    },
  })
}

test.each<[string, (client: ApiClient) => Promise<void>]>([
  ['namespaces', createSystemNamespaces],
  ['priority classes', createSystemPriorityClasses],
  ['the storage class', createStandardStorageClass],
  ['the network of services', createServiceCidr],
  ['the service', (client) => createKubernetesService(client, { host: '127.0.0.1', port: 1 })],
  ['cluster-info', (client) => publishClusterInfo(client, { url: 'https://a:1', authority: 'b' })],
])('%s may be made by another server meanwhile', async (_what, create) => {
  await expect(create(late(api.server.client))).resolves.toBeUndefined()
})

test('a network of services whose maker ended before it was ready becomes so', async () => {
  const { client } = api.server
  const current = await client.get(serviceCidrType, undefined, 'kubernetes')
  await client.update(serviceCidrType, { ...current, status: {} } as typeof current, 'status')
  await createServiceCidr(client)
  expect(await client.get(serviceCidrType, undefined, 'kubernetes')).toMatchObject({
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  })
})
