// The kinds of the group storage.k8s.io.
import type { ResourceType } from '../object.ts'
import { csiDriverType, csiNodeType, csiStorageCapacityType } from '../storage/csi.ts'
import { storageClassType } from '../storage/storage-class.ts'
import { volumeAttachmentType } from '../storage/volume-attachment.ts'

export const storageTypes: readonly ResourceType[] = [
  csiDriverType,
  csiNodeType,
  csiStorageCapacityType,
  storageClassType,
  volumeAttachmentType,
]
