import { expect, test } from 'vitest'
import { nodeOf, podOf } from '../controllers/testing/objects.ts'
import type { Node } from '../resources/node.ts'
import type { Stored } from '../resources/object.ts'
import type { PodSpec } from '../resources/pod-spec/pod-spec.ts'
import type { Pod } from '../resources/pod.ts'
import { feasibleNodesEnough, schedule, type Decision } from './schedule.ts'
import { ClusterView } from './snapshot/cluster-view.ts'
import { podDemand } from './snapshot/pod-demand.ts'

const container = (requests: Record<string, string> = {}): PodSpec['containers'][number] => ({
  name: 'c',
  image: 'i',
  resources: { requests },
})
const pending = (spec: Partial<PodSpec> = {}, name = 'p'): Stored<Pod> =>
  podOf(name, {
    spec: { nodeName: '', containers: [container()], ...spec },
    status: { phase: 'Pending' },
  })
const view = (nodes: readonly Stored<Node>[], pods: readonly Stored<Pod>[] = []): ClusterView => {
  const made = new ClusterView()
  for (const node of nodes) made.setNode(node)
  for (const pod of pods) made.setPod(pod)
  return made
}
const decide = (
  pod: Stored<Pod>,
  nodes: readonly Stored<Node>[],
  pods: readonly Stored<Pod>[] = [],
): Decision => {
  const made = view(nodes, pods)
  return schedule(made.factsOf(pod), made)
}
const message = (decision: Decision): string =>
  decision.type === 'unschedulable' ? decision.message : ''
const nodeName = (decision: Decision): string => (decision.type === 'node' ? decision.nodeName : '')

test('without nodes nothing can be scheduled', () => {
  expect(message(decide(pending(), []))).toBe('no nodes available to schedule pods')
})

test('the message counts every reason over all nodes, sorted', () => {
  const pod = pending({ containers: [container({ cpu: '3', memory: '8Gi' })] })
  const nodes = [
    nodeOf('a'),
    nodeOf('b', { spec: { unschedulable: true } }),
    nodeOf('c', { spec: { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] } }),
  ]
  expect(message(decide(pod, nodes))).toBe(
    '0/3 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 node(s) had untolerated taint {k: v}, 1 node(s) were unschedulable.',
  )
})

test('a pod goes where its requests still fit', () => {
  const pod = pending({ containers: [container({ cpu: '1500m' })] })
  const taken = podOf('taken', { spec: { nodeName: 'a', containers: [container({ cpu: '1' })] } })
  expect(nodeName(decide(pod, [nodeOf('a'), nodeOf('b')], [taken]))).toBe('b')
})

test('a request that fits to the last unit is accepted and one more is not', () => {
  const taken = podOf('taken', {
    spec: { nodeName: 'a', containers: [container({ cpu: '500m' })] },
  })
  expect(
    nodeName(
      decide(pending({ containers: [container({ cpu: '1500m' })] }), [nodeOf('a')], [taken]),
    ),
  ).toBe('a')
  expect(
    message(decide(pending({ containers: [container({ cpu: '1501m' })] }), [nodeOf('a')], [taken])),
  ).toBe('0/1 nodes are available: 1 Insufficient cpu.')
})

test('pods that are over take no room', () => {
  const over = podOf('over', {
    spec: { nodeName: 'a', containers: [container({ cpu: '2' })] },
    status: { phase: 'Succeeded' },
  })
  expect(
    nodeName(decide(pending({ containers: [container({ cpu: '2' })] }), [nodeOf('a')], [over])),
  ).toBe('a')
})

test('a node takes no more pods than its limit', () => {
  const taken = podOf('taken', { spec: { nodeName: 'a' } })
  expect(message(decide(pending(), [nodeOf('a', { allocatable: { pods: '1' } })], [taken]))).toBe(
    '0/1 nodes are available: 1 Too many pods.',
  )
})

test('the demand of a pod is that of its containers or of its hungriest init container, sidecars included', () => {
  const pod = pending({
    containers: [container({ cpu: '100m' }), container({ cpu: '200m' })],
    initContainers: [
      { ...container({ cpu: '50m' }), restartPolicy: 'Always' },
      container({ cpu: '400m' }),
    ],
    overhead: { cpu: '10m' },
  })
  expect(podDemand(pod).requests.get('cpu')).toBe(460)
})

