// matchConditions of webhooks: expressions in CEL over the request. Loaded with the first webhook that has some.
import type { Webhook } from '../../resources/admission/webhook-configuration.ts'
import type { AdmissionRequest } from '../admission/admission.ts'
import { internalError } from '../api-errors.ts'
import { celEnvironment } from '../custom/cel-environment.ts'
import { celValue } from '../custom/cel-values.ts'
import { reviewedRequest } from './admission-review.ts'

type Program = (context: Readonly<Record<string, unknown>>) => unknown

const programsMax = 1000

export class Conditions {
  readonly #environment = celEnvironment()
  readonly #programs = new Map<string, Program>()

  /** Throws ApiError where one fails and the webhook may not be passed over. */
  hold({ name, matchConditions = [], failurePolicy }: Webhook, request: AdmissionRequest): boolean {
    const { object, oldObject, ...reviewed } = reviewedRequest(request)
    const context = {
      object: celValue(undefined, object ?? null),
      oldObject: celValue(undefined, oldObject ?? null),
      request: celValue(undefined, reviewed),
    }
    for (const condition of matchConditions) {
      try {
        if (this.#program(condition.expression)(context) !== true) return false
      } catch (reason) {
        if (failurePolicy === 'Ignore') return false
        const text = reason instanceof Error ? reason.message.split('\n', 1)[0] : String(reason)
        throw internalError(
          `match condition ${JSON.stringify(condition.name)} of webhook ${JSON.stringify(name)}: ${text ?? ''}`,
        )
      }
    }
    return true
  }

  #program(expression: string): Program {
    const known = this.#programs.get(expression)
    if (known !== undefined) return known
    if (this.#programs.size >= programsMax) this.#programs.clear()
    const made = this.#environment.parse(expression)
    this.#programs.set(expression, made)
    return made
  }
}
