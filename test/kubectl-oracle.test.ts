// kubectl carries upstream's own decoder and patch code and runs it without a server (--local): it judges ours on the same input.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { deploymentType } from '../packages/orchestrator/src/resources/deployment.ts'
import type { Json } from '../packages/orchestrator/src/resources/object.ts'
import { applyStrategicMergePatch } from '../packages/orchestrator/src/resources/patch/strategic-merge-patch.ts'
import {
  deployment,
  inPodSpec,
  samplePatches,
} from '../packages/orchestrator/src/resources/patch/testing/sample-patches.ts'
import { mergeKeysOf } from '../packages/orchestrator/src/resources/schema/merge-keys.ts'
import { wrongTypes } from '../packages/orchestrator/src/resources/schema/testing/wrong-types.ts'
import { missing, tools } from './tools.ts'

const folder = mkdtempSync(join(tmpdir(), 'balsa-oracle-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Standard output; throws with standard error in its message. */
const kubectl = (...words: string[]): string =>
  execFileSync(tools.kubectl ?? '', words, { encoding: 'utf8', stdio: 'pipe' })

const applied = (patch: Json): Json => {
  const result = applyStrategicMergePatch(deployment, patch, mergeKeysOf(deploymentType))
  if (!result.ok) throw new Error(result.message)
  return result.value
}

describe.skipIf(missing('kubectl'))(
  'a strategic merge patch makes what upstream makes of it',
  () => {
    const file = join(folder, 'deployment.json')
    writeFileSync(file, JSON.stringify(deployment))

    const upstream = (patch: Json): Json => {
      const flags = ['--local', '-f', file, '--type=strategic', '-o', 'json', '-p']
      const text = kubectl('patch', ...flags, JSON.stringify(patch))
      // Upstream leaves nulls in new elements; decoding drops them.
      return JSON.parse(text, (_key, value: Json) => value ?? undefined) as Json
    }

    test.each(samplePatches)('%s', (_name, patch) => {
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
          fc.record({
            containerPort: fc.constantFrom(80, 81, 82),
            name: fc.constantFrom('h', null),
          }),
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
            const patch = {
              metadata: { finalizers },
              ...(inPodSpec({ containers }) as object),
            } as Json
            expect(applied(patch)).toEqual(upstream(patch))
          },
        ),
        { seed: 7, numRuns: Number(process.env['PATCH_RUNS'] ?? 12) },
      )
    })
  },
)

describe.skipIf(missing('kubectl'))('a wrong type is refused in the same words', () => {
  test.each(wrongTypes)('%j', (value, text) => {
    const file = join(folder, 'wrong.json')
    const typeMeta = { apiVersion: 'apps/v1', kind: 'Deployment' }
    writeFileSync(file, JSON.stringify({ ...typeMeta, ...(value as object) }))
    expect(() => kubectl('set', 'env', '--local', '-f', file, 'A=1')).toThrow(text)
  })
})
