// What a claim and a volume are to each other: who names whom, which volume serves a claim, and the two annotations that say that a binding
// is complete and that it was made here.
import { matchesSelector } from '../../resources/label-selector.ts'
import type { Stored } from '../../resources/object.ts'
import { compareQuantities, parseQuantity } from '../../resources/quantity.ts'
import type { PersistentVolumeClaim } from '../../resources/storage/persistent-volume-claim.ts'
import type { PersistentVolume } from '../../resources/storage/persistent-volume.ts'
import { bindCompletedAnnotation } from '../../scheduler/snapshot/volume-view.ts'
import type { Regarding } from '../action.ts'

export type Claim = Stored<PersistentVolumeClaim>
export type Volume = Stored<PersistentVolume>

export const boundByControllerAnnotation = 'pv.kubernetes.io/bound-by-controller'
export const provisionedByAnnotation = 'pv.kubernetes.io/provisioned-by'
/** Of the class `standard`: folders of nodes. */
export const localProvisioner = 'balsa.dev/local'

/** Whether the volume is this claim's; a reference without uid was made before the claim. */
export const isVolumeOf = ({ spec: { claimRef } }: Volume, { metadata }: Claim): boolean =>
  claimRef?.namespace === metadata.namespace &&
  claimRef?.name === metadata.name &&
  ((claimRef.uid ?? '') === '' || claimRef.uid === metadata.uid)

export const isBindCompleted = ({ metadata }: Claim): boolean =>
  metadata.annotations?.[bindCompletedAnnotation] !== undefined

const sizeOf = (text: string | undefined): NonNullable<ReturnType<typeof parseQuantity>> => {
  const size = parseQuantity(text ?? '0') ?? parseQuantity('0')
  if (size === undefined) throw new Error('0 is a quantity')
  return size
}
const capacityOf = ({ spec }: Volume): ReturnType<typeof sizeOf> =>
  sizeOf(spec.capacity?.['storage'])

/** Whether the volume has what the claim asks for, whoever it belongs to. */
export const isFit = (volume: Volume, { spec }: Claim): boolean =>
  compareQuantities(capacityOf(volume), sizeOf(spec.resources?.requests?.['storage'])) >= 0 &&
  (volume.spec.storageClassName ?? '') === (spec.storageClassName ?? '') &&
  (volume.spec.volumeMode ?? 'Filesystem') === (spec.volumeMode ?? 'Filesystem') &&
  (spec.accessModes ?? []).every((mode) => volume.spec.accessModes?.includes(mode))

/** The smallest free volume that fits; of equal ones the first by name. */
export const smallestFit = (claim: Claim, volumes: readonly Volume[]): Volume | undefined => {
  let best: Volume | undefined
  for (const volume of volumes) {
    const isFree =
      volume.spec.claimRef === undefined && volume.metadata.deletionTimestamp === undefined
    if (!isFree || !isFit(volume, claim)) continue
    const { selector } = claim.spec
    if (selector !== undefined && !matchesSelector(selector, volume.metadata.labels)) continue
    if (best === undefined || isBefore(volume, best)) best = volume
  }
  return best
}

const isBefore = (left: Volume, right: Volume): boolean => {
  const order = compareQuantities(capacityOf(left), capacityOf(right))
  return order === 0 ? left.metadata.name < right.metadata.name : order < 0
}

export const regarding = ({ apiVersion, kind, metadata }: Claim | Volume): Regarding => ({
  apiVersion,
  kind,
  ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
  name: metadata.name,
  uid: metadata.uid,
})
