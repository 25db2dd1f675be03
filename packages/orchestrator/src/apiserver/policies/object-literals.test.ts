// Literals of objects and patches in expressions.
import { expect, test } from 'vitest'
import type { Json } from '../../resources/object.ts'
import { celEnvironment } from '../custom/cel-environment.ts'
import { compileCel } from '../custom/cel-program.ts'
import { jsonOf, PatchLiteral, registerObjectLiterals, withCalls } from './object-literals.ts'

const environment = celEnvironment(['object'])
registerObjectLiterals(environment)
const object = new Map<string, unknown>([['names', ['a', 'b']]])
const evaluate = (text: string): Json => {
  const value = compileCel(environment, withCalls(text))({ object })
  return Array.isArray(value)
    ? value.map((one) => (one instanceof PatchLiteral ? jsonOf(one.fields) : jsonOf(one)))
    : jsonOf(value)
}

test.each<[string, Json]>([
  ['Object{}', {}],
  ['Object{ spec: Object.spec{ replicas: 1 + 2 } }', { spec: { replicas: 3 } }],
  [
    'Object{metadata: Object.metadata{labels: {"Object{a: 1}": "}, b:"}}} // Object{',
    { metadata: { labels: { 'Object{a: 1}': '}, b:' } } },
  ],
  [
    'Object{spec: Object.spec{items: [Object.spec.items{name: "a", ?b: object.?none}, Object.spec.items{`x-y`: true}]}}',
    { spec: { items: [{ name: 'a' }, { 'x-y': true }] } },
  ],
  [
    'object.names.map(n, JSONPatch{op: "remove", path: "/x/" + jsonpatch.escapeKey(n + "/~")})',
    [
      { op: 'remove', path: '/x/a~1~0' },
      { op: 'remove', path: '/x/b~1~0' },
    ],
  ],
])('%s', (text, value) => {
  expect(evaluate(text)).toEqual(value)
})

test('a literal of another type than its place is refused', () => {
  expect(() => evaluate('Object{spec: Object.wrong{a: 1}}')).toThrow(
    'type mismatch: unexpected type name "Object.wrong", expected "Object.spec", which matches field name path from root Object type',
  )
})
