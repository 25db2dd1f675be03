import { expect, test } from 'vitest'
import type { Node, Taint } from '../resources/node.ts'
import { nodeGraceMs, reconcileMissingNode, reconcileNode } from './node-lifecycle.ts'
import { nodeOf, podOf, startMs } from './testing/objects.ts'

const seenAtMs = startMs
const unreachable: Taint = {
  key: 'node.kubernetes.io/unreachable',
  effect: 'NoExecute',
  timeAdded: '2026-01-01T00:00:00Z',
}
const silentNode = nodeOf('n1', {
  ready: 'Unknown',
  spec: { taints: [{ ...unreachable, effect: 'NoSchedule' }, unreachable] },
})

test('a node that was heard of is looked at again when its grace is over', () => {
  const nowMs = startMs + 10_000
  expect(reconcileNode({ node: nodeOf('n1'), pods: [], seenAtMs, nowMs })).toEqual({
    actions: [],
    requeueAfterMs: nodeGraceMs - 10_000 + 1,
  })
})

test('a node that is silent for 40 seconds becomes Unknown in all its conditions', () => {
  const nowMs = startMs + nodeGraceMs
  const { actions } = reconcileNode({ node: nodeOf('n1'), pods: [], seenAtMs, nowMs })
  const [update, event] = actions
  if (update?.type !== 'update') throw new Error('no update')
  expect(
    (update.object as Node).status.conditions?.map(({ type, status }) => `${type}=${status}`),
  ).toEqual([
    'Ready=Unknown',
    'MemoryPressure=Unknown',
    'DiskPressure=Unknown',
    'PIDPressure=Unknown',
  ])
  expect(event).toMatchObject({ event: { reason: 'NodeNotReady' } })
})

test('an Unknown node is tainted as unreachable and its pods are no longer ready', () => {
  const nowMs = startMs + nodeGraceMs
  const { actions } = reconcileNode({
    node: nodeOf('n1', { ready: 'Unknown' }),
    pods: [podOf('p')],
    seenAtMs,
    nowMs,
  })
  expect(actions).toMatchObject([
    {
      object: {
        spec: {
          taints: [
            { key: unreachable.key, effect: 'NoSchedule' },
            { key: unreachable.key, effect: 'NoExecute', timeAdded: '2026-01-01T00:00:40Z' },
          ],
        },
      },
    },
    {
      subresource: 'status',
      object: { status: { conditions: [{ type: 'Ready', status: 'False' }] } },
    },
  ])
})

test('a node that is back loses the taints of this controller and keeps others', () => {
  const other: Taint = { key: 'mine', effect: 'NoSchedule' }
  const node = {
    ...silentNode,
    status: nodeOf('n1').status,
    spec: { taints: [unreachable, other] },
  }
  const { actions } = reconcileNode({ node, pods: [], seenAtMs, nowMs: startMs })
  expect(actions).toMatchObject([{ type: 'update', object: { spec: { taints: [other] } } }])
})

test('a cordoned node and one under pressure are tainted', () => {
  const node = nodeOf('n1', { spec: { unschedulable: true } })
  const pressed = {
    ...node,
    status: {
      ...node.status,
      conditions: [
        ...(node.status.conditions ?? []),
        { type: 'DiskPressure', status: 'True' as const },
      ],
    },
  }
  const { actions } = reconcileNode({ node: pressed, pods: [], seenAtMs, nowMs: startMs })
  expect(actions).toMatchObject([
    {
      object: {
        spec: {
          taints: [
            { key: 'node.kubernetes.io/unschedulable' },
            { key: 'node.kubernetes.io/disk-pressure' },
          ],
        },
      },
    },
  ])
})

test('pods are evicted when their toleration is over: 300 s unless they say otherwise', () => {
  const notReady = { phase: 'Running' as const }
  const pods = [
    podOf('default', { status: notReady }),
    podOf('short', {
      status: notReady,
      spec: { tolerations: [{ key: unreachable.key, operator: 'Exists', tolerationSeconds: 60 }] },
    }),
    podOf('forever', { status: notReady, spec: { tolerations: [{ operator: 'Exists' }] } }),
  ]
  const evicted = (seconds: number): { names: string[]; next: number | undefined } => {
    const { actions, requeueAfterMs } = reconcileNode({
      node: silentNode,
      pods,
      seenAtMs: startMs - nodeGraceMs,
      nowMs: startMs + seconds * 1000,
    })
    return {
      names: actions.flatMap((action) => (action.type === 'delete' ? [action.name] : [])),
      next: requeueAfterMs,
    }
  }
  expect(evicted(59)).toEqual({ names: [], next: 1000 })
  expect(evicted(60)).toEqual({ names: ['short'], next: 240_000 })
  expect(evicted(300).names).toEqual(['default', 'short'])
})

test('a NoExecute taint of anybody drives away at once what does not tolerate it', () => {
  const node = nodeOf('n1', { spec: { taints: [{ key: 'out', effect: 'NoExecute' }] } })
  const { actions } = reconcileNode({ node, pods: [podOf('p')], seenAtMs, nowMs: startMs })
  expect(actions).toMatchObject([
    { type: 'delete', name: 'p', done: { reason: 'TaintManagerEviction' } },
  ])
})

test('pods of a node that is gone are removed after 40 seconds without waiting for an agent', () => {
  const pods = [podOf('p')]
  expect(reconcileMissingNode(pods, startMs, startMs + 1000)).toEqual({
    actions: [],
    requeueAfterMs: nodeGraceMs - 1000,
  })
  expect(reconcileMissingNode(pods, startMs, startMs + nodeGraceMs).actions).toMatchObject([
    { type: 'delete', name: 'p', uid: 'uid-p', gracePeriodSeconds: 0 },
  ])
  expect(reconcileMissingNode([], startMs, startMs)).toEqual({ actions: [] })
})
