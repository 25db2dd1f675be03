import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ApiClient } from '../../client/api-client.ts'
import { isApiError } from '../../client/is-api-error.ts'
import { nodeType } from '../../resources/node.ts'
import type { Json, KubeObject } from '../../resources/object.ts'
import { podType } from '../../resources/pod.ts'
import { componentUser } from '../access/user.ts'
import { ApiFixture, type Answer } from '../testing/api-fixture.ts'

const base = '/api/v1/namespaces/default'

let api: ApiFixture
let node: ApiClient
beforeAll(async () => {
  api = await ApiFixture.start()
  node = api.server.clientAs(componentUser('system:node:n1', ['system:nodes']))
})
afterAll(async () => {
  expect(api.errors).toEqual([])
  await api.close()
})

const post = async (path: string, body: object): Promise<Answer> =>
  api.request('POST', path, { body })
const pod = (name: string, spec: object = {}): object => ({
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
})
const created = async (name: string, spec: object = {}): Promise<Answer['json']> =>
  (await post(`${base}/pods`, pod(name, spec))).json

test('a pod without an account runs as the default one, with its token mounted', async () => {
  const { spec } = await created('sa1')
  expect(spec.serviceAccountName).toBe('default')
  const [volume] = spec.volumes
  expect(volume.name).toMatch(/^kube-api-access-\w{5}$/)
  expect(volume.projected.sources.map((source: object) => Object.keys(source)[0])).toEqual([
    'serviceAccountToken',
    'configMap',
    'downwardAPI',
  ])
  expect(spec.containers[0].volumeMounts).toEqual([
    {
      name: volume.name,
      readOnly: true,
      mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
    },
  ])
  const certificate = await api.request('GET', `${base}/configmaps/kube-root-ca.crt`)
  expect(certificate.json.data['ca.crt']).toContain('BEGIN CERTIFICATE')
})

test('an account must be there, and says whether tokens are mounted and with what images are pulled', async () => {
  expect((await created('sa2', { serviceAccountName: 'nobody' })).message).toBe(
    'pods "sa2" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found',
  )
  await post(`${base}/serviceaccounts`, {
    metadata: { name: 'quiet' },
    automountServiceAccountToken: false,
    imagePullSecrets: [{ name: 'registry' }],
  })
  const { spec } = await created('sa3', { serviceAccountName: 'quiet' })
  expect(spec.volumes).toBeUndefined()
  expect(spec.imagePullSecrets).toEqual([{ name: 'registry' }])
  const wanted = { serviceAccountName: 'quiet', automountServiceAccountToken: true }
  expect((await created('sa4', wanted)).spec.volumes).toHaveLength(1)
})

test('a pod has the priority of its class and stays five minutes on a node that is lost', async () => {
  await post('/apis/scheduling.k8s.io/v1/priorityclasses', {
    metadata: { name: 'high' },
    value: 1000,
    preemptionPolicy: 'Never',
  })
  const { spec } = await created('p1', { priorityClassName: 'high' })
  expect(spec).toMatchObject({ priority: 1000, preemptionPolicy: 'Never' })
  expect(
    spec.tolerations.map(
      ({ tolerationSeconds }: { tolerationSeconds: number }) => tolerationSeconds,
    ),
  ).toEqual([300, 300])
  const refused = [
    await created('p2', { priorityClassName: 'none' }),
    await created('p3', { priorityClassName: 'high', priority: 5 }),
    await created('p4', { runtimeClassName: 'none' }),
  ]
  expect(refused.map(({ message }) => message)).toEqual([
    'pods "p2" is forbidden: no PriorityClass with name none was found',
    'pods "p3" is forbidden: the integer value of priority (5) must not be provided in pod spec; priority admission controller computed 1000 from the given PriorityClass name',
    'pods "p4" is forbidden: pod rejected: RuntimeClass "none" not found',
  ])
})

