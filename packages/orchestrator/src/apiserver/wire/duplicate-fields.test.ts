import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Json } from '../../resources/object.ts'
import { duplicateFields, fieldProblems } from './duplicate-fields.ts'

const found = (text: string): string[] =>
  duplicateFields(Buffer.from(text), JSON.parse(text) as Json)

test.each([
  ['{"data":{"a":"1","b":"2","a":"3"}}', ['data.a']],
  [
    '{"spec":{"containers":[{"name":"a"},{"image":"i","image":"j"}]},"spec":1}',
    ['spec.containers[1].image', 'spec'],
  ],
  [String.raw`{"a\"b":1,"a\"b" : 2,"x":"{\"x\":1,\"x\":2}"}`, ['a"b']],
  ['{"a":"a","b":["a","a"],"c":{"a":{}}}', []],
  ['{"__proto__":1,"a":{"__proto__":2}}', []],
])('%s names twice: %j', (text, paths) => {
  expect(found(text)).toEqual(paths)
})

test('what was written from a value names nothing twice, however deep it is', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), (text) => {
      expect(found(text)).toEqual([])
    }),
    { seed: 20_261_121 },
  )
  const deep = `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`
  expect(found(deep)).toEqual([])
})

test('what is unknown and what is there twice is told in the order of the text', () => {
  const text = '{"spec":{"nope":1,"replicas":2,"list":[{"x":1}],"replicas":3},"other":0}'
  const unknown = ['other', 'spec.list[0].x', 'spec.nope']
  expect(fieldProblems(Buffer.from(text), JSON.parse(text) as Json, unknown)).toEqual([
    'unknown field "spec.nope"',
    'unknown field "spec.list[0].x"',
    'duplicate field "spec.replicas"',
    'unknown field "other"',
  ])
})
