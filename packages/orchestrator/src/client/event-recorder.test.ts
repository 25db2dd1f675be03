import { expect, test } from 'vitest'
import type { KubeObject } from '../resources/object.ts'
import { ApiEventRecorder, type EventInput } from './event-recorder.ts'
import { FakeApiClient } from './testing/fake-api-client.ts'

const ref = { group: '', version: 'v1', plural: 'events' }
const input = (message: string, reason = 'BackOff'): EventInput => ({
  regarding: { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'p', uid: 'u' },
  type: 'Warning',
  reason,
  message,
})
const written = async (
  inputs: readonly EventInput[],
): Promise<{ message: string; count: number }[]> => {
  const client = new FakeApiClient()
  const recorder = new ApiEventRecorder(client, { component: 'agent' })
  for (const each of inputs) recorder.record(each)
  await recorder.close()
  return client
    .all<KubeObject & { message: string; count: number }>(ref)
    .map(({ message, count }) => ({ message, count }))
}

test('repeats of one event raise the count of one object', async () => {
  expect(await written([input('a'), input('a'), input('b'), input('a')])).toEqual([
    { message: 'a', count: 3 },
    { message: 'b', count: 1 },
  ])
})

test('events of different containers are told apart', async () => {
  const of = (container: string): EventInput => {
    const { regarding, ...rest } = input('a')
    return { ...rest, regarding: { ...regarding, fieldPath: `spec.containers{${container}}` } }
  }
  expect(await written([of('c'), of('d'), of('c')])).toEqual([
    { message: 'a', count: 2 },
    { message: 'a', count: 1 },
  ])
})

test('the eleventh different message of one reason is combined with the similar ones', async () => {
  const events = await written(Array.from({ length: 12 }, (_, index) => input(`m${index}`)))
  expect(events.slice(10)).toEqual([
    { message: '(combined from similar events): m10', count: 1 },
    { message: '(combined from similar events): m11', count: 1 },
  ])
})

test('an object that makes too many events is cut off after 25', async () => {
  const events = await written(Array.from({ length: 26 }, () => input('a')))
  expect(events).toEqual([{ message: 'a', count: 25 }])
})

test('an event without a namespace goes to default', async () => {
  const client = new FakeApiClient()
  const recorder = new ApiEventRecorder(client, { component: 'agent', host: 'n1' })
  recorder.record({
    ...input('a'),
    regarding: { apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'n1' },
  })
  await recorder.close()
  expect(client.all(ref).map((event) => event.metadata.namespace)).toEqual(['default'])
})
