import { expect, test } from 'vitest'
import { objectKey } from '../../client/object-cache.ts'
import { nodeOf } from '../../controllers/testing/objects.ts'
import { isReady } from '../../controllers/pod-state.ts'
import { nodeType, type Node } from '../../resources/node.ts'
import type { Stored } from '../../resources/object.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import {
  daemonSetType,
  type DaemonSet,
  type DaemonSetSpec,
} from '../../resources/workloads/daemon-set.ts'
import { checkControllers } from '../testing/check-controllers.ts'
import { randomOf, SimulatedCluster } from '../testing/simulated-cluster.ts'
import { daemonSetController } from './daemon-set-controller.ts'

const template = (image: string): DaemonSetSpec['template'] => ({
  metadata: { labels: { app: 'a' } },
  spec: { containers: [{ name: 'c', image, resources: {} }], nodeSelector: { daemons: 'yes' } },
})
const daemonSet = (more: Partial<DaemonSetSpec> = {}): DaemonSet => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'ds', namespace: 'default' },
  spec: {
    selector: { matchLabels: { app: 'a' } },
    template: template('i:1'),
    updateStrategy: {},
    ...more,
  },
  status: {
    currentNumberScheduled: 0,
    numberMisscheduled: 0,
    desiredNumberScheduled: 0,
    numberReady: 0,
  },
})
const node = (name: string): Stored<Node> => nodeOf(name, { labels: { daemons: 'yes' } })
const started = (names: readonly string[], set: DaemonSet = daemonSet()): SimulatedCluster => {
  const cluster = new SimulatedCluster({ controllers: [daemonSetController], random: randomOf(5) })
  for (const name of names) cluster.put(nodeType, node(name))
  cluster.put(daemonSetType, set)
  return cluster
}
const current = (cluster: SimulatedCluster): Stored<DaemonSet> => {
  const set = cluster.api.get<DaemonSet>(daemonSetType, 'default/ds')
  if (set === undefined) throw new Error('no set')
  return set
}
const change = (cluster: SimulatedCluster, spec: Partial<DaemonSetSpec>): void => {
  const set = current(cluster)
  cluster.api.update(daemonSetType, { ...set, spec: { ...set.spec, ...spec } } as DaemonSet)
}
const pods = (cluster: SimulatedCluster): Stored<Pod>[] => cluster.api.all<Pod>(podType)
const ready = (cluster: SimulatedCluster): number =>
  new Set(
    pods(cluster)
      .filter((pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined)
      .map(({ spec }) => spec.nodeName),
  ).size
const places = (cluster: SimulatedCluster): string[] =>
  pods(cluster)
    .map((pod) => pod.spec.nodeName ?? '')
    .toSorted((left, right) => (left < right ? -1 : 1))

test('every node that fits gets a pod that outlives its troubles', () => {
  const cluster = started(['n1', 'n2'])
  cluster.put(nodeType, nodeOf('other'))
  cluster.settle()
  expect(places(cluster)).toEqual(['n1', 'n2'])
  const [pod] = pods(cluster)
  expect(pod?.metadata).toMatchObject({
    generateName: 'ds-',
    labels: { app: 'a', 'pod-template-generation': '1' },
  })
  expect(pod?.spec.tolerations?.map(({ key }) => key)).toEqual([
    'node.kubernetes.io/not-ready',
    'node.kubernetes.io/unreachable',
    'node.kubernetes.io/disk-pressure',
    'node.kubernetes.io/memory-pressure',
    'node.kubernetes.io/pid-pressure',
    'node.kubernetes.io/unschedulable',
  ])
  expect(current(cluster).status).toEqual({
    observedGeneration: 1,
    currentNumberScheduled: 2,
    desiredNumberScheduled: 2,
    numberMisscheduled: 0,
    numberReady: 2,
    numberAvailable: 2,
    updatedNumberScheduled: 2,
  })
})

test('nodes come, go and are tainted: their pods follow', () => {
  const cluster = started(['n1', 'n2'])
  cluster.settle()
  const taint = (name: string, effect: string): void => {
    const spec = { taints: [{ key: 'k', value: '', effect }] }
    cluster.api.patch(nodeType, name, { spec })
  }
  cluster.put(nodeType, node('n3'))
  taint('n1', 'NoExecute')
  taint('n2', 'NoSchedule')
  cluster.settle()
  expect(places(cluster)).toEqual(['n2', 'n3'])
  expect(current(cluster).status).toMatchObject({
    desiredNumberScheduled: 1,
    numberMisscheduled: 1,
  })
})

test.each([
  { rollingUpdate: { maxUnavailable: 1 }, fewest: 3, most: 4 },
  { rollingUpdate: { maxUnavailable: '50%' }, fewest: 2, most: 4 },
  { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 }, fewest: 4, most: 5 },
])('a roll-out with $rollingUpdate keeps what it promises', ({ rollingUpdate, fewest, most }) => {
  const updateStrategy = { type: 'RollingUpdate', rollingUpdate }
  const cluster = started(['n1', 'n2', 'n3', 'n4'], daemonSet({ updateStrategy }))
  cluster.settle()
  change(cluster, { template: template('i:2') })
  cluster.settle(() => {
    const staying = pods(cluster).filter((pod) => pod.metadata.deletionTimestamp === undefined)
    expect(ready(cluster)).toBeGreaterThanOrEqual(fewest)
    expect(staying.length).toBeLessThanOrEqual(most)
  })
  expect(pods(cluster).map((pod) => pod.spec.containers[0]?.image)).toEqual(
    Array.from({ length: 4 }, () => 'i:2'),
  )
  expect(pods(cluster)[0]?.metadata.labels?.['pod-template-generation']).toBe('2')
})

