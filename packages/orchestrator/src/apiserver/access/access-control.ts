// Everything that decides who a client is and what it may do, put together.
import { LocalApiClient } from '../../client/local-api-client.ts'
import { rbacGroup } from '../../resources/rbac/policy-rule.ts'
import type { Registries } from '../registry/registries.ts'
import type { Registry } from '../registry/registry.ts'
import { type Authenticator, RequestAuthenticator } from './authentication.ts'
import type { Authorizer } from './authorizer.ts'
import { NodeAuthorizer } from './node/node-authorizer.ts'
import { RbacAuthorizer } from './rbac/rbac-authorizer.ts'
import type { ReviewSources } from './reviews/review.ts'
import { BootstrapTokens } from './tokens/bootstrap-tokens.ts'
import { type OidcOptions, OidcTokens } from './tokens/oidc-tokens.ts'
import { openTokenKeys } from './tokens/service-account-keys.ts'
import { ServiceAccountTokens } from './tokens/service-account-tokens.ts'
import { StaticTokens } from './tokens/static-tokens.ts'
import { TokenAuthenticator } from './tokens/token-authenticator.ts'
import { TokenRequests } from './tokens/token-requests.ts'
import { UnionAuthorizer } from './union-authorizer.ts'
import type { User } from './user.ts'

export interface AccessControl {
  readonly authenticator: Authenticator
  readonly authorizer: Authorizer
  readonly rbac: RbacAuthorizer
  readonly reviews: ReviewSources
  readonly serviceAccountTokens: ServiceAccountTokens
  readonly tokenRequests: TokenRequests
  /** What clients know the server by; PEM. */
  readonly rootCertificate: string
  /** An in-process client that may do what `user` may. */
  clientAs(user: User): LocalApiClient
  close(): void
}

export interface AccessOptions {
  /** Whether requests that show nothing of who sent them are answered as system:anonymous; true unless given. */
  readonly anonymous?: boolean
  /** A file of `TOKEN,USER,UID,"GROUPS"`. */
  readonly tokenFile?: string
  readonly oidc?: OidcOptions
  /** Who signs tokens of service accounts, as their claim `iss` says. */
  readonly serviceAccountIssuer?: string
}

const issuerDefault = 'https://kubernetes.default.svc.cluster.local'

/** Opens what is kept under DATA_DIR/pki. Rejects for a token file that is none. */
export const openAccessControl = async (
  registries: Registries,
  place: { readonly dataDir: string; readonly rootCertificate: string },
  options: AccessOptions,
): Promise<AccessControl> => {
  const { now } = registries
  const core = (plural: string): Registry => registries.get({ group: '', version: 'v1', plural })
  const rbac = new RbacAuthorizer((plural) =>
    registries.get({ group: rbacGroup, version: 'v1', plural }),
  )
  const nodes = new NodeAuthorizer(core)
  // RBAC first: it knows the masters, who are most of the requests.
  const authorizer = new UnionAuthorizer([rbac, nodes])
  const issuer = options.serviceAccountIssuer ?? issuerDefault
  const keys = await openTokenKeys(place.dataDir)
  const serviceAccountTokens = new ServiceAccountTokens({ issuer, keys, core, now })
  const { anonymous = true, tokenFile, oidc } = options
  const tokens = new TokenAuthenticator({
    sources: [
      ...(tokenFile === undefined ? [] : [await StaticTokens.open(tokenFile)]),
      serviceAccountTokens,
      new BootstrapTokens(() => core('secrets'), now),
      ...(oidc === undefined ? [] : [new OidcTokens(oidc, now)]),
    ],
    apiAudiences: [issuer],
    now,
  })
  const tokenRequests = new TokenRequests(serviceAccountTokens, core)
  return {
    authenticator: new RequestAuthenticator({ tokens, anonymous }),
    authorizer,
    rbac,
    reviews: {
      authorizer,
      tokens,
      rulesOf: (user, namespace) => rbac.rulesOf(user, namespace),
    },
    serviceAccountTokens,
    tokenRequests,
    rootCertificate: place.rootCertificate,
    clientAs: (user) => new LocalApiClient(registries, user, { authorizer, tokenRequests }),
    close: () => {
      rbac.close()
      nodes.close()
    },
  }
}
