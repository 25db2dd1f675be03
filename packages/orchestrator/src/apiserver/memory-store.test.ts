import { expect, test } from 'vitest'
import { MemoryStore } from './memory-store.ts'
import { describeStore } from './testing/store-suite.ts'

describeStore('memory', async () =>
  Promise.resolve({ store: new MemoryStore(), close: () => Promise.resolve() }),
)

const bytes = new TextEncoder().encode('x')

test('a watch that writes while it is delivered gets its own change after the one it handles', async () => {
  const store = new MemoryStore()
  const seen: string[] = []
  const second: string[] = []
  store.watch('/registry/', 1, {
    events: (events) => {
      for (const event of events) {
        seen.push(event.key)
        if (event.key === '/registry/a') void store.create('/registry/b', bytes)
      }
    },
    ended: () => undefined,
  })
  store.watch('/registry/', 1, {
    events: (events) => second.push(...events.map((event) => event.key)),
    ended: () => undefined,
  })
  await store.create('/registry/a', bytes)
  expect([seen, second]).toEqual([
    ['/registry/a', '/registry/b'],
    ['/registry/a', '/registry/b'],
  ])
})

test('history is bounded: older revisions compact by themselves', async () => {
  const store = new MemoryStore({ historyMax: 10 })
  for (let index = 0; index < 100; index++) await store.create(`/registry/${index}`, bytes)
  await expect(store.list('/registry/', { revision: 2 })).rejects.toMatchObject({
    code: 'COMPACTED',
  })
  expect((await store.list('/registry/', {})).values).toHaveLength(100)
})
