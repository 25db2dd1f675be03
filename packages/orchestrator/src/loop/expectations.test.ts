import { expect, test } from 'vitest'
import { podOf } from '../controllers/testing/objects.ts'
import { podType } from '../resources/pod.ts'
import {
  Expectations,
  collectionName,
  expectationTimeoutMs,
  type SeenView,
} from './expectations.ts'

const view = { seenResourceVersion: '5', get: () => podOf('p') } satisfies SeenView
const expectations = (seen: SeenView): Expectations =>
  new Expectations(new Map([[collectionName(podType), seen]]))

test('a write is waited for until the cache has passed it', () => {
  const seen = { ...view }
  const waiting = expectations(seen)
  waiting.wrote('k', podType, '6', 0)
  expect([waiting.isSatisfied('k', 1), waiting.isSatisfied('other', 1)]).toEqual([false, true])
  seen.seenResourceVersion = '6'
  expect(waiting.isSatisfied('k', 2)).toBe(true)
})

test('a deletion is waited for until the object is gone, going, or another', () => {
  const target = { ref: podType, namespace: 'default', name: 'p', uid: 'uid-p' }
  const isSatisfied = (get: SeenView['get']): boolean => {
    const waiting = expectations({ ...view, get })
    waiting.deleted('k', target, 0)
    return waiting.isSatisfied('k', 1)
  }
  expect(isSatisfied(() => podOf('p'))).toBe(false)
  expect(isSatisfied(() => undefined)).toBe(true)
  expect(isSatisfied(() => podOf('p', { metadata: { uid: 'new' } }))).toBe(true)
  expect(
    isSatisfied(() => podOf('p', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })),
  ).toBe(true)
})

test('after five minutes the cache is trusted again', () => {
  const waiting = expectations(view)
  waiting.wrote('k', podType, '6', 0)
  expect(waiting.isSatisfied('k', expectationTimeoutMs - 1)).toBe(false)
  expect(waiting.isSatisfied('k', expectationTimeoutMs)).toBe(true)
})
