import { expect, test } from 'vitest'
import { ApiError } from '../../client/api-client.ts'
import { type CacheCursor, ResourceCache, ringBytesMax, ringEventsMax } from './resource-cache.ts'
import { ObjectCodec, StoredObject } from './stored-object.ts'

const codec = new ObjectCodec({ group: '', version: 'v1', kind: 'ConfigMap' })
const object = (key: string, revision: number, data: object = {}): StoredObject => {
  const [namespace = '', name = ''] = key.split('/')
  const value = codec.encode({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace },
    ...data,
  })
  return new StoredObject(codec, key, value, revision)
}
const read = (cursor: CacheCursor): string[] => {
  const seen: string[] = []
  for (let change = cursor.next(); change !== undefined; change = cursor.next()) {
    seen.push(`${change.type} ${change.object.key}@${change.object.revision}`)
  }
  return seen
}

test('lists keep to the order of keys and to the prefix', () => {
  const cache = new ResourceCache()
  cache.reset([object('a/x', 1), object('b/x', 1)], 1)
  cache.apply(2, 'a/a', object('a/a', 2))
  cache.apply(3, 'aa/z', object('aa/z', 3))
  cache.apply(4, 'a/x', undefined)
  const keys = (prefix: string): string[] => [...cache.list(prefix)].map(({ key }) => key)
  expect(keys('')).toEqual(['a/a', 'aa/z', 'b/x'])
  expect(keys('a/')).toEqual(['a/a'])
  expect([cache.count(''), cache.count('a/'), cache.count('', 'aa/')]).toEqual([3, 1, 2])
})

test('a cursor from a revision reads exactly the changes after it', () => {
  const cache = new ResourceCache()
  cache.reset([object('d/a', 5)], 5)
  for (const revision of [6, 8, 9]) cache.apply(revision, 'd/a', object('d/a', revision))
  const all = { keyPrefix: '' }
  expect(read(cache.openCursor(all, 5))).toEqual([
    'MODIFIED d/a@6',
    'MODIFIED d/a@8',
    'MODIFIED d/a@9',
  ])
  expect(read(cache.openCursor(all, 7))).toEqual(['MODIFIED d/a@8', 'MODIFIED d/a@9'])
  const ahead = cache.openCursor(all, 100)
  expect(read(ahead)).toEqual([])
  expect(() => cache.openCursor(all, 4)).toThrow('too old resource version: 4 (5)')
})

test('a deleted object is shown as it last was, under the revision of its deletion', () => {
  const cache = new ResourceCache()
  cache.reset([], 1)
  const cursor = cache.openCursor({ keyPrefix: '' }, 1)
  cache.apply(2, 'd/a', object('d/a', 2))
  cache.apply(3, 'd/a', undefined)
  expect(read(cursor)).toEqual(['ADDED d/a@2', 'DELETED d/a@3'])
  expect(
    cache.openCursor({ keyPrefix: '' }, 2).next()?.object.object.metadata.resourceVersion,
  ).toBe('3')
})

test('the ring is bounded by events, and a cursor it has passed is told so', () => {
  const cache = new ResourceCache()
  cache.reset([], 1)
  const slow = cache.openCursor({ keyPrefix: '' }, 1)
  const ahead = cache.openCursor({ keyPrefix: '' }, 1)
  for (let revision = 2; revision <= ringEventsMax + 1; revision++) {
    cache.apply(revision, 'd/a', object('d/a', revision))
    ahead.next()
  }
  expect(slow.next()?.object.revision).toBe(2)
  cache.apply(ringEventsMax + 2, 'd/a', object('d/a', ringEventsMax + 2))
  expect(() => slow.next()).toThrow(ApiError)
  expect(ahead.next()?.object.revision).toBe(ringEventsMax + 2)
})

test('the ring is bounded by bytes', () => {
  const cache = new ResourceCache()
  cache.reset([], 1)
  const slow = cache.openCursor({ keyPrefix: '' }, 1)
  const size = ringBytesMax / 8
  for (let revision = 2; revision <= 11; revision++) {
    cache.apply(revision, 'd/a', object('d/a', revision, { data: { k: 'x'.repeat(size) } }))
  }
  expect(() => slow.next()).toThrow('too old resource version')
})

test('after a reset every cursor is lost', () => {
  const cache = new ResourceCache()
  cache.reset([], 1)
  const cursor = cache.openCursor({ keyPrefix: '' }, 1)
  let woken = 0
  cursor.onWake = () => woken++
  cache.reset([object('d/a', 7)], 9)
  expect(woken).toBe(1)
  expect(() => cursor.next()).toThrow('too old resource version')
})

test('an event is encoded once however many watchers ask', () => {
  const cache = new ResourceCache()
  cache.reset([], 1)
  const cursors = Array.from({ length: 50 }, () => cache.openCursor({ keyPrefix: '' }, 1))
  cache.apply(2, 'd/a', object('d/a', 2))
  let encodings = 0
  for (const cursor of cursors) {
    cursor.next()?.event?.encoded('json', () => {
      encodings++
      return Buffer.from('x')
    })
  }
  expect(encodings).toBe(1)
})

test('a stored value written by encode() is read back with its revision, by splicing and by parsing alike', () => {
  const stored = object('d/a', 42, { data: { k: '"metadata":{' } })
  expect(JSON.parse(stored.json.toString())).toEqual(stored.object)
  expect(stored.object.metadata.resourceVersion).toBe('42')
  const foreign = Buffer.from('{"metadata":{"name":"a"},"kind":"ConfigMap","apiVersion":"v1"}')
  expect(JSON.parse(new StoredObject(codec, 'd/a', foreign, 7).json.toString())).toEqual({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', resourceVersion: '7' },
  })
  const broken = new StoredObject(codec, 'd/a', Buffer.from('{"metadata":'), 7)
  expect(() => broken.json).toThrow('the stored value of d/a is not JSON')
})
