// Claims, volumes, classes and nodes: which of them concern which, and where a folder is removed.
import { objectKey, splitKey } from '../../client/object-cache.ts'
import { nothing, type Action, type Reconciliation } from '../../controllers/action.ts'
import { reconcileClaim } from '../../controllers/volumes/bind-claim.ts'
import { regarding, type Volume } from '../../controllers/volumes/claim-volume.ts'
import { localPlace } from '../../controllers/volumes/local-volume.ts'
import { claimNamesOf, protectClaim, protectVolume } from '../../controllers/volumes/protect.ts'
import { reconcileVolume } from '../../controllers/volumes/reclaim-volume.ts'
import { nodeType, volumesFolderAnnotation, type Node } from '../../resources/node.ts'
import type { Stored } from '../../resources/object.ts'
import { podType, type Pod } from '../../resources/pod.ts'
import {
  persistentVolumeClaimType,
  type PersistentVolumeClaim,
} from '../../resources/storage/persistent-volume-claim.ts'
import { persistentVolumeType } from '../../resources/storage/persistent-volume.ts'
import { storageClassType } from '../../resources/storage/storage-class.ts'
import { watchChanges, watchOf } from '../controller-loop.ts'
import { ownKey, type Controller, type SharedCache } from '../controller.ts'

/** Nodes without an agent of their own have no folders; their volumes only say where they would be. */
const folderDefault = '/var/lib/balsa/volumes'
/** Before a folder on a node that cannot be reached is tried again. */
const removalRetryMs = 5000
/** Under which free volumes are found. */
const free = ''

const claimKeyOf = ({ spec: { claimRef } }: Volume): string =>
  claimRef === undefined ? free : `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`

export const volumeBinder: Controller = {
  name: 'persistent-volume-binder',
  component: 'persistentvolume-controller',
  connect: ({ informers, removeVolume }) => {
    const claims = informers.of(persistentVolumeClaimType)
    const volumes = informers.of(persistentVolumeType)
    const classes = informers.of(storageClassType)
    const nodes = informers.of(nodeType)
    volumes.addIndex('claim', (volume) => [claimKeyOf(volume)])
    const pending = (): string[] =>
      claims
        .list()
        .filter(({ status }) => status?.phase !== 'Bound')
        .map(objectKey)
    const told = new Map<string, string>()
    const claimOf = (key: string): Reconciliation => {
      const claim = claims.get(key)
      if (claim === undefined) {
        told.delete(key)
        return nothing
      }
      const own = claim.spec.volumeName ?? ''
      const named = own === '' ? undefined : volumes.get(own)
      const reconciliation = reconcileClaim({
        claim,
        volumes: [
          ...volumes.find('claim', key),
          ...(named === undefined ? volumes.find('claim', free) : [named]),
        ],
        storageClass: classes.get(claim.spec.storageClassName ?? ''),
        placeFor: (name) => placeOf(nodes, name),
      })
      return toldOnce(told, key, reconciliation)
    }
    return {
      watches: [
        watchOf(claims, ownKey),
        watchOf(claims, ({ spec }) => (spec.volumeName === undefined ? [] : [spec.volumeName])),
        watchOf(claims, (claim) => volumes.find('claim', objectKey(claim)).map(objectKey)),
        watchOf(volumes, (volume) => [
          volume.metadata.name,
          ...(volume.spec.claimRef === undefined ? pending() : [claimKeyOf(volume)]),
        ]),
        watchChanges(volumes, (current, previous) =>
          current === undefined && previous !== undefined
            ? pending().concat(boundTo(claims, previous))
            : [],
        ),
        watchChanges(classes, pending),
        watchChanges(nodes, (current, previous) =>
          (current === undefined) === (previous === undefined) ? [] : pending(),
        ),
      ],
      reconcile: (key) => {
        if (splitKey(key).namespace !== undefined) return claimOf(key)
        const volume = volumes.get(key)
        if (volume === undefined) return nothing
        const reconciliation = reconcileVolume(volume, claims.get(claimKeyOf(volume)))
        const isRemoval = reconciliation.actions.some(({ type }) => type === 'delete')
        if (!isRemoval || removeVolume === undefined) return reconciliation
        return withoutFolder(volume, reconciliation, removeVolume)
      },
    }
  },
}

const boundTo = (claims: SharedCache<PersistentVolumeClaim>, volume: Volume): string[] => {
  const key = claimKeyOf(volume)
  return claims.get(key) === undefined ? [] : [key]
}

const placeOf = (
  nodes: SharedCache<Node>,
  name: string | undefined,
): { nodeName: string; folder: string } | undefined => {
  const node: Stored<Node> | undefined =
    name === undefined
      ? nodes.list().toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))[0]
      : nodes.get(name)
  if (node === undefined) return undefined
  const folder = node.metadata.annotations?.[volumesFolderAnnotation] ?? folderDefault
  return { nodeName: node.metadata.name, folder }
}

/** A claim that waits comes again and again; what it waits for is told when it changes. */
function toldOnce(
  told: Map<string, string>,
  key: string,
  { actions, ...rest }: Reconciliation,
): Reconciliation {
  const kept = actions.filter((action: Action) => {
    if (action.type !== 'event') return true
    if (told.get(key) === action.event.message) return false
    told.set(key, action.event.message)
    return true
  })
  return { ...rest, actions: kept }
}

async function withoutFolder(
  volume: Volume,
  reconciliation: Reconciliation,
  removeVolume: (nodeName: string, path: string) => Promise<void>,
): Promise<Reconciliation> {
  const place = localPlace(volume)
  try {
    if (place !== undefined) await removeVolume(place.nodeName, place.path)
    return reconciliation
  } catch (reason) {
    const message = reason instanceof Error ? reason.message : String(reason)
    const event = {
      regarding: regarding(volume),
      type: 'Warning',
      reason: 'VolumeFailedDelete',
      message,
    } as const
    return { actions: [{ type: 'event', event }], requeueAfterMs: removalRetryMs }
  }
}

export const claimProtection: Controller = {
  name: 'pvc-protection-controller',
  connect: ({ informers }) => {
    const claims = informers.of(persistentVolumeClaimType)
    const pods = informers.of(podType)
    const keysOf = (pod: Stored<Pod>): string[] =>
      claimNamesOf(pod).map((name) => `${pod.metadata.namespace ?? ''}/${name}`)
    pods.addIndex('usedClaim', keysOf)
    return {
      watches: [watchOf(claims, ownKey), watchOf(pods, keysOf)],
      reconcile: (key) => {
        const claim = claims.get(key)
        return claim === undefined ? nothing : protectClaim(claim, pods.find('usedClaim', key))
      },
    }
  },
}

export const volumeProtection: Controller = {
  name: 'pv-protection-controller',
  connect: ({ informers }) => {
    const volumes = informers.of(persistentVolumeType)
    return {
      watches: [watchOf(volumes, ownKey)],
      reconcile: (key) => {
        const volume = volumes.get(key)
        return volume === undefined ? nothing : protectVolume(volume)
      },
    }
  },
}
