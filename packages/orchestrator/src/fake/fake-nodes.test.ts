// Fake nodes under a whole cluster, and their stages alone.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startCluster, type Cluster } from '../cluster.ts'
import { podOf } from '../controllers/testing/objects.ts'
import { deploymentType, type Deployment } from '../resources/deployment.ts'
import { nodeType, type Node } from '../resources/node.ts'
import { podType, type Pod } from '../resources/pod.ts'
import { startFakeNodes } from './fake-nodes.ts'
import { defaultStages, nextStage, stagedStatus } from './pod-stages.ts'

const facts = { nowMs: Date.parse('2026-01-01T00:00:00Z'), hostIp: '10.0.0.1', podIp: '10.64.0.1' }
const ofJob = {
  metadata: {
    ownerReferences: [
      { apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: 'j', controller: true },
    ],
  },
}

test('a pod runs, that of a job completes, and one that is deleted goes', () => {
  const stageOf = (pod: Parameters<typeof nextStage>[0]): string =>
    nextStage(pod, defaultStages)?.name ?? 'none'
  expect(stageOf(podOf('p', { status: { phase: 'Pending' } }))).toBe('pod-ready')
  expect(stageOf(podOf('p', { status: { phase: 'Running' } }))).toBe('none')
  expect(stageOf(podOf('p', { ...ofJob, status: { phase: 'Running' } }))).toBe('pod-complete')
  const ending = { deletionTimestamp: '2026-01-01T00:00:00Z' }
  expect(stageOf(podOf('p', { metadata: ending, status: { phase: 'Running' } }))).toBe('pod-delete')
})

test.each([
  ['run', 'Running', 'True', undefined],
  ['complete', 'Succeeded', 'False', 0],
  ['fail', 'Failed', 'False', 1],
] as const)('after `%s` the pod is %s', (outcome, phase, ready, exitCode) => {
  const status = stagedStatus(podOf('p', { status: { phase: 'Pending' } }), outcome, facts)
  expect(status).toMatchObject({ phase, podIP: '10.64.0.1', hostIP: '10.0.0.1' })
  expect(status.conditions?.find(({ type }) => type === 'Ready')?.status).toBe(ready)
  expect(status.containerStatuses?.[0]?.state.terminated?.exitCode).toBe(exitCode)
})

describe('in a cluster', () => {
  let cluster: Cluster
  const errors: Error[] = []
  beforeAll(async () => {
    cluster = await startCluster({
      agents: 0,
      fakeNodes: {
        count: 3,
        random: () => 0.4,
        stages: [
          ...defaultStages.slice(0, 1),
          {
            name: 'pod-broken',
            when: { phase: 'Pending', selector: { matchLabels: { app: 'broken' } } },
            delayMs: 1,
            then: 'run',
            failureShare: 0.5,
          },
          ...defaultStages.slice(1),
        ],
      },
      onError: (error) => errors.push(error),
    })
  })
  afterAll(async () => cluster.close())

  const pods = async (): Promise<readonly Pod[]> => (await cluster.client.list<Pod>(podType)).items
  const deployment = (name: string, replicas: number): Deployment => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'c', image: 'i', resources: {} }] },
      },
      strategy: {},
    },
    status: {},
  })

  test('nodes are Ready, spread over zones', async () => {
    const { items } = await cluster.client.list<Node>(nodeType)
    expect(items.map(({ metadata }) => metadata.name)).toEqual(cluster.nodes)
    expect(
      new Set(items.map(({ metadata }) => metadata.labels?.['topology.kubernetes.io/zone'])).size,
    ).toBe(3)
  })

  test('a deployment becomes available on them, and its pods go with it', async () => {
    await cluster.client.create(deploymentType, deployment('web', 9))
    const current = (): Promise<Deployment> =>
      cluster.client.get<Deployment>(deploymentType, 'default', 'web')
    await expect.poll(async () => (await current()).status.availableReplicas).toBe(9)
    const running = await pods()
    expect(new Set(running.map(({ status }) => status.podIP)).size).toBe(9)
    const perNode = cluster.nodes.map(
      (name) => running.filter(({ spec }) => spec.nodeName === name).length,
    )
    expect(perNode).toEqual([3, 3, 3])
    await cluster.client.delete(deploymentType, 'default', 'web')
    await expect.poll(pods).toEqual([])
  })

  test('a node that was given up while everything stood still is ready again, and so are its pods', async () => {
    await cluster.client.create(deploymentType, deployment('web', 3))
    const isReady = ({ status }: Pod | Node): boolean =>
      status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true
    const ready = async (): Promise<number> => (await pods()).filter(isReady).length
    await expect.poll(ready).toBe(3)
    // What the node controller does.
    const [name = ''] = cluster.nodes
    const unready = (status: 'Unknown' | 'False') => ({
      status: { conditions: [{ type: 'Ready', status }] },
    })
    await cluster.client.patch(nodeType, undefined, name, 'strategic', unready('Unknown'), 'status')
    for (const { metadata, spec } of await pods())
      if (spec.nodeName === name)
        await cluster.client.patch(
          podType,
          'default',
          metadata.name ?? '',
          'strategic',
          unready('False'),
          'status',
        )
    const isBack = async (): Promise<boolean> =>
      isReady(await cluster.client.get<Node>(nodeType, undefined, name))
    await expect.poll(isBack, { timeout: 10_000 }).toBe(true)
    await expect.poll(ready, { timeout: 10_000 }).toBe(3)
    await cluster.client.delete(deploymentType, 'default', 'web')
    await expect.poll(pods).toEqual([])
  })

  test('a status that could not be written is written again', async () => {
    let failures = 0
    const flaky = new Proxy(cluster.client, {
      get: (target, name) => {
        const value = Reflect.get(target, name) as unknown
        if (typeof value !== 'function') return value
        if (name !== 'update' || failures > 0) return value.bind(target) as unknown
        return () => {
          failures++
          return Promise.reject(new Error('the store is gone'))
        }
      },
    })
    const nodes = await startFakeNodes({ client: flaky, count: 1, namePrefix: 'flaky' })
    try {
      await cluster.client.create(podType, {
        ...podOf('late'),
        metadata: { name: 'late', namespace: 'default' },
        spec: {
          containers: [{ name: 'c', image: 'i', resources: {} }],
          nodeName: nodes.names[0],
        },
      } as Pod)
      const phase = async (): Promise<string | undefined> => (await pods())[0]?.status.phase
      await expect.poll(phase, { timeout: 10_000 }).toBe('Running')
      expect(failures).toBe(1)
    } finally {
      await cluster.client.delete(podType, 'default', 'late', { gracePeriodSeconds: 0 })
      await nodes.close()
    }
  })

  test('a stage may let pods fail', async () => {
    await cluster.client.create(podType, {
      ...podOf('broken'),
      metadata: { name: 'broken', namespace: 'default', labels: { app: 'broken' } },
      spec: { containers: [{ name: 'c', image: 'i', resources: {} }] },
    } as Pod)
    await expect.poll(async () => (await pods())[0]?.status.phase).toBe('Failed')
    expect(errors).toEqual([])
  })
})
