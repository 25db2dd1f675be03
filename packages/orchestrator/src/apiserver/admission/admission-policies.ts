// ValidatingAdmissionPolicies: refuses what breaks the rules of those that are bound, and policies of both kinds whose expressions do not
// compile. The language is loaded with the first of them; until then a request pays for two comparisons.
import { mutatingAdmissionPolicyBindingType } from '../../resources/admission/mutating-admission-policy-binding.ts'
import { mutatingAdmissionPolicyType } from '../../resources/admission/mutating-admission-policy.ts'
import {
  type ValidatingAdmissionPolicyBinding,
  validatingAdmissionPolicyBindingType,
} from '../../resources/admission/validating-admission-policy-binding.ts'
import {
  type ValidatingAdmissionPolicy,
  validatingAdmissionPolicyType,
} from '../../resources/admission/validating-admission-policy.ts'
import type { FieldError, KubeObject, ResourceType } from '../../resources/object.ts'
import { forbidden as forbiddenField } from '../../resources/validation/field-error.ts'
import type { Authorizer } from '../access/authorizer.ts'
import { invalid } from '../api-errors.ts'
import type { AdmissionPolicy } from '../policies/compiled-policy.ts'
import type { PolicyChecks } from '../policies/policy-checks.ts'
import type { ServedType } from '../registry/registries.ts'
import type { Registry } from '../registry/registry.ts'
import type { MatchContext } from '../webhooks/match-request.ts'
import type { AdmissionOperation, AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { BoundPolicies, type BoundPolicy } from './bound-policies.ts'

export interface PoliciesOptions {
  readonly find: (type: ResourceType) => Registry | undefined
  readonly match: MatchContext
  readonly namespace: (name: string) => KubeObject | undefined
  /** The version of a kind that is named so. */
  readonly served: (apiVersion: string, kind: string) => ServedType | undefined
  /** Every served version of every kind. */
  readonly types: () => readonly ResourceType[]
  /** undefined: everybody may do everything. */
  readonly authorizer: () => Authorizer | undefined
}

/** Policies cannot keep anybody from mending policies, nor from asking what he may do. */
export const isExempt = ({ group, plural }: ResourceType): boolean =>
  (group === 'admissionregistration.k8s.io' && /admissionpolic(ies|ybindings)$/.test(plural)) ||
  group === 'authentication.k8s.io' ||
  group === 'authorization.k8s.io'

export class AdmissionPolicies implements AdmissionPlugin {
  readonly name = 'ValidatingAdmissionPolicy'
  readonly #options: PoliciesOptions
  readonly #bound: BoundPolicies<ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding>
  #checks: Promise<PolicyChecks> | undefined

  constructor(options: PoliciesOptions) {
    this.#options = options
    this.#bound = new BoundPolicies(options.find, {
      policy: validatingAdmissionPolicyType,
      binding: validatingAdmissionPolicyBindingType,
    })
  }

  handles(operation: AdmissionOperation, type: ResourceType, subresource: string): boolean {
    if (!isExempt(type)) return true
    return operation !== 'DELETE' && subresource === '' && isPolicyOrBinding(type)
  }

  validate(request: AdmissionRequest): Promise<void> | void {
    if (isExempt(request.type)) return this.#validateItself(request)
    const bound = this.#bound.get()
    if (bound.length === 0) return undefined
    return this.#check(bound, request)
  }

  async #check(
    bound: readonly BoundPolicy<ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding>[],
    request: AdmissionRequest,
  ): Promise<void> {
    const checks = await this.#load()
    checks.check(bound, request)
  }

  #load(): Promise<PolicyChecks> {
    this.#checks ??= import('../policies/policy-checks.ts').then(
      (module) => new module.PolicyChecks(this.#options),
    )
    return this.#checks
  }

  async #validateItself(request: AdmissionRequest): Promise<void> {
    const { type, name } = request
    const isPolicy = policyTypes.some(({ plural }) => plural === type.plural)
    const errors = isPolicy
      ? [
          ...(await this.#load()).problems(request.object as AdmissionPolicy),
          ...this.#paramKindErrors(request),
        ]
      : this.#paramRefErrors(request)
    if (errors.length > 0) throw invalid(type, name, errors)
  }

  /** Through a policy nobody reads what he may not read himself. */
  #paramKindErrors({ object, oldObject, user }: AdmissionRequest): readonly FieldError[] {
    const kind = (object as AdmissionPolicy).spec.paramKind
    const before = (oldObject as AdmissionPolicy | undefined)?.spec.paramKind
    const isSame = kind?.kind === before?.kind && kind?.apiVersion === before?.apiVersion
    if (kind === undefined || isSame) return []
    const { apiVersion = '', kind: named = '' } = kind
    if (this.#mayGet(user, { apiVersion, kind: named, namespace: '*', name: '*' })) return []
    const text = `user ${user.name} must have "get" permission on all objects of the referenced paramKind (kind=${named}, apiVersion=${apiVersion})`
    return [forbiddenField('spec.paramKind', text)]
  }

  #paramRefErrors({ type, object, user }: AdmissionRequest): readonly FieldError[] {
    const { policyName = '', paramRef } = (object as ValidatingAdmissionPolicyBinding).spec
    const of = policyTypes[bindingTypes.findIndex(({ plural }) => plural === type.plural)]
    const policy = of === undefined ? undefined : this.#options.find(of)?.cache.get(policyName)
    const kind = (policy?.object as AdmissionPolicy | undefined)?.spec.paramKind
    if (paramRef === undefined || kind === undefined) return []
    const { apiVersion = '', kind: named = '' } = kind
    const { name = '*', namespace = '*' } = paramRef
    if (this.#mayGet(user, { apiVersion, kind: named, namespace, name })) return []
    const text = `user ${user.name} does not have "get" permission on the object being referenced by paramRef`
    return [forbiddenField('spec.paramRef', text)]
  }

  #mayGet(
    user: AdmissionRequest['user'],
    of: {
      readonly apiVersion: string
      readonly kind: string
      readonly namespace: string
      readonly name: string
    },
  ): boolean {
    const authorizer = this.#options.authorizer()
    if (authorizer === undefined) return true
    const type = this.#options.served(of.apiVersion, of.kind)?.type
    const { allowed } = authorizer.authorize({
      user,
      verb: 'get',
      isResource: true,
      path: '',
      group:
        type?.group ?? (of.apiVersion.includes('/') ? (of.apiVersion.split('/')[0] ?? '') : ''),
      version: '*',
      // Of a kind that is not served nobody knows the name of its resource.
      resource: type?.plural ?? '*',
      subresource: '',
      namespace: type?.namespaced === false ? '' : of.namespace,
      name: of.name,
    })
    return allowed
  }
}

/** Each with the bindings of it. */
const policyTypes: readonly ResourceType[] = [
  validatingAdmissionPolicyType,
  mutatingAdmissionPolicyType,
]
const bindingTypes: readonly ResourceType[] = [
  validatingAdmissionPolicyBindingType,
  mutatingAdmissionPolicyBindingType,
]

const isPolicyOrBinding = ({ plural }: ResourceType): boolean =>
  [...policyTypes, ...bindingTypes].some((type) => type.plural === plural)
