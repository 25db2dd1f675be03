// matchConditions of webhooks: expressions in CEL over the request. Loaded with the first webhook that has some.
import type { Webhook } from '../../resources/admission/webhook-configuration.ts'
import type { AdmissionRequest } from '../admission/admission.ts'
import { internalError } from '../api-errors.ts'
import { celEnvironment } from '../custom/cel-environment.ts'
import { celFailure, type CelProgram, compileCel, newBudget } from '../custom/cel-program.ts'
import { celValue } from '../custom/cel-values.ts'
import { reviewedRequest } from './admission-review.ts'

const programsMax = 1000

export class Conditions {
  readonly #environment = celEnvironment(['object', 'oldObject', 'request'])
  readonly #programs = new Map<string, CelProgram>()

  /** Throws ApiError where one fails and the webhook may not be passed over. */
  hold({ name, matchConditions = [], failurePolicy }: Webhook, request: AdmissionRequest): boolean {
    const { object, oldObject, ...reviewed } = reviewedRequest(request)
    const context = {
      object: celValue(undefined, object ?? null),
      oldObject: celValue(undefined, oldObject ?? null),
      request: celValue(undefined, reviewed),
    }
    const budget = newBudget()
    for (const condition of matchConditions) {
      try {
        if (this.#program(condition.expression)(context, budget) !== true) return false
      } catch (reason) {
        if (failurePolicy === 'Ignore') return false
        throw internalError(
          `match condition ${JSON.stringify(condition.name)} of webhook ${JSON.stringify(name)}: ${celFailure(reason)}`,
        )
      }
    }
    return true
  }

  #program(expression: string): CelProgram {
    const known = this.#programs.get(expression)
    if (known !== undefined) return known
    if (this.#programs.size >= programsMax) this.#programs.clear()
    const made = compileCel(this.#environment, expression)
    this.#programs.set(expression, made)
    return made
  }
}
