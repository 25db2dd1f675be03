import { assert, jsonValue, property } from 'fast-check'
import { expect, test } from 'vitest'
import type { Json } from '../object.ts'
import { parseJsonPath, valuesAt } from './json-path.ts'
import type { JsonSchema } from './json-schema.ts'
import { prune, withDefaults } from './prune.ts'
import { validateStructure } from './validate-structure.ts'
import { validateValue } from './validate-value.ts'
import { formatProblem } from './formats.ts'

const schema: JsonSchema = {
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['domain'],
      properties: {
        domain: { type: 'string', pattern: '^[a-z.]+$', minLength: 3, maxLength: 20 },
        replicas: { type: 'integer', minimum: 0, maximum: 10, default: 2 },
        mode: { type: 'string', enum: ['fast', 'slow'] },
        ports: {
          type: 'array',
          maxItems: 2,
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            required: ['name'],
            properties: { name: { type: 'string' }, port: { type: 'integer', default: 80 } },
          },
        },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        limit: { 'x-kubernetes-int-or-string': true },
        note: { type: 'string', nullable: true, default: 'none' },
      },
    },
  },
}
const problems = (value: Json): string[] =>
  validateValue(schema, value, '').map(({ field, message }) => `${field}: ${message}`)

test('a structural schema of every feature is taken, and each thing that makes it none is named', () => {
  expect(validateStructure(schema, 's')).toEqual([])
  const texts = (one: JsonSchema): string[] =>
    validateStructure(one, 's').map(({ field, message }) => `${field}: ${message}`)
  expect(texts({ type: 'string' })).toEqual([
    's.type: Invalid value: "string": must be object at the root',
  ])
  expect(
    texts({ type: 'object', properties: { a: {}, b: { type: 'array' }, c: { type: 'what' } } }),
  ).toEqual([
    's.properties[a].type: Required value: must not be empty for specified object fields',
    's.properties[b].items: Required value: must be specified',
    's.properties[c].type: Unsupported value: "what": supported values: "array", "boolean", "integer", "number", "object", "string"',
  ])
  expect(
    texts({
      type: 'object',
      properties: { a: { type: 'integer', default: 'x' }, b: { type: 'string', pattern: '(' } },
    }),
  ).toEqual([
    's.properties[a].default: Invalid value: "string":  in body must be of type integer: "string"'.replace(
      ':  in',
      ': in',
    ),
    's.properties[b].pattern: Invalid value: "(": must be a valid regular expression, but isn\'t: error parsing regexp: missing closing ): `(`',
  ])
})

test('unknown fields are dropped and named, free ones and maps are kept', () => {
  const { value, unknownFields } = prune(schema, {
    apiVersion: 'v1',
    kind: 'X',
    metadata: { name: 'a' },
    other: 1,
    spec: {
      domain: 'a',
      foo: { bar: 1 },
      ports: [{ name: 'a', what: 1 }],
      free: { any: { thing: 1 } },
      labels: { a: 'b' },
    },
  })
  expect(unknownFields).toEqual(['other', 'spec.foo', 'spec.ports[0].what'])
  expect(value).toEqual({
    apiVersion: 'v1',
    kind: 'X',
    metadata: { name: 'a' },
    spec: { domain: 'a', ports: [{ name: 'a' }], free: { any: { thing: 1 } }, labels: { a: 'b' } },
  })
})

test('defaults fill what is missing, also in items of lists, and nulls that may not be', () => {
  expect(
    withDefaults(schema, { spec: { replicas: null, note: null, ports: [{ name: 'a' }] } }),
  ).toEqual({
    spec: { replicas: 2, note: null, ports: [{ name: 'a', port: 80 }] },
  })
  expect(withDefaults(schema, {})).toEqual({})
})

test('what a value is not is told with its path in words of upstream', () => {
  expect(problems({ spec: { domain: 'abc', limit: '10%', labels: { 'a/b': 'c' } } })).toEqual([])
  expect(problems({})).toEqual(['spec: Required value'])
  expect(
    problems({
      spec: {
        domain: 'A',
        replicas: 11,
        mode: 'x',
        limit: true,
        labels: { 'a/b': 1 },
        ports: [{ name: 'a' }, { name: 'a' }, {}],
      },
    }),
  ).toEqual([
    'spec.domain: Invalid value: "A": spec.domain in body should be at least 3 chars long',
    `spec.domain: Invalid value: "A": spec.domain in body should match '^[a-z.]+$'`,
    'spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10',
    'spec.mode: Unsupported value: "x": supported values: "fast", "slow"',
    'spec.limit: Invalid value: "boolean": spec.limit in body must be of type integer,string: "boolean"',
    'spec.labels[a/b]: Invalid value: "integer": spec.labels[a/b] in body must be of type string: "integer"',
    'spec.ports: Too many: 3: must have at most 2 items',
    'spec.ports[1]: Duplicate value: {"name":"a"}',
    'spec.ports[2].name: Required value',
  ])
  const either: JsonSchema = { oneOf: [{ required: ['a'] }, { required: ['b'] }] }
  expect(validateValue(either, { a: 1 }, 'x')).toEqual([])
  expect(validateValue(either, { a: 1, b: 1 }, 'x')[0]?.message).toContain(
    'must validate one and only one schema (oneOf). Found 2 valid alternatives',
  )
})

