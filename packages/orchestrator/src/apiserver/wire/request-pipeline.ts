// What every request passes before its handler: who is it, as whom do they act, may they, is it their turn; and what is written down of it. The steps are in the order of upstream's chain.
import type { Authenticator, ConnectionIdentity } from '../access/authentication.ts'
import type { Auditor } from '../access/audit/auditor.ts'
import { type Authorizer, forbiddenAccess } from '../access/authorizer.ts'
import { impersonatedUser } from '../access/impersonation.ts'
import type { Exchange } from './exchange.ts'
import type { Fairness } from './fairness.ts'
import { type RequestInfo, requestInfo } from './request-info.ts'

export interface RequestPipelineOptions {
  readonly authenticator: Authenticator
  readonly authorizer: Authorizer
  readonly fairness: Fairness
  /** undefined: nothing is written down. */
  readonly auditor: Auditor | undefined
}

export class RequestPipeline {
  readonly #options: RequestPipelineOptions

  constructor(options: RequestPipelineOptions) {
    this.#options = options
  }

  /** Sets exchange.user and calls `handler`. Throws ApiError for who may not. */
  async run(
    exchange: Exchange,
    connection: ConnectionIdentity,
    handler: (info: RequestInfo) => Promise<void> | void,
  ): Promise<void> {
    const { authenticator, authorizer, fairness, auditor } = this.#options
    const sender = await authenticator.authenticate({
      connection,
      header: (name) => exchange.header(name),
    })
    const user = impersonatedUser(authorizer, sender, exchange.headers)
    exchange.user = user
    const info = requestInfo(exchange, user)
    const { attributes } = info
    auditor?.follow({ exchange, sender, attributes })
    await fairness.run(attributes, () => {
      const { allowed, reason } = authorizer.authorize(attributes)
      if (auditor !== undefined) {
        exchange.annotations['authorization.k8s.io/decision'] = allowed ? 'allow' : 'forbid'
        exchange.annotations['authorization.k8s.io/reason'] = reason
      }
      if (!allowed) throw forbiddenAccess(attributes, reason)
      return handler(info)
    })
  }
}
