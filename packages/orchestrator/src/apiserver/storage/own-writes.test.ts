import { expect, test } from 'vitest'
import { MemoryStore } from '../memory-store.ts'
import { FreshRevision } from './fresh-revision.ts'
import { OwnWrites } from './own-writes.ts'

const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }

test('an event of an own write is known by its bytes, once', () => {
  const writes = new OwnWrites()
  writes.expect('/a', Buffer.from('x'), object)
  expect(writes.take('/a', Buffer.from('y'))).toBeUndefined()
  expect(writes.take('/b', Buffer.from('x'))).toBeUndefined()
  expect(writes.take('/a', Buffer.from('x'))?.object).toBe(object)
  expect(writes.take('/a', Buffer.from('x'))).toBeUndefined()
})

test('a write that was refused is forgotten, and does not take a later one with it', () => {
  const writes = new OwnWrites()
  const [first, second] = [Buffer.from('x'), Buffer.from('x')]
  writes.expect('/a', first, object)
  writes.forget('/a', first)
  expect(writes.take('/a', first)).toBeUndefined()
  writes.expect('/a', second, object)
  writes.forget('/a', first)
  expect(writes.take('/a', second)?.object).toBe(object)
})

test('readers of one turn share one read of the store, and each sees what was written before it asked', async () => {
  let reads = 0
  class CountingStore extends MemoryStore {
    override async currentRevision(): Promise<number> {
      reads++
      return super.currentRevision()
    }
  }
  const store = new CountingStore()
  const fresh = new FreshRevision(store)
  const together = [fresh.read(), fresh.read(), fresh.read()]
  const written = await store.create('/a', Buffer.from('x'))
  expect(written.ok).toBe(true)
  const [first, ...others] = await Promise.all(together)
  expect(others).toEqual([first, first])
  expect(reads).toBe(1)
  const before = await fresh.read()
  await store.create('/b', Buffer.from('x'))
  expect(await fresh.read()).toBe(before + 1)
})