test('claims and ingresses without a class get the default one', async () => {
  const metadata = (kind: string): object => ({
    name: 'standard',
    annotations: { [`${kind}.kubernetes.io/is-default-class`]: 'true' },
  })
  await post('/apis/storage.k8s.io/v1/storageclasses', {
    metadata: metadata('storageclass'),
    provisioner: 'p',
  })
  await post('/apis/networking.k8s.io/v1/ingressclasses', {
    metadata: metadata('ingressclass'),
    spec: { controller: 'a.b/c' },
  })
  const claim = {
    metadata: { name: 'c' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  }
  const made = await post(`${base}/persistentvolumeclaims`, claim)
  expect(made.json.spec.storageClassName).toBe('standard')
  const ingress = await post('/apis/networking.k8s.io/v1/namespaces/default/ingresses', {
    metadata: { name: 'i' },
    spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } },
  })
  expect(ingress.json.spec.ingressClassName).toBe('standard')
  const path = `${base}/persistentvolumeclaims/c`
  const headers = { 'content-type': 'application/merge-patch+json' }
  const bound = JSON.stringify({ status: { phase: 'Bound' } })
  await api.request('PATCH', `${path}/status`, { body: bound, headers })
  const more = JSON.stringify({ spec: { resources: { requests: { storage: '2Gi' } } } })
  expect((await api.request('PATCH', path, { body: more, headers })).json.message).toBe(
    'persistentvolumeclaims "c" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
  )
})

const refusal = async (request: Promise<unknown>): Promise<string> => {
  try {
    await request
    return 'done'
  } catch (reason) {
    if (isApiError(reason, 403)) return reason.message
    throw reason
  }
}
const asNode = (name: string, more: object = {}): KubeObject =>
  ({ apiVersion: 'v1', kind: 'Node', metadata: { name, ...more } }) as KubeObject

test('a node changes itself, and reads and changes what runs on it, and nothing else', async () => {
  expect(await refusal(node.create(nodeType, asNode('n1')))).toBe('done')
  expect(await refusal(node.create(nodeType, asNode('n2')))).toBe(
    'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"',
  )
  const patch: Json = { metadata: { labels: { 'node-restriction.kubernetes.io/x': 'y' } } }
  expect(await refusal(node.patch(nodeType, undefined, 'n1', 'merge', patch))).toBe(
    'nodes "n1" is forbidden: is not allowed to modify labels: node-restriction.kubernetes.io/x',
  )
  for (const name of ['mine', 'other']) {
    await post(`${base}/secrets`, { metadata: { name: `${name}-secret` } })
    await created(name, {
      nodeName: name === 'mine' ? 'n1' : 'n2',
      volumes: [{ name: 'v', secret: { secretName: `${name}-secret` } }],
    })
  }
  const secrets = { group: '', version: 'v1', plural: 'secrets' }
  expect(await refusal(node.get(secrets, 'default', 'mine-secret'))).toBe('done')
  expect(await refusal(node.get(secrets, 'default', 'other-secret'))).toMatch(
    /no relationship found between node 'n1' and this object$/,
  )
  expect(await refusal(node.list(secrets))).toMatch(/cannot list resource "secrets"/)
  const { metadata } = await node.get(podType, 'default', 'mine')
  const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'mine', uid: metadata.uid }
  expect(await refusal(node.createToken('default', 'default', { boundObjectRef }))).toBe('done')
  expect(await refusal(node.createToken('default', 'default', {}))).toBe(
    'serviceaccounts "default" is forbidden: node requested token not bound to a pod',
  )
  expect(await refusal(node.delete(podType, 'default', 'other'))).toBe(
    'pods "other" is forbidden: node "n1" can only delete pods with spec.nodeName set to itself',
  )
  expect(await refusal(node.delete(podType, 'default', 'mine', { gracePeriodSeconds: 0 }))).toBe(
    'done',
  )
})
