// What pods use, where one node does not answer and another speaks of pods that run elsewhere.
import { expect, test } from 'vitest'
import { NodeConnections, type NodeStats } from '../apiserver/node-connections.ts'
import type { Stored } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'
import { nodeMetrics } from './node-metrics.ts'

const podOn = (nodeName: string, uid: string): Stored<Pod> =>
  ({ metadata: { uid }, spec: { nodeName } }) as unknown as Stored<Pod>
const statsOf = (memoryBytes: number, ...uids: string[]): Promise<NodeStats> =>
  Promise.resolve({
    sampledAtMs: 1,
    windowMs: 2,
    pods: uids.map((uid) => ({ uid, containers: [{ name: 'main', memoryBytes }] })),
  } as unknown as NodeStats)

test('a node tells of its own pods alone, and one that fails takes nothing from the others', async () => {
  const nodes = new NodeConnections()
  const readLog = (): never => {
    throw new Error('there is no log')
  }
  nodes.register('honest', { readLog, stats: () => statsOf(1, 'a') })
  nodes.register('liar', { readLog, stats: () => statsOf(9, 'a', 'b') })
  nodes.register('broken', { readLog, stats: () => Promise.reject(new Error('it broke')) })
  const pods = [podOn('honest', 'a'), podOn('liar', 'b'), podOn('broken', 'c')]
  const usage = await nodeMetrics(nodes).podUsage(pods)
  expect([...usage.keys()].toSorted()).toEqual(['a', 'b'])
  expect(usage.get('a')?.containers).toMatchObject([{ memoryBytes: 1 }])
})
