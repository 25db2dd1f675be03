import { expect, test } from 'vitest'
import type { Action } from './action.ts'
import { reconcileReplicaSet } from './replica-set.ts'
import { burstMax } from './replicas.ts'
import { podOf, readyStatus, replicaSetOf, startMs } from './testing/objects.ts'

const flat = (actions: readonly Action[]): Action[] =>
  actions.flatMap((action) => (action.type === 'slowStart' ? flat(action.actions) : [action]))
const summary = (actions: readonly Action[]): string[] =>
  flat(actions).map((action) =>
    'name' in action
      ? `${action.type} ${action.name}`
      : action.type === 'update'
        ? `status`
        : action.type,
  )

test('missing pods are created from the template, owned by the set, with an event each', () => {
  const replicaSet = replicaSetOf('rs', 2)
  const { actions } = reconcileReplicaSet({ replicaSet, pods: [], nowMs: startMs })
  const creations = flat(actions).filter((action) => action.type === 'create')
  expect(creations).toHaveLength(2)
  expect(creations[0]).toMatchObject({
    object: {
      metadata: {
        generateName: 'rs-',
        namespace: 'default',
        labels: { app: 'a' },
        ownerReferences: [{ kind: 'ReplicaSet', uid: 'uid-rs', controller: true }],
      },
    },
    done: { reason: 'SuccessfulCreate', message: 'Created pod: NAME' },
  })
})

test('one reconcile creates no more pods than the burst limit', () => {
  const { actions } = reconcileReplicaSet({
    replicaSet: replicaSetOf('rs', burstMax + 1),
    pods: [],
    nowMs: startMs,
  })
  expect(flat(actions).filter(({ type }) => type === 'create')).toHaveLength(burstMax)
})

test('of too many pods the least valuable go first', () => {
  const replicaSet = replicaSetOf('rs', 2)
  const owner = replicaSet
  const pods = [
    podOf('old', { owner }),
    podOf('unassigned', { owner, spec: { nodeName: '' }, status: { phase: 'Pending' } }),
    podOf('not-ready', { owner, status: { phase: 'Running' } }),
    podOf('pending', { owner, status: { phase: 'Pending' } }),
    podOf('cheap', {
      owner,
      metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '-1' } },
    }),
    podOf('alone', { owner, spec: { nodeName: 'n2' } }),
  ]
  const { actions } = reconcileReplicaSet({ replicaSet, pods, nowMs: startMs })
  expect(summary(actions)).toEqual([
    'status',
    'delete unassigned',
    'delete pending',
    'delete not-ready',
    'delete cheap',
  ])
})

test('matching orphans are adopted and owned pods that no longer match are released', () => {
  const replicaSet = replicaSetOf('rs', 1)
  const pods = [
    podOf('orphan'),
    podOf('stranger', { owner: replicaSet, metadata: { labels: { app: 'b' } } }),
  ]
  const { actions } = reconcileReplicaSet({ replicaSet, pods, nowMs: startMs })
  expect(flat(actions).filter(({ type }) => type === 'patch')).toMatchObject([
    {
      name: 'orphan',
      patch: {
        metadata: { resourceVersion: '1', ownerReferences: [{ uid: 'uid-rs', controller: true }] },
      },
    },
    { name: 'stranger', patch: { metadata: { ownerReferences: [] } } },
  ])
  expect(summary(actions)).not.toContain('create')
})

test('the status counts active, labelled, ready and available pods of this generation', () => {
  const replicaSet = replicaSetOf('rs', 3, 10)
  const owner = replicaSet
  const pods = [
    podOf('available', { owner }),
    podOf('fresh', {
      owner,
      status: {
        ...readyStatus,
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:01:36Z' }],
      },
    }),
    podOf('waiting', { owner, status: { phase: 'Pending' } }),
    podOf('failed', { owner, status: { phase: 'Failed' } }),
  ]
  const nowMs = startMs + 100_000
  const reconciliation = reconcileReplicaSet({ replicaSet, pods, nowMs })
  expect(reconciliation.actions).toMatchObject([
    {
      type: 'update',
      subresource: 'status',
      object: {
        status: {
          replicas: 3,
          fullyLabeledReplicas: 3,
          readyReplicas: 2,
          availableReplicas: 1,
          observedGeneration: 1,
        },
      },
    },
  ])
  expect(reconciliation.requeueAfterMs).toBe(6000)
})

test('a set that is being deleted neither creates nor adopts', () => {
  const replicaSet = {
    ...replicaSetOf('rs', 2),
    metadata: { ...replicaSetOf('rs', 2).metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
  }
  const { actions } = reconcileReplicaSet({ replicaSet, pods: [podOf('orphan')], nowMs: startMs })
  expect(summary(actions)).toEqual(['status'])
})
