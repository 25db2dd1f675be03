import { expect, test } from 'vitest'
import { resourceTypes } from '../index.ts'
import { mergeKeysOf } from './merge-keys.ts'
import { allMessages, findMessage, messageOfKind } from './messages.ts'
import { tables } from './tables/index.ts'

test('every message that a table names is in one', () => {
  const missing = [...allMessages()].flatMap((message) =>
    message.fields.flatMap(({ name, type }) =>
      typeof type !== 'string' && type.message().name !== type.name.split('.').at(-1)
        ? [`${message.packageName}.${message.name}.${name}: ${type.name}`]
        : [],
    ),
  )
  expect(missing).toEqual([])
})

test('every word of a table is understood, and no message is there twice', () => {
  for (const [packageName, table] of Object.entries(tables)) {
    const names = [...table.matchAll(/^(\w+)~? /gm)].map(([, name]) => name)
    expect(new Set(names).size, packageName).toBe(names.length)
    const words = table.split(/\s+/).filter((word) => word.includes(':'))
    const fields = [...allMessages()]
      .filter((message) => message.packageName === packageName)
      .flatMap((message) => message.fields)
    expect(fields.filter(({ name }) => name === '')).toEqual([])
    expect(words.length).toBeGreaterThan(0)
  }
})

test('no two fields of a message share a name or a number', () => {
  for (const message of allMessages()) {
    const at = `${message.packageName}.${message.name}`
    expect(message.byName.size, at).toBe(message.fields.length)
    const numbered = [...message.byNumber.values()]
    expect(new Set(numbered).size, at).toBe(numbered.length)
  }
})

test('keys of merged lists are fields of their elements', () => {
  const wrong = [...allMessages()].flatMap((message) =>
    message.fields.flatMap(({ name, type, merge }) =>
      (merge?.keys ?? [])
        .filter((key) => typeof type === 'string' || !type.message().byName.has(key))
        .map((key) => `${message.name}.${name}: ${key}`),
    ),
  )
  expect(wrong).toEqual([])
})

test('inlined messages give their fields and keep their number', () => {
  const volume = findMessage('core/v1', 'Volume')
  expect(volume?.byName.get('emptyDir')?.shape).toBe('one')
  expect(volume?.byNumber.get(2)).toBe(findMessage('core/v1', 'VolumeSource'))
})

test('a version without messages of its own is read as the one that it led to', () => {
  const found = (group: string, version: string, kind: string): string | undefined =>
    messageOfKind({ group, version, kind })?.packageName
  expect(found('', 'v1', 'Pod')).toBe('core/v1')
  expect(found('policy', 'v1beta1', 'Eviction')).toBe('policy/v1')
  expect(found('autoscaling', 'v2beta2', 'HorizontalPodAutoscaler')).toBe('autoscaling/v2')
  expect(found('rbac.authorization.k8s.io', 'v1', 'Role')).toBe('rbac/v1')
  expect(found('', 'v1', 'DeleteOptions')).toBe('meta/v1')
  expect(found('nowhere', 'v1', 'Pod')).toBeUndefined()
})

test('every kind merges finalizers and owners, and no version is there twice', () => {
  const wrong = resourceTypes.filter((type) => {
    const keys = mergeKeysOf(type)
    return keys['metadata.finalizers'] !== '' || keys['metadata.ownerReferences'] !== 'uid'
  })
  expect(wrong.map((type) => type.kind)).toEqual([])
  const ids = resourceTypes.map(({ group, version, plural }) => `${group}/${version}/${plural}`)
  expect(ids.toSorted()).toEqual([...new Set(ids)].toSorted())
})
