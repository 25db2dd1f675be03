// Makes the changes of all policies that concern a request, one policy after the other in the order of their names. Who asked for it is
// asked again, once, when a later one has changed the object.
import type { MutatingAdmissionPolicyBinding } from '../../resources/admission/mutating-admission-policy-binding.ts'
import type { MutatingAdmissionPolicy } from '../../resources/admission/mutating-admission-policy.ts'
import { jsonEqual } from '../../resources/json-equal.ts'
import type { KubeObject } from '../../resources/object.ts'
import type { PoliciesOptions } from '../admission/admission-policies.ts'
import type { AdmissionRequest } from '../admission/admission.ts'
import type { BoundPolicy } from '../admission/bound-policies.ts'
import { matchesResources } from '../webhooks/match-request.ts'
import { authorizerOf } from './cel-authorizer.ts'
import { type CompiledPolicy, compilePolicy } from './compiled-policy.ts'
import { PolicyInput } from './evaluate-policy.ts'
import { findParams, ParamProblem } from './find-params.ts'
import { mutated, MutationProblem } from './mutate-object.ts'
import { matchesBinding, refusal } from './policy-checks.ts'

/** One policy, with one binding and one object of params. */
interface Invocation {
  readonly policy: MutatingAdmissionPolicy
  readonly binding: MutatingAdmissionPolicyBinding
  readonly params: KubeObject | undefined
}

export class PolicyMutations {
  readonly #options: PoliciesOptions
  /** Objects are values: a policy that changed is another one. */
  readonly #compiled = new WeakMap<MutatingAdmissionPolicy, CompiledPolicy>()

  constructor(options: PoliciesOptions) {
    this.#options = options
  }

  /** Throws ApiError where a policy fails that may not be passed over. */
  mutate(
    bound: readonly BoundPolicy<MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding>[],
    request: AdmissionRequest,
  ): KubeObject {
    let { object } = request
    const asked: Invocation[] = []
    const again = new Set<Invocation>()
    for (const { policy, bindings } of bound) {
      for (const binding of bindings) {
        for (const invocation of this.#invocations(policy, binding, request)) {
          const before = object
          object = this.#invoke(invocation, { ...request, object })
          if (object !== before && !jsonEqual(object, before)) {
            for (const earlier of asked) again.add(earlier)
          }
          if (policy.spec.reinvocationPolicy === 'IfNeeded') asked.push(invocation)
        }
      }
    }
    for (const invocation of again) object = this.#invoke(invocation, { ...request, object })
    return object
  }

  #invocations(
    policy: MutatingAdmissionPolicy,
    binding: MutatingAdmissionPolicyBinding,
    request: AdmissionRequest,
  ): readonly Invocation[] {
    const { match, served } = this.#options
    const { matchResources, paramRef } = binding.spec
    if (!matchesResources(policy.spec.matchConstraints ?? {}, request, match)) return []
    if (matchResources !== undefined && !matchesBinding(matchResources, request, match)) return []
    const place = { namespace: request.namespace, served }
    try {
      return findParams(policy.spec.paramKind, paramRef, place).map((params) => ({
        policy,
        binding,
        params,
      }))
    } catch (reason) {
      if (!(reason instanceof ParamProblem)) throw reason
      this.#fail(policy, binding, request, `failed to configure binding: ${reason.message}`)
      return []
    }
  }

  #invoke({ policy, binding, params }: Invocation, request: AdmissionRequest): KubeObject {
    const { authorizer, namespace } = this.#options
    const asking = authorizerOf(authorizer(), request)
    const inputOf = (object: KubeObject): PolicyInput =>
      new PolicyInput(
        { ...request, object },
        () => (request.namespace === undefined ? undefined : namespace(request.namespace)),
        asking,
      )
    try {
      return mutated(this.#compiledOf(policy), request, inputOf, params)
    } catch (reason) {
      if (!(reason instanceof MutationProblem)) throw reason
      this.#fail(policy, binding, request, reason.message)
      return request.object
    }
  }

  /** Throws ApiError unless the policy may be passed over. */
  #fail(
    { metadata, spec }: MutatingAdmissionPolicy,
    binding: MutatingAdmissionPolicyBinding,
    request: AdmissionRequest,
    why: string,
  ): void {
    if (spec.failurePolicy === 'Ignore') return
    const message = `policy '${metadata.name ?? ''}' with binding '${binding.metadata.name ?? ''}' denied request: ${why}`
    throw refusal(request, message, 'Invalid')
  }

  #compiledOf(policy: MutatingAdmissionPolicy): CompiledPolicy {
    const known = this.#compiled.get(policy)
    if (known !== undefined) return known
    const made = compilePolicy(policy)
    this.#compiled.set(policy, made)
    return made
  }
}
