import { expect, test, vi } from 'vitest'
import type { KubeObject } from '../resources/object.ts'
import { Informer } from './informer.ts'
import { FakeApiClient } from './testing/fake-api-client.ts'

const ref = { group: '', version: 'v1', plural: 'configmaps' }
const object = (name: string, app = 'a'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default', labels: { app } },
})
const started = async (
  client: FakeApiClient,
): Promise<{ informer: Informer<KubeObject>; log: string[] }> => {
  const log: string[] = []
  const informer = new Informer({
    client,
    ref,
    indexes: { app: (of) => [of.metadata.labels?.['app'] ?? ''] },
  })
  informer.onChange((key, current, previous) =>
    log.push(`${previous === undefined ? '+' : current === undefined ? '-' : '~'}${key}`),
  )
  informer.start()
  await informer.synced()
  await Promise.resolve()
  return { informer, log }
}

test('handlers see what was there, what changes and what goes, in order', async () => {
  const client = new FakeApiClient()
  await client.create(ref, object('one'))
  const { informer, log } = await started(client)
  await client.create(ref, object('two'))
  await client.update(ref, {
    ...object('one'),
    metadata: { ...object('one').metadata, labels: { app: 'b' } },
  })
  await client.delete(ref, 'default', 'two')
  informer.close()
  expect(log).toEqual(['+default/one', '+default/two', '~default/one', '-default/two'])
  expect(informer.find('app', 'b').map((found) => found.metadata.name)).toEqual(['one'])
  expect(informer.find('app', 'a')).toEqual([])
})

test('after the server forgot its place it lists again and reports what it missed', async () => {
  const client = new FakeApiClient()
  await client.create(ref, object('one'))
  await client.create(ref, object('two'))
  const { informer, log } = await started(client)
  client.breakWatches()
  await client.delete(ref, 'default', 'one')
  await client.create(ref, object('three'))
  await vi.waitFor(() => expect(log.slice(2)).toEqual(['-default/one', '+default/three']))
  informer.close()
})

test('a watch that just ended resumes after the last change it saw', async () => {
  const client = new FakeApiClient()
  const { informer, log } = await started(client)
  await client.create(ref, object('one'))
  client.breakWatches(new Error('connection reset'))
  await client.create(ref, object('two'))
  await vi.waitFor(() => expect(informer.list()).toHaveLength(2))
  informer.close()
  expect(log).toEqual(['+default/one', '+default/two'])
})

test('an object that was replaced by one of the same name is reported as a change of uid', async () => {
  const client = new FakeApiClient()
  await client.create(ref, object('one'))
  const seen: (string | undefined)[] = []
  const { informer } = await started(client)
  informer.onChange((_key, current, previous) =>
    seen.push(`${previous?.metadata.uid} ${current?.metadata.uid}`),
  )
  client.breakWatches()
  await client.delete(ref, 'default', 'one')
  await client.create(ref, object('one'))
  await vi.waitFor(() => expect(seen).toEqual(['undefined uid-00001', 'uid-00001 uid-00002']))
  informer.close()
})

test('nothing is delivered after close', async () => {
  const client = new FakeApiClient()
  const { informer, log } = await started(client)
  informer.close()
  await client.create(ref, object('one'))
  expect(log).toEqual([])
})
