// A store that is gone, or that forgets what the watch cache has not seen: what clients are told, and that all is well again afterwards.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MemoryStore } from './memory-store.ts'
import { type Store, StoreRevisionError, type StoreWatchHandlers } from './store.ts'
import { ApiFixture } from './testing/api-fixture.ts'

/** A store whose network can be cut and whose watches can be broken off. */
class FailingStore extends MemoryStore implements Store {
  isGone = false
  /** Nothing is answered until it is resolved. */
  answers: Promise<void> = Promise.resolve()
  /** Events are lost, as on the way to a watch that lags behind. */
  isSilent = false
  readonly #handlers = new Set<StoreWatchHandlers>()

  override get(...args: Parameters<Store['get']>): ReturnType<Store['get']> {
    return this.#reached(() => super.get(...args))
  }
  override list(...args: Parameters<Store['list']>): ReturnType<Store['list']> {
    return this.#reached(() => super.list(...args))
  }
  override update(...args: Parameters<Store['update']>): ReturnType<Store['update']> {
    return this.#reached(() => super.update(...args))
  }
  override delete(...args: Parameters<Store['delete']>): ReturnType<Store['delete']> {
    return this.#reached(() => super.delete(...args))
  }
  override create(...args: Parameters<Store['create']>): ReturnType<Store['create']> {
    return this.#reached(() => super.create(...args))
  }
  override currentRevision(): Promise<number> {
    return this.#reached(() => super.currentRevision())
  }
  override watch(prefix: string, afterRevision: number, handlers: StoreWatchHandlers): () => void {
    this.#handlers.add(handlers)
    return super.watch(prefix, afterRevision, {
      events: (events, revision) => {
        if (!this.isSilent && this.#handlers.has(handlers)) handlers.events(events, revision)
      },
      ended: (error) => this.#end(handlers, error),
    })
  }

  /** As a store does that compacted what a watch still wanted. */
  breakWatches(): void {
    for (const handlers of this.#handlers) this.#end(handlers, new StoreRevisionError('COMPACTED'))
  }

  #end(handlers: StoreWatchHandlers, error: Error | undefined): void {
    if (this.#handlers.delete(handlers)) handlers.ended(error)
  }
  #reached<T>(run: () => Promise<T>): Promise<T> {
    if (this.isGone) return Promise.reject(new Error('etcdserver: no leader'))
    return this.answers.then(run)
  }
}

let store: FailingStore
let api: ApiFixture
const maps = '/api/v1/namespaces/default/configmaps'
const map = (name: string): { body: unknown } => ({
  body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } },
})
const names = async (): Promise<string[]> => {
  const { json } = await api.request('GET', maps)
  return json.items
    .map((item: { metadata: { name: string } }) => item.metadata.name)
    .filter((name: string) => name !== 'kube-root-ca.crt')
}

beforeEach(async () => {
  store = new FailingStore()
  api = await ApiFixture.start({ store, onError: () => undefined })
})
afterEach(async () => {
  store.isGone = false
  await api.close()
})

test('while the store is gone every request is answered with a Status, and afterwards nothing is lost', async () => {
  expect((await api.request('POST', maps, map('before'))).status).toBe(201)
  store.isGone = true
  const answers = await Promise.all([
    api.request('POST', maps, map('lost')),
    api.request('GET', maps),
    api.request('DELETE', `${maps}/before`),
  ])
  for (const { status, json } of answers) {
    expect({ status, kind: json.kind, reason: json.reason }).toEqual({
      status: 500,
      kind: 'Status',
      reason: 'InternalError',
    })
    expect(json.message).toContain('etcdserver: no leader')
  }
  store.isGone = false
  expect(await names()).toEqual(['before'])
  expect((await api.request('POST', maps, map('after'))).status).toBe(201)
  expect(await names()).toEqual(['after', 'before'])
})

test('a watch of the store that was compacted away: lists are whole, and clients that lag are told 410', async () => {
  const { json } = await api.request('POST', maps, map('seen'))
  const seen: string = json.metadata.resourceVersion
  store.isSilent = true
  const missed = store.create('/registry/configmaps/default/missed', bytesOf('missed'))
  await missed
  await store.compact(await store.currentRevision())
  store.isSilent = false
  store.breakWatches()
  await expect.poll(names).toEqual(['missed', 'seen'])
  const lines = await api.lines(`${maps}?watch=true&resourceVersion=${seen}`)
  const [event] = await lines.take(1)
  expect(event).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } })
  lines.close()
})

test('while the store is slow a request ends when its time is up, and what it began goes on', async () => {
  let resume = (): void => undefined
  store.answers = new Promise((resolve) => {
    resume = resolve
  })
  const slow = await Promise.all([
    api.request('POST', `${maps}?timeout=300ms`, map('late')),
    api.request('GET', `${maps}/other?timeout=0.2s`),
  ])
  for (const { status, json } of slow) {
    expect({ status, json }).toEqual({
      status: 504,
      json: {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: 'Timeout: request did not complete within the allotted timeout',
        reason: 'Timeout',
        details: {},
        code: 504,
      },
    })
  }
  const wrong = await api.request('GET', `${maps}?timeout=30`)
  expect([wrong.status, wrong.json.message]).toEqual([
    400,
    'invalid timeout specified in the request URL',
  ])
  resume()
  await expect.poll(names).toEqual(['late'])
})

const bytesOf = (name: string): Uint8Array =>
  new TextEncoder().encode(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name,
        namespace: 'default',
        uid: '00000000-0000-4000-8000-000000000001',
        creationTimestamp: '2026-01-01T00:00:00Z',
      },
    }),
  )
