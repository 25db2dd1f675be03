// Everything that decides who a client is and what it may do, put together.
import { LocalApiClient } from '../../client/local-api-client.ts'
import { rbacGroup } from '../../resources/rbac/policy-rule.ts'
import type { Registries } from '../registry/registries.ts'
import type { Registry } from '../registry/registry.ts'
import { AuditFile } from './audit/audit-file.ts'
import { openAuditPolicy } from './audit/audit-policy.ts'
import { Auditor } from './audit/auditor.ts'
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
import { Fairness } from '../wire/fairness.ts'
import { UnionAuthorizer } from './union-authorizer.ts'
import type { User } from './user.ts'

export interface AccessControl {
  readonly authenticator: Authenticator
  readonly authorizer: Authorizer
  readonly rbac: RbacAuthorizer
  readonly reviews: ReviewSources
  readonly serviceAccountTokens: ServiceAccountTokens
  readonly tokenRequests: TokenRequests
  readonly auditor: Auditor | undefined
  readonly fairness: Fairness
  /** What clients know the server by; PEM. */
  readonly rootCertificate: string
  /** An in-process client that may do what `user` may. */
  clientAs(user: User): LocalApiClient
  close(): Promise<void>
}

export interface AccessOptions {
  /** Whether requests that show nothing of who sent them are answered as system:anonymous; true unless given. */
  readonly anonymous?: boolean
  /** A file of `TOKEN,USER,UID,"GROUPS"`. */
  readonly tokenFile?: string
  readonly oidc?: OidcOptions
  readonly audit?: {
    /** A file with an audit.k8s.io/v1 Policy. */
    readonly policyFile: string
    readonly logPath: string
    readonly sizeBytesMax?: number
    readonly backupsMax?: number
  }
  /** Who signs tokens of service accounts, as their claim `iss` says. */
  readonly serviceAccountIssuer?: string
}

const issuerDefault = 'https://kubernetes.default.svc.cluster.local'

/** Opens what is kept under DATA_DIR/pki. Rejects for a token file that is none. */
export const openAccessControl = async (
  registries: Registries,
  place: {
    readonly dataDir: string
    readonly rootCertificate: string
    readonly onError: (error: Error) => void
  },
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
  const auditor = await openAuditor(options.audit, now, place.onError)
  const fairness = new Fairness()
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
    auditor,
    fairness,
    rootCertificate: place.rootCertificate,
    clientAs: (user) => new LocalApiClient(registries, user, { authorizer, tokenRequests }),
    close: async () => {
      rbac.close()
      nodes.close()
      fairness.close()
      await auditor?.close()
    },
  }
}

const openAuditor = async (
  options: AccessOptions['audit'],
  now: () => number,
  onError: (error: Error) => void,
): Promise<Auditor | undefined> => {
  if (options === undefined) return undefined
  const { policyFile, logPath, ...limits } = options
  const file = new AuditFile({ path: logPath, ...limits, onError })
  return new Auditor(await openAuditPolicy(policyFile), file, now)
}
