// Volumes of the class `standard`: a folder on one node, which that node's agent makes when the first pod mounts it.
import type { ClaimReference, PersistentVolume } from '../../resources/storage/persistent-volume.ts'
import type { StorageClass } from '../../resources/storage/storage-class.ts'
import { localProvisioner, provisionedByAnnotation, type Claim } from './claim-volume.ts'

/** The same claim always gets the same name, so that making its volume twice is refused. */
export function localVolume(request: {
  readonly claim: Claim
  readonly claimRef: ClaimReference
  readonly storageClass: StorageClass
  readonly place: { readonly nodeName: string; readonly folder: string }
}): PersistentVolume {
  const { claim, claimRef, storageClass, place } = request
  const { accessModes = [], volumeMode = 'Filesystem' } = claim.spec
  const name = `pvc-${claim.metadata.uid}`
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, annotations: { [provisionedByAnnotation]: localProvisioner } },
    spec: {
      accessModes,
      capacity: { storage: claim.spec.resources?.requests?.['storage'] ?? '0' },
      claimRef,
      local: { path: `${place.folder}/${name}` },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            {
              matchExpressions: [
                { key: 'kubernetes.io/hostname', operator: 'In', values: [place.nodeName] },
              ],
            },
          ],
        },
      },
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
      storageClassName: storageClass.metadata.name ?? '',
      volumeMode,
    },
  }
}

/** The folder of such a volume and its node; undefined for volumes of other kinds. */
export const localPlace = ({
  metadata,
  spec,
}: PersistentVolume): { readonly nodeName: string; readonly path: string } | undefined => {
  if (metadata.annotations?.[provisionedByAnnotation] !== localProvisioner) return undefined
  const [term] = spec.nodeAffinity?.required?.nodeSelectorTerms ?? []
  const nodeName = term?.matchExpressions?.[0]?.values?.[0]
  const path = spec.local?.path
  return nodeName === undefined || path === undefined ? undefined : { nodeName, path }
}
