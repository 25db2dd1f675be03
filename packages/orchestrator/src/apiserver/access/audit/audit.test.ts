import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ApiFixture } from '../../testing/api-fixture.ts'
import { AuditFile } from './audit-file.ts'

const policy = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  resources: [{group: "", resources: [events]}]
- level: Metadata
  resources: [{group: "", resources: [secrets]}]
- level: RequestResponse
  users: [jane]
- level: Request
  verbs: [create]
  namespaces: [default]
- level: Metadata
  nonResourceURLs: ["/api*"]
`

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'balsa-audit-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

test('a policy decides what is written down of whom, and secrets stay secret', async () => {
  const policyFile = join(folder, 'policy.yaml')
  const logPath = join(folder, 'audit.log')
  await writeFile(policyFile, policy)
  const api = await ApiFixture.start({ access: { audit: { policyFile, logPath } } })
  const base = '/api/v1/namespaces/default'
  const headers = { 'audit-id': 'my-id' }
  const body = { metadata: { name: 's' }, stringData: { password: 'hidden' } }
  const answer = await api.request('POST', `${base}/secrets`, { body, headers })
  expect(answer.headers['audit-id']).toBe('my-id')
  await api.request('POST', `${base}/configmaps`, {
    body: { metadata: { name: 'm' }, data: { a: 'b' } },
  })
  await api.request('GET', `${base}/pods`, { headers: { 'impersonate-user': 'jane' } })
  await api.request('GET', `${base}/events`)
  await api.request('GET', `${base}/pods`)
  await api.request('GET', '/apis')
  await api.close()
  const text = await readFile(logPath, 'utf8')
  expect(text).not.toContain('hidden')
  const events = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(
    events.map((one) => [
      one.level,
      one.verb,
      one.objectRef?.resource ?? one.requestURI,
      one.responseStatus.code,
    ]),
  ).toEqual([
    ['Metadata', 'create', 'secrets', 201],
    ['Request', 'create', 'configmaps', 201],
    ['RequestResponse', 'list', 'pods', 403],
    ['Metadata', 'get', '/apis', 200],
  ])
  const [secret, configMap, refused] = events
  expect(secret).toMatchObject({
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    auditID: 'my-id',
    stage: 'ResponseComplete',
    user: { username: 'kubernetes-admin' },
    objectRef: { resource: 'secrets', namespace: 'default', apiVersion: 'v1' },
    annotations: { 'authorization.k8s.io/decision': 'allow' },
  })
  expect(configMap.requestObject.data).toEqual({ a: 'b' })
  expect(refused).toMatchObject({
    impersonatedUser: { username: 'jane' },
    responseStatus: { status: 'Failure', reason: 'Forbidden' },
    responseObject: { kind: 'Status' },
    annotations: { 'authorization.k8s.io/decision': 'forbid' },
  })
})

test('the file is begun anew at its size, and the oldest are removed', async () => {
  const path = join(folder, 'small.log')
  const errors: Error[] = []
  const file = new AuditFile({
    path,
    sizeBytesMax: 100,
    backupsMax: 2,
    onError: (error) => errors.push(error),
  })
  for (let round = 0; round < 5; round++) {
    file.write({ round, text: 'x'.repeat(60) })
    await file.close()
  }
  expect(errors).toEqual([])
  const names = (await readdir(folder)).filter((name) => name.startsWith('small.log'))
  expect(names).toHaveLength(3)
  expect(JSON.parse(await readFile(path, 'utf8')).round).toBe(4)
})
