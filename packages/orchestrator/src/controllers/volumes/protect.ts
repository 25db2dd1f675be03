// Finalizers keep what is in use: a claim while a pod of a node uses it, a volume while it is bound.
import {
  persistentVolumeClaimType,
  type PersistentVolumeClaim,
} from '../../resources/storage/persistent-volume-claim.ts'
import {
  persistentVolumeType,
  type PersistentVolume,
} from '../../resources/storage/persistent-volume.ts'
import type { KubeObject, ResourceType, Stored } from '../../resources/object.ts'
import type { Pod } from '../../resources/pod.ts'
import { nothing, type Reconciliation } from '../action.ts'

const claimFinalizer = 'kubernetes.io/pvc-protection'
const volumeFinalizer = 'kubernetes.io/pv-protection'

/** Keys of the claims that the pod names. */
export const claimNamesOf = ({ spec }: Pod): string[] =>
  (spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) =>
    persistentVolumeClaim === undefined ? [] : [persistentVolumeClaim.claimName],
  )

/** `pods`: those that name it. */
export function protectClaim(
  claim: Stored<PersistentVolumeClaim>,
  pods: readonly Stored<Pod>[],
): Reconciliation {
  const isUsed = pods.some(
    ({ spec, status }) =>
      (spec.nodeName ?? '') !== '' && status.phase !== 'Succeeded' && status.phase !== 'Failed',
  )
  return protect(persistentVolumeClaimType, claim, claimFinalizer, isUsed)
}

export const protectVolume = (volume: Stored<PersistentVolume>): Reconciliation =>
  protect(persistentVolumeType, volume, volumeFinalizer, volume.status?.phase === 'Bound')

function protect(
  ref: ResourceType<PersistentVolume> | ResourceType<PersistentVolumeClaim>,
  object: Stored<KubeObject>,
  finalizer: string,
  isUsed: boolean,
): Reconciliation {
  const { finalizers = [], deletionTimestamp } = object.metadata
  const isHeld = finalizers.includes(finalizer)
  const isEnding = deletionTimestamp !== undefined
  if (isEnding ? !isHeld || isUsed : isHeld) return nothing
  const wanted = isEnding
    ? finalizers.filter((each) => each !== finalizer)
    : [...finalizers, finalizer]
  // The roles of these controllers have no right to patch.
  const changed = { ...object, metadata: { ...object.metadata, finalizers: wanted } }
  return { actions: [{ type: 'update', ref, object: changed }] }
}
