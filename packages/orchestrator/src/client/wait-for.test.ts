import { expect, test } from 'vitest'
import type { KubeObject } from '../resources/object.ts'
import { Resource } from './resource.ts'
import { FakeApiClient } from './testing/fake-api-client.ts'
import { hasCondition, waitFor } from './wait-for.ts'

const ref = { group: '', version: 'v1', plural: 'configmaps' }
const name = { namespace: 'default', name: 'one' }
const object = (labels: Readonly<Record<string, string>> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { ...name, labels },
})

test('it resolves with the object as soon as that is as wished', async () => {
  const client = new FakeApiClient()
  await client.create(ref, object())
  const waited = waitFor(client, ref, name, (now) => now?.metadata.labels?.['is'] === 'done')
  await new Resource(client, ref).patch(name, { metadata: { labels: { is: 'done' } } })
  expect((await waited)?.metadata.labels).toEqual({ is: 'done' })
})

test('an object that is gone, or never was, is undefined', async () => {
  const client = new FakeApiClient()
  const isGone = (now: KubeObject | undefined): boolean => now === undefined
  expect(await waitFor(client, ref, name, isGone)).toBeUndefined()
  await client.create(ref, object())
  const waited = waitFor(client, ref, name, isGone)
  await client.delete(ref, 'default', 'one')
  expect(await waited).toBeUndefined()
})

test('in vain: the error says what was seen last; an abort and a throw end it too', async () => {
  const client = new FakeApiClient()
  const never = (): boolean => false
  await expect(waitFor(client, ref, name, never, { timeoutMs: 20 })).rejects.toThrow(
    'waited 20 ms in vain for configmaps "one": it is not there',
  )
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(waitFor(client, ref, name, never, { signal })).rejects.toThrow('enough')
  const broken = (): boolean => {
    throw new Error('broken')
  }
  await expect(waitFor(client, ref, name, broken)).rejects.toThrow('broken')
})

test('a condition counts for the generation that it was made for', () => {
  const of = (observedGeneration: number): KubeObject =>
    ({
      ...object(),
      metadata: { ...name, generation: 2 },
      status: { observedGeneration, conditions: [{ type: 'Available', status: 'True' }] },
    }) as KubeObject
  expect(hasCondition(of(2), 'Available')).toBe(true)
  expect(hasCondition(of(1), 'Available')).toBe(false)
  expect(hasCondition(of(2), 'Progressing')).toBe(false)
  expect(hasCondition(undefined, 'Available')).toBe(false)
})
