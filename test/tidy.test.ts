import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import * as rules from './tidy-rules.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter(
    (path) =>
      path !== '' && existsSync(join(root, path)) && statSync(join(root, path)).size < 1 << 20,
  )
const files = tracked
  .filter((path) => /\.(?:ts|mjs|md|json|yaml|sh)$/.test(path) || path === '.ci/run')
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))

/** Files that are one thing although they are long, and why. */
const longFilesAllowed: Record<string, string> = {}

const checks: [string, rules.Rule, rules.SourceFile][] = [
  [
    'packages import in one direction',
    rules.importDirection,
    { path: 'packages/raft/src/x.ts', text: `import { a } from '@balsa/kv'` },
  ],
  [
    'the orchestrator knows nothing of raft',
    rules.orchestratorKnowsNothingOfRaft,
    { path: 'packages/orchestrator/src/x.ts', text: `import { a } from '@balsa/raft'` },
  ],
  [
    'pure folders import no shell',
    rules.pureImports,
    { path: 'packages/raft/src/core/x.ts', text: `import { readFile } from 'node:fs'` },
  ],
  [
    'deterministic folders have no clock, timer or random source',
    rules.determinism,
    { path: 'packages/kv/src/mvcc/x.ts', text: 'const a = Date.now()' },
  ],
  [
    'pure folders are synchronous',
    rules.pureIsSynchronous,
    { path: 'packages/raft/src/core/x.ts', text: 'export async function a() {}' },
  ],
  [
    'packages do not write to the console',
    rules.noConsole,
    { path: 'packages/kv/src/x.ts', text: 'console.log(1)' },
  ],
  [
    'nothing is exported by star',
    rules.noExportAll,
    { path: 'packages/kv/src/x.ts', text: `export * from './y.ts'` },
  ],
  [
    'there are no leftovers and no swallowed errors',
    rules.noLeftovers,
    { path: 'packages/kv/src/x.ts', text: 'try { a() } catch {}' },
  ],
  [
    'files are named after what they do',
    rules.fileNames,
    { path: 'packages/kv/src/string-utils.ts', text: '' },
  ],
  [
    'every file is imported by another',
    rules.deadFiles,
    { path: 'packages/kv/src/orphan.ts', text: '' },
  ],
  [
    'files stay small',
    rules.longFiles(longFilesAllowed),
    { path: 'packages/kv/src/x.ts', text: 'a\n'.repeat(402) },
  ],
  [
    'files begin by saying what they are',
    rules.firstComment,
    { path: 'packages/kv/src/x.ts', text: 'export {}' },
  ],
  [
    'no path of a machine and no registry address is tracked',
    rules.noMachinePaths,
    { path: 'README.md', text: ['see ', 'root', 'x'].join('/') },
  ],
  [
    'links in markdown lead somewhere',
    rules.links((path) => existsSync(join(root, path))),
    { path: 'README.md', text: '[x](nowhere.md)' },
  ],
]

describe('the house is tidy', () => {
  test.each(checks)('%s', (_name, rule) => {
    expect(rule(files)).toEqual([])
  })
})

describe('each tidy rule finds a planted violation', () => {
  test.each(checks)('%s', (_name, rule, planted) => {
    expect(rule([planted])).toHaveLength(1)
  })
})

test('codeOnly drops comments and strings and keeps the lines', () => {
  expect(rules.codeOnly(`a // Date.now\n/* x\ny */ b 'Math.random' c`)).toBe(`a \n\n b '' c`)
})
