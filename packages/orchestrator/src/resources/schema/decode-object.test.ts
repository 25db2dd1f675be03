import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deploymentType, podType, resourceTypes, secretType } from '../index.ts'
import type { Json } from '../object.ts'
import { apiFields } from './api-fields.ts'
import { decodeObject, strictDecodingMessage } from './decode-object.ts'
import { findMessage } from './messages.ts'

const decoded = (value: Json) => {
  const result = decodeObject(podType, value)
  if (!result.ok) throw new Error(result.message)
  return result
}
const problem = (type: (typeof resourceTypes)[number], value: Json): string => {
  const result = decodeObject(type, value)
  return result.ok ? 'no problem' : result.message
}

test('every message that the table names is in the table', () => {
  const names = [...apiFields.matchAll(/:(?:\[\]|\{\})?([A-Z]\w+)/g)].map((match) => match[1] ?? '')
  expect(names.filter((name) => findMessage(name) === undefined)).toEqual([])
})

test('every kind has its message', () => {
  expect(resourceTypes.filter((type) => findMessage(type.kind) === undefined)).toEqual([])
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
  expect(strictDecodingMessage(podType, ['spec.x', 'spec.y'])).toBe(
    'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.x", unknown field "spec.y"',
  )
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

describe('wrong types are refused as Go refuses them', () => {
  const go = (kind: string, text: string): string =>
    `${kind} in version "v1" cannot be handled as a ${kind}: ${text}`
  test.each<[(typeof resourceTypes)[number], Json, string]>([
    [
      deploymentType,
      { spec: { replicas: '3' } },
      'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      deploymentType,
      { spec: { template: { spec: { containers: [{ ports: [{ containerPort: 'x' }] }] } } } },
      'json: cannot unmarshal string into Go struct field ContainerPort.spec.template.spec.containers.ports.containerPort of type int32',
    ],
    [
      podType,
      { spec: { containers: {} } },
      'json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container',
    ],
    [
      podType,
      { spec: [] },
      'json: cannot unmarshal array into Go struct field Pod.spec of type v1.PodSpec',
    ],
    [
      podType,
      { metadata: { labels: { a: 1 } } },
      'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
    ],
    [
      podType,
      { metadata: { labels: 'x' } },
      'json: cannot unmarshal string into Go struct field ObjectMeta.metadata.labels of type map[string]string',
    ],
    [
      podType,
      { spec: { hostNetwork: 'yes' } },
      'json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool',
    ],
    [
      podType,
      { spec: { priority: 3_000_000_000 } },
      'json: cannot unmarshal number 3000000000 into Go struct field PodSpec.spec.priority of type int32',
    ],
    [
      podType,
      { spec: { containers: [{ resources: { limits: { cpu: 'lots' } } }] } },
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    [
      podType,
      { metadata: { creationTimestamp: 'now' } },
      'parsing time "now" as "2006-01-02T15:04:05Z07:00": cannot parse "now" as "2006"',
    ],
    [secretType, { data: { a: 'e~g=' } }, 'illegal base64 data at input byte 1'],
    [podType, ['x'], 'json: cannot unmarshal array into Go value of type v1.Pod'],
  ])('%#', (type, value, text) => {
    expect(problem(type, value)).toBe(go(type.kind, text))
  })
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

/** Manifests with the right names in the right places and anything as their values. */
const hostile = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom(
        ...new Set(apiFields.match(/\b[a-zA-Z]+(?=!?:)/g) ?? []),
        '__proto__',
        'constructor',
      ),
      tie('value'),
      { maxKeys: 6 },
    ),
  ),
})).value

test('whatever JSON comes in, decoding, defaults, validation and printing never throw', () => {
  fc.assert(
    fc.property(hostile, hostile, hostile, (metadata, spec, rest) => {
      for (const type of resourceTypes) {
        const result = decodeObject(type, { metadata, spec, status: rest, data: rest })
        if (!result.ok) continue
        const defaulted = type.defaults(result.object)
        const created = type.prepareForCreate?.(defaulted) ?? defaulted
        type.validate(defaulted)
        type.validateUpdate?.(defaulted, created)
        type.prepareForUpdate?.(defaulted, created)
        type.selectableFields?.(created)
        expect(type.cells(defaulted, 0)).toHaveLength(type.columns.length)
        expect(type.cells(created, 0)).toHaveLength(type.columns.length)
        expect(decodeObject(type, defaulted as unknown as Json)).toMatchObject({ ok: true })
      }
    }),
    { seed: 20_261_121, numRuns: 300 },
  )
})
