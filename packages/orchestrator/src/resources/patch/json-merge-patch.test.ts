import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Json } from '../object.ts'
import { applyJsonMergePatch } from './json-merge-patch.ts'
import { patchDepthMax } from './patch-result.ts'

/** The examples of RFC 7386, appendix A. */
test.each<[Json, Json, Json]>([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])('%j patched with %j is %j', (target, patch, result) => {
  expect(applyJsonMergePatch(target, patch)).toEqual({ ok: true, value: result })
})

test('a patch that names the prototype or nests too deep is refused', () => {
  const hostile = JSON.parse('{"metadata":{"__proto__":{"polluted":true}}}') as Json
  expect(applyJsonMergePatch({}, hostile)).toEqual({
    ok: false,
    message: 'patch must not name the key "__proto__"',
  })
  const nested = (levels: number): Json => (levels === 0 ? 1 : { a: nested(levels - 1) })
  expect(applyJsonMergePatch({}, nested(patchDepthMax))).toMatchObject({ ok: true })
  expect(applyJsonMergePatch({}, nested(patchDepthMax + 1))).toMatchObject({ ok: false })
})

test('applied twice a patch changes nothing more, and the target is never changed', () => {
  const json = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>
  fc.assert(
    fc.property(json, json, (target, patch) => {
      const before = JSON.stringify(target)
      const once = applyJsonMergePatch(target, patch)
      expect(JSON.stringify(target)).toBe(before)
      if (once.ok) expect(applyJsonMergePatch(once.value, patch)).toEqual(once)
      else expect(once.message).toContain('__proto__')
    }),
    { seed: 6, numRuns: 500 },
  )
})
