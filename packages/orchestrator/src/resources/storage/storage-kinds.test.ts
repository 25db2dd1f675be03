// Defaults, validation, immutability and columns of the kinds of storage and scheduling.
import { expect, test } from 'vitest'
import type { Json, KubeObject, ResourceType } from '../object.ts'
import { priorityClassType } from '../scheduling/priority-class.ts'
import { runtimeClassType } from '../scheduling/runtime-class.ts'
import { decodeObject } from '../schema/decode-object.ts'
import { csiDriverType, csiNodeType, csiStorageCapacityType } from './csi.ts'
import { persistentVolumeClaimType } from './persistent-volume-claim.ts'
import { persistentVolumeType } from './persistent-volume.ts'
import { storageClassType } from './storage-class.ts'
import { volumeAttachmentType } from './volume-attachment.ts'

const now = Date.parse('2026-11-21T12:00:00Z')

const made = <T extends KubeObject>(type: ResourceType<T>, value: Json): T => {
  const decoded = decodeObject(type, value)
  if (!decoded.ok) throw new Error(decoded.message)
  expect(decoded.unknownFields).toEqual([])
  const defaulted = type.defaults(decoded.object)
  return type.prepareForCreate?.(defaulted) ?? defaulted
}
const problems = <T extends KubeObject>(type: ResourceType<T>, value: Json): string[] =>
  type.validate(made(type, value)).map(({ field, message }) => `${field}: ${message}`)
const metadata = { name: 'x', creationTimestamp: '2026-11-21T11:55:00Z' }

const volumeSpec = {
  capacity: { storage: '1Gi' },
  accessModes: ['ReadWriteOnce', 'ReadOnlyMany'],
  hostPath: { path: '/data' },
  claimRef: { namespace: 'a', name: 'c' },
}
const claimSpec = {
  accessModes: ['ReadWriteOnce'],
  resources: { requests: { storage: '1Gi' } },
  storageClassName: 'fast',
}

test.each<readonly [ResourceType, Json, readonly unknown[]]>([
  [
    persistentVolumeType,
    { metadata, spec: volumeSpec },
    ['x', '1Gi', 'RWO,ROX', 'Retain', 'Pending', 'a/c', '', '', '5m', 'Filesystem'],
  ],
  [
    persistentVolumeClaimType,
    { metadata, spec: claimSpec },
    ['x', 'Pending', '', '', '', 'fast', '5m', 'Filesystem'],
  ],
  [
    storageClassType,
    {
      metadata: {
        ...metadata,
        annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
      },
      provisioner: 'p',
    },
    ['x (default)', 'p', 'Delete', 'Immediate', false, '5m'],
  ],
  [
    volumeAttachmentType,
    {
      metadata,
      spec: { attacher: 'a', nodeName: 'n', source: { persistentVolumeName: 'v' } },
    },
    ['x', 'a', 'v', 'n', false, '5m'],
  ],
  [
    csiDriverType,
    { metadata, spec: {} },
    ['x', true, false, false, '<unset>', false, 'Persistent', '5m'],
  ],
  [csiNodeType, { metadata, spec: { drivers: [{ name: 'd', nodeID: 'n' }] } }, ['x', 1, '5m']],
  [
    csiStorageCapacityType,
    { metadata, storageClassName: 'fast', capacity: '5Gi' },
    ['x', 'fast', '5Gi'],
  ],
  [priorityClassType, { metadata, value: 7 }, ['x', 7, false, '5m', 'PreemptLowerPriority']],
  [runtimeClassType, { metadata, handler: 'runc' }, ['x', 'runc', '5m']],
])('%# the columns of a kind match its cells', (type, value, cells) => {
  const object = made(type, value)
  expect(type.validate(object)).toEqual([])
  expect(type.cells(object, now)).toEqual(cells)
  expect(type.columns).toHaveLength(cells.length)
})

test('a volume needs a size, a mode and exactly one source, and a local one says where it is', () => {
  expect(problems(persistentVolumeType, { metadata, spec: {} })).toEqual([
    'spec.accessModes: Required value',
    'spec.capacity: Required value',
    'spec: Required value: must specify a volume type',
  ])
  const spec = { ...volumeSpec, local: { path: '/x' } }
  expect(problems(persistentVolumeType, { metadata, spec })).toEqual([
    'spec.local: Forbidden: may not specify more than 1 volume type',
    'spec.nodeAffinity: Required value: Local volume requires node affinity',
  ])
})

test('the source of a volume stays', () => {
  const old = made(persistentVolumeType, { metadata, spec: volumeSpec })
  const changed = made(persistentVolumeType, {
    metadata,
    spec: { ...volumeSpec, hostPath: { path: '/other' } },
  })
  expect(persistentVolumeType.validateUpdate?.(changed, old)).toEqual([
    {
      reason: 'FieldValueForbidden',
      field: 'spec.persistentvolumesource',
      message: 'Forbidden: spec.persistentvolumesource is immutable after creation',
    },
  ])
})

test('a claim may be given its volume once, and grow when it is bound', () => {
  const old = made(persistentVolumeClaimType, { metadata, spec: claimSpec })
  const refused = (next: object, before = old): number =>
    persistentVolumeClaimType.validateUpdate?.(
      { ...before, spec: { ...before.spec, ...next } },
      before,
    ).length ?? 0
  expect(refused({ volumeName: 'v' })).toBe(0)
  const bound = { ...old, spec: { ...old.spec, volumeName: 'v' }, status: { phase: 'Bound' } }
  expect(refused({ volumeName: 'w' }, bound)).toBe(1)
  expect(refused({ resources: { requests: { storage: '2Gi' } } })).toBe(1)
  expect(refused({ resources: { requests: { storage: '2Gi' } } }, bound)).toBe(0)
  expect(refused({ resources: { requests: { storage: '1Mi' } } }, bound)).toBe(1)
  expect(problems(persistentVolumeClaimType, { metadata, spec: {} })).toEqual([
    'spec.accessModes: Required value: at least 1 access mode is required',
    'spec.resources[storage]: Required value',
  ])
})

test('priorities of users end where those of the system begin', () => {
  expect(problems(priorityClassType, { metadata, value: 1_000_000_001 })).toEqual([
    'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
  ])
  const named = (name: string, value: number): string[] =>
    problems(priorityClassType, { metadata: { name }, value })
  expect(named('system-node-critical', 2_000_001_000)).toEqual([])
  expect(named('system-mine', 1)).toEqual([
    "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class",
  ])
  const old = made(priorityClassType, { metadata, value: 1 })
  expect(priorityClassType.validateUpdate?.({ ...old, value: 2 }, old)[0]?.message).toBe(
    'Forbidden: may not be changed in an update.',
  )
})

test('a storage class keeps what volumes were made by', () => {
  const old = made(storageClassType, { metadata, provisioner: 'p' })
  const next = { ...old, provisioner: 'q', reclaimPolicy: 'Retain', volumeBindingMode: 'x' }
  expect(storageClassType.validateUpdate?.(next, old).map(({ field }) => field)).toEqual([
    'provisioner',
    'reclaimPolicy',
    'volumeBindingMode',
  ])
})
