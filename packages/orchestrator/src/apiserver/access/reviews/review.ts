// Resources without storage: a client posts a question about access and gets it back with an answer.
import type { Json } from '../../../resources/object.ts'
import type { VirtualResource } from '../../discovery/discovery.ts'
import type { Authorizer } from '../authorizer.ts'
import type { UserRules } from '../rbac/rbac-authorizer.ts'
import type { TokenAuthenticator } from '../tokens/token-authenticator.ts'
import type { User } from '../user.ts'

/** What answers look into. */
export interface ReviewSources {
  readonly authorizer: Authorizer
  rulesOf(user: User, namespace: string): UserRules
  readonly tokens: TokenAuthenticator
}

export interface ReviewQuestion {
  /** Who asks. */
  readonly user: User
  /** Of the path; '' for reviews that have none. */
  readonly namespace: string
  readonly spec: { readonly [field: string]: Json | undefined }
}

export interface Review extends VirtualResource {
  /** The status. Throws ApiError for a question that makes no sense. */
  answer(question: ReviewQuestion, sources: ReviewSources): Json | Promise<Json>
}
