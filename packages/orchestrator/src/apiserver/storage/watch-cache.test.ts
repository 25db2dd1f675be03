import { afterEach, expect, test } from 'vitest'
import { MemoryStore } from '../memory-store.ts'
import { StoreRevisionError, type StoreWatchHandlers } from '../store.ts'
import type { ResourceCache } from './resource-cache.ts'
import { ObjectCodec } from './stored-object.ts'
import { WatchCache } from './watch-cache.ts'

/** A store whose watches can be broken from outside. */
class BreakableStore extends MemoryStore {
  readonly watches: StoreWatchHandlers[] = []
  isBroken = false

  override watch(prefix: string, after: number, handlers: StoreWatchHandlers): () => void {
    this.watches.push(handlers)
    return super.watch(prefix, after, {
      events: (events, revision) => {
        if (!this.isBroken) handlers.events(events, revision)
      },
      ended: handlers.ended,
    })
  }
}

const configMaps = { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps' }
const value = (name: string): Buffer =>
  Buffer.from(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"${name}"}}`)
const key = (name: string): string => `/registry/configmaps/default/${name}`

const open: (() => void)[] = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})
const started = async (
  store: MemoryStore,
  onRestart: () => void = () => undefined,
): Promise<{ watchCache: WatchCache; cache: ResourceCache }> => {
  const watchCache = new WatchCache({ store, onRestart })
  const cache = watchCache.addCollection(configMaps, new ObjectCodec(configMaps))
  await watchCache.start()
  open.push(() => {
    watchCache.close()
  })
  return { watchCache, cache }
}

test('it starts with what is in the store, page by page, and follows it', async () => {
  const store = new MemoryStore()
  for (let index = 0; index < 5001; index++) await store.create(key(String(index)), value('x'))
  const { watchCache, cache } = await started(store)
  expect(cache.size).toBe(5001)
  const result = await store.create(key('new'), value('new'))
  const revision = result.ok ? result.revision : 0
  expect(await watchCache.waitFor(revision, 1000)).toBe(true)
  expect(cache.get('default/new')?.object.metadata.name).toBe('new')
})

test('keys of other programs and values that are no JSON are left alone', async () => {
  const store = new MemoryStore()
  await store.create('/registry/ranges/serviceips', value('x'))
  await store.create(key('proto'), Buffer.from('k8s\u0000...'))
  const { watchCache, cache } = await started(store)
  await store.create('/registry/unknown', value('x'))
  await store.create('/other/key', value('x'))
  await store.create(key('proto2'), Buffer.from('k8s\u0000...'))
  const last = await store.create(key('good'), value('good'))
  await watchCache.waitFor(last.ok ? last.revision : 0, 1000)
  expect([...cache.list('')].map((object) => object.key)).toEqual(['default/good'])
})

test('a revision that does not come is waited for no longer than asked', async () => {
  const { watchCache } = await started(new MemoryStore())
  expect(await watchCache.waitFor(1_000_000, 5)).toBe(false)
})

test('when its watch is compacted or breaks it lists again and tells every watcher to do the same', async () => {
  const store = new BreakableStore()
  let restarts = 0
  const { watchCache, cache } = await started(store, () => restarts++)
  await store.create(key('a'), value('a'))
  const cursor = cache.openCursor({ keyPrefix: '' }, watchCache.revision)
  store.isBroken = true
  const missed = await store.create(key('missed'), value('missed'))
  // The store tells of it at the end of the turn, into the void.
  await new Promise((resolve) => setImmediate(resolve))
  store.isBroken = false
  store.watches[0]?.ended(new StoreRevisionError('COMPACTED'))
  expect(watchCache.isReady).toBe(false)
  expect(await watchCache.waitFor(missed.ok ? missed.revision : 0, 5000)).toBe(true)
  expect([restarts, [...cache.list('')].map((object) => object.key)]).toEqual([
    1,
    ['default/a', 'default/missed'],
  ])
  expect(() => cursor.next()).toThrow('too old resource version')
})