test('nodeSelector and required affinity choose nodes', () => {
  const nodes = [
    nodeOf('a', { labels: { disk: 'hdd' } }),
    nodeOf('b', { labels: { disk: 'ssd', size: '5' } }),
  ]
  expect(nodeName(decide(pending({ nodeSelector: { disk: 'ssd' } }), nodes))).toBe('b')
  const term = (key: string, operator: string, values: string[]): PodSpec['affinity'] => ({
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key, operator, values }] }],
      },
    },
  })
  const chosen = (key: string, operator: string, values: string[]): string => {
    const affinity = term(key, operator, values)
    return nodeName(decide(pending(affinity === undefined ? {} : { affinity }), nodes))
  }
  expect(chosen('size', 'Gt', ['4'])).toBe('b')
  expect(chosen('disk', 'NotIn', ['ssd'])).toBe('a')
  expect(chosen('size', 'DoesNotExist', [])).toBe('a')
  expect(chosen('size', 'Gt', ['5'])).toBe('')
})

test('a preferred node wins over an emptier one', () => {
  const affinity = {
    nodeAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 100, preference: { matchExpressions: [{ key: 'disk', operator: 'Exists' }] } },
      ],
    },
  }
  const nodes = [nodeOf('a'), nodeOf('b', { labels: { disk: 'ssd' } })]
  const taken = podOf('taken', {
    spec: { nodeName: 'b', containers: [container({ cpu: '1', memory: '2Gi' })] },
  })
  expect(nodeName(decide(pending({ affinity }), nodes, [taken]))).toBe('b')
})

test('host ports clash on one address and not across addresses or protocols', () => {
  const withPort = (port: {
    hostPort: number
    hostIP?: string
    protocol?: string
  }): PodSpec['containers'] => [{ ...container(), ports: [{ containerPort: 1, ...port }] }]
  const taken = podOf('taken', {
    spec: { nodeName: 'a', containers: withPort({ hostPort: 80, hostIP: '127.0.0.1' }) },
  })
  const fits = (port: { hostPort: number; hostIP?: string; protocol?: string }): boolean =>
    decide(pending({ containers: withPort(port) }), [nodeOf('a')], [taken]).type === 'node'
  expect(fits({ hostPort: 80 })).toBe(false)
  expect(fits({ hostPort: 80, hostIP: '127.0.0.2' })).toBe(true)
  expect(fits({ hostPort: 80, protocol: 'UDP' })).toBe(true)
  expect(fits({ hostPort: 81 })).toBe(true)
})

test('tolerations open tainted nodes, and soft taints only make them worse', () => {
  const hard = nodeOf('hard', { spec: { taints: [{ key: 'k', value: 'v', effect: 'NoExecute' }] } })
  expect(decide(pending({ tolerations: [{ key: 'k', operator: 'Exists' }] }), [hard]).type).toBe(
    'node',
  )
  expect(decide(pending({ tolerations: [{ key: 'k', value: 'w' }] }), [hard]).type).toBe(
    'unschedulable',
  )
  expect(decide(pending({ tolerations: [{ operator: 'Exists' }] }), [hard]).type).toBe('node')
  const soft = nodeOf('soft', { spec: { taints: [{ key: 'k', effect: 'PreferNoSchedule' }] } })
  expect(nodeName(decide(pending(), [soft, nodeOf('free')]))).toBe('free')
  expect(nodeName(decide(pending(), [soft]))).toBe('soft')
})

test('equal pods are spread over equal nodes', () => {
  const cluster = view([nodeOf('a'), nodeOf('b'), nodeOf('c')])
  const names: string[] = []
  let start = 0
  for (let index = 0; index < 6; index++) {
    const pod = pending({}, `p${index}`)
    const facts = cluster.factsOf(pod)
    const decision = schedule(facts, cluster, { start })
    if (decision.type !== 'node') throw new Error(decision.message)
    start = decision.nextStart
    cluster.assume(facts, decision.nodeName)
    names.push(decision.nodeName)
  }
  expect(names.toSorted()).toEqual(['a', 'a', 'b', 'b', 'c', 'c'])
})

test('large clusters are sampled', () => {
  expect([50, 100, 1000, 5000, 10_000].map((count) => feasibleNodesEnough(count))).toEqual([
    50, 100, 420, 500, 500,
  ])
})
