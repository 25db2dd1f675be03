// A claim grows only if its class says that its volumes can.
import type { KubeObject, ResourceType } from '../../resources/object.ts'
import { compareQuantities, parseQuantity } from '../../resources/quantity.ts'
import type { PersistentVolumeClaim } from '../../resources/storage/persistent-volume-claim.ts'
import type { StorageClass } from '../../resources/storage/storage-class.ts'
import { forbidden } from '../api-errors.ts'
import type { Registry } from '../registry/registry.ts'
import type { AdmissionOperation, AdmissionPlugin, AdmissionRequest } from './admission.ts'

export class ClaimResize implements AdmissionPlugin {
  readonly name = 'PersistentVolumeClaimResize'
  readonly #classes: () => Registry | undefined

  constructor(classes: () => Registry | undefined) {
    this.#classes = classes
  }

  handles(operation: AdmissionOperation, type: ResourceType, subresource: string): boolean {
    const isClaim = type.group === '' && type.plural === 'persistentvolumeclaims'
    return operation === 'UPDATE' && isClaim && subresource === ''
  }

  validate({ object, oldObject, name }: AdmissionRequest): void {
    if (!isGrowing(object, oldObject)) return
    const refuse = (why: string): Error =>
      forbidden({ group: '', resource: 'persistentvolumeclaims' }, name, why)
    const { spec, status } = oldObject as PersistentVolumeClaim
    if (status?.phase !== 'Bound')
      throw refuse('Only bound persistent volume claims can be expanded')
    const found = this.#classes()?.cache.get(spec.storageClassName ?? '')?.object as
      | StorageClass
      | undefined
    if (found?.allowVolumeExpansion === true) return
    throw refuse(
      'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    )
  }
}

const isGrowing = (object: KubeObject, old: KubeObject | undefined): boolean => {
  const size = (claim: KubeObject | undefined): ReturnType<typeof parseQuantity> =>
    parseQuantity((claim as PersistentVolumeClaim).spec.resources?.requests?.['storage'] ?? '')
  const [wanted, present] = [size(object), size(old)]
  return wanted !== undefined && present !== undefined && compareQuantities(wanted, present) > 0
}
