// Several authorizers as one: what any of them allows is allowed; the reasons of all who refuse are told.
import type { AccessAttributes, AccessDecision, Authorizer } from './authorizer.ts'

export class UnionAuthorizer implements Authorizer {
  readonly #authorizers: readonly Authorizer[]

  constructor(authorizers: readonly Authorizer[]) {
    this.#authorizers = authorizers
  }

  authorize(attributes: AccessAttributes): AccessDecision {
    let reasons = ''
    for (const authorizer of this.#authorizers) {
      const decision = authorizer.authorize(attributes)
      if (decision.allowed) return decision
      if (decision.reason !== '') {
        reasons = reasons === '' ? decision.reason : `${reasons}, ${decision.reason}`
      }
    }
    return { allowed: false, reason: reasons }
  }
}
