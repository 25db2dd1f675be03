// A volume's phase follows from its claim; when the claim is gone the volume is kept, or removed with its folder.
import { persistentVolumeClaimType } from '../../resources/storage/persistent-volume-claim.ts'
import { persistentVolumeType } from '../../resources/storage/persistent-volume.ts'
import { deletionOf, nothing, type Action, type Reconciliation } from '../action.ts'
import {
  boundByControllerAnnotation,
  provisionedByAnnotation,
  regarding,
  type Claim,
  type Volume,
} from './claim-volume.ts'
import { localPlace } from './local-volume.ts'

/** `claim`: the one that the volume names, whatever its uid. */
export function reconcileVolume(volume: Volume, claim: Claim | undefined): Reconciliation {
  const { claimRef } = volume.spec
  if ((claimRef?.uid ?? '') === '') return phase(volume, 'Available')
  if (claim === undefined || claim.metadata.uid !== claimRef?.uid) return released(volume)
  const { volumeName = '' } = claim.spec
  if (volumeName === volume.metadata.name) return phase(volume, 'Bound')
  // Else the claim is about to name it.
  return volumeName === '' ? nothing : freed(volume)
}

function phase(volume: Volume, wanted: 'Available' | 'Bound'): Reconciliation {
  if (volume.status?.phase === wanted || volume.metadata.deletionTimestamp !== undefined)
    return nothing
  return { actions: [statusPatch(volume, { phase: wanted })] }
}

const statusPatch = (
  { metadata: { name, uid } }: Volume,
  status: { readonly phase: string; readonly reason?: string; readonly message?: string },
): Extract<Action, { type: 'patch' }> => ({
  type: 'patch',
  ref: persistentVolumeType,
  namespace: undefined,
  name,
  patch: { metadata: { uid }, status: { ...status } },
  subresource: 'status',
})

function released(volume: Volume): Reconciliation {
  const { namespace = '', name = '', uid } = volume.spec.claimRef ?? {}
  const current = volume.status?.phase
  if (current !== 'Released' && current !== 'Failed') {
    // Read anew before anything can be lost: a cache may not have the claim yet.
    const unless = { ref: persistentVolumeClaimType, namespace, name, uid }
    return { actions: [{ ...statusPatch(volume, { phase: 'Released' }), unless }] }
  }
  const isDone = current === 'Failed' || volume.metadata.deletionTimestamp !== undefined
  if (isDone || volume.spec.persistentVolumeReclaimPolicy !== 'Delete') return nothing
  if (isLocal(volume)) return removed(volume)
  // A provisioner that runs elsewhere removes its own.
  if (volume.metadata.annotations?.[provisionedByAnnotation] !== undefined) return nothing
  const message = `error getting deleter volume plugin for volume "${volume.metadata.name}": no deletable volume plugin matched`
  const done = {
    regarding: regarding(volume),
    type: 'Warning',
    reason: 'VolumeFailedDelete',
    message,
  } as const
  const failed = { phase: 'Failed', reason: 'VolumeFailedDelete', message }
  return { actions: [{ ...statusPatch(volume, failed), done }] }
}

const isLocal = (volume: Volume): boolean => localPlace(volume) !== undefined

/** The folder is removed before this is done. */
const removed = (volume: Volume): Reconciliation => ({
  actions: [deletionOf(persistentVolumeType, volume)],
})

/** Its claim took another volume; what a user reserved stays reserved. */
function freed(volume: Volume): Reconciliation {
  const { name, uid, resourceVersion, annotations } = volume.metadata
  if (annotations?.[boundByControllerAnnotation] === undefined) return phase(volume, 'Available')
  const patch = {
    metadata: { uid, resourceVersion, annotations: { [boundByControllerAnnotation]: null } },
    spec: { claimRef: null },
  }
  return {
    actions: [{ type: 'patch', ref: persistentVolumeType, namespace: undefined, name, patch }],
  }
}
