import { expect, test } from 'vitest'
import { nodeOf } from '../../controllers/testing/objects.ts'
import { localProvisioner } from '../../controllers/volumes/claim-volume.ts'
import { nodeType } from '../../resources/node.ts'
import type { KubeObject, Stored } from '../../resources/object.ts'
import {
  persistentVolumeClaimType,
  type PersistentVolumeClaim,
  type PersistentVolumeClaimSpec,
} from '../../resources/storage/persistent-volume-claim.ts'
import {
  persistentVolumeType,
  type PersistentVolume,
  type PersistentVolumeSpec,
} from '../../resources/storage/persistent-volume.ts'
import { standardStorageClass, storageClassType } from '../../resources/storage/storage-class.ts'
import { selectedNodeAnnotation } from '../../scheduler/snapshot/volume-view.ts'
import { checkControllers } from '../testing/check-controllers.ts'
import { randomOf, SimulatedCluster } from '../testing/simulated-cluster.ts'
import { claimProtection, volumeBinder, volumeProtection } from './volume-controllers.ts'

const controllers = [volumeBinder, claimProtection, volumeProtection]
const claimOf = (name: string, more: Partial<PersistentVolumeClaimSpec> = {}): KubeObject => {
  const claim: PersistentVolumeClaim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'default' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '2Gi' } },
      storageClassName: 'manual',
      ...more,
    },
  }
  return claim
}
const volumeOf = (name: string, size: string, more: Partial<PersistentVolumeSpec> = {}) => {
  const volume: PersistentVolume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, labels: { disk: name } },
    spec: {
      capacity: { storage: size },
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'manual',
      hostPath: { path: `/data/${name}` },
      ...more,
    },
  }
  return volume
}
const claims = (cluster: SimulatedCluster): Stored<PersistentVolumeClaim>[] =>
  cluster.api.all(persistentVolumeClaimType)
const volumes = (cluster: SimulatedCluster): Stored<PersistentVolume>[] =>
  cluster.api.all(persistentVolumeType)
const volumeNamed = (cluster: SimulatedCluster, name: string) =>
  cluster.api.get<PersistentVolume>(persistentVolumeType, name)
const reasons = (cluster: SimulatedCluster): string[] =>
  cluster.api.events.map(({ reason }) => reason)
const started = (): SimulatedCluster => {
  const cluster = new SimulatedCluster({ controllers, random: randomOf(3) })
  cluster.put(storageClassType, standardStorageClass)
  cluster.put(nodeType, nodeOf('n1'))
  return cluster
}
const remove = (cluster: SimulatedCluster, name: string): void => {
  const claim = claims(cluster).find(({ metadata }) => metadata.name === name)
  if (claim !== undefined)
    cluster.api.delete(persistentVolumeClaimType, `default/${name}`, claim.metadata.uid)
}
const select = (cluster: SimulatedCluster, key: string): void => {
  const patch = { metadata: { annotations: { [selectedNodeAnnotation]: 'n1' } } }
  cluster.api.patch(persistentVolumeClaimType, key, patch)
}

test.each<[string, Partial<PersistentVolumeClaimSpec>, string]>([
  ['the smallest that is large enough', {}, 'b-3'],
  ['one with the labels of the selector', { selector: { matchLabels: { disk: 'c-9' } } }, 'c-9'],
  ['one with its access modes', { accessModes: ['ReadWriteMany'] }, 'd-rwx'],
  ['one of its class', { storageClassName: '' }, 'e-none'],
  ['the one it names', { volumeName: 'c-9' }, 'c-9'],
  ['one of its mode', { volumeMode: 'Block' }, 'f-block'],
])('a claim is bound to %s', (_what, spec, expected) => {
  const cluster = started()
  for (const volume of [
    volumeOf('a-1', '1Gi'),
    volumeOf('b-3', '3Gi'),
    volumeOf('c-9', '9Gi'),
    volumeOf('d-rwx', '9Gi', { accessModes: ['ReadWriteMany'] }),
    volumeOf('e-none', '9Gi', { storageClassName: '' }),
    volumeOf('f-block', '3Gi', { volumeMode: 'Block' }),
    volumeOf('g-other', '2Gi', { claimRef: { namespace: 'default', name: 'other' } }),
  ])
    cluster.put(persistentVolumeType, volume)
  const { metadata } = cluster.put(persistentVolumeClaimType, claimOf('c', spec))
  cluster.settle()
  expect(claims(cluster)).toMatchObject([
    {
      metadata: { finalizers: ['kubernetes.io/pvc-protection'] },
      spec: { volumeName: expected },
      status: { phase: 'Bound', capacity: { storage: expect.stringMatching(/Gi/) } },
    },
  ])
  expect(volumeNamed(cluster, expected)).toMatchObject({
    spec: { claimRef: { namespace: 'default', name: 'c', uid: metadata.uid } },
    status: { phase: 'Bound' },
  })
  const others = volumes(cluster).filter(({ metadata: { name } }) => name !== expected)
  expect(new Set(others.map(({ status }) => status?.phase))).toEqual(new Set(['Available']))
})

