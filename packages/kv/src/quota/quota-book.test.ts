import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { stranger, type Caller } from '../auth/caller.ts'
import { MemoryBackend } from '../backend/memory-backend.ts'
import { Lessor } from '../lease/lessor.ts'
import { keyRange } from '../mvcc/key-range.ts'
import { MvccStore } from '../mvcc/store.ts'
import type { PutRequest, RequestOp } from '../proto/messages.ts'
import { PlannedWrite } from './planned-write.ts'
import { QuotaBook } from './quota-book.ts'
import type { QuotaRule } from './quota-rule.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)
const put = (key: string, value: string): PutRequest => {
  const flags = { prevKv: false, ignoreValue: false, ignoreLease: false }
  return { key: bytes(key), value: bytes(value), lease: 0n, ...flags }
}
const rule = (of: Partial<QuotaRule> & { of?: string }): QuotaRule => {
  const { of: prefix = '', ...limits } = of
  const none = { user: '', keysMax: 0, sizeBytesMax: 0, writesPerSecondMax: 0 }
  return { prefix: bytes(prefix), ...none, ...limits }
}
const putOp = (key: string, value: string): RequestOp => ({ type: 'put', request: put(key, value) })

class World {
  readonly backend = new MemoryBackend()
  readonly store = new MvccStore(this.backend, new Lessor(this.backend, 1))
  readonly book = new QuotaBook(this.backend)

  write(change: () => void, caller: Caller = stranger, nowMs = 0): void {
    this.store.beginWrite()
    change()
    this.book.wrote(this.store.endWrite(), caller, this.store, nowMs)
  }

  put(key: string, value: string): void {
    this.write(() => this.store.put(put(key, value)))
  }

  /** What a write of these would be refused with. */
  refusal(ops: readonly RequestOp[], caller: Caller = stranger, nowMs = 0): unknown {
    try {
      this.book.admit(new PlannedWrite(ops, this.store), caller, nowMs)()
      return undefined
    } catch (reason) {
      return reason
    }
  }
}

const key = fc.constantFrom('a', 'a/1', 'a/2', 'a/2/x', 'a/2/y', 'b', 'b/1', 'é', '\u{ff}\u{ff}')
const value = fc.string({ maxLength: 20 })
const change = fc.oneof(
  fc.record({ do: fc.constant('put' as const), key, value }),
  fc.record({ do: fc.constant('delete' as const), key, end: fc.constantFrom('', 'a0', '\0') }),
  fc.record({ do: fc.constant('deleteAndPut' as const), key, value }),
  fc.record({ do: fc.constant('count' as const), keysMax: fc.nat(2) }),
  fc.record({ do: fc.constant('rule' as const), prefix: fc.constantFrom('', 'a', 'a/', 'a/2') }),
)

test('what is used is what a count from the beginning finds, whatever was written while it was counted', () => {
  const check = fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
    const world = new World()
    const { book, store } = world
    for (const one of changes) {
      if (one.do === 'rule') book.set(rule({ of: one.prefix, keysMax: 1, sizeBytesMax: 1 }), 0)
      else if (one.do === 'count') book.count(store, one.keysMax)
      else {
        world.write(() => {
          const end = one.do === 'delete' ? one.end : ''
          if (one.do !== 'put') store.delete(keyRange(bytes(one.key), bytes(end)), false)
          if (one.do !== 'delete') store.put(put(one.key, one.value))
        })
      }
    }
    while (!book.count(store, 100)) expect(book.size).toBeGreaterThan(0)
    for (const use of book.list()) {
      const fresh = new QuotaBook(new MemoryBackend())
      fresh.set(use.rule, 0)
      fresh.count(store, Infinity)
      expect([use.isCounted, use.used]).toEqual([true, fresh.list()[0]?.used])
    }
  })
  fc.assert(check, { seed: 20_261_121, numRuns: 400 })
})

