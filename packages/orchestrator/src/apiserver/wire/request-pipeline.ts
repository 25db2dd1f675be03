// What every request passes before its handler: who is it, as whom do they act, may they. The steps are in the order of upstream's chain.
import type { Authenticator, ConnectionIdentity } from '../access/authentication.ts'
import { type Authorizer, checkAccess } from '../access/authorizer.ts'
import { impersonatedUser } from '../access/impersonation.ts'
import type { Exchange } from './exchange.ts'
import { type RequestInfo, requestInfo } from './request-info.ts'

export interface RequestPipelineOptions {
  readonly authenticator: Authenticator
  readonly authorizer: Authorizer
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
    const { authenticator, authorizer } = this.#options
    const sender = await authenticator.authenticate({
      connection,
      header: (name) => exchange.header(name),
    })
    const user = impersonatedUser(authorizer, sender, exchange.headers)
    exchange.user = user
    const info = requestInfo(exchange, user)
    checkAccess(authorizer, info.attributes)
    await handler(info)
  }
}
