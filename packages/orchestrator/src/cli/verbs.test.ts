// The verbs that change and ask, against a whole cluster with fake nodes: what they print, where, and how they end.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cluster, startCluster } from '../cluster.ts'
import { connectApi } from '../client/connect-api.ts'
import { failed, type Outcome, printed, runVerb } from './testing/run-verb.ts'

const folder = mkdtempSync(join(tmpdir(), 'balsa-verbs-'))
let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster({ agents: 0, fakeNodes: { count: 2 } })
  await cluster.apply(web('web:1'))
})
afterAll(async () => {
  await cluster.close()
  rmSync(folder, { recursive: true, force: true })
})

const web = (image: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: '${image}' }] }
`

const balsa = (...words: string[]): Promise<Outcome> => runVerb(cluster.kubeconfig, words)

test('label and annotate set, keep and remove', async () => {
  const label = (...words: string[]): Promise<Outcome> => balsa('label', 'deploy/web', ...words)
  expect(await label('tier=front')).toEqual(printed('deployment.apps/web labeled\n'))
  expect(await label('tier=front')).toEqual(printed('deployment.apps/web not labeled\n'))
  expect(await label('tier=back')).toEqual(
    failed("error: 'tier' already has a value (front), and --overwrite is false"),
  )
  expect(await label('tier=back', '--overwrite')).toEqual(printed('deployment.apps/web labeled\n'))
  expect(await label('tier-')).toEqual(printed('deployment.apps/web unlabeled\n'))
  expect(await balsa('annotate', 'deploy', 'web', 'note=yes')).toEqual(
    printed('deployment.apps/web annotated\n'),
  )
  expect(await balsa('label', 'deploy/web')).toEqual(
    failed('error: at least one label update is required'),
  )
})

test('create makes what is new and patch changes it in three ways', async () => {
  const path = join(folder, 'map.yaml')
  writeFileSync(path, 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\ndata: {a: "1"}\n')
  expect(await balsa('create', '-f', path)).toEqual(printed('configmap/map created\n'))
  expect(await balsa('create', '-f', path)).toEqual(
    failed(
      `Error from server (AlreadyExists): error when creating ${JSON.stringify(path)}: configmaps "map" already exists`,
    ),
  )
  const patch = (...words: string[]): Promise<Outcome> => balsa('patch', 'cm/map', ...words)
  expect(await patch('-p', '{"data":{"a":"2"}}')).toEqual(printed('configmap/map patched\n'))
  expect(await patch('--type=merge', '-p', '{data: {a: "2"}}')).toEqual(
    printed('configmap/map patched (no change)\n'),
  )
  const remove = '[{"op":"remove","path":"/data/a"}]'
  expect(await patch('--type=json', '-p', remove)).toEqual(printed('configmap/map patched\n'))
  expect(await balsa('patch', 'cm/nope', '-p', '{}')).toEqual(
    failed('Error from server (NotFound): configmaps "nope" not found'),
  )
})

test('rollout tells how a change goes, keeps its history and goes back', async () => {
  const rollout = (...words: string[]): Promise<Outcome> => balsa('rollout', ...words)
  const done = 'deployment "web" successfully rolled out\n'
  expect((await rollout('status', 'deploy/web')).out.endsWith(done)).toBe(true)
  expect(await rollout('undo', 'deploy/web')).toEqual(
    failed('error: no rollout history found for deployment "web"'),
  )
  await cluster.apply(web('web:2'))
  expect((await rollout('status', 'deploy/web')).out.endsWith(done)).toBe(true)
  expect(await rollout('history', 'deploy/web')).toEqual(
    printed('deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         <none>\n2         <none>\n\n'),
  )
  expect(await rollout('undo', 'deploy/web')).toEqual(printed('deployment.apps/web rolled back\n'))
  const deployments = { group: 'apps', version: 'v1', plural: 'deployments' }
  const name = { namespace: 'default', name: 'web' }
  expect(await cluster.resource(deployments).get(name)).toMatchObject({
    spec: {
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ image: 'web:1' }] },
      },
    },
  })
  expect(await rollout('restart', 'deploy/web')).toEqual(printed('deployment.apps/web restarted\n'))
  expect(await rollout('pause', 'deploy/web')).toEqual(printed('deployment.apps/web paused\n'))
  expect(await rollout('resume', 'deploy/web')).toEqual(printed('deployment.apps/web resumed\n'))
  expect((await rollout('status', 'deploy/web')).out.endsWith(done)).toBe(true)
  expect(await rollout('status', 'cm/map')).toEqual(
    failed('error: no status viewer has been implemented for ConfigMap'),
  )
})

test('wait waits for conditions and for the end', async () => {
  expect(await balsa('wait', 'deploy/web', '--for=condition=Available')).toEqual(
    printed('deployment.apps/web condition met\n'),
  )
  expect(await balsa('wait', 'deploy/web', '--for=condition=Never', '--timeout=1s')).toEqual(
    failed('error: timed out waiting for the condition on deployments/web'),
  )
  expect(await balsa('wait', 'deploy/web', '--for=delete', '--timeout=50ms')).toEqual(
    failed('error: timed out waiting for the condition on deployments/web'),
  )
  expect(await balsa('wait', 'cm/gone', '--for=delete')).toEqual(printed(''))
})

test('drain cordons a node and evicts its pods, which come up elsewhere', async () => {
  await balsa('wait', 'deploy/web', '--for=condition=Available')
  const [node = '', other = ''] = cluster.nodes
  const { out, err, code } = await balsa('drain', node)
  expect({ err, code }).toEqual({ err: '', code: 0 })
  expect(out.startsWith(`node/${node} cordoned\n`)).toBe(true)
  expect(out.endsWith(`node/${node} drained\n`)).toBe(true)
  await balsa('rollout', 'status', 'deploy/web')
  const pods = await cluster
    .resource({ group: '', version: 'v1', plural: 'pods' })
    .list({ fieldSelector: `spec.nodeName=${other}` })
  expect(pods.length).toBeGreaterThanOrEqual(2)
  expect(await balsa('cordon', node)).toEqual(printed(`node/${node} already cordoned\n`))
  expect(await balsa('uncordon', node)).toEqual(printed(`node/${node} uncordoned\n`))
})

test('api-resources and auth can-i say what is served and allowed', async () => {
  const { out } = await balsa('api-resources')
  expect(out).toMatch(/^deployments +deploy +apps\/v1 +true +Deployment$/m)
  expect(await balsa('auth', 'can-i', 'delete', 'pods')).toEqual(printed('yes\n'))
})

test('a token lets in as one who joins, and is shown until it is deleted', async () => {
  const { out } = await balsa('token', 'create', '--description', 'for one machine', '--ttl', '2h')
  const token = out.trim()
  expect(token).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}$/)
  const list = (await balsa('token', 'list')).out
  expect(list).toContain(token)
  expect(list).toContain('for one machine')
  const whoAmI = async (): Promise<unknown> => {
    using api = connectApi({ server: { url: cluster.url, token, skipTlsVerify: true } })
    return await api.client.create(
      { group: 'authentication.k8s.io', version: 'v1', plural: 'selfsubjectreviews' },
      { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview', metadata: {} },
    )
  }
  const id = token.slice(0, 6)
  expect(await whoAmI()).toMatchObject({
    status: { userInfo: { username: `system:bootstrap:${id}` } },
  })
  expect(await balsa('token', 'delete', token)).toEqual(
    printed(`bootstrap token "${id}" deleted\n`),
  )
  expect((await balsa('token', 'list')).out).not.toContain(id)
  expect(await balsa('token', 'delete', 'Nonsense')).toEqual(
    failed('error: "Nonsense" is no token: ID or ID.SECRET'),
  )
})

test('a kubeconfig for a user has the rights of its groups, and no others', async () => {
  const dataDir = dirname(cluster.kubeconfig)
  const asUser = async (...groups: string[]): Promise<Outcome> => {
    const options = groups.length === 0 ? [] : ['--group', ...groups]
    const { out } = await balsa('kubeconfig', '--data-dir', dataDir, '--user', 'alice', ...options)
    const path = join(folder, 'alice')
    writeFileSync(path, out)
    return balsa('auth', 'can-i', 'delete', 'pods', '--kubeconfig', path)
  }
  expect(await asUser('system:masters')).toEqual(printed('yes\n'))
  expect(await asUser()).toEqual({ out: 'no\n', err: '', code: 1 })
  expect(await balsa('kubeconfig', '--data-dir', dataDir, '--group', 'a')).toEqual(
    failed('error: --group needs --user'),
  )
})
