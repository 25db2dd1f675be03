// Fake nodes under a whole cluster, and their stages alone.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startCluster, type Cluster } from '../cluster.ts'
import { podOf } from '../controllers/testing/objects.ts'
import { deploymentType, type Deployment } from '../resources/deployment.ts'
import { nodeType, type Node } from '../resources/node.ts'
import { podType, type Pod } from '../resources/pod.ts'
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

  test('a node that was taken for dead says that it lives', async () => {
    const [name = ''] = cluster.nodes
    const unknown = { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } }
    await cluster.client.patch(nodeType, undefined, name, 'merge', unknown, 'status')
    const ready = async (): Promise<string | undefined> => {
      const { status } = await cluster.client.get<Node>(nodeType, undefined, name)
      return status.conditions?.find(({ type }) => type === 'Ready')?.status
    }
    await expect.poll(ready, { timeout: 15_000 }).toBe('True')
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
