// What stands between a request and the registry: steps that may refuse or complete an object. In the order of the list.
import type { KubeObject, ResourceType } from '../../resources/object.ts'
import type { WriteOptions } from '../registry/request-options.ts'

/** One step; each part is optional. A step refuses by throwing ApiError. */
export interface AdmissionStep {
  /** Before anything else happens to the object. */
  admitCreate?(type: ResourceType, object: KubeObject, options: WriteOptions): Promise<void> | void
  /** After defaults, before validation. */
  mutateCreate?(
    type: ResourceType,
    object: KubeObject,
    options: WriteOptions,
  ): Promise<KubeObject> | KubeObject
}

export class Admission {
  readonly #steps: readonly AdmissionStep[]

  constructor(steps: readonly AdmissionStep[]) {
    this.#steps = steps
  }

  async admitCreate(type: ResourceType, object: KubeObject, options: WriteOptions): Promise<void> {
    for (const step of this.#steps) await step.admitCreate?.(type, object, options)
  }

  async mutateCreate(
    type: ResourceType,
    object: KubeObject,
    options: WriteOptions,
  ): Promise<KubeObject> {
    let admitted = object
    for (const step of this.#steps) {
      admitted = (await step.mutateCreate?.(type, admitted, options)) ?? admitted
    }
    return admitted
  }
}
