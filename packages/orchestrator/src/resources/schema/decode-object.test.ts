import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { deploymentType, leaseType, podType, resourceTypes, secretType } from '../index.ts'
import type { Json, ResourceType } from '../object.ts'
import { fromStored, toStored } from '../served-version.ts'
import { decodeObject, strictDecodingMessage } from './decode-object.ts'
import { wrongTypes } from './testing/wrong-types.ts'
import { allMessages, messageOfKind } from './messages.ts'
import type { Field, FieldType, Message, ScalarType } from './messages.ts'

const decoded = (value: Json) => {
  const result = decodeObject(podType, value)
  if (!result.ok) throw new Error(result.message)
  return result
}
const problem = (type: (typeof resourceTypes)[number], value: Json): string => {
  const result = decodeObject(type, value)
  return result.ok ? 'no problem' : result.message
}

test('every kind has its message', () => {
  expect(resourceTypes.filter((type) => messageOfKind(type) === undefined)).toEqual([])
})

test('absent and null fields that are always there get their zero value', () => {
  expect(decoded({ kind: 'Pod', spec: { containers: [{ name: null }] }, status: null })).toEqual({
    ok: true,
    object: {
      kind: 'Pod',
      metadata: {},
      spec: { containers: [{ name: '', resources: {} }] },
      status: {},
    },
    unknownFields: [],
  })
})

test('unknown fields are dropped and named with their path', () => {
  const result = decoded({
    spec: { containers: [{ name: 'c', imag: 'x' }], replicas: 1 },
    'data-x': 1,
  })
  expect(result.unknownFields).toEqual(['spec.containers[0].imag', 'spec.replicas', 'data-x'])
  expect(result.object.spec).toEqual({ containers: [{ name: 'c', resources: {} }] })
  expect(strictDecodingMessage(podType, ['unknown field "spec.x"', 'unknown field "spec.y"'])).toBe(
    'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.x", unknown field "spec.y"',
  )
})

test('unknown fields are named up to a limit', () => {
  const fields = (count: number): Json =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`x${index}`, 1]))
  expect(decoded(fields(20)).unknownFields).toHaveLength(20)
  expect(decoded(fields(21)).unknownFields).toHaveLength(20)
})

test('quantities become canonical text, numbers among them too', () => {
  const { object } = decoded({
    spec: {
      containers: [{ resources: { limits: { cpu: 0.5, memory: '1024Mi', pods: 3 } } }],
    },
  })
  expect(object.spec.containers[0]?.resources.limits).toEqual({
    cpu: '500m',
    memory: '1Gi',
    pods: '3',
  })
})

test('times become UTC, bytes lose their line ends, empty texts are none', () => {
  const creationTimestamp = '2026-11-21T12:00:00.75+02:00'
  const lease = decodeObject(leaseType, {
    metadata: { creationTimestamp, name: '' },
    spec: { renewTime: '2026-11-21T10:00:00.1234567Z', acquireTime: '2026-11-21T10:00:00Z' },
  })
  expect(lease).toMatchObject({
    object: {
      metadata: { creationTimestamp: '2026-11-21T10:00:00Z' },
      spec: {
        renewTime: '2026-11-21T10:00:00.123456Z',
        acquireTime: '2026-11-21T10:00:00.000000Z',
      },
    },
  })
  expect(lease).not.toHaveProperty('object.metadata.name')
  expect(decodeObject(secretType, { data: { a: 'YW\nJj' } })).toMatchObject({
    object: { data: { a: 'YWJj' } },
  })
})

test.each(wrongTypes)('%j is refused', (value, text) => {
  expect(problem(deploymentType, value)).toBe(
    `Deployment in version "v1" cannot be handled as a Deployment: ${text}`,
  )
})

test('bytes must be base64, and an object an object', () => {
  expect(problem(secretType, { data: { a: 'e~g=' } })).toBe(
    'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 1',
  )
  expect(problem(podType, ['x'])).toBe(
    'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal array into Go value of type v1.Pod',
  )
})

test('managed fields may hold any JSON, but not endlessly deep', () => {
  let deep: Json = {}
  for (let level = 0; level < 200; level++) deep = { x: deep }
  expect(problem(podType, { metadata: { managedFields: [{ fieldsV1: { 'f:a': {} } }] } })).toBe(
    'no problem',
  )
  expect(problem(podType, { metadata: { managedFields: [{ fieldsV1: deep }] } })).toContain(
    'exceeded max depth',
  )
})

