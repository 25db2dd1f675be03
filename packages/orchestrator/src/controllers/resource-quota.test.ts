import { expect, test } from 'vitest'
import type { KubeObject, Stored } from '../resources/object.ts'
import type { ResourceQuota } from '../resources/quota/resource-quota.ts'
import { quotaRestMs, reconcileResourceQuota } from './resource-quota.ts'

const configMaps = { group: '', version: 'v1', plural: 'configmaps' }
const stored = (name: string, more: object): never =>
  ({
    metadata: { name, namespace: 'n', uid: name, resourceVersion: '1', creationTimestamp: '' },
    ...more,
  }) as never
const objects = (count: number): { ref: typeof configMaps; object: Stored<KubeObject> }[] =>
  Array.from({ length: count }, (_, index) => ({
    ref: configMaps,
    object: stored(`c${index}`, { apiVersion: 'v1', kind: 'ConfigMap' }),
  }))
const quota = (status: ResourceQuota['status']): Stored<ResourceQuota> =>
  stored('q', {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    spec: { hard: { configmaps: '5', pods: '1' } },
    status,
  })
const used = (count: string): ResourceQuota['status'] => ({
  hard: { configmaps: '5', pods: '1' },
  used: { configmaps: count, pods: '0' },
})

test('a new quota is counted at once, one that counts right is left alone', () => {
  const [first] = reconcileResourceQuota({
    quota: quota({}),
    objects: objects(2),
    restedMs: 0,
  }).actions
  expect(first).toMatchObject({
    type: 'update',
    subresource: 'status',
    object: { status: used('2') },
  })
  expect(
    reconcileResourceQuota({ quota: quota(used('2')), objects: objects(2), restedMs: 0 }).actions,
  ).toEqual([])
})

test('it goes up at once, and down only when nothing was charged for a while', () => {
  const more = reconcileResourceQuota({ quota: quota(used('1')), objects: objects(2), restedMs: 0 })
  expect(more.actions[0]).toMatchObject({ object: { status: used('2') } })
  const fewer = { quota: quota(used('4')), objects: objects(2) }
  expect(reconcileResourceQuota({ ...fewer, restedMs: 1000 })).toEqual({
    actions: [],
    requeueAfterMs: quotaRestMs - 1000,
  })
  const rested = reconcileResourceQuota({ ...fewer, restedMs: quotaRestMs })
  expect(rested.actions[0]).toMatchObject({ object: { status: used('2') } })
})
