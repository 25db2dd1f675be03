// MutatingAdmissionPolicies: makes the changes of those that are bound. The language is loaded with the first of them; until then a
// request pays for two comparisons.
import {
  type MutatingAdmissionPolicyBinding,
  mutatingAdmissionPolicyBindingType,
} from '../../resources/admission/mutating-admission-policy-binding.ts'
import {
  type MutatingAdmissionPolicy,
  mutatingAdmissionPolicyType,
} from '../../resources/admission/mutating-admission-policy.ts'
import type { KubeObject, ResourceType } from '../../resources/object.ts'
import type { PolicyMutations } from '../policies/policy-mutations.ts'
import { isExempt, type PoliciesOptions } from './admission-policies.ts'
import type { AdmissionOperation, AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { BoundPolicies, type BoundPolicy } from './bound-policies.ts'

type BoundMutation = BoundPolicy<MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding>

export class MutatingPolicies implements AdmissionPlugin {
  readonly name = 'MutatingAdmissionPolicy'
  readonly #options: PoliciesOptions
  readonly #bound: BoundPolicies<MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding>
  #mutations: Promise<PolicyMutations> | undefined

  constructor(options: PoliciesOptions) {
    this.#options = options
    this.#bound = new BoundPolicies(options.find, {
      policy: mutatingAdmissionPolicyType,
      binding: mutatingAdmissionPolicyBindingType,
    })
  }

  handles(operation: AdmissionOperation, type: ResourceType): boolean {
    return operation !== 'DELETE' && !isExempt(type)
  }

  mutate(request: AdmissionRequest): Promise<KubeObject> | KubeObject {
    const bound = this.#bound.get()
    return bound.length === 0 ? request.object : this.#mutate(bound, request)
  }

  async #mutate(bound: readonly BoundMutation[], request: AdmissionRequest): Promise<KubeObject> {
    this.#mutations ??= import('../policies/policy-mutations.ts').then(
      (module) => new module.PolicyMutations(this.#options),
    )
    return (await this.#mutations).mutate(bound, request)
  }
}
