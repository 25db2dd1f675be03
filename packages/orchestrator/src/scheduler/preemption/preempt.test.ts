// Who must leave for whom.
import { expect, test } from 'vitest'
import { nodeOf } from '../../controllers/testing/objects.ts'
import type { Stored } from '../../resources/object.ts'
import type { PodSpec } from '../../resources/pod-spec/pod-spec.ts'
import type { Pod } from '../../resources/pod.ts'
import { schedule } from '../schedule.ts'
import { ClusterView } from '../snapshot/cluster-view.ts'
import { containerOf, pendingPod, placedPod } from '../testing/pods.ts'
import type { Budget } from './budget-view.ts'
import { preempt, type Preemption } from './preempt.ts'

const cpu = (amount: string, priority: number): Partial<PodSpec> => ({
  priority,
  containers: [containerOf({ cpu: amount })],
})
const outcome = (
  pod: Stored<Pod>,
  pods: readonly Stored<Pod>[],
  options: { readonly budgets?: readonly Budget[]; readonly nodes?: readonly string[] } = {},
): Preemption => {
  const view = new ClusterView()
  for (const name of options.nodes ?? ['a', 'b']) view.setNode(nodeOf(name))
  for (const each of pods) view.setPod(each)
  const facts = view.factsOf(pod)
  const failure = schedule(facts, view)
  if (failure.type === 'node') throw new Error('it fits')
  return preempt(facts, failure, view, options.budgets)
}
/** `NODE: VICTIMS`, or the message. */
const told = (result: Preemption): string =>
  result.type === 'none'
    ? result.message
    : `${result.nodeName}: ${result.victims.map(({ metadata }) => metadata.name).join(' ')}`

test('only as many leave as must, the least important', () => {
  const pods = [
    placedPod('low', 'a', cpu('500m', 1)),
    placedPod('lower', 'a', cpu('500m', 0)),
    placedPod('mid', 'a', cpu('1', 5)),
    placedPod('top', 'b', cpu('2', 100)),
  ]
  expect(told(outcome(pendingPod('p', cpu('500m', 10)), pods))).toBe('a: lower')
  expect(told(outcome(pendingPod('p', cpu('1', 10)), pods))).toBe('a: low lower')
})

test('the node is taken where the least important pod suffices', () => {
  const pods = [placedPod('x', 'a', cpu('2', 5)), placedPod('y', 'b', cpu('2', 3))]
  expect(told(outcome(pendingPod('p', cpu('1', 10)), pods))).toBe('b: y')
})

test('equal and more important pods stay, and the message says that nobody can leave', () => {
  const pods = [placedPod('x', 'a', cpu('2', 10)), placedPod('y', 'b', cpu('2', 11))]
  expect(told(outcome(pendingPod('p', cpu('1', 10)), pods))).toBe(
    'preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.',
  )
})

test('where room is not what is missing nobody leaves', () => {
  const pods = [placedPod('x', 'a', cpu('2', 0))]
  expect(told(outcome(pendingPod('p', cpu('3', 10)), pods))).toBe(
    'preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
  )
})

test('a pod that must not preempt does not', () => {
  const pod = pendingPod('p', { ...cpu('1', 10), preemptionPolicy: 'Never' })
  const pods = [placedPod('x', 'a', cpu('2', 0)), placedPod('y', 'b', cpu('2', 0))]
  expect(told(outcome(pod, pods))).toBe('preemption: not eligible due to preemptionPolicy=Never.')
})

test('a disruption budget makes another node the better one, and does not protect at any price', () => {
  const pods = [
    placedPod('guarded', 'a', cpu('2', 0), { labels: { app: 'db' } }),
    placedPod('free', 'b', cpu('2', 5), { labels: { app: 'web' } }),
  ]
  const budgets: Budget[] = [
    {
      namespace: 'default',
      selector: { matchLabels: { app: 'db' } },
      disruptionsAllowed: 0,
      disrupted: new Set(),
    },
  ]
  const pod = pendingPod('p', cpu('1', 10))
  expect(told(outcome(pod, pods, { budgets }))).toBe('b: free')
  expect(told(outcome(pod, pods.slice(0, 1), { budgets, nodes: ['a'] }))).toBe('a: guarded')
})

test('anti-affinity of less important pods is a reason to push them out', () => {
  const apart = {
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { labelSelector: { matchLabels: { app: 'p' } }, topologyKey: 'kubernetes.io/hostname' },
        ],
      },
    },
  }
  const pods = [placedPod('loner', 'a', { ...cpu('100m', 0), ...apart })]
  const pod = pendingPod('p', cpu('100m', 10), { labels: { app: 'p' } })
  expect(told(outcome(pod, pods, { nodes: ['a'] }))).toBe('a: loner')
})

test('the room that was cleared for a pod is not given to a less important one', () => {
  const view = new ClusterView()
  view.setNode(nodeOf('a'))
  const important = view.factsOf(pendingPod('vip', cpu('2', 10)))
  view.nominate(important, 'a')
  const other = schedule(view.factsOf(pendingPod('p', cpu('1', 0))), view)
  expect(other.type).toBe('unschedulable')
  expect(schedule(view.factsOf(pendingPod('q', cpu('1', 20))), view).type).toBe('node')
  expect(schedule(important, view)).toMatchObject({ type: 'node', nodeName: 'a' })
})
