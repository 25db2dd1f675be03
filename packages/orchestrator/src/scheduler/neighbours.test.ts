// Affinity between pods and spreading over topologies, as upstream's tables have them.
import { expect, test } from 'vitest'
import { nodeOf } from '../controllers/testing/objects.ts'
import type { Stored } from '../resources/object.ts'
import type {
  PodAffinityTerm,
  PodSpec,
  TopologySpreadConstraint,
} from '../resources/pod-spec/pod-spec.ts'
import type { Pod } from '../resources/pod.ts'
import { schedule } from './schedule.ts'
import { ClusterView } from './snapshot/cluster-view.ts'
import { pendingPod, placedPod } from './testing/pods.ts'

const zone = 'topology.kubernetes.io/zone'
const host = 'kubernetes.io/hostname'
const nodes = [
  nodeOf('a1', { labels: { [zone]: 'a' } }),
  nodeOf('a2', { labels: { [zone]: 'a' } }),
  nodeOf('b1', { labels: { [zone]: 'b' } }),
]

/** The node's name, or the message. */
const outcome = (pod: Stored<Pod>, pods: readonly Stored<Pod>[] = [], all = nodes): string => {
  const view = new ClusterView()
  view.topology.setNamespace('default', { team: 'x' })
  view.topology.setNamespace('other', { team: 'y' })
  for (const node of all) view.setNode(node)
  for (const each of pods) view.setPod(each)
  const decision = schedule(view.factsOf(pod), view)
  return decision.type === 'node' ? decision.nodeName : decision.message
}
const near = (term: Partial<PodAffinityTerm>): Partial<PodSpec> => ({
  affinity: {
    podAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { labelSelector: { matchLabels: { app: 'db' } }, topologyKey: zone, ...term },
      ],
    },
  },
})
const apart = (term: Partial<PodAffinityTerm>): Partial<PodSpec> => ({
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { labelSelector: { matchLabels: { app: 'db' } }, topologyKey: zone, ...term },
      ],
    },
  },
})
const db = { labels: { app: 'db' } }

test('a pod that wants to be near another goes to its zone, or nowhere', () => {
  expect(outcome(pendingPod('p', near({})), [placedPod('db', 'b1', {}, db)])).toBe('b1')
  expect(outcome(pendingPod('p', near({})))).toBe(
    `0/3 nodes are available: 3 node(s) didn't match pod affinity rules.`,
  )
})

test('the first pod of a group that wants to be together starts it', () => {
  expect(outcome(pendingPod('p', near({}), db))).toBe('a1')
  expect(outcome(pendingPod('p', near({ topologyKey: 'rack' }), db))).toBe(
    `0/3 nodes are available: 3 node(s) didn't match pod affinity rules.`,
  )
})

test('pods of other namespaces count where the term names or selects their namespace', () => {
  const there = [placedPod('db', 'b1', {}, { ...db, namespace: 'other' })]
  expect(outcome(pendingPod('p', near({})), there)).toContain('3 node(s)')
  expect(outcome(pendingPod('p', near({ namespaces: ['other'] })), there)).toBe('b1')
  const selected = near({ namespaceSelector: { matchLabels: { team: 'y' } } })
  expect(outcome(pendingPod('p', selected), there)).toBe('b1')
  expect(outcome(pendingPod('p', near({ namespaceSelector: {} })), there)).toBe('b1')
})

test('pods are kept apart by their own wish and by that of those who are there', () => {
  expect(outcome(pendingPod('p', apart({})), [placedPod('db', 'a1', {}, db)])).toBe('b1')
  expect(outcome(pendingPod('p', {}, db), [placedPod('loner', 'a2', apart({}))])).toBe('b1')
  const everywhere = [placedPod('l1', 'a2', apart({})), placedPod('l2', 'b1', apart({}))]
  expect(outcome(pendingPod('p', {}, db), everywhere)).toBe(
    `0/3 nodes are available: 3 node(s) didn't satisfy existing pods anti-affinity rules.`,
  )
  const both = [placedPod('d1', 'a2', {}, db), placedPod('d2', 'b1', {}, db)]
  expect(outcome(pendingPod('p', apart({})), both)).toBe(
    `0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules.`,
  )
})

