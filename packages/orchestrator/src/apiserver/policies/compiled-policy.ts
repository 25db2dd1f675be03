// A policy with its expressions compiled. Each kind of expression knows other names, as upstream: only rules, annotations and later
// variables know the variables, messages know no authorizer, and `params` is there where the policy names their kind.
import type { Environment } from '@marcbachmann/cel-js'
import {
  type MutatingAdmissionPolicySpec,
  type Mutation,
  mutationExpression,
} from '../../resources/admission/mutating-admission-policy.ts'
import type {
  ValidatingAdmissionPolicySpec,
  Validation,
} from '../../resources/admission/validating-admission-policy.ts'
import type { FieldError, KubeObject } from '../../resources/object.ts'
import { invalid } from '../../resources/validation/field-error.ts'
import { celEnvironment } from '../custom/cel-environment.ts'
import { celFailure, CelProblem, type CelProgram, compileCel } from '../custom/cel-program.ts'
import { registerAuthorizer } from './cel-authorizer.ts'
import { registerObjectLiterals, withCalls } from './object-literals.ts'

/** A policy of either kind: one that validates has no mutations. */
export interface AdmissionPolicy extends KubeObject {
  readonly spec: ValidatingAdmissionPolicySpec & Pick<MutatingAdmissionPolicySpec, 'mutations'>
}

export interface CompiledValidation {
  readonly validation: Validation
  readonly run: CelProgram
  readonly message: CelProgram | undefined
}
export interface CompiledMutation {
  readonly mutation: Mutation
  readonly run: CelProgram
}
export interface CompiledPolicy {
  readonly conditions: readonly { readonly name: string; readonly run: CelProgram }[]
  readonly variables: ReadonlyMap<string, CelProgram>
  readonly validations: readonly CompiledValidation[]
  readonly mutations: readonly CompiledMutation[]
  readonly annotations: readonly { readonly key: string; readonly run: CelProgram }[]
  /** Expressions that do not compile, and are left out above. */
  readonly problems: readonly FieldError[]
}

/** `variables` of a policy: each is computed when it is first asked for. */
export class PolicyVariables extends Map<string, unknown> {
  readonly #programs: ReadonlyMap<string, CelProgram>
  readonly #run: (program: CelProgram) => unknown

  constructor(programs: ReadonlyMap<string, CelProgram>, run: (program: CelProgram) => unknown) {
    super()
    this.#programs = programs
    this.#run = run
  }

  override get(name: string): unknown {
    const program = this.#programs.get(name)
    if (program === undefined || this.has(name)) return super.get(name)
    try {
      const value = this.#run(program)
      this.set(name, value)
      return value
    } catch (reason) {
      throw new Error(
        `composited variable ${JSON.stringify(name)} fails to evaluate: ${celFailure(reason)}`,
        { cause: reason },
      )
    }
  }
}

const always = ['object', 'oldObject', 'request', 'namespaceObject']

export const compilePolicy = (policy: AdmissionPolicy): CompiledPolicy =>
  new PolicyCompiler(policy).compile()

class PolicyCompiler {
  readonly #policy: AdmissionPolicy
  readonly #problems: FieldError[] = []
  readonly #plain: Environment
  readonly #withAuthorizer: Environment

  constructor(policy: AdmissionPolicy) {
    this.#policy = policy
    const names = policy.spec.paramKind === undefined ? always : [...always, 'params']
    this.#plain = celEnvironment(names)
    this.#withAuthorizer = celEnvironment(names)
    registerAuthorizer(this.#withAuthorizer)
    this.#withAuthorizer.registerVariable('authorizer', 'Authorizer')
  }

  compile(): CompiledPolicy {
    const { matchConditions = [], auditAnnotations = [] } = this.#policy.spec
    const conditions = matchConditions.flatMap(({ name, expression }, index) => {
      const at = `spec.matchConditions[${index}].expression`
      const run = this.#program(this.#withAuthorizer, expression, at, ['bool'])
      return run === undefined ? [] : [{ name, run }]
    })
    const variables = this.#variables()
    const environment = withVariables(this.#withAuthorizer, variables)
    const validations = this.#validations(environment, withVariables(this.#plain, variables))
    const annotations = auditAnnotations.flatMap(({ key, valueExpression }, index) => {
      const at = `spec.auditAnnotations[${index}].valueExpression`
      const run = this.#program(environment, valueExpression, at, ['string', 'null'])
      return run === undefined ? [] : [{ key, run }]
    })
    const mutations = this.#mutations(environment)
    const problems = this.#problems
    return { conditions, variables, validations, mutations, annotations, problems }
  }

  #variables(): ReadonlyMap<string, CelProgram> {
    const known = new Map<string, CelProgram>()
    for (const [index, { name, expression }] of (this.#policy.spec.variables ?? []).entries()) {
      const environment = withVariables(this.#withAuthorizer, known)
      const run = this.#program(environment, expression, `spec.variables[${index}].expression`, [])
      if (run !== undefined) known.set(name, run)
    }
    return known
  }

  #validations(rules: Environment, messages: Environment): readonly CompiledValidation[] {
    return (this.#policy.spec.validations ?? []).flatMap((validation, index) => {
      const { expression, messageExpression = '' } = validation
      const at = `spec.validations[${index}]`
      const run = this.#program(rules, expression, `${at}.expression`, ['bool'])
      const message =
        messageExpression === ''
          ? undefined
          : this.#program(messages, messageExpression, `${at}.messageExpression`, ['string'])
      return run === undefined ? [] : [{ validation, run, message }]
    })
  }

  #mutations(environment: Environment): readonly CompiledMutation[] {
    const { mutations = [] } = this.#policy.spec
    if (mutations.length === 0) return []
    const withLiterals = environment.clone()
    registerObjectLiterals(withLiterals)
    return mutations.flatMap((mutation, index) => {
      const isPatch = mutation.patchType === 'JSONPatch'
      const at = `spec.mutations[${index}].${isPatch ? 'jsonPatch' : 'applyConfiguration'}.expression`
      const expression = mutationExpression(mutation)
      const types = isPatch ? ['list<JSONPatch>', 'list<dyn>', 'list'] : ['Object']
      const run = this.#program(withLiterals, withCalls(expression), at, types, expression)
      return run === undefined ? [] : [{ mutation, run }]
    })
  }

  #program(
    environment: Environment,
    text: string,
    field: string,
    types: readonly string[],
    written = text,
  ): CelProgram | undefined {
    try {
      return compileCel(environment, text, types)
    } catch (reason) {
      if (!(reason instanceof CelProblem)) throw reason
      this.#problems.push(invalid(field, written, reason.message))
      return undefined
    }
  }
}

/** Names that are not among them are refused when an expression is compiled. */
const withVariables = (
  environment: Environment,
  variables: ReadonlyMap<string, CelProgram>,
): Environment => {
  const fields = Object.fromEntries([...variables.keys()].map((name) => [name, 'dyn']))
  return environment
    .clone()
    .registerType('Variables', { ctor: PolicyVariables, fields })
    .registerVariable('variables', 'Variables')
}
