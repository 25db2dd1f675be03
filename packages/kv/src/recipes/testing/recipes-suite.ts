// What every recipe does, whatever Kv is below it. Each test works below a name of its own.
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { json, text } from '../../client/codec.ts'
import { openSession } from '../../client/session.ts'
import type { Session } from '../../client/session.ts'
import type { KvFixture } from '../../client/testing/kv-suite.ts'
import type { Kv } from '../../kv.ts'
import { enterTogether, lowerBarrier, raiseBarrier, waitAtBarrier } from '../barrier.ts'
import { discover, register } from '../discovery.ts'
import { campaign, currentLeader, observeLeader, stayCandidate } from '../election.ts'
import { lock, tryLock, withLock } from '../lock.ts'
import { Queue } from '../queue.ts'
import { readLock, writeLock } from '../rw-lock.ts'
import { acquirePermit } from '../semaphore.ts'
import { transact } from '../stm.ts'
import type { Isolation } from '../stm.ts'
import { openView } from '../view.ts'
import { mortalKv } from './mortal-kv.ts'

const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : text.decode(bytes)

/** Follows a promise without waiting for it. */
function track(promise: Promise<unknown>): { readonly isSettled: () => boolean } {
  let isSettled = false
  const settle = (): void => void (isSettled = true)
  promise.then(settle, settle)
  return { isSettled: () => isSettled }
}