test('a claim of the class standard gets a folder of the node that its pod goes to', () => {
  const cluster = started()
  const claim = claimOf('c', { storageClassName: 'standard' })
  const { uid } = cluster.put(persistentVolumeClaimType, claim).metadata
  cluster.settle()
  expect([reasons(cluster), volumes(cluster)]).toEqual([['WaitForFirstConsumer'], []])
  select(cluster, 'default/c')
  cluster.settle()
  expect(volumes(cluster)).toMatchObject([
    {
      metadata: {
        name: `pvc-${uid}`,
        annotations: { 'pv.kubernetes.io/provisioned-by': localProvisioner },
        finalizers: ['kubernetes.io/pv-protection'],
      },
      spec: {
        capacity: { storage: '2Gi' },
        local: { path: `/var/lib/balsa/volumes/pvc-${uid}` },
        persistentVolumeReclaimPolicy: 'Delete',
      },
      status: { phase: 'Bound' },
    },
  ])
  expect(reasons(cluster)).toContain('ProvisioningSucceeded')
  remove(cluster, 'c')
  cluster.settle()
  expect([claims(cluster), volumes(cluster)]).toEqual([[], []])
})

test('volumes of claims that are gone are kept, or fail when nobody can remove them', () => {
  const cluster = started()
  cluster.put(persistentVolumeType, volumeOf('kept', '2Gi'))
  cluster.put(
    persistentVolumeType,
    volumeOf('undeletable', '5Gi', { persistentVolumeReclaimPolicy: 'Delete' }),
  )
  cluster.put(persistentVolumeClaimType, claimOf('a', { volumeName: 'kept' }))
  cluster.put(persistentVolumeClaimType, claimOf('b', { volumeName: 'undeletable' }))
  cluster.settle()
  remove(cluster, 'a')
  remove(cluster, 'b')
  cluster.settle()
  expect(volumes(cluster).map(({ status }) => status?.phase)).toEqual(['Released', 'Failed'])
  expect(reasons(cluster)).toContain('VolumeFailedDelete')
})

test('a claim whose volume is gone is lost, and says so', () => {
  const cluster = started()
  const { uid } = cluster.put(persistentVolumeType, volumeOf('v', '2Gi')).metadata
  cluster.put(persistentVolumeClaimType, claimOf('c'))
  cluster.settle()
  cluster.api.patch(persistentVolumeType, 'v', { metadata: { finalizers: null } })
  cluster.api.delete(persistentVolumeType, 'v', uid)
  cluster.settle()
  expect(claims(cluster)).toMatchObject([{ status: { phase: 'Lost' } }])
  expect(reasons(cluster)).toContain('ClaimLost')
})

test('from any state, with crashes, every claim has one volume of its own or waits for one', () => {
  let names = 0
  checkControllers({
    controllers,
    ownerless: ['PersistentVolume'],
    setup: (cluster) => {
      cluster.put(storageClassType, standardStorageClass)
      cluster.put(nodeType, nodeOf('n1'))
      cluster.put(persistentVolumeType, volumeOf('v1', '2Gi'))
      for (const name of ['s-a', 's-b'])
        cluster.put(persistentVolumeClaimType, claimOf(name, { storageClassName: 'standard' }))
    },
    deeds: [
      (cluster) => void cluster.put(persistentVolumeType, volumeOf(`v-${++names}`, '2Gi')),
      (cluster) => void cluster.put(persistentVolumeClaimType, claimOf(`m-${++names}`)),
      (cluster) =>
        void cluster.put(
          persistentVolumeClaimType,
          claimOf(`s-${++names}`, { storageClassName: 'standard' }),
        ),
      (cluster, choice) => {
        const all = claims(cluster)
        remove(cluster, all[choice % all.length]?.metadata.name ?? '')
      },
      (cluster, choice) => {
        const all = claims(cluster).filter(({ spec }) => spec.storageClassName === 'standard')
        const one = all[choice % all.length]
        if (one !== undefined) select(cluster, `default/${one.metadata.name}`)
      },
    ],
    always: (cluster) => {
      const owners = volumes(cluster).flatMap(({ spec }) => spec.claimRef?.uid ?? [])
      expect(owners).toEqual([...new Set(owners)])
      // What a claim uses is never given to another one, let alone removed.
      for (const { metadata, spec, status } of claims(cluster))
        if (status?.phase === 'Bound')
          expect(volumeNamed(cluster, spec.volumeName ?? '')?.spec.claimRef?.uid).toBe(metadata.uid)
    },
    goal: (cluster) => {
      const byUid = new Map(claims(cluster).map((claim) => [claim.metadata.uid, claim]))
      const free = volumes(cluster).filter(({ spec }) => spec.claimRef === undefined)
      for (const claim of byUid.values()) {
        const isChosen = claim.metadata.annotations?.[selectedNodeAnnotation] !== undefined
        if (claim.spec.storageClassName === 'standard')
          expect(claim.status?.phase).toBe(isChosen ? 'Bound' : 'Pending')
        else expect(claim.status?.phase === 'Bound' || free.length === 0).toBe(true)
      }
      for (const { metadata } of byUid.values())
        expect(metadata).toMatchObject({ finalizers: ['kubernetes.io/pvc-protection'] })
      for (const { metadata, spec, status } of volumes(cluster)) {
        expect(metadata).toMatchObject({ finalizers: ['kubernetes.io/pv-protection'] })
        expect(metadata.deletionTimestamp).toBeUndefined()
        const claim = byUid.get(spec.claimRef?.uid ?? '')
        if (spec.claimRef === undefined) expect(status?.phase).toBe('Available')
        else if (claim === undefined) expect(status?.phase).toBe('Released')
        else expect(claim.spec.volumeName).toBe(metadata.name)
      }
    },
  })
})
