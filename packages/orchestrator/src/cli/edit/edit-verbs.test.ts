// The verbs that start other programs, or tie our streams to a pod: edit, diff and run, against a whole cluster.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { type Cluster, startCluster } from '../../cluster.ts'
import { failed, type Outcome, printed, runVerb } from '../testing/run-verb.ts'

const folder = mkdtempSync(join(tmpdir(), 'balsa-edit-verbs-'))
const manifest = (value: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\ndata: {a: "${value}"}\n`
const path = join(folder, 'map.yaml')
let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
  writeFileSync(path, manifest('1'))
  await balsa('apply', '-f', path)
})
afterEach(() => {
  vi.unstubAllEnvs()
})
afterAll(async () => {
  await cluster.close()
  rmSync(folder, { recursive: true, force: true })
})

const balsa = (...words: string[]): Promise<Outcome> => runVerb(cluster.kubeconfig, words)

/** An editor that does this to the file `$1`. */
const editor = (script: string): void => {
  const program = join(folder, 'editor')
  writeFileSync(program, `#!/bin/sh\n${script}\n`)
  chmodSync(program, 0o700)
  vi.stubEnv('KUBE_EDITOR', program)
}
const valueOf = async (): Promise<string> =>
  (await balsa('get', 'cm/map', '-o', 'jsonpath={.data.a}')).out

test('edit sends what was changed in the editor, and nothing where nothing was', async () => {
  editor(`sed -i 's/a: "1"/a: "2"/' "$1"`)
  expect(await balsa('edit', 'cm/map')).toEqual(printed('configmap/map edited\n'))
  expect(await valueOf()).toBe('2')
  expect(await balsa('edit', 'cm/map')).toEqual({
    out: '',
    err: 'Edit cancelled, no changes made.\n',
    code: 0,
  })
  editor(': > "$1"')
  expect((await balsa('edit', 'cm/map')).err).toBe('error: Edit cancelled, saved file was empty.\n')
  vi.stubEnv('KUBE_EDITOR', 'false')
  expect(await balsa('edit', 'cm/map')).toEqual(
    failed('error: there was a problem with the editor "false"'),
  )
})

test('what the server refuses is opened again, with the reason above it', async () => {
  const seen = join(folder, 'seen')
  // The second time the editor finds the reason, and puts right what was wrong.
  editor(
    `cp "$1" ${seen}; if grep -q '^nope: 1' "$1"; then sed -i '/^nope/d; s/a: .*/a: "3"/' "$1"; else echo 'nope: 1' >> "$1"; fi`,
  )
  const { out, err, code } = await balsa('edit', 'cm/map')
  expect([out, code]).toEqual(['configmap/map edited\n', 0])
  expect(err).toContain('unknown field "nope"')
  expect(readFileSync(seen, 'utf8')).toMatch(/^# .*unknown field "nope"/m)
  expect(await valueOf()).toBe('3')
})

test('diff says by its exit code whether apply would change something, and changes nothing', async () => {
  await balsa('apply', '-f', path)
  expect(await balsa('diff', '-f', path)).toEqual(printed(''))
  writeFileSync(path, manifest('9'))
  const { out, code } = await balsa('diff', '-f', path)
  expect(code).toBe(1)
  const changes = out.split('\n').filter((line) => /^[-+] /.test(line))
  expect(changes).toEqual(['-  a: "1"', '+  a: "9"'])
  expect(await valueOf()).toBe('1')
  vi.stubEnv('KUBECTL_EXTERNAL_DIFF', 'no-such-program')
  expect((await balsa('diff', '-f', path)).code).toBe(2)
  expect((await balsa('diff', '-f', join(folder, 'nope'))).code).toBe(2)
})

test('diff tells that secrets differ, not what they hold', async () => {
  const secret = join(folder, 'secret.yaml')
  const text = (value: string): string =>
    `apiVersion: v1\nkind: Secret\nmetadata: {name: hidden}\nstringData: {a: ${value}, b: same}\n`
  writeFileSync(secret, text('first'))
  await balsa('apply', '-f', secret)
  writeFileSync(secret, text('second'))
  const { out } = await balsa('diff', '-f', secret)
  expect(out).toContain("-  a: '*** (before)'")
  expect(out).toContain("+  a: '*** (after)'")
  expect(out).not.toContain(Buffer.from('second').toString('base64'))
})

test('run shows what its pod writes, ends with its exit code, and --rm deletes it', async () => {
  const flags = ['--image=node', '--restart=Never', '--attach', '--rm', '--command']
  const program = ['--', 'node', '-e', 'console.log("hello"); process.exitCode = 3']
  const { out, err, code } = await balsa('run', 'once', ...flags, ...program)
  expect(out).toBe('hello\npod "once" deleted\n')
  expect([err, code]).toEqual(['command terminated with exit code 3\n', 3])
})