test('a pod that fails again and again is replaced ever more slowly', () => {
  const cluster = started(['n1'])
  cluster.settle()
  const times: number[] = []
  for (let round = 0; round < 4; round++) {
    const [pod] = pods(cluster)
    if (pod !== undefined)
      cluster.api.update(podType, { ...pod, status: { phase: 'Failed' } } as Pod, 'status')
    const before = cluster.api.nowMs
    cluster.settle()
    times.push(Math.round((cluster.api.nowMs - before) / 1000))
  }
  expect(times[3]).toBeGreaterThan(2)
  expect(cluster.api.events.filter(({ reason }) => reason === 'FailedDaemonPod')).toHaveLength(4)
})

test('a daemon set has one pod on each node, whatever happens', () => {
  checkControllers({
    controllers: [daemonSetController],
    setup: (cluster) => {
      for (const name of ['n1', 'n2', 'n3']) cluster.put(nodeType, node(name))
      const isSurging = cluster.random() < 0.4
      const rollingUpdate = isSurging ? { maxUnavailable: 0, maxSurge: 1 } : { maxUnavailable: 1 }
      cluster.put(
        daemonSetType,
        daemonSet({ updateStrategy: { type: 'RollingUpdate', rollingUpdate } }),
      )
    },
    deeds: [
      (cluster, choice) => change(cluster, { template: template(`i:${choice % 3}`) }),
      (cluster, choice) => {
        const name = `n${1 + (choice % 4)}`
        const there = cluster.api.get<Node>(nodeType, name)
        if (there === undefined) cluster.put(nodeType, node(name))
        else
          cluster.api.patch(nodeType, name, {
            metadata: { labels: { daemons: choice % 2 === 0 ? 'no' : 'yes' } },
          })
      },
      (cluster, choice) => {
        const there = cluster.api.get<Node>(nodeType, `n${1 + (choice % 3)}`)
        if (there === undefined) return
        cluster.api.delete(nodeType, objectKey(there), there.metadata.uid)
        for (const pod of pods(cluster))
          if (pod.spec.nodeName === there.metadata.name)
            cluster.api.delete(podType, objectKey(pod), pod.metadata.uid, { graceSeconds: 0 })
      },
    ],
    goal: (cluster) => {
      const { spec, status } = current(cluster)
      const wanted = cluster.api
        .all<Node>(nodeType)
        .filter(({ metadata }) => metadata.labels?.['daemons'] === 'yes')
        .map(({ metadata }) => metadata.name)
        .toSorted((left, right) => (left < right ? -1 : 1))
      expect(places(cluster)).toEqual(wanted)
      const image = spec.template.spec.containers[0]?.image
      expect(pods(cluster).every((pod) => pod.spec.containers[0]?.image === image)).toBe(true)
      expect(status).toMatchObject({
        desiredNumberScheduled: wanted.length,
        currentNumberScheduled: wanted.length,
        numberReady: wanted.length,
      })
    },
    runs: 150,
  })
})
