import { afterEach, expect, test, vi } from 'vitest'
import { ApiError } from '../client/api-client.ts'
import { FakeApiClient } from '../client/testing/fake-api-client.ts'
import type { Reconciliation } from '../controllers/action.ts'
import { configMapType } from '../resources/config-map.ts'
import { ControllerLoop, type Watch } from './controller-loop.ts'
import { collectionName, type SeenView } from './expectations.ts'

let loop: ControllerLoop | undefined
afterEach(() => loop?.close())

const until = (check: () => void): Promise<void> =>
  vi.waitFor(check, { timeout: 10_000, interval: 5 })
const creation: Reconciliation = {
  actions: [
    {
      type: 'create',
      ref: configMapType,
      object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'a-' } },
    },
  ],
}
/** A loop over one key that the test triggers. */
const start = async (options: {
  reconcile: (key: string) => Reconciliation
  view?: SeenView
  client?: FakeApiClient
}): Promise<{ trigger: () => void; client: FakeApiClient; errors: unknown[] }> => {
  const client = options.client ?? new FakeApiClient()
  const errors: unknown[] = []
  let changed: (keys: readonly string[]) => void = () => undefined
  const watch: Watch = {
    subscribe: (listener) => {
      changed = listener
    },
    keys: () => ['key'],
    synced: () => Promise.resolve(),
  }
  loop = new ControllerLoop({
    name: 'test-controller',
    client,
    watches: [watch],
    views: new Map(
      options.view === undefined ? [] : [[collectionName(configMapType), options.view]],
    ),
    reconcile: options.reconcile,
    onError: (error) => errors.push(error),
  })
  await loop.start()
  return { trigger: () => changed(['key']), client, errors }
}

test('a key is not reconciled again before the cache has seen what was written for it', async () => {
  let seen = 0
  let looks = 0
  let reconciles = 0
  const view: SeenView = {
    get seenResourceVersion() {
      looks++
      return String(seen)
    },
    get: () => undefined,
  }
  const { trigger } = await start({
    view,
    reconcile: () => (++reconciles === 1 ? creation : { actions: [] }),
  })
  trigger()
  await until(() => expect(reconciles).toBe(1))
  trigger()
  await until(() => expect(looks).toBeGreaterThan(2))
  expect(reconciles).toBe(1)
  seen = 1
  await until(() => expect(reconciles).toBe(2))
})

test('a reconcile that fails is reported and tried again', async () => {
  const client = new FakeApiClient()
  let failures = 2
  client.intercept = () => (failures-- > 0 ? new Error('unavailable') : undefined)
  const { trigger, errors } = await start({
    client,
    reconcile: () => (client.all(configMapType).length === 0 ? creation : { actions: [] }),
  })
  trigger()
  await until(() => expect(client.all(configMapType)).toHaveLength(1))
  expect(errors).toHaveLength(2)
})

test('a conflict is tried again without a word', async () => {
  const client = new FakeApiClient()
  let conflicts = 1
  client.intercept = () => (conflicts-- > 0 ? new ApiError(409, 'Conflict', 'modified') : undefined)
  const { trigger, errors } = await start({
    client,
    reconcile: () => (client.all(configMapType).length === 0 ? creation : { actions: [] }),
  })
  trigger()
  await until(() => expect(client.all(configMapType)).toHaveLength(1))
  expect(errors).toEqual([])
})

test('a namespace that is being emptied refuses new objects, which is no error', async () => {
  const client = new FakeApiClient()
  let refusals = 1
  const details = { causes: [{ reason: 'NamespaceTerminating' }] }
  client.intercept = () =>
    refusals-- > 0 ? new ApiError(403, 'Forbidden', 'is forbidden', details) : undefined
  const { trigger, errors } = await start({
    client,
    reconcile: () => (client.all(configMapType).length === 0 ? creation : { actions: [] }),
  })
  trigger()
  await until(() => expect(client.all(configMapType)).toHaveLength(1))
  expect(errors).toEqual([])
})

test('a reconcile can ask to come again', async () => {
  let reconciles = 0
  const { trigger } = await start({
    reconcile: () => (++reconciles < 3 ? { actions: [], requeueAfterMs: 1 } : { actions: [] }),
  })
  trigger()
  await until(() => expect(reconciles).toBe(3))
})

test('nothing is reconciled after close', async () => {
  let reconciles = 0
  const { trigger } = await start({
    reconcile: () => ({ actions: [], requeueAfterMs: ++reconciles }),
  })
  await loop?.close()
  trigger()
  expect(reconciles).toBe(0)
})
