// Everything that decides who a client is and what it may do, put together.
import { LocalApiClient } from '../../client/local-api-client.ts'
import { rbacGroup } from '../../resources/rbac/policy-rule.ts'
import type { Registries } from '../registry/registries.ts'
import { type Authenticator, RequestAuthenticator } from './authentication.ts'
import type { Authorizer } from './authorizer.ts'
import { NodeAuthorizer } from './node/node-authorizer.ts'
import { RbacAuthorizer } from './rbac/rbac-authorizer.ts'
import type { ReviewSources } from './reviews/review.ts'
import { TokenAuthenticator } from './tokens/token-authenticator.ts'
import { UnionAuthorizer } from './union-authorizer.ts'
import type { User } from './user.ts'

export interface AccessControl {
  readonly authenticator: Authenticator
  readonly authorizer: Authorizer
  readonly rbac: RbacAuthorizer
  readonly reviews: ReviewSources
  /** An in-process client that may do what `user` may. */
  clientAs(user: User): LocalApiClient
  close(): void
}

export interface AccessOptions {
  readonly registries: Registries
  /** Whether requests that show nothing of who sent them are answered as system:anonymous; true unless given. */
  readonly anonymous?: boolean
}

const issuer = 'https://kubernetes.default.svc.cluster.local'

export const createAccessControl = ({
  registries,
  anonymous = true,
}: AccessOptions): AccessControl => {
  const rbac = new RbacAuthorizer((plural) =>
    registries.get({ group: rbacGroup, version: 'v1', plural }),
  )
  const nodes = new NodeAuthorizer((plural) => registries.get({ group: '', version: 'v1', plural }))
  // RBAC first: it knows the masters, who are most of the requests.
  const authorizer = new UnionAuthorizer([rbac, nodes])
  const tokens = new TokenAuthenticator({
    sources: [],
    apiAudiences: [issuer],
    now: registries.now,
  })
  return {
    authenticator: new RequestAuthenticator({ tokens, anonymous }),
    authorizer,
    rbac,
    reviews: {
      authorizer,
      tokens,
      rulesOf: (user, namespace) => rbac.rulesOf(user, namespace),
    },
    clientAs: (user) => new LocalApiClient(registries, user, authorizer),
    close: () => {
      rbac.close()
      nodes.close()
    },
  }
}