export function recipesSuite(open: () => Promise<KvFixture>): void {
  let fixture: KvFixture
  let kv: Kv
  let nameCount = 0
  const sessions: Session[] = []
  const freshName = (): string => `recipe-${++nameCount}`
  const session = async (from: Kv = kv, ttlSeconds = 30): Promise<Session> => {
    const opened = await openSession(from, { ttlSeconds })
    sessions.push(opened)
    return opened
  }
  const waitingBelow = (name: string, count: number): Promise<void> =>
    vi.waitFor(async () => {
      expect((await kv.range({ prefix: `${name}/`, countOnly: true })).count).toBe(count)
    }, 10_000)
  beforeAll(async () => {
    fixture = await open()
    kv = fixture.kv
  })
  afterEach(async () => {
    for (const each of sessions.splice(0)) await each.close()
  })
  afterAll(() => fixture.close())

  describe('locks', () => {
    test('one holds it, the others get it in the order they came, each with a greater token', async () => {
      const name = freshName()
      const order: number[] = []
      const tokens: number[] = []
      const first = await lock(await session(), name)
      const others = []
      for (const number of [1, 2, 3]) {
        const own = await session()
        others.push(
          withLock(own, name, async ({ token }) => {
            order.push(number)
            tokens.push(token)
            await kv.get(name)
          }),
        )
        await waitingBelow(name, number + 1)
      }
      expect(order).toEqual([])
      await first.release()
      await Promise.all(others)
      expect(order).toEqual([1, 2, 3])
      expect([first.token, ...tokens]).toEqual([first.token, ...tokens].sort((a, b) => a - b))
      expect((await kv.range({ prefix: `${name}/` })).count).toBe(0)
    })

    test('tryLock does not wait, and one session takes a lock once', async () => {
      const name = freshName()
      const own = await session()
      const held = await tryLock(own, name)
      expect(await tryLock(own, name)).toBeUndefined()
      expect(await tryLock(await session(), name)).toBeUndefined()
      await held?.release()
      await using again = await tryLock(own, name)
      expect(again?.token).toBeGreaterThan(held?.token ?? 0)
    })

    test('who gives up waiting leaves the queue', async () => {
      const name = freshName()
      await using held = await lock(await session(), name)
      const tired = new AbortController()
      const waiting = lock(await session(), name, { signal: tired.signal })
      await waitingBelow(name, 2)
      tired.abort()
      await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' })
      await waitingBelow(name, 1)
      expect(held.lost.aborted).toBe(false)
    })

    test('the lock of a killed program goes to the next, and a late write of the dead is refused', async () => {
      const name = freshName()
      const mortal = mortalKv(kv)
      const dead = await session(mortal.kv, 2)
      const old = await lock(dead, name)
      const next = lock(await session(), name)
      mortal.kill()
      await using held = await next
      expect(held.token).toBeGreaterThan(old.token)
      const late = { if: [old.isMine], then: [{ op: 'put', key: `${name}x`, value: '' }] } as const
      expect((await kv.txn(late)).succeeded).toBe(false)
      expect((await kv.txn({ ...late, if: [held.isMine] })).succeeded).toBe(true)
      await vi.waitFor(() => expect(old.lost.aborted).toBe(true), 10_000)
    })

    test('a session that ends takes its place in the queue with it', async () => {
      const name = freshName()
      await using held = await lock(await session(), name)
      const brief = await session()
      const waiting = lock(brief, name)
      await waitingBelow(name, 2)
      await brief.close()
      await expect(waiting).rejects.toMatchObject({ code: 'LOCK_LOST' })
      await waitingBelow(name, 1)
      expect(held.lost.aborted).toBe(false)
    })

    test('readers hold a lock together, a writer alone, and who came first goes first', async () => {
      const name = freshName()
      const [a, b, c, d] = [await session(), await session(), await session(), await session()]
      const readers = [await readLock(a, name), await readLock(b, name)]
      const writing = writeLock(c, name)
      const writer = track(writing)
      await waitingBelow(name, 3)
      const readingLate = readLock(d, name)
      const late = track(readingLate)
      await waitingBelow(name, 4)
      await readers[0]?.release()
      await kv.get(name)
      expect([writer.isSettled(), late.isSettled()]).toEqual([false, false])
      await readers[1]?.release()
      const written = await writing
      expect(late.isSettled()).toBe(false)
      await written.release()
      await (await readingLate).release()
    })

    test('a semaphore has so many permits and no more', async () => {
      const name = freshName()
      let holders = 0
      let most = 0
      const work = async (): Promise<void> => {
        await using permit = await acquirePermit(await session(), name, 3)
        most = Math.max(most, ++holders)
        await kv.put(`${name}-work`, String(permit.token))
        holders--
      }
      await Promise.all(Array.from({ length: 10 }, work))
      expect(most).toBeLessThanOrEqual(3)
      expect(holders).toBe(0)
      await expect(acquirePermit(await session(), name, 0)).rejects.toThrow(RangeError)
    })
  })

  describe('elections', () => {
    test('the first candidate leads, is observed, and hands on by resigning', async () => {
      const name = freshName()
      expect(await currentLeader(kv, name)).toBeUndefined()
      const over = new AbortController()
      const seen: string[] = []
      const observing = (async () => {
        for await (const leader of observeLeader(kv, name, over.signal)) {
          seen.push(textOf(leader.value) ?? '')
        }
      })()
      const first = await campaign(await session(), name, 'first')
      await vi.waitFor(() => expect(seen).toEqual(['first']))
      const winning = campaign(await session(), name, 'second')
      await waitingBelow(name, 2)
      await first.proclaim('still first')
      await vi.waitFor(() => expect(seen).toEqual(['first', 'still first']))
      await first.resign()
      await using second = await winning
      await vi.waitFor(() => expect(seen).toEqual(['first', 'still first', 'second']))
      expect(textOf((await currentLeader(kv, name))?.value)).toBe('second')
      expect(second.token).toBeGreaterThan(first.token)
      await expect(first.proclaim('too late')).rejects.toMatchObject({
        code: 'ELECTION_NOT_LEADER',
      })
      over.abort()
      await expect(observing).rejects.toMatchObject({ code: 'ABORTED' })
    })

    test('when the leader is killed the next one leads, and who stays candidate leads again', async () => {
      const name = freshName()
      const mortal = mortalKv(kv)
      const dead = await session(mortal.kv, 2)
      await campaign(dead, name, 'dead')
      const over = new AbortController()
      const terms: number[] = []
      const staying = stayCandidate(
        kv,
        { name, value: 'heir', signal: over.signal },
        async ({ token, resign }) => {
          terms.push(token)
          if (terms.length === 1) await resign()
          else over.abort()
        },
      )
      await waitingBelow(name, 2)
      mortal.kill()
      await staying
      expect(terms).toHaveLength(2)
      expect(terms[1]).toBeGreaterThan(terms[0] ?? 0)
      await waitingBelow(name, 0)
    })
  })

  describe('barriers', () => {
    test('who waits at a barrier goes on when it is lowered, or when its session ends', async () => {
      const name = freshName()
      await waitAtBarrier(kv, name)
      expect(await raiseBarrier(kv, name)).toBe(true)
      expect(await raiseBarrier(kv, name)).toBe(false)
      const waiting = track(waitAtBarrier(kv, name))
      await kv.put(name, 'changed')
      expect(waiting.isSettled()).toBe(false)
      await lowerBarrier(kv, name)
      await vi.waitFor(() => expect(waiting.isSettled()).toBe(true))
      const own = await session()
      await raiseBarrier(kv, name, { session: own })
      const second = waitAtBarrier(kv, name)
      await own.close()
      await second
    })

    test('a double barrier lets all in together and out together, again and again', async () => {
      const name = freshName()
      for (let round = 0; round < 2; round++) {
        const all = [await session(), await session(), await session()]
        const entering = all.slice(0, 2).map((each) => enterTogether(each, name, 3))
        const early = track(Promise.race(entering))
        await waitingBelow(`${name}/waiters`, 2)
        expect(early.isSettled()).toBe(false)
        const last = all[2]
        if (last === undefined) throw new Error('three sessions')
        const inside = await Promise.all([...entering, enterTogether(last, name, 3)])
        const leaving = inside.slice(0, 2).map((each) => each.leave())
        const out = track(Promise.race(leaving))
        await waitingBelow(`${name}/waiters`, 1)
        expect(out.isSettled()).toBe(false)
        await Promise.all([...leaving, inside[2]?.leave()])
        expect((await kv.range({ prefix: `${name}/` })).count).toBe(0)
      }
    })
  })

  describe('queues', () => {
    test('items come out in order, each once, also to consumers who wait', async () => {
      const queue = new Queue(kv, freshName())
      const waiting = queue.take()
      await queue.push('early')
      expect(textOf((await waiting).value)).toBe('early')
      for (let i = 0; i < 20; i++) await queue.push(`item ${i}`)
      const one = [textOf((await queue.take()).value), textOf((await queue.take()).value)]
      expect(one).toEqual(['item 0', 'item 1'])
      const rest = await Promise.all(Array.from({ length: 18 }, () => queue.take()))
      const values = rest.map(({ value }) => textOf(value))
      expect(new Set(values).size).toBe(18)
      expect(await queue.size()).toBe(0)
    })

    test('urgent items come first', async () => {
      const queue = new Queue(kv, freshName())
      for (const priority of [500, 3, 65_535, 3, 0]) await queue.push('x', { priority })
      const priorities = []
      while ((await queue.size()) > 0) priorities.push((await queue.take()).priority)
      expect(priorities).toEqual([0, 3, 3, 500, 65_535])
      await expect(queue.push('x', { priority: 65_536 })).rejects.toThrow(RangeError)
    })

    test('a claimed item comes back when its consumer is killed, and is gone when it is done', async () => {
      const queue = new Queue(kv, freshName())
      await queue.push('work')
      await queue.push('more')
      const mortal = mortalKv(kv)
      const dead = await session(mortal.kv, 2)
      const lost = await new Queue(mortal.kv, 'unused').size()
      expect(lost).toBe(0)
      const claimed = await queue.claim(dead)
      const own = await session()
      const second = await queue.claim(own)
      expect([textOf(claimed.value), textOf(second.value)]).toEqual(['work', 'more'])
      const third = queue.claim(own)
      mortal.kill()
      const again = await third
      expect(textOf(again.value)).toBe('work')
      expect(await claimed.done()).toBe(false)
      expect([await again.done(), await second.done()]).toEqual([true, true])
      expect(await queue.size()).toBe(0)
    })
  })

  describe('transactions', () => {
    const isolations = ['serializableSnapshot', 'serializable', 'repeatableReads'] as const
    test.each(isolations)('no increment is lost under %s', async (isolation: Isolation) => {
      const key = freshName()
      const increment = async (): Promise<void> => {
        for (let i = 0; i < 5; i++) {
          await transact(
            kv,
            async (tx) => tx.put(key, String(Number(textOf(await tx.get(key)) ?? 0) + 1)),
            { isolation },
          )
        }
      }
      await Promise.all(Array.from({ length: 4 }, increment))
      expect(textOf((await kv.get(key))?.value)).toBe('20')
    })

    test('money moves between accounts and none is made', async () => {
      const name = freshName()
      const accounts = Array.from({ length: 5 }, (_, i) => `${name}/${i}`)
      for (const account of accounts) await kv.put(account, '100')
      const move = async (seed: number): Promise<void> => {
        for (let i = 0; i < 5; i++) {
          const from = accounts[(seed + i) % 5] ?? ''
          const to = accounts[(seed * 3 + i * 2 + 1) % 5] ?? ''
          await transact(kv, async (tx) => {
            const amount = Number(textOf(await tx.get(from)))
            tx.put(from, String(amount - 7))
            tx.put(to, String(Number(textOf(await tx.get(to))) + 7))
          })
        }
      }
      await Promise.all([1, 2, 3].map(move))
      const { pairs } = await kv.range({ prefix: `${name}/` })
      const total = pairs.reduce((sum, pair) => sum + Number(textOf(pair.value)), 0)
      expect(total).toBe(500)
    })

    test('reads are of one revision, see own writes, and run again when another wrote', async () => {
      const [a, b] = [freshName(), freshName()]
      await kv.put(a, '1')
      await kv.put(b, '1')
      const seen: unknown[] = []
      const { attempts } = await transact(kv, async (tx) => {
        const first = textOf(await tx.get(a))
        if (seen.length === 0) {
          await kv.txn({
            then: [
              { op: 'put', key: a, value: '2' },
              { op: 'put', key: b, value: '2' },
            ],
          })
        }
        seen.push([first, textOf(await tx.get(b))])
        tx.put(a, 'mine')
        tx.delete(b)
        seen.push([textOf(await tx.get(a)), textOf(await tx.get(b))])
      })
      expect(attempts).toBe(2)
      expect(seen).toEqual([
        ['1', '1'],
        ['mine', undefined],
        ['2', '2'],
        ['mine', undefined],
      ])
      expect([textOf((await kv.get(a))?.value), await kv.get(b)]).toEqual(['mine', undefined])
    })

    test('write skew is possible below serializable snapshots of what is written, and lost updates only with readCommitted', async () => {
      const key = freshName()
      await kv.put(key, '0')
      const race = (isolation: Isolation): Promise<{ attempts: number }> => {
        let isFirst = true
        return transact(
          kv,
          async (tx) => {
            const value = Number(textOf(await tx.get(key)))
            if (isFirst) await kv.put(key, String(value + 100))
            isFirst = false
            tx.put(key, String(value + 1))
          },
          { isolation },
        )
      }
      expect((await race('readCommitted')).attempts).toBe(1)
      expect(textOf((await kv.get(key))?.value)).toBe('1')
      expect((await race('repeatableReads')).attempts).toBe(2)
      expect(textOf((await kv.get(key))?.value)).toBe('102')
      let isFirst = true
      const blind = freshName()
      const { attempts } = await transact(kv, async (tx) => {
        await tx.get(key)
        if (isFirst) await kv.put(blind, 'by another')
        isFirst = false
        tx.put(blind, 'mine')
      })
      expect(attempts).toBe(2)
    })

    test('what the function throws leaves everything as it was; endless conflicts end', async () => {
      const key = freshName()
      await kv.put(key, '1')
      const failing = transact(kv, (tx) => {
        tx.put(key, '2')
        return Promise.reject(new Error('no'))
      })
      await expect(failing).rejects.toThrow('no')
      const hopeless = transact(
        kv,
        async (tx) => {
          const old = textOf(await tx.get(key))
          await kv.put(key, `${old}x`)
          tx.put(key, 'never')
        },
        { attemptsMax: 3 },
      )
      await expect(hopeless).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' })
      expect(textOf((await kv.get(key))?.value)).toBe('1xxx')
    })
  })

  describe('views and discovery', () => {
    test('a view holds a prefix, follows it, and says what changed', async () => {
      const prefix = `${freshName()}/`
      for (let i = 0; i < 5; i++) await kv.put(`${prefix}${i}`, JSON.stringify({ i }))
      const changes: string[] = []
      await using view = await openView(kv, prefix, json<{ i: number }>(), {
        onChange: ({ key, entry, old }) =>
          changes.push(`${key} ${String(old?.value.i)} ${String(entry?.value.i)}`),
      })
      expect([view.size, view.get('3')?.value]).toEqual([5, { i: 3 }])
      await kv.put(`${prefix}3`, JSON.stringify({ i: 33 }))
      await kv.delete(`${prefix}4`)
      const { revision } = await kv.put(`${prefix}new`, JSON.stringify({ i: 9 }))
      await view.reached(revision)
      expect([...view.entries()].map(({ value }) => value.i)).toEqual([0, 1, 2, 33, 9])
      expect(changes.slice(5)).toEqual(['3 3 33', '4 4 undefined', 'new undefined 9'])
    })

    test('a value the codec cannot read ends the view and says so', async () => {
      const prefix = `${freshName()}/`
      await using view = await openView(kv, prefix, json<number>())
      const { revision } = await kv.put(`${prefix}bad`, 'no JSON')
      await expect(view.reached(revision + 1)).rejects.toThrow('JSON')
      expect(view.failure?.message).toContain('JSON')
    })

    test('instances are discovered while they live', async () => {
      const service = freshName()
      await using view = await discover(kv, service)
      const addresses = (): string[] => [...view.entries()].map(({ value }) => value.address)
      const mortal = mortalKv(kv)
      const dying = await register(await session(mortal.kv, 2), service, { address: 'a:1' })
      await using stable = await register(await session(), service, { address: 'b:1' })
      await vi.waitFor(() => expect(addresses()).toEqual(['a:1', 'b:1']))
      await stable.update({ address: 'b:2', metadata: { zone: 'north' } })
      await vi.waitFor(() => expect(addresses()).toEqual(['a:1', 'b:2']))
      mortal.kill()
      await vi.waitFor(() => expect(addresses()).toEqual(['b:2']), 20_000)
      await vi.waitFor(() => expect(dying.lost.aborted).toBe(true), 10_000)
      await stable.withdraw()
      await vi.waitFor(() => expect(addresses()).toEqual([]))
      await expect(stable.update({ address: 'ghost' })).rejects.toMatchObject({ code: 'LOCK_LOST' })
    })
  })
}
