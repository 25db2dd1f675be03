// Asks all policies that concern a request and acts on what they find: denies it, warns its sender, or notes it in the audit log.
import { ApiError } from '../../client/api-client.ts'
import type { ValidatingAdmissionPolicyBinding } from '../../resources/admission/validating-admission-policy-binding.ts'
import type { ValidatingAdmissionPolicy } from '../../resources/admission/validating-admission-policy.ts'
import type { FieldError } from '../../resources/object.ts'
import type { AdmissionRequest } from '../admission/admission.ts'
import { forbidden } from '../api-errors.ts'
import { matchesResources } from '../webhooks/match-request.ts'
import type { PoliciesOptions } from '../admission/admission-policies.ts'
import type { BoundPolicy } from '../admission/bound-policies.ts'
import { authorizerOf } from './cel-authorizer.ts'
import { type AdmissionPolicy, type CompiledPolicy, compilePolicy } from './compiled-policy.ts'
import { evaluatePolicy, PolicyInput, type PolicyOutcome } from './evaluate-policy.ts'
import { findParams, ParamProblem } from './find-params.ts'

type BoundValidation = BoundPolicy<ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding>

interface Denial {
  readonly policy: string
  readonly binding: string | undefined
  readonly message: string
  readonly reason: string
}

const codes: Readonly<Record<string, number>> = {
  Unauthorized: 401,
  Forbidden: 403,
  RequestEntityTooLarge: 413,
  Invalid: 422,
}
const failuresAnnotation = 'validation.policy.admission.k8s.io/validation_failure'

export class PolicyChecks {
  readonly #options: PoliciesOptions
  /** Objects are values: a policy that changed is another one. */
  readonly #compiled = new WeakMap<ValidatingAdmissionPolicy, CompiledPolicy>()

  constructor(options: PoliciesOptions) {
    this.#options = options
  }

  /** Expressions that do not compile. */
  problems(policy: AdmissionPolicy): readonly FieldError[] {
    return compilePolicy(policy).problems
  }

  /** Throws ApiError for a request that a policy denies. */
  check(policies: readonly BoundValidation[], request: AdmissionRequest): void {
    const { match } = this.#options
    const concerned = policies.filter(({ policy }) =>
      matchesResources(policy.spec.matchConstraints ?? {}, request, match),
    )
    if (concerned.length === 0) return
    const run = new PolicyRun(request, this.#inputOf(request))
    for (const { policy, bindings } of concerned) {
      for (const binding of bindings) {
        const { matchResources } = binding.spec
        if (matchResources !== undefined && !matchesBinding(matchResources, request, match)) {
          continue
        }
        this.#ask(run, policy, binding)
      }
    }
    run.finish()
  }

  #ask(
    run: PolicyRun,
    policy: ValidatingAdmissionPolicy,
    binding: ValidatingAdmissionPolicyBinding,
  ): void {
    const { served } = this.#options
    const place = { namespace: run.request.namespace, served }
    try {
      for (const params of findParams(policy.spec.paramKind, binding.spec.paramRef, place)) {
        const outcome = evaluatePolicy(policy, this.#compiledOf(policy), run.input, params)
        run.take(policy, binding, outcome)
      }
    } catch (reason) {
      if (!(reason instanceof ParamProblem)) throw reason
      run.misconfigured(policy, binding, reason.message)
    }
  }

  #compiledOf(policy: ValidatingAdmissionPolicy): CompiledPolicy {
    const known = this.#compiled.get(policy)
    if (known !== undefined) return known
    const made = compilePolicy(policy)
    this.#compiled.set(policy, made)
    return made
  }

  #inputOf(request: AdmissionRequest): PolicyInput {
    const { authorizer, namespace } = this.#options
    return new PolicyInput(
      request,
      () => (request.namespace === undefined ? undefined : namespace(request.namespace)),
      authorizerOf(authorizer(), request),
    )
  }
}

/** A binding without rules is about all that its policy is about. */
export const matchesBinding = (
  matchResources: NonNullable<ValidatingAdmissionPolicyBinding['spec']['matchResources']>,
  request: AdmissionRequest,
  context: PoliciesOptions['match'],
): boolean => {
  const { resourceRules = [] } = matchResources
  const everything = {
    operations: ['*'],
    apiGroups: ['*'],
    apiVersions: ['*'],
    resources: ['*', '*/*'],
  }
  const rules = resourceRules.length === 0 ? [everything] : resourceRules
  return matchesResources({ ...matchResources, resourceRules: rules }, request, context)
}

/** What all policies found about one request. */
class PolicyRun {
  readonly request: AdmissionRequest
  readonly input: PolicyInput
  readonly #denials: Denial[] = []
  readonly #failures: object[] = []
  readonly #annotations = new Map<string, Set<string>>()

  constructor(request: AdmissionRequest, input: PolicyInput) {
    this.request = request
    this.input = input
  }

  take(
    policy: ValidatingAdmissionPolicy,
    binding: ValidatingAdmissionPolicyBinding,
    { violations, annotations }: PolicyOutcome,
  ): void {
    const policyName = policy.metadata.name ?? ''
    const bindingName = binding.metadata.name ?? ''
    const { validationActions = [] } = binding.spec
    for (const { index, message, reason } of violations) {
      if (validationActions.includes('Deny')) {
        this.#denials.push({ policy: policyName, binding: bindingName, message, reason })
      }
      if (validationActions.includes('Warn')) {
        this.request.warn(
          `Validation failed for ValidatingAdmissionPolicy '${policyName}' with binding '${bindingName}': ${message}`,
        )
      }
      if (validationActions.includes('Audit')) {
        const names = { policy: policyName, binding: bindingName }
        this.#failures.push({ message, ...names, expressionIndex: index, validationActions })
      }
    }
    for (const { key, value } of annotations) {
      const name = `${policyName}/${key}`
      const values = this.#annotations.get(name) ?? new Set()
      this.#annotations.set(name, values.add(value))
    }
  }

  misconfigured(
    { metadata, spec }: ValidatingAdmissionPolicy,
    binding: ValidatingAdmissionPolicyBinding,
    why: string,
  ): void {
    if (spec.failurePolicy === 'Ignore') return
    this.#denials.push({
      policy: metadata.name ?? '',
      binding: binding.metadata.name,
      message: `failed to configure binding: ${why}`,
      reason: '',
    })
  }

  /** Throws ApiError for the first denial. */
  finish(): void {
    const { annotate } = this.request.options
    if (this.#failures.length > 0) annotate?.(failuresAnnotation, JSON.stringify(this.#failures))
    for (const [key, values] of this.#annotations) annotate?.(key, [...values].join(', '))
    const [first] = this.#denials
    if (first !== undefined) throw denied(this.request, first)
  }
}

const denied = (request: AdmissionRequest, denial: Denial): ApiError => {
  const binding = denial.binding === undefined ? '' : ` with binding '${denial.binding}'`
  const message = `ValidatingAdmissionPolicy '${denial.policy}'${binding} denied request: ${denial.message}`
  return refusal(request, message, denial.reason === '' ? 'Invalid' : denial.reason)
}

export const refusal = (
  { type, name }: AdmissionRequest,
  message: string,
  reason: string,
): ApiError => {
  const of = { group: type.group, resource: type.plural }
  const error = forbidden(of, name, message)
  const details = { ...(error.details as object), causes: [{ message }] }
  return new ApiError(codes[reason] ?? 422, reason, error.message, details)
}
