// startCluster() as tests of other programs use it.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cluster, startCluster } from './cluster.ts'
import { hasCondition } from './client/wait-for.ts'
import type { KubeObject } from './resources/object.ts'

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster({ agents: 0, fakeNodes: { count: 2 } })
})
afterAll(() => cluster.close())

const deployments = { group: 'apps', version: 'v1', plural: 'deployments' }
const manifests = `
apiVersion: v1
kind: Namespace
metadata: { name: shop }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  replicas: 3
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: web }] }
`

test('applies a text of manifests and waits until they are as wished, again and again', async () => {
  const [namespace, deployment] = await cluster.apply(manifests)
  expect([namespace?.kind, deployment?.metadata.namespace]).toEqual(['Namespace', 'shop'])
  const name = { namespace: 'shop', name: 'web' }
  const available = await cluster.waitFor(deployments, name, (current) =>
    hasCondition(current, 'Available'),
  )
  expect(available).toMatchObject({ status: { readyReplicas: 3 } })
  const [, again] = await cluster.apply(manifests.replace('replicas: 3', 'replicas: 1'))
  expect(again).toMatchObject({ spec: { replicas: 1 } })
})

test('applies a definition and objects of it in one text', async () => {
  const group = 'example.com'
  const applied = await cluster.apply(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [
        {
          apiVersion: 'apiextensions.k8s.io/v1',
          kind: 'CustomResourceDefinition',
          metadata: { name: `gadgets.${group}` },
          spec: {
            group,
            scope: 'Namespaced',
            names: { kind: 'Gadget', plural: 'gadgets' },
            versions: [
              {
                name: 'v1',
                served: true,
                storage: true,
                schema: {
                  openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                },
              },
            ],
          },
        },
        { apiVersion: `${group}/v1`, kind: 'Gadget', metadata: { name: 'one' } },
      ],
    }),
  )
  expect(applied.map(({ kind }) => kind)).toEqual(['CustomResourceDefinition', 'Gadget'])
  const gadgets = cluster.resource<KubeObject>({ group, version: 'v1', plural: 'gadgets' })
  expect(await gadgets.list({ namespace: 'default' })).toHaveLength(1)
})

test('a text with a kind that is not served, or that is no manifest, is refused', async () => {
  await expect(
    cluster.apply('{ apiVersion: v9, kind: Nothing, metadata: { name: x } }'),
  ).rejects.toThrow('no matches for kind "Nothing" in version "v9"')
  await expect(cluster.apply('kind: [')).rejects.toThrow('error parsing the manifests')
})

test('the kubeconfig is a file and a text', () => {
  expect(cluster.kubeconfigText).toBe(readFileSync(cluster.kubeconfig, 'utf8'))
  expect(cluster.kubeconfigText).toContain(cluster.url)
})
