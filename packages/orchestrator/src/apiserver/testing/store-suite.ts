// The suite that every Store implementation passes: describeStore(name, open) registers it.
import { afterEach, describe, expect, test } from 'vitest'
import type { Store, StoreEvent } from '../store.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value)

/** Collects what a watch delivers; `until` resolves when the condition holds. */
const collect = (
  store: Store,
  prefix: string,
  afterRevision: number,
): {
  events: StoreEvent[]
  ended: Promise<Error | undefined>
  until(isDone: () => boolean): Promise<void>
  close(): void
} => {
  const events: StoreEvent[] = []
  const waiting = new Set<() => void>()
  let end: (error: Error | undefined) => void = () => undefined
  const ended = new Promise<Error | undefined>((resolve) => {
    end = resolve
  })
  const close = store.watch(prefix, afterRevision, {
    events: (batch) => {
      events.push(...batch)
      for (const check of waiting) check()
    },
    ended: (error) => {
      end(error)
    },
  })
  const until = (isDone: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (!isDone()) return
        waiting.delete(check)
        resolve()
      }
      waiting.add(check)
      check()
    })
  return { events, ended, until, close }
}

const written = async (store: Store, key: string, value: string): Promise<number> => {
  const result = await store.create(key, bytes(value))
  if (!result.ok) throw new Error(`${key} was there already`)
  return result.revision
}

export const describeStore = (
  name: string,
  open: () => Promise<{ store: Store; close(): Promise<void> }>,
): void => {
  describe(`the Store over ${name}`, () => {
    let toClose: (() => Promise<void>)[] = []
    const opened = async (): Promise<Store> => {
      const { store, close } = await open()
      toClose.push(async () => {
        await store.close()
        await close()
      })
      return store
    }
    afterEach(async () => {
      for (const close of toClose) await close()
      toClose = []
    })

    test('a created key is read with its value and revision', async () => {
      const store = await opened()
      const revision = await written(store, '/registry/a/1', 'one')
      const read = await store.get('/registry/a/1')
      expect({ ...read, value: text(read?.value) }).toEqual({
        key: '/registry/a/1',
        value: 'one',
        revision,
      })
      expect(await store.get('/registry/a/2')).toBeUndefined()
      expect(await store.currentRevision()).toBe(revision)
    })

    test('a create of a key that is there changes nothing and tells what is there', async () => {
      const store = await opened()
      const revision = await written(store, '/registry/a/1', 'one')
      const second = await store.create('/registry/a/1', bytes('two'))
      expect(second.ok).toBe(false)
      expect(!second.ok && text(second.current?.value)).toBe('one')
      expect(!second.ok && second.current?.revision).toBe(revision)
    })

    test('an update and a delete with a stale revision are refused, with the right one applied', async () => {
      const store = await opened()
      const first = await written(store, '/registry/a/1', 'one')
      const update = await store.update('/registry/a/1', bytes('two'), first)
      expect(update.ok && update.revision).toBeGreaterThan(first)
      const stale = await store.update('/registry/a/1', bytes('three'), first)
      expect(!stale.ok && text(stale.current?.value)).toBe('two')
      expect((await store.delete('/registry/a/1', first)).ok).toBe(false)
      expect((await store.delete('/registry/a/1', update.ok ? update.revision : 0)).ok).toBe(true)
      expect(await store.get('/registry/a/1')).toBeUndefined()
      const gone = await store.update('/registry/a/1', bytes('four'), first)
      expect(gone).toEqual({ ok: false, current: undefined })
    })

    test('a list has the keys of its prefix in order, in pages, as they were at its revision', async () => {
      const store = await opened()
      for (const key of ['b', 'a', 'c']) await written(store, `/registry/list/${key}`, key)
      await written(store, '/registry/listed/x', 'x')
      const page = await store.list('/registry/list/', { limit: 2 })
      expect(page.values.map((value) => text(value.value))).toEqual(['a', 'b'])
      expect(page.remaining).toBe(1)
      const c = await store.get('/registry/list/c')
      await store.update('/registry/list/c', bytes('new'), c?.revision ?? 0)
      await written(store, '/registry/list/d', 'd')
      const rest = await store.list('/registry/list/', {
        startKey: '/registry/list/b\u0000',
        revision: page.revision,
      })
      expect(rest.values.map((value) => [text(value.value), value.revision])).toEqual([
        ['c', c?.revision],
      ])
      expect(rest.revision).toBe(page.revision)
      expect(await store.count('/registry/list/')).toBe(4)
    })

    test('a watch delivers each change after its revision once, in order, with previous values', async () => {
      const store = await opened()
      const before = await written(store, '/registry/w/old', 'x')
      const created = await written(store, '/registry/w/1', 'one')
      const watch = collect(store, '/registry/w/', before)
      const updated = await store.update('/registry/w/1', bytes('two'), created)
      await written(store, '/registry/other/1', 'no')
      await store.delete('/registry/w/1', updated.ok ? updated.revision : 0)
      await watch.until(() => watch.events.length === 3)
      expect(
        watch.events.map((event) => [
          event.type,
          event.key,
          event.type === 'put' ? text(event.value) : undefined,
          event.type === 'put' ? event.created : undefined,
          text(event.previous),
        ]),
      ).toEqual([
        ['put', '/registry/w/1', 'one', true, undefined],
        ['put', '/registry/w/1', 'two', false, 'one'],
        ['delete', '/registry/w/1', undefined, undefined, 'two'],
      ])
      const revisions = watch.events.map((event) => event.revision)
      expect(revisions).toEqual(revisions.toSorted((a, b) => a - b))
      watch.close()
      expect(await watch.ended).toBeUndefined()
    })

    test('reads and watches of compacted revisions are refused with COMPACTED, future ones with FUTURE_REVISION', async () => {
      const store = await opened()
      const first = await written(store, '/registry/c/1', 'one')
      const second = await store.update('/registry/c/1', bytes('two'), first)
      const revision = second.ok ? second.revision : 0
      await store.compact(revision)
      await store.compact(revision)
      await expect(store.list('/registry/c/', { revision: first })).rejects.toMatchObject({
        code: 'COMPACTED',
      })
      await expect(store.list('/registry/c/', { revision: revision + 99 })).rejects.toMatchObject({
        code: 'FUTURE_REVISION',
      })
      const watch = collect(store, '/registry/c/', first - 1)
      expect(await watch.ended).toMatchObject({ code: 'COMPACTED' })
    })

    test('of concurrent updates with one expected revision exactly one succeeds', async () => {
      const store = await opened()
      const revision = await written(store, '/registry/r/1', 'start')
      const results = await Promise.all(
        Array.from({ length: 16 }, (_, index) =>
          store.update('/registry/r/1', bytes(String(index)), revision),
        ),
      )
      expect(results.filter((result) => result.ok)).toHaveLength(1)
    })

    test('keys with a time to live can be written, replaced and read', async () => {
      const store = await opened()
      const created = await store.create('/registry/ttl/1', bytes('one'), 600)
      expect(created.ok).toBe(true)
      const updated = await store.update(
        '/registry/ttl/1',
        bytes('two'),
        created.ok ? created.revision : 0,
        600,
      )
      expect(updated.ok).toBe(true)
      expect(text((await store.get('/registry/ttl/1'))?.value)).toBe('two')
    })
  })
}
