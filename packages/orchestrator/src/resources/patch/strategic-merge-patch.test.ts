import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deployment, inPodSpec } from './testing/sample-patches.ts'
import { deploymentType } from '../deployment.ts'
import type { Json } from '../object.ts'
import { mergeKeysOf } from '../schema/merge-keys.ts'
import { createApplyPatch } from './create-apply-patch.ts'
import type { JsonObject } from './patch-result.ts'
import { applyStrategicMergePatch } from './strategic-merge-patch.ts'

test('elements are deleted, changed and ordered by their key', () => {
  const patch = inPodSpec({
    containers: [
      { name: 'b', $patch: 'delete' },
      { name: 'c', image: 'z' },
      { name: 'a', image: null, args: null, env: [{ name: 'Q', value: '9' }] },
    ],
    '$setElementOrder/containers': [{ name: 'a' }, { name: 'c' }],
  })
  const result = applyStrategicMergePatch(deployment, patch, mergeKeysOf(deploymentType))
  expect(result).toMatchObject({
    ok: true,
    value: {
      spec: {
        template: {
          spec: {
            containers: [
              {
                name: 'a',
                env: [
                  { name: 'P', value: '1' },
                  { name: 'Q', value: '9' },
                ],
                ports: [{ containerPort: 80 }, { containerPort: 81 }],
              },
              { name: 'c', image: 'z' },
            ],
            volumes: [{ name: 'v', emptyDir: {} }],
          },
        },
      },
    },
  })
})

test.each<[string, Json, string]>([
  [
    'an element without its key',
    inPodSpec({ containers: [{ image: 'i' }] }),
    'map: {"image":"i"} does not contain declared merge key: name',
  ],
  ['an unknown directive', { spec: { $patch: 'explode' } }, 'unknown patch type found: "explode"'],
  [
    'an unknown directive in a list',
    inPodSpec({ containers: [{ name: 'a', $patch: 'merge' }] }),
    'unknown patch type found: "merge"',
  ],
  ['what is no object', ['x'], 'cannot apply a strategic merge patch to or from what is no object'],
  [
    'text in a list of objects',
    inPodSpec({ containers: ['x'] }),
    'expected an object in the list spec.template.spec.containers',
  ],
  [
    'keys that are not retained',
    { spec: { strategy: { $retainKeys: ['type'], rollingUpdate: {} } } },
    '$retainKeys list does not contain the key "rollingUpdate" of the patch',
  ],
  [
    'the prototype',
    JSON.parse('{"spec":{"__proto__":{"x":1}}}') as Json,
    'patch must not name the key "__proto__"',
  ],
])('%s is refused', (_name, patch, message) => {
  expect(applyStrategicMergePatch(deployment, patch, mergeKeysOf(deploymentType))).toEqual({
    ok: false,
    message,
  })
})

test('whatever the patch, the answer is a result and the original is as it was', () => {
  const key = fc.oneof(
    fc.constantFrom('spec', 'template', 'containers', 'metadata', 'finalizers', 'name', 'env'),
    fc.constantFrom('$patch', '$retainKeys', '$setElementOrder/containers', '__proto__'),
    fc.constantFrom('$deleteFromPrimitiveList/finalizers', '$deleteFromPrimitiveList/containers'),
  )
  const { patch } = fc.letrec<{ patch: Json }>((tie) => ({
    patch: fc.oneof(
      { maxDepth: 6 },
      fc.constantFrom<Json[]>('a', null, 1, 'replace', 'delete', {}, []),
      fc.dictionary(key, tie('patch'), { maxKeys: 4 }),
      fc.array(tie('patch'), { maxLength: 3 }),
    ),
  }))
  const before = JSON.stringify(deployment)
  fc.assert(
    fc.property(patch, (value) => {
      const result = applyStrategicMergePatch(deployment, value, mergeKeysOf(deploymentType))
      if (!result.ok) expect(result.message).not.toBe('')
      expect(JSON.stringify(deployment)).toBe(before)
    }),
    { seed: 8, numRuns: 3000 },
  )
})

describe('the patch of apply', () => {
  const item = fc.record(
    { name: fc.constantFrom('a', 'b', 'c'), image: fc.constantFrom('x', 'y'), tty: fc.boolean() },
    { requiredKeys: ['name'] },
  )
  const manifest = fc.record(
    {
      metadata: fc.record({
        labels: fc.dictionary(fc.constantFrom('p', 'q', 'r'), fc.constantFrom('1', '2')),
        finalizers: fc.uniqueArray(fc.constantFrom('a/x', 'b/y')),
      }),
      spec: fc.record({
        replicas: fc.integer({ min: 0, max: 3 }),
        template: fc.record({
          spec: fc.record({
            containers: fc.uniqueArray(item, { selector: ({ name }) => name }),
            tolerations: fc.array(fc.record({ key: fc.constantFrom('k', 'l') })),
          }),
        }),
      }),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<JsonObject>
  const keys = mergeKeysOf(deploymentType)

  const apply = (
    lastApplied: JsonObject,
    modified: JsonObject,
    current: JsonObject,
  ): JsonObject => {
    const patch = createApplyPatch({ lastApplied, modified, current }, keys)
    if (patch === undefined) return current
    const result = applyStrategicMergePatch(current, patch, keys)
    if (!result.ok) throw new Error(result.message)
    return result.value as JsonObject
  }

  test('makes the object what the manifest says, and then there is nothing left to do', () => {
    fc.assert(
      fc.property(manifest, manifest, (lastApplied, modified) => {
        const result = apply(lastApplied, modified, lastApplied)
        // Lists are equal but for their order where elements were kept.
        expect(createApplyPatch({ lastApplied: modified, modified, current: result }, keys)).toBe(
          undefined,
        )
        expect(sorted(result)).toEqual(sorted(apply({}, modified, {})))
      }),
      { seed: 9, numRuns: 1000 },
    )
  })

  test('leaves alone what others set', () => {
    const lastApplied = {
      spec: { replicas: 1, template: { spec: { containers: [{ name: 'a', image: 'x' }] } } },
    }
    const modified = { spec: { template: { spec: { containers: [{ name: 'a', image: 'y' }] } } } }
    const current = {
      metadata: { labels: { theirs: '1' } },
      spec: {
        replicas: 1,
        paused: true,
        template: {
          spec: { containers: [{ name: 'a', image: 'x', tty: true }, { name: 'sidecar' }] },
        },
      },
    }
    expect(apply(lastApplied, modified, current)).toEqual({
      metadata: { labels: { theirs: '1' } },
      spec: {
        paused: true,
        template: {
          spec: { containers: [{ name: 'a', image: 'y', tty: true }, { name: 'sidecar' }] },
        },
      },
    })
  })

  const sorted = (value: Json | undefined): Json => {
    if (Array.isArray(value)) {
      return value
        .map(sorted)
        .toSorted((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1))
    }
    if (typeof value !== 'object' || value === null) return value ?? null
    return Object.fromEntries(
      Object.entries(value)
        .toSorted(([left], [right]) => (left < right ? -1 : 1))
        .map(([key, member]) => [key, sorted(member)]),
    )
  }
})
