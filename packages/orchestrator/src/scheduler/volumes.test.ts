// Where claims let a pod go.
import { expect, test } from 'vitest'
import { nodeOf, stored } from '../controllers/testing/objects.ts'
import type { Stored } from '../resources/object.ts'
import type { PersistentVolumeClaim } from '../resources/storage/persistent-volume-claim.ts'
import type { PersistentVolume } from '../resources/storage/persistent-volume.ts'
import type { StorageClass } from '../resources/storage/storage-class.ts'
import { schedule, type Decision } from './schedule.ts'
import { ClusterView } from './snapshot/cluster-view.ts'
import { pendingPod, placedPod } from './testing/pods.ts'

const withClaim = { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] }

const claimOf = (
  spec: PersistentVolumeClaim['spec'] = {},
  status: PersistentVolumeClaim['status'] = { phase: 'Pending' },
): Stored<PersistentVolumeClaim> =>
  stored({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'c', namespace: 'default' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      storageClassName: 'local',
      ...spec,
    },
    status,
  })
const volumeOf = (name: string, node: string, storage = '1Gi'): Stored<PersistentVolume> =>
  stored({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      capacity: { storage },
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'local',
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            {
              matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }],
            },
          ],
        },
      },
    },
  })
const classOf = (volumeBindingMode: string, provisioner: string): Stored<StorageClass> =>
  stored({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'local' },
    provisioner,
    volumeBindingMode,
  })

const decide = (
  claim: Stored<PersistentVolumeClaim> | undefined,
  volumes: readonly Stored<PersistentVolume>[] = [],
  storageClass = classOf('WaitForFirstConsumer', 'kubernetes.io/no-provisioner'),
  prepare: (view: ClusterView) => void = () => undefined,
): Decision => {
  const view = new ClusterView()
  for (const name of ['a', 'b']) view.setNode(nodeOf(name))
  view.volumes.setClass('local', storageClass)
  view.volumes.setClaim('default/c', claim)
  for (const volume of volumes) view.volumes.setVolume(volume.metadata.name, volume)
  prepare(view)
  return schedule(view.factsOf(pendingPod('p', withClaim)), view)
}
const message = (decision: Decision): string =>
  decision.type === 'unschedulable' ? decision.message : decision.nodeName

test('a claim that is missing or unbound keeps the pod waiting, in the words of upstream', () => {
  expect(message(decide(undefined))).toBe(
    '0/2 nodes are available: persistentvolumeclaim "c" not found.',
  )
  expect(message(decide(claimOf(), [], classOf('Immediate', 'p')))).toBe(
    '0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.',
  )
})

test('a bound claim leads to the nodes of its volume', () => {
  const claim = claimOf({ volumeName: 'v' }, { phase: 'Bound' })
  expect(message(decide(claim, [volumeOf('v', 'b')]))).toBe('b')
  expect(message(decide(claim, [volumeOf('v', 'elsewhere')]))).toBe(
    '0/2 nodes are available: 2 node(s) had volume node affinity conflict.',
  )
  expect(message(decide(claim))).toBe(
    '0/2 nodes are available: 2 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s).',
  )
})

test('a claim that waits for its first consumer gets the smallest volume that is large enough', () => {
  const volumes = [
    volumeOf('big', 'b', '5Gi'),
    volumeOf('fit', 'b', '2Gi'),
    volumeOf('small', 'b', '1Mi'),
  ]
  expect(decide(claimOf(), volumes)).toMatchObject({
    nodeName: 'b',
    volumes: { bindings: [{ claimKey: 'default/c', volume: 'fit' }], provisions: [] },
  })
  const assumed = decide(claimOf(), [volumeOf('fit', 'b')], undefined, (view) => {
    view.volumes.assume('fit', 'default/other')
  })
  expect(message(assumed)).toBe(
    `0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind.`,
  )
})

test('without a volume the provisioner makes one where the class allows it', () => {
  const allowed = {
    ...classOf('WaitForFirstConsumer', 'p'),
    allowedTopologies: [
      { matchLabelExpressions: [{ key: 'kubernetes.io/hostname', values: ['b'] }] },
    ],
  }
  expect(decide(claimOf(), [], allowed)).toMatchObject({
    nodeName: 'b',
    volumes: { bindings: [], provisions: ['default/c'] },
  })
})

test('a claim for one pod alone lets no second one in', () => {
  const claim = claimOf({ volumeName: 'v', accessModes: ['ReadWriteOncePod'] }, { phase: 'Bound' })
  const second = decide(claim, [volumeOf('v', 'b')], undefined, (view) => {
    view.setPod(placedPod('first', 'b', withClaim))
  })
  expect(message(second)).toContain(
    'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode',
  )
})
