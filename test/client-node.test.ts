// The Kubernetes client for Node.js, unmodified, over HTTP/1.1 against the apiserver.
import {
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  KubernetesObjectApi,
  Log,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  Watch,
} from '@kubernetes/client-node'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ApiFixture } from '../packages/orchestrator/src/apiserver/testing/api-fixture.ts'

let api: ApiFixture
let config: KubeConfig
let core: CoreV1Api
beforeAll(async () => {
  api = await ApiFixture.start()
  config = new KubeConfig()
  config.loadFromFile(api.server.kubeconfigPath)
  core = config.makeApiClient(CoreV1Api)
})
afterAll(async () => {
  expect(api.errors).toEqual([])
  await api.close()
})

const namespace = 'default'

test('creates, reads, lists, replaces, patches in three ways and deletes', async () => {
  const body = { metadata: { name: 'a', labels: { app: 'x' } }, data: { k: '1' } }
  const created = await core.createNamespacedConfigMap({ namespace, body })
  expect(created.metadata?.uid).toBeDefined()
  await core.replaceNamespacedConfigMap({
    name: 'a',
    namespace,
    body: Object.assign(created, { data: { k: '2' } }),
  })
  const patch = async (strategy: string, change: unknown): Promise<unknown> => {
    const patched = await core.patchNamespacedConfigMap(
      { name: 'a', namespace, body: change },
      setHeaderOptions('Content-Type', strategy),
    )
    return patched.data
  }
  const jsonPatch = [{ op: 'replace', path: '/data/k', value: '3' }]
  expect(await patch(PatchStrategy.JsonPatch, jsonPatch)).toEqual({ k: '3' })
  expect(await patch(PatchStrategy.MergePatch, { data: { m: '4' } })).toEqual({ k: '3', m: '4' })
  expect(await patch(PatchStrategy.StrategicMergePatch, { data: { k: null } })).toEqual({ m: '4' })
  const list = await core.listNamespacedConfigMap({ namespace, labelSelector: 'app=x' })
  expect(list.items.map((item) => item.metadata?.name)).toEqual(['a'])
  await core.deleteNamespacedConfigMap({ name: 'a', namespace })
  await expect(core.readNamespacedConfigMap({ name: 'a', namespace })).rejects.toMatchObject({
    code: 404,
  })
})

test('finds any kind by its apiVersion, and scales a deployment', async () => {
  const objects = KubernetesObjectApi.makeApiClient(config)
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'c', image: 'i' }] },
      },
    },
  }
  await objects.create(deployment)
  const apps = config.makeApiClient(AppsV1Api)
  const scale = await apps.readNamespacedDeploymentScale({ name: 'web', namespace })
  await apps.replaceNamespacedDeploymentScale({
    name: 'web',
    namespace,
    body: Object.assign(scale, { spec: { replicas: 3 } }),
  })
  const read = await apps.readNamespacedDeployment({ name: 'web', namespace })
  expect([read.spec?.replicas, read.metadata?.creationTimestamp]).toEqual([3, expect.any(Date)])
})

test('an informer and a watch see what happens', async () => {
  const informer = makeInformer(config, `/api/v1/namespaces/${namespace}/secrets`, () =>
    core.listNamespacedSecret({ namespace }),
  )
  const seen = new Promise((resolve) => {
    informer.on('add', (secret) => {
      resolve(secret.metadata?.name)
    })
  })
  await informer.start()
  const phases: string[] = []
  const watch = new Watch(config)
  let finish: (value: unknown) => void = () => undefined
  const finished = new Promise((resolve) => {
    finish = resolve
  })
  const controller = await watch.watch(
    `/api/v1/namespaces/${namespace}/secrets`,
    {},
    (phase: string) => {
      phases.push(phase)
      if (phase === 'DELETED') finish(undefined)
    },
    () => undefined,
  )
  await core.createNamespacedSecret({ namespace, body: { metadata: { name: 's' } } })
  await core.deleteNamespacedSecret({ name: 's', namespace })
  await finished
  expect(phases).toEqual(['ADDED', 'DELETED'])
  expect(await seen).toBe('s')
  controller.abort()
  await informer.stop()
})

test('follows a log', async () => {
  const unregister = api.server.nodes.register('n1', {
    async *readLog() {
      yield await Promise.resolve(Buffer.from('one\n'))
      yield Buffer.from('two\n')
    },
  })
  const containers = [{ name: 'c', image: 'i' }]
  await core.createNamespacedPod({
    namespace,
    body: { metadata: { name: 'p' }, spec: { containers } },
  })
  await api.server.client.bind(namespace, 'p', 'n1')
  const output = new PassThrough()
  const chunks: Buffer[] = []
  output.on('data', (chunk: Buffer) => chunks.push(chunk))
  const ended = new Promise((resolve) => output.on('end', resolve))
  await new Log(config).log(namespace, 'p', 'c', output, { follow: true })
  await ended
  expect(Buffer.concat(chunks).toString()).toBe('one\ntwo\n')
  unregister()
})
