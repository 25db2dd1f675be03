// matchConditions of webhooks: expressions in CEL over the request. Loaded with the first webhook that has some.
import type { Environment } from '@marcbachmann/cel-js'
import type { Webhook } from '../../resources/admission/webhook-configuration.ts'
import type { FieldError } from '../../resources/object.ts'
import { invalid } from '../../resources/validation/field-error.ts'
import type { AdmissionRequest } from '../admission/admission.ts'
import { internalError } from '../api-errors.ts'
import { celEnvironment } from '../custom/cel-environment.ts'
import {
  celFailure,
  CelProblem,
  type CelProgram,
  compileCel,
  newBudget,
} from '../custom/cel-program.ts'
import { type CelAuthorizer, registerAuthorizer } from '../policies/cel-authorizer.ts'
import { PolicyInput } from '../policies/evaluate-policy.ts'

const programsMax = 1000

const newEnvironment = (): Environment => {
  const environment = celEnvironment(['object', 'oldObject', 'request'])
  registerAuthorizer(environment)
  return environment.registerVariable('authorizer', 'Authorizer')
}

export class Conditions {
  readonly #environment = newEnvironment()
  readonly #programs = new Map<string, CelProgram>()

  /** Expressions that do not compile. */
  problems(webhooks: readonly Webhook[]): readonly FieldError[] {
    return webhooks.flatMap(({ matchConditions = [] }, webhook) =>
      matchConditions.flatMap(({ expression }, index): FieldError[] => {
        const field = `webhooks[${webhook}].matchConditions[${index}].expression`
        try {
          this.#program(expression)
          return []
        } catch (reason) {
          if (!(reason instanceof CelProblem)) throw reason
          return [invalid(field, expression, reason.message)]
        }
      }),
    )
  }

  /**
   * A condition that does not hold counts more than one that fails. Throws ApiError where one fails and the webhook may not be passed
   * over.
   */
  hold(
    { name, matchConditions = [], failurePolicy }: Webhook,
    request: AdmissionRequest,
    authorizer: CelAuthorizer,
  ): boolean {
    const input = new PolicyInput(request, () => undefined, authorizer)
    const { object, oldObject } = input
    const context = { object, oldObject, request: input.request, authorizer }
    const budget = newBudget()
    let failure: string | undefined
    for (const condition of matchConditions) {
      try {
        if (this.#program(condition.expression)(context, budget) !== true) return false
      } catch (reason) {
        failure ??= `match condition ${JSON.stringify(condition.name)} of webhook ${JSON.stringify(name)}: ${celFailure(reason)}`
      }
    }
    if (failure === undefined) return true
    if (failurePolicy === 'Ignore') return false
    throw internalError(failure)
  }

  #program(expression: string): CelProgram {
    const known = this.#programs.get(expression)
    if (known !== undefined) return known
    if (this.#programs.size >= programsMax) this.#programs.clear()
    const made = compileCel(this.#environment, expression, ['bool'])
    this.#programs.set(expression, made)
    return made
  }
}
