// ValidatingAdmissionPolicy: tells in the status of a policy which of its expressions do not fit the kinds that it is about.
import type { KubeObject, ResourceType } from '../../resources/object.ts'
import {
  type ValidatingAdmissionPolicy,
  validatingAdmissionPolicyType,
} from '../../resources/admission/validating-admission-policy.ts'
import type { AdmissionOperation, AdmissionPlugin, AdmissionRequest } from './admission.ts'

export class PolicyTypeChecks implements AdmissionPlugin {
  readonly name = 'ValidatingAdmissionPolicyTypes'
  readonly #types: () => readonly ResourceType[]

  constructor(types: () => readonly ResourceType[]) {
    this.#types = types
  }

  handles(operation: AdmissionOperation, type: ResourceType, subresource: string): boolean {
    const { group, plural } = validatingAdmissionPolicyType
    const isPolicy = type.plural === plural && type.group === group
    return isPolicy && subresource === '' && (operation === 'CREATE' || operation === 'UPDATE')
  }

  async mutate({ object }: AdmissionRequest): Promise<KubeObject> {
    const policy = object as ValidatingAdmissionPolicy
    const { expressionWarnings } = await import('../policies/type-check.ts')
    const warnings = expressionWarnings(policy, this.#types())
    const typeChecking = warnings.length === 0 ? {} : { expressionWarnings: warnings }
    const checked: ValidatingAdmissionPolicy = {
      ...policy,
      status: { ...policy.status, typeChecking },
    }
    return checked
  }
}