/** A whole life: created, updated, printed. Throws where a kind trips over an object. */
const live = (served: ResourceType, value: Json): boolean => {
  const result = decodeObject(served, value)
  if (!result.ok) return false
  const type = served.storage ?? served
  const defaulted = type.defaults(toStored(served, result.object))
  expect(type.defaults(defaulted)).toEqual(defaulted)
  expect(type.cells(defaulted, 0)).toHaveLength(type.columns.length)
  const created = type.prepareForCreate?.(defaulted) ?? defaulted
  const errors = [
    ...type.validate(created),
    ...(type.validateUpdate?.(created, defaulted) ?? []),
    ...(type.validateUpdate?.(defaulted, created) ?? []),
  ]
  for (const { field, message } of errors) expect(`${field}${message}`).not.toBe('')
  type.prepareForUpdate?.(defaulted, created)
  type.selectableFields?.(created)
  type.gracePeriodSeconds?.(created, undefined)
  expect(type.cells(created, 0)).toHaveLength(type.columns.length)
  const shown = JSON.parse(JSON.stringify(fromStored(served, defaulted))) as Json
  const again = decodeObject(served, shown)
  expect(again).toMatchObject({ ok: true, unknownFields: [] })
  if (again.ok && served.storage === undefined) expect(again.object).toEqual(shown)
  return true
}

test('whatever JSON comes in, nothing throws', () => {
  const key = fc.constantFrom(
    ...new Set([...allMessages()].flatMap((message) => message.fields.map(({ name }) => name))),
    '__proto__',
    'constructor',
  )
  const { value: hostile } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(key, tie('value'), { maxKeys: 6 }),
    ),
  }))
  fc.assert(
    fc.property(hostile, hostile, hostile, (metadata, spec, rest) => {
      for (const type of resourceTypes) live(type, { metadata, spec, status: rest, data: rest })
    }),
    { seed: 20_261_121, numRuns: 300 },
  )
})

test('objects with the right types and the strangest contents throw nowhere', () => {
  const random = seededRandom(77)
  const pick = <T extends Json>(items: readonly T[]): T => {
    const item = items[Math.floor(random() * items.length)]
    if (item === undefined) throw new Error('nothing to pick from')
    return item
  }
  const texts = ['', 'a', 'A b', '-', 'Always', 'Exists', 'In', 'None', '1e9', '__proto__', '25%']
  const scalars: Record<ScalarType, () => Json> = {
    string: () => pick(texts),
    bool: () => random() < 0.5,
    int32: () => pick([0, -1, 1, 80, 70_000, 2 ** 31 - 1]),
    int64: () => pick([0, -1, 30, 2 ** 40]),
    double: () => pick([0, 0.5, -1e300]),
    intOrString: () => pick<Json>([0, -5, 3, '25%', '-1%', 'http', '']),
    quantity: () => pick<Json>(['1', '-1', '500m', '1Gi', 0.1, '1e30']),
    bytes: () => pick(['', 'YQ==']),
    time: () => pick(['2026-11-21T10:00:00Z', '0001-01-01T00:00:00Z']),
    microTime: () => '2026-11-21T10:00:00.000001Z',
    strings: () => ['a', ''],
    json: () => ({ 'f:a': {} }),
    raw: () => ({ a: [1] }),
  }
  const valueOf = (type: FieldType, depth: number): Json =>
    typeof type === 'string' ? scalars[type]() : messageOf(type.message(), depth)
  const fieldOf = ({ shape, type }: Field, depth: number): Json => {
    if (shape === 'one') return valueOf(type, depth)
    const items = Array.from({ length: Math.floor(random() * 3) }, () => valueOf(type, depth))
    return shape === 'list'
      ? items
      : Object.fromEntries(items.map((item) => [pick([...texts, 'cpu', 'memory']), item]))
  }
  const messageOf = (message: Message, depth: number): Json =>
    Object.fromEntries(
      message.fields
        .filter(() => random() < (depth > 8 ? 0.05 : 0.4))
        .map((field) => [field.name, fieldOf(field, depth + 1)]),
    )
  let lived = 0
  for (let run = 0; run < 100; run++) {
    for (const type of resourceTypes) {
      const message = messageOfKind(type)
      if (message !== undefined && live(type, messageOf(message, 0))) lived++
    }
  }
  expect(lived).toBe(100 * resourceTypes.length)
})

/** Numerical Recipes' linear congruential generator: the same numbers for the same seed. */
const seededRandom = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
