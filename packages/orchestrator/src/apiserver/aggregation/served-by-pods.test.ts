// Servers that the apiserver calls and that run as pods of our agents: an aggregated API and admission behind one service.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cluster, startCluster } from '../../cluster.ts'
import { type ApiConnection, connectApi } from '../../client/connect-api.ts'
import { hasCondition } from '../../client/wait-for.ts'
import type { KubeObject } from '../../resources/object.ts'
import { createAuthority, signLeaf } from '../pki/signer.ts'

/** Answers discovery, lists one thing that is named after who asks, and lets nothing be created that is called `evil`. */
const script = `
const { createServer } = require('node:https')
const { env } = process
createServer({ key: env.KEY, cert: env.CERT }, (request, response) => {
  let text = ''
  request.on('data', (chunk) => { text += chunk })
  request.on('end', () => {
    const send = (value) => response.end(JSON.stringify(value))
    response.setHeader('content-type', 'application/json')
    if (request.url.startsWith('/review')) {
      const { apiVersion, kind, request: { uid, name } } = JSON.parse(text)
      send({ apiVersion, kind, response: { uid, allowed: name !== 'evil', status: { message: 'no evil' } } })
    } else if (request.url.endsWith('/things')) {
      const metadata = { name: request.headers['x-remote-user'], annotations: { pod: env.BALSA_POD_IP } }
      send({ kind: 'ThingList', apiVersion: 'pods.example.com/v1', metadata: {}, items: [{ metadata }] })
    } else send({ kind: 'APIResourceList', groupVersion: 'pods.example.com/v1', resources: [
      { name: 'things', kind: 'Thing', namespaced: true, verbs: ['list'] }] })
  })
}).listen(8443, env.BALSA_POD_IP)`

const apiServices = { group: 'apiregistration.k8s.io', version: 'v1', plural: 'apiservices' }
let cluster: Cluster
let api: ApiConnection
beforeAll(async () => {
  cluster = await startCluster()
  api = connectApi({ kubeconfig: cluster.kubeconfig })
})
afterAll(async () => {
  api.close()
  await cluster.close()
})

test('a service leads to the pods behind it, for aggregated APIs and for webhooks', async () => {
  const authority = await createAuthority()
  const { key, certificate } = await signLeaf(authority, {
    commonName: 'server',
    organizations: [],
    usage: 'server',
    names: [{ type: 'dns', value: 'server.default.svc' }],
  })
  const caBundle = Buffer.from(authority.certificate).toString('base64')
  const manifests = [
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'server', labels: { app: 'server' } },
      spec: {
        containers: [
          {
            name: 'server',
            image: 'node',
            command: [process.execPath, '-e', script],
            env: [
              { name: 'KEY', value: key },
              { name: 'CERT', value: certificate },
            ],
          },
        ],
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'server' },
      spec: { selector: { app: 'server' }, ports: [{ port: 443, targetPort: 8443 }] },
    },
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1.pods.example.com' },
      spec: {
        group: 'pods.example.com',
        version: 'v1',
        service: { namespace: 'default', name: 'server' },
        caBundle,
        groupPriorityMinimum: 100,
        versionPriority: 10,
      },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'server' },
      webhooks: [
        {
          name: 'server.example.com',
          clientConfig: {
            service: { namespace: 'default', name: 'server', path: '/review' },
            caBundle,
          },
          rules: [
            {
              operations: ['CREATE'],
              apiGroups: [''],
              apiVersions: ['v1'],
              resources: ['secrets'],
            },
          ],
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    },
  ]
  await cluster.apply(manifests.map((one) => JSON.stringify(one)).join('\n---\n'))
  await cluster.waitFor(apiServices, { name: 'v1.pods.example.com' }, (one) =>
    hasCondition(one, 'Available'),
  )
  const pod = await cluster.client.get<KubeObject & { readonly status: { podIP: string } }>(
    { group: '', version: 'v1', plural: 'pods' },
    'default',
    'server',
  )
  const things = { group: 'pods.example.com', version: 'v1', plural: 'things' }
  const { items } = await api.client.list(things, { namespace: 'default' })
  expect(items).toMatchObject([
    { metadata: { name: 'kubernetes-admin', annotations: { pod: pod.status.podIP } } },
  ])
  const secrets = { group: '', version: 'v1', plural: 'secrets' }
  const secret = (name: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'default' },
  })
  await expect(api.client.create(secrets, secret('evil'))).rejects.toThrow(
    'admission webhook "server.example.com" denied the request: no evil',
  )
  expect((await api.client.create(secrets, secret('good'))).metadata.name).toBe('good')
})
