// What every request passes before its handler: who is it, as whom do they act, may they, is it their turn; and what is written down of it. Unlike
// upstream's chain, who may not is told before his turn comes: so nothing is held of his body, and a body that comes slowly takes up no seat.
import type { Authenticator, ConnectionIdentity } from '../access/authentication.ts'
import type { Auditor } from '../access/audit/auditor.ts'
import { type Authorizer, forbiddenAccess } from '../access/authorizer.ts'
import { impersonatedUser } from '../access/impersonation.ts'
import { anonymousUser } from '../access/user.ts'
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

export interface RequestSteps {
  /** The request may go on: takes its body in. */
  admit(info: RequestInfo): Promise<void> | void
  /** It is its turn. */
  handle(info: RequestInfo): Promise<void> | void
}

export class RequestPipeline {
  readonly #options: RequestPipelineOptions

  constructor(options: RequestPipelineOptions) {
    this.#options = options
  }

  /** Sets exchange.user and goes through `steps`. Throws ApiError for who may not. */
  async run(
    exchange: Exchange,
    connection: ConnectionIdentity,
    steps: RequestSteps,
  ): Promise<void> {
    const { authenticator, authorizer, fairness, auditor } = this.#options
    const sender = await authenticator.authenticate({
      connection,
      header: (name) => exchange.header(name),
    })
    if (sender !== anonymousUser) connection.onKnown?.()
    const user = impersonatedUser(authorizer, sender, exchange.headers)
    exchange.user = user
    const info = requestInfo(exchange, user)
    const { attributes } = info
    auditor?.follow({ exchange, sender, attributes })
    const { allowed, reason } = authorizer.authorize(attributes)
    if (auditor !== undefined) {
      exchange.annotations['authorization.k8s.io/decision'] = allowed ? 'allow' : 'forbid'
      exchange.annotations['authorization.k8s.io/reason'] = reason
    }
    if (!allowed) throw forbiddenAccess(attributes, reason)
    await steps.admit(info)
    await fairness.run(attributes, () => steps.handle(info))
  }
}
