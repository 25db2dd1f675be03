// Collections, pages and followed watches, on a member whose log commits at once.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EmbeddedKv } from '../member/embedded-kv.ts'
import { openTestMember } from '../member/testing/test-member.ts'
import type { TestMember } from '../member/testing/test-member.ts'
import type { Kv } from '../kv.ts'
import { json, messagePack, raw, text } from './codec.ts'
import { Collection } from './collection.ts'
import { follow, followedEventsMax } from './follow.ts'
import { namespaced } from './namespace.ts'
import { pages, pairs } from './pages.ts'

let member: TestMember
let kv: Kv
beforeAll(async () => {
  member = await openTestMember()
  kv = new EmbeddedKv(member.core)
})
afterAll(() => member.core.close())

describe('a collection', () => {
  test('values of every codec come back as they were', async () => {
    const value = { name: 'ü', list: [1, 2], nothing: null }
    const typed = new Collection(kv, 'json/', json<typeof value>())
    await typed.put('a', value)
    expect((await typed.get('a'))?.value).toEqual(value)
    const packed = new Collection(kv, 'pack/', messagePack<Record<string, unknown>>())
    const rich = {
      big: 2n ** 60n,
      at: new Date(5),
      none: undefined,
      bytes: Uint8Array.from([1, 2]),
    }
    await packed.put('a', rich)
    expect((await packed.get('a'))?.value).toEqual(rich)
    await new Collection(kv, 'text/', text).put('a', 'grün')
    const bytes = await new Collection(kv, 'text/', raw).get('a')
    expect(Buffer.from(bytes?.value ?? []).toString()).toBe('grün')
  })

  test('it lists, changes, deletes and watches its own prefix only', async () => {
    const numbers = new Collection(kv, 'numbers/', json<number>())
    await kv.put('numbers0', 'no JSON')
    for (const key of ['b', 'a', 'c']) await numbers.put(key, key.charCodeAt(0))
    const listed: unknown[] = []
    for await (const { key, value } of numbers.list({ pageSize: 1 })) listed.push([key, value])
    expect(listed).toEqual([
      ['a', 97],
      ['b', 98],
      ['c', 99],
    ])
    const startRevision = ((await numbers.get('c'))?.modRevision ?? 0) + 1
    expect(await numbers.delete('b')).toBe(true)
    expect(await numbers.delete('b')).toBe(false)
    await numbers.put('a', 1)
    const seen: unknown[] = []
    for await (const change of numbers.changes({ startRevision })) {
      seen.push([change.type, change.key, change.type === 'put' && change.entry.value])
      if (seen.length === 2) break
    }
    expect(seen).toEqual([
      ['delete', 'b', false],
      ['put', 'a', 1],
    ])
  })

  test('updates from all sides are all counted, and a key can be left alone', async () => {
    const counters = new Collection(kv, 'counters/', json<number>())
    const add = (): Promise<number | undefined> => counters.update('a', (n = 0) => n + 1)
    await Promise.all(Array.from({ length: 20 }, add))
    expect((await counters.get('a'))?.value).toBe(20)
    expect(await counters.update('a', () => undefined)).toBe(20)
    expect((await counters.get('a'))?.version).toBe(20)
  })
})

describe('pages', () => {
  test('all pages are of one revision, whatever is written meanwhile', async () => {
    for (let i = 0; i < 25; i++) await kv.put(`p/${String(i).padStart(2, '0')}`, 'old')
    const values: string[] = []
    const revisions = new Set<number>()
    for await (const page of pages(kv, { prefix: 'p/', pageSize: 10 })) {
      revisions.add(page.revision)
      values.push(...page.pairs.map((pair) => text.decode(pair.value)))
      await kv.put('p/00', 'new')
      await kv.put('p/24', 'new')
      await kv.put('p/99', 'new')
    }
    expect(values).toEqual(Array.from({ length: 25 }, () => 'old'))
    expect(revisions.size).toBe(1)
  })

  test('a range from a key on, a key, and a namespace are paged too; a compacted page says so', async () => {
    const keys = async (from: Kv, options: object): Promise<string[]> => {
      const found: string[] = []
      for await (const { key } of pairs(from, { ...options, pageSize: 3 })) {
        found.push(text.decode(key))
      }
      return found
    }
    expect((await keys(kv, { key: 'p/20', rangeEnd: 'p/9' })).length).toBe(5)
    expect(await keys(kv, { key: 'p/03' })).toEqual(['p/03'])
    expect((await keys(namespaced(kv, 'p/'), { prefix: '' })).slice(0, 2)).toEqual(['00', '01'])
    const reading = pages(kv, { prefix: 'p/', pageSize: 10 })
    await reading.next()
    const { revision } = await kv.put('x', 'y')
    await kv.compact(revision)
    await expect(reading.next()).rejects.toMatchObject({ code: 'COMPACTED' })
  })
})

describe('a followed watch', () => {
  test('one who is slow misses nothing and is not waited for in memory', async () => {
    const over = new AbortController()
    const { revision } = await kv.put('f/start', '')
    const batches = follow(kv, { prefix: 'f/', startRevision: revision + 1 }, over.signal)
    const first = batches.next()
    const total = followedEventsMax + 500
    for (let i = 0; i < total; i += 100) {
      const then = Array.from({ length: 100 }, (_, n) => {
        return { op: 'put', key: `f/${i + n}`, value: '' } as const
      })
      await kv.txn({ then })
    }
    let count = (await first).value?.events.length ?? 0
    for await (const { events } of batches) {
      count += events.length
      if (count >= total) break
    }
    expect(count).toBe(total)
  })

  test('it ends with the signal, and tells what was compacted', async () => {
    const over = new AbortController()
    const waiting = follow(kv, { prefix: 'none/' }, over.signal).next()
    over.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' })
    const { revision } = await kv.put('g', '')
    await kv.compact(revision)
    const past = follow(kv, { prefix: 'f/', startRevision: 1 }).next()
    await expect(past).rejects.toMatchObject({ code: 'COMPACTED' })
  })
})
