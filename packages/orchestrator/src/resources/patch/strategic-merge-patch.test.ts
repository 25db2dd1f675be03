import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { missing, tools } from '../../../../../test/tools.ts'
import { deploymentType } from '../deployment.ts'
import type { Json } from '../object.ts'
import { createApplyPatch } from './create-apply-patch.ts'
import type { JsonObject } from './patch-result.ts'
import { applyStrategicMergePatch } from './strategic-merge-patch.ts'

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd', finalizers: ['a/x', 'b/y'], labels: { a: '1', b: '2' } },
  spec: {
    selector: { matchLabels: { a: '1' } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } },
    template: {
      metadata: { labels: { a: '1' } },
      spec: {
        containers: [
          {
            name: 'a',
            image: 'x',
            env: [
              { name: 'P', value: '1' },
              { name: 'Q', value: '2' },
            ],
            ports: [{ containerPort: 80 }, { containerPort: 81 }],
            args: ['u', 'v'],
          },
          { name: 'b', image: 'why' },
        ],
        tolerations: [{ key: 'k', operator: 'Exists' }],
        volumes: [{ name: 'v', emptyDir: {} }],
      },
    },
  },
}

const podSpec = (spec: Json): Json => ({ spec: { template: { spec } } })

/** Each name says what must happen; kubectl, which has upstream's own code, judges the result. */
const patches: [string, Json][] = [
  ['a new element comes before the old ones', podSpec({ containers: [{ name: 'c', image: 'z' }] })],
  [
    'elements are deleted, changed and ordered',
    podSpec({
      containers: [
        { name: 'b', $patch: 'delete' },
        {
          name: 'a',
          image: null,
          env: [{ name: 'R', value: '3' }],
          ports: [{ containerPort: 81, name: 'n' }],
        },
      ],
      '$setElementOrder/containers': [{ name: 'a' }],
    }),
  ],
  [
    'sets of text lose and gain, maps are replaced',
    {
      metadata: {
        finalizers: ['c/z'],
        '$deleteFromPrimitiveList/finalizers': ['a/x'],
        labels: { $patch: 'replace', z: '1' },
      },
    },
  ],
  [
    'only the retained keys stay',
    { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
  ],
  [
    'a volume changes its source, and lists without a key are replaced',
    podSpec({
      volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }],
      tolerations: [{ key: 'z' }],
    }),
  ],
  [
    'a list is replaced as a whole',
    podSpec({ containers: [{ $patch: 'replace' }, { name: 'n', image: 'i' }] }),
  ],
  [
    'order alone',
    podSpec({
      '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }],
      containers: [{ name: 'a' }],
    }),
  ],
  [
    'order with elements that only the server has',
    podSpec({
      '$setElementOrder/containers': [{ name: 'n' }, { name: 'b' }],
      containers: [{ name: 'n', image: 'i' }],
    }),
  ],
  ['null where nothing is', podSpec({ nodeName: null, nodeSelector: { x: null, y: 'z' } })],
  ['a map deleted by directive', { metadata: { labels: { $patch: 'delete' } } }],
]

const applied = (patch: Json): Json => {
  const result = applyStrategicMergePatch(deployment, patch, deploymentType.mergeKeys)
  if (!result.ok) throw new Error(result.message)
  return result.value
}

describe.skipIf(missing('kubectl'))('the result is what upstream makes of the patch', () => {
  const folder = mkdtempSync(join(tmpdir(), 'balsa-patch-'))
  const file = join(folder, 'deployment.json')
  writeFileSync(file, JSON.stringify(deployment))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))

  const upstream = (patch: Json): Json => {
    const flags = ['--local', '-f', file, '--type=strategic', '-o', 'json', '-p']
    const text = execFileSync(tools.kubectl ?? '', ['patch', ...flags, JSON.stringify(patch)], {
      encoding: 'utf8',
      stdio: 'pipe',
    })
    // Upstream leaves nulls in new elements; decoding drops them.
    return JSON.parse(text, (_key, value: Json) => value ?? undefined) as Json
  }

  test.each(patches)('%s', (_name, patch) => {
    expect(applied(patch)).toEqual(upstream(patch))
  })

  const containerPatch = fc.record(
    {
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      image: fc.constantFrom('x', 'z', null),
      $patch: fc.constant('delete'),
      args: fc.array(fc.constantFrom('u', 'w')),
      env: fc.uniqueArray(
        fc.record({ name: fc.constantFrom('P', 'Q', 'R'), value: fc.constantFrom('1', '9') }),
        { selector: ({ name }) => name },
      ),
      ports: fc.uniqueArray(
        fc.record({ containerPort: fc.constantFrom(80, 81, 82), name: fc.constantFrom('h', null) }),
        { selector: ({ containerPort }) => containerPort },
      ),
    },
    { requiredKeys: ['name'] },
  )
  test('and so for generated patches', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(containerPatch, { selector: ({ name }) => name, maxLength: 4 }),
        fc.uniqueArray(fc.constantFrom('a/x', 'b/y', 'c/z')),
        (containers, finalizers) => {
          const patch = { metadata: { finalizers }, ...(podSpec({ containers }) as object) } as Json
          expect(applied(patch)).toEqual(upstream(patch))
        },
      ),
      { seed: 7, numRuns: Number(process.env['PATCH_RUNS'] ?? 12) },
    )
  })
})

test.each<[string, Json, string]>([
  [
    'an element without its key',
    podSpec({ containers: [{ image: 'i' }] }),
    'map: {"image":"i"} does not contain declared merge key: name',
  ],
  ['an unknown directive', { spec: { $patch: 'explode' } }, 'unknown patch type found: "explode"'],
  [
    'an unknown directive in a list',
    podSpec({ containers: [{ name: 'a', $patch: 'merge' }] }),
    'unknown patch type found: "merge"',
  ],
  ['what is no object', ['x'], 'cannot apply a strategic merge patch to or from what is no object'],
  [
    'text in a list of objects',
    podSpec({ containers: ['x'] }),
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
  expect(applyStrategicMergePatch(deployment, patch, deploymentType.mergeKeys)).toEqual({
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
      const result = applyStrategicMergePatch(deployment, value, deploymentType.mergeKeys)
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
  const keys = deploymentType.mergeKeys

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