test('matchLabelKeys keep pods of one revision apart and no others', () => {
  const term = { matchLabelKeys: ['hash'], topologyKey: host }
  const labels = (hash: string): { labels: Record<string, string> } => ({
    labels: { app: 'db', hash },
  })
  const pods = nodes.map(({ metadata }) => placedPod(metadata.name, metadata.name, {}, labels('1')))
  expect(outcome(pendingPod('p', apart(term), labels('2')), pods)).toBe('a1')
  expect(outcome(pendingPod('p', apart(term), labels('1')), pods)).toContain('anti-affinity')
})

test('preferred neighbours decide between nodes that are equal otherwise', () => {
  const preferred = [
    {
      weight: 100,
      podAffinityTerm: { labelSelector: { matchLabels: { app: 'db' } }, topologyKey: host },
    },
  ]
  const there = [placedPod('db', 'a2', {}, db)]
  const towards = { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred } }
  expect(outcome(pendingPod('p', { affinity: towards }), there)).toBe('a2')
  // And that of the pod that is there.
  const lover = [placedPod('lover', 'a2', { affinity: towards })]
  expect(outcome(pendingPod('p', {}, db), lover)).toBe('a2')
})

const constraint = (more: Partial<TopologySpreadConstraint> = {}): Partial<PodSpec> => ({
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: zone,
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: 'db' } },
      ...more,
    },
  ],
})

test.each<readonly [string, Partial<TopologySpreadConstraint>, readonly string[], string]>([
  ['the emptiest zone is next', {}, ['a1'], 'b1'],
  ['equal zones are both open', {}, ['a1', 'b1'], 'a2'],
  ['a larger skew is allowed', { maxSkew: 2, topologyKey: host }, ['a1'], 'a2'],
  [
    'too few domains count as an empty one',
    { minDomains: 3 },
    ['a1', 'b1'],
    `0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints.`,
  ],
  [
    'a node without the label is none',
    { topologyKey: 'rack' },
    [],
    `0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints (missing required label).`,
  ],
])('spread: %s', (_name, more, at, expected) => {
  const pods = at.map((node, index) => placedPod(`d${index}`, node, {}, db))
  expect(outcome(pendingPod('p', constraint(more), db), pods)).toBe(expected)
})

test('nodes that the pod does not select do not count, unless the policy says so', () => {
  const pods = [placedPod('d', 'a1', {}, db)]
  const spec = { ...constraint(), nodeSelector: { [zone]: 'a' } }
  expect(outcome(pendingPod('p', spec, db), pods)).toMatch(/^a/)
  const ignoring = {
    ...constraint({ nodeAffinityPolicy: 'Ignore' }),
    nodeSelector: { [zone]: 'a' },
  }
  expect(outcome(pendingPod('p', ignoring, db), pods)).toBe(
    `0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 2 node(s) didn't match pod topology spread constraints.`,
  )
})

test('tainted nodes count unless the policy honours taints', () => {
  const tainted = [
    nodeOf('a1', { labels: { [zone]: 'a' } }),
    nodeOf('b1', {
      labels: { [zone]: 'b' },
      spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] },
    }),
  ]
  const pods = [placedPod('d', 'a1', {}, db)]
  expect(outcome(pendingPod('p', constraint(), db), pods, tainted)).toContain('spread')
  const honouring = constraint({ nodeTaintsPolicy: 'Honor' })
  expect(outcome(pendingPod('p', honouring, db), pods, tainted)).toBe('a1')
})

test('pods that are ending do not count for spreading', () => {
  const ending = { ...db, deletionTimestamp: '2026-01-01T00:00:00Z' }
  const pods = [placedPod('d1', 'a1', {}, ending), placedPod('d2', 'b1', {}, db)]
  expect(outcome(pendingPod('p', constraint(), db), pods)).toMatch(/^a/)
})

test('pods of one controller are spread without being told to', () => {
  const owner = {
    ownerReferences: [
      { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'r', controller: true },
    ],
  }
  const pods = [placedPod('d1', 'a1', {}, owner), placedPod('x', 'b1'), placedPod('y', 'a2')]
  expect(outcome(pendingPod('p', {}, owner), pods)).toBe('b1')
})