test('formats: right ones pass, wrong ones do not, unknown ones are words', () => {
  const right = [
    ['ipv4', '1.2.3.4'],
    ['ipv6', '::1'],
    ['ipv6', 'fe80::1:2'],
    ['ipv6', '1:2:3:4:5:6:1.2.3.4'],
    ['cidr', '10.0.0.0/8'],
    ['date-time', '2020-01-02T03:04:05Z'],
    ['duration', '1h30m'],
    ['uuid', '8e1d95ce-2a9a-478d-94ce-174d22517b7f'],
    ['int64', 'anything'],
  ] as const
  const wrong = [
    ['ipv4', '1.2.3'],
    ['ipv4', '256.1.1.1'],
    ['ipv6', '1::2::3'],
    ['ipv6', '1:2:3'],
    ['cidr', '10.0.0.0/33'],
    ['date-time', '2020-13-02T03:04:05Z'],
    ['duration', '1x'],
    ['mac', '00:11:22:33:44'],
  ] as const
  for (const [format, text] of right) expect(formatProblem(format, text), text).toBeUndefined()
  for (const [format, text] of wrong) expect(formatProblem(format, text), text).toBeDefined()
})

test('paths of columns find members, items, all, and the item with a field', () => {
  const object: Json = {
    spec: {
      a: { 'b.c': 1 },
      list: [
        { n: 'x', v: 1 },
        { n: 'y', v: 2 },
      ],
    },
  }
  const at = (path: string): readonly Json[] | undefined => {
    const parsed = parseJsonPath(path)
    return parsed && valuesAt(object, parsed)
  }
  expect(at('.spec.list[1].v')).toEqual([2])
  expect(at('.spec.list[-1].n')).toEqual(['y'])
  expect(at('.spec.list[*].n')).toEqual(['x', 'y'])
  expect(at('.spec.list[?(@.n=="y")].v')).toEqual([2])
  expect(at('.spec.list[?(@.v==1)].n')).toEqual(['x'])
  expect(at(".spec.a['b.c']")).toEqual([1])
  expect(at(String.raw`.spec.a.b\.c`)).toEqual([1])
  expect(at('.nothing.here')).toEqual([])
  expect(at('spec')).toBeUndefined()
  expect(at('.spec[')).toBeUndefined()
})

test('any JSON is pruned, defaulted and checked without an error of ours, and pruning twice changes nothing', () => {
  assert(
    property(jsonValue(), (any) => {
      const value = { spec: any } as Json
      const pruned = withDefaults(schema, prune(schema, value).value)
      validateValue(schema, pruned, '')
      const again = prune(schema, pruned)
      expect(again.unknownFields).toEqual([])
      expect(withDefaults(schema, again.value)).toEqual(pruned)
    }),
  )
})

test('an update may leave wrong what it does not touch', () => {
  const strict: JsonSchema = {
    type: 'object',
    properties: {
      name: { type: 'string', pattern: '^[a-z]+$' },
      count: { type: 'integer', maximum: 3 },
      tags: { type: 'array', items: { type: 'string', maxLength: 2 } },
      parts: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['id'],
        items: {
          type: 'object',
          properties: { id: { type: 'string' }, size: { type: 'integer', minimum: 1 } },
        },
      },
    },
    required: ['owner'],
  }
  const before = { name: 'OLD', count: 9, tags: ['long'], parts: [{ id: 'a', size: 0 }] }
  const fields = (value: Json): string[] =>
    validateValue(strict, value, '', before).map(({ field }) => field)
  expect(fields(before)).toEqual([])
  // What is wrong about the object itself is judged when it changes in any way.
  expect(fields({ ...before, count: 8 })).toEqual(['owner', 'count'])
  expect(fields({ ...before, owner: 'me', tags: ['long', 'longer'] })).toEqual([
    'tags[0]',
    'tags[1]',
  ])
  const parts = [
    { id: 'b', size: 0 },
    { id: 'a', size: 0 },
  ]
  expect(fields({ ...before, owner: 'me', parts })).toEqual(['parts[0].size'])
  expect(fields({ ...before, owner: 'me', name: 'ok', count: 2 })).toEqual([])
})
