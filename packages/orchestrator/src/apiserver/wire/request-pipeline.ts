// What every request passes before its handler: who is it, may they. The steps are in the order of upstream's chain.
import { type Authenticator } from '../access/authentication.ts'
import { type Authorizer, checkAccess } from '../access/authorizer.ts'
import type { User } from '../access/user.ts'
import { unauthorized } from '../api-errors.ts'
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
    certificateUser: User | undefined,
    handler: (info: RequestInfo) => Promise<void> | void,
  ): Promise<void> {
    const { authenticator, authorizer } = this.#options
    const user = await authenticator.authenticate({
      certificateUser,
      header: (name) => exchange.header(name),
    })
    if (user === undefined) throw unauthorized()
    exchange.user = user
    const info = requestInfo(exchange, user)
    checkAccess(authorizer, info.attributes)
    await handler(info)
  }
}