test('a write that needs more than is left is refused, one that needs less than before is not', () => {
  const world = new World()
  world.put('a/1', 'xxxx')
  world.book.set(rule({ of: 'a/', keysMax: 2, sizeBytesMax: 15 }), 0)
  world.book.count(world.store, 100)
  world.put('a/2', 'xxxx')
  expect(world.refusal([putOp('a/3', '')])).toMatchObject({
    code: 'QUOTA_EXCEEDED',
    message: 'balsa: quota exceeded: prefix "a/" may have 2 keys and has 2',
  })
  expect(world.refusal([putOp('a/2', 'xxxxxx')])).toMatchObject({
    message: 'balsa: quota exceeded: prefix "a/" may have 15 bytes and has 14',
  })
  expect(world.refusal([putOp('a/2', 'x')])).toBeUndefined()
  expect(world.refusal([putOp('b', 'anything that is longer')])).toBeUndefined()
  expect(world.refusal([{ type: 'deleteRange', request: deleteAll }])).toBeUndefined()
  world.write(() => world.store.delete({ from: 'a/1', to: 'a/2' }, false))
  expect(world.refusal([putOp('a/3', '')])).toBeUndefined()
})
const deleteAll = { key: new Uint8Array(1), rangeEnd: new Uint8Array(1), prevKv: false }

test('a transaction needs what its dearer branch needs', () => {
  const world = new World()
  world.book.set(rule({ keysMax: 2 }), 0)
  world.book.count(world.store, 100)
  const txn = (...success: string[]): RequestOp => {
    const ops = success.map((name) => putOp(name, ''))
    return { type: 'txn', request: { compare: [], success: ops, failure: [putOp('z', '')] } }
  }
  expect(world.refusal([txn('a', 'b')])).toBeUndefined()
  expect(world.refusal([txn('a', 'b', 'c')])).toMatchObject({ code: 'QUOTA_EXCEEDED' })
  expect(world.refusal([txn('a', 'b'), putOp('c', '')])).toMatchObject({ code: 'QUOTA_EXCEEDED' })
})

test('what is under way counts until its fate is known', () => {
  const world = new World()
  world.book.set(rule({ keysMax: 1 }), 0)
  world.book.count(world.store, 100)
  const release = world.book.admit(new PlannedWrite([putOp('a', '')], world.store), stranger, 0)
  expect(world.refusal([putOp('b', '')])).toMatchObject({ code: 'QUOTA_EXCEEDED' })
  release()
  expect(world.refusal([putOp('b', '')])).toBeUndefined()
})

test('a user writes no faster than his rate, a prefix is written no faster than its own; a debt is a second at most', () => {
  const world = new World()
  const bob: Caller = { kind: 'user', name: 'bob', revision: 1 }
  world.book.set(rule({ user: 'bob', writesPerSecondMax: 2 }), 0)
  world.book.set(rule({ of: 'a/', writesPerSecondMax: 100 }), 0)
  const write = (): void => world.write(() => world.store.put(put('b', '')), bob)
  write()
  expect(world.refusal([putOp('b', '')], bob)).toBeUndefined()
  write()
  expect(world.refusal([putOp('b', '')], bob)).toMatchObject({
    code: 'RATE_EXCEEDED',
    message: 'balsa: rate exceeded: user "bob" may write 2 times a second',
  })
  expect(world.refusal([putOp('b', '')])).toBeUndefined()
  expect(world.refusal([putOp('b', '')], bob, 500)).toBeUndefined()
  for (let i = 0; i < 1000; i++) write()
  expect(world.refusal([putOp('b', '')], bob, 1900)).toMatchObject({ code: 'RATE_EXCEEDED' })
  expect(world.refusal([putOp('b', '')], bob, 2001)).toBeUndefined()
})

test('rules that say nothing, and those beyond the most, are refused; one in place of another is not', () => {
  const { book } = new World()
  const refused = (bad: QuotaRule): void =>
    expect(() => book.set(bad, 0)).toThrow(/^balsa: bad quota: /)
  refused(rule({}))
  refused(rule({ keysMax: -1 }))
  refused(rule({ user: 'bob', keysMax: 1 }))
  refused(rule({ user: 'bob', of: 'a', writesPerSecondMax: 1 }))
  refused(rule({ of: 'a'.repeat(4097), keysMax: 1 }))
  for (let i = 0; i < 1000; i++) book.set(rule({ of: `${i}/`, keysMax: 1 }), 0)
  expect(() => book.set(rule({ of: 'a', keysMax: 1 }), 0)).toThrow('too many quotas')
  book.set(rule({ of: '7/', keysMax: 2 }), 0)
  book.remove(rule({ of: '8/' }))
  expect(() => book.remove(rule({ of: '8/' }))).toThrow('quota not found')
  expect(book.size).toBe(999)
})
