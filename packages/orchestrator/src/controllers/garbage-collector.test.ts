import { expect, test } from 'vitest'
import { podType } from '../resources/pod.ts'
import { replicaSetType } from '../resources/replica-set.ts'
import { reconcileGarbage, type GarbageView, type OwnerState } from './garbage-collector.ts'
import { podOf, replicaSetOf } from './testing/objects.ts'

const owner = replicaSetOf('rs', 1)
const pod = podOf('p', { owner })
const reference = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  name: 'rs',
  uid: 'uid-rs',
  blockOwnerDeletion: true,
}
const owned = (...states: OwnerState[]): GarbageView => ({
  target: { ref: podType, object: pod },
  owners: states.map((state) => ({
    reference,
    id: { ref: replicaSetType, namespace: 'default', name: 'rs', uid: 'uid-rs' },
    state,
  })),
  dependents: [],
})
const deleting = (finalizer: string): typeof owner => ({
  ...owner,
  metadata: {
    ...owner.metadata,
    deletionTimestamp: '2026-01-01T00:00:00Z',
    finalizers: [finalizer],
  },
})

test('what lost its last owner is deleted, if a live read agrees', () => {
  expect(reconcileGarbage(owned('absent')).actions).toMatchObject([
    { type: 'deleteUnowned', name: 'p', uid: 'uid-p', owners: [{ name: 'rs', uid: 'uid-rs' }] },
  ])
})

test('what has an owner left, or one of an unknown kind, stays', () => {
  expect(reconcileGarbage(owned('absent', owner)).actions).toEqual([])
  expect(reconcileGarbage(owned('unknownKind')).actions).toEqual([])
  expect(reconcileGarbage(owned()).actions).toEqual([])
})

test('dependents of an owner that waits for them are deleted in the foreground', () => {
  expect(reconcileGarbage(owned(deleting('foregroundDeletion'))).actions).toMatchObject([
    { type: 'delete', name: 'p', propagationPolicy: 'Foreground' },
  ])
})

test('what has another owner left stays, and does not hold up the one that is deleted in the foreground', () => {
  const other = { ...reference, name: 'other', uid: 'uid-other' }
  const shared = {
    ...pod,
    metadata: { ...pod.metadata, ownerReferences: [reference, other] },
  }
  const [going] = owned(deleting('foregroundDeletion')).owners
  const [staying] = owned(owner).owners
  if (going === undefined || staying === undefined) throw new Error('no owners')
  const view = {
    target: { ref: podType, object: shared },
    owners: [going, { ...staying, reference: other }],
    dependents: [],
  }
  expect(reconcileGarbage(view).actions).toMatchObject([
    { type: 'patch', name: 'p', patch: { metadata: { ownerReferences: [other] } } },
  ])
})

test('owners that own each other in a circle do not wait for each other for ever', () => {
  const view = {
    ...owned(deleting('foregroundDeletion')),
    dependents: [{ ref: replicaSetType, object: deleting('foregroundDeletion') }],
  }
  expect(reconcileGarbage(view).actions).toMatchObject([
    {
      type: 'patch',
      name: 'p',
      patch: { metadata: { ownerReferences: [{ name: 'rs', blockOwnerDeletion: false }] } },
    },
    { type: 'delete', name: 'p', propagationPolicy: 'Foreground' },
  ])
})

test('an owner deleted in the foreground goes when the last dependent that blocks it is gone', () => {
  const view = {
    target: { ref: replicaSetType, object: deleting('foregroundDeletion') },
    owners: [],
    dependents: [{ ref: podType, object: pod }],
  }
  expect(reconcileGarbage(view).actions).toEqual([])
  expect(reconcileGarbage({ ...view, dependents: [] }).actions).toMatchObject([
    { type: 'update', object: { metadata: { name: 'rs', finalizers: [] } } },
  ])
})

test('an owner deleted with orphan first lets its dependents go', () => {
  const view = {
    target: { ref: replicaSetType, object: deleting('orphan') },
    owners: [],
    dependents: [{ ref: podType, object: pod }],
  }
  expect(reconcileGarbage(view).actions).toMatchObject([
    { type: 'update', object: { metadata: { name: 'p', ownerReferences: [] } } },
  ])
  expect(reconcileGarbage({ ...view, dependents: [] }).actions).toMatchObject([
    { type: 'update', object: { metadata: { finalizers: [] } } },
  ])
})
