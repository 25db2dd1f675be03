import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ConnectionError } from './http-transport.ts'
import { readKubeconfig } from './kubeconfig-file.ts'
import { failureText } from '../cli/verb-failure.ts'

const folder = mkdtempSync(join(tmpdir(), 'balsa-kubeconfig-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const write = (text: string): string => {
  const path = join(folder, 'config')
  writeFileSync(path, text)
  return path
}
const config = (more: object = {}): string =>
  JSON.stringify({
    'current-context': 'a',
    contexts: [
      { name: 'a', context: { cluster: 'c', user: 'u' } },
      { name: 'b', context: { cluster: 'c', user: 'u', namespace: 'kube-system' } },
    ],
    clusters: [
      {
        name: 'c',
        cluster: { server: 'https://127.0.0.1:6443', 'certificate-authority': 'ca.pem' },
      },
    ],
    users: [
      {
        name: 'u',
        user: { 'client-certificate-data': 'Y2VydA==', 'client-key-data': 'a2V5', token: 't' },
      },
    ],
    ...more,
  })

test('server, certificates inline and in files, token and namespace are read', () => {
  writeFileSync(join(folder, 'ca.pem'), 'authority')
  const path = write(config())
  expect(readKubeconfig({ kubeconfig: path })).toEqual({
    server: {
      url: 'https://127.0.0.1:6443',
      ca: 'authority',
      cert: 'cert',
      key: 'key',
      token: 't',
    },
    userName: 'u',
    namespace: 'default',
  })
  expect(readKubeconfig({ kubeconfig: path, context: 'b' }).namespace).toBe('kube-system')
})

test.each<[string, string]>([
  ['[]', 'is no kubeconfig'],
  ['{}', 'names no current-context'],
  ['a: b: c', 'cannot read the kubeconfig'],
  [config({ 'current-context': 'z' }), 'no context is named "z"'],
  [config({ clusters: [] }), 'no cluster is named "c"'],
  [config({ clusters: [{ name: 'c', cluster: { server: 'x' } }] }), 'has no valid server address'],
  [config({ users: 3 }), 'no user is named "u"'],
])('%s is refused with one line', (text, message) => {
  const path = write(text)
  expect(() => readKubeconfig({ kubeconfig: path })).toThrow(message)
  expect(() => readKubeconfig({ kubeconfig: path })).toThrow(/^[^\n]+$/)
})

test('a server that is not there is one line with the cure', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  expect(failureText(ConnectionError.from(refused, '127.0.0.1:6443'))).toBe(
    'error: The connection to the server 127.0.0.1:6443 was refused: is Balsa running? Start it with "balsa up"',
  )
})
