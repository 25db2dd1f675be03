// Tokens of service accounts: signed here, and believed as long as the account, and the pod, secret or node that a token is bound to, are
// the same as when it was made.
import { randomUUID } from 'node:crypto'
import type { KubeObject } from '../../../resources/object.ts'
import type { Registry } from '../../registry/registry.ts'
import {
  authenticatedGroup,
  serviceAccountGroups,
  serviceAccountPrefix,
  type User,
} from '../user.ts'
import { signingAlgorithm, type TokenKeys } from './service-account-keys.ts'
import type { TokenSource, TokenUser } from './token-authenticator.ts'

/** What a token is bound to. */
export interface BoundObject {
  readonly name: string
  readonly uid: string
}

export interface TokenRequest {
  readonly namespace: string
  readonly serviceAccount: BoundObject
  readonly audiences: readonly string[]
  readonly expirationSeconds: number
  readonly pod?: BoundObject
  readonly node?: BoundObject
  readonly secret?: BoundObject
}

/** The claim `kubernetes.io`. */
interface KubernetesClaim {
  readonly namespace?: string
  readonly serviceaccount?: BoundObject
  readonly pod?: BoundObject
  readonly node?: BoundObject
  readonly secret?: BoundObject
}

export const legacyIssuer = 'kubernetes/serviceaccount'
const legacyClaim = 'kubernetes.io/serviceaccount/'

export class ServiceAccountTokens implements TokenSource {
  readonly issuer: string
  readonly #keys: TokenKeys
  readonly #core: (plural: string) => Registry
  readonly #now: () => number

  constructor(options: {
    readonly issuer: string
    readonly keys: TokenKeys
    readonly core: (plural: string) => Registry
    readonly now: () => number
  }) {
    this.issuer = options.issuer
    this.#keys = options.keys
    this.#core = options.core
    this.#now = options.now
  }

  /** A token, and when it ends in epoch milliseconds. */
  async issue(
    request: TokenRequest,
  ): Promise<{ readonly token: string; readonly expiresAtMs: number }> {
    const { namespace, serviceAccount, audiences, expirationSeconds, pod, node, secret } = request
    const issuedAt = Math.floor(this.#now() / 1000)
    const claim: KubernetesClaim = {
      namespace,
      ...(node === undefined ? {} : { node }),
      ...(pod === undefined ? {} : { pod }),
      ...(secret === undefined ? {} : { secret }),
      serviceaccount: serviceAccount,
    }
    const token = await this.#sign({
      aud: [...audiences],
      exp: issuedAt + expirationSeconds,
      iat: issuedAt,
      iss: this.issuer,
      jti: randomUUID(),
      'kubernetes.io': { ...claim },
      nbf: issuedAt,
      sub: `${serviceAccountPrefix}${namespace}:${serviceAccount.name}`,
    })
    return { token, expiresAtMs: (issuedAt + expirationSeconds) * 1000 }
  }

  /** The token of a Secret of type kubernetes.io/service-account-token, valid as long as the Secret is there. */
  async issueLegacy(place: {
    readonly namespace: string
    readonly secret: string
    readonly serviceAccount: BoundObject
  }): Promise<string> {
    const { namespace, secret, serviceAccount } = place
    return this.#sign({
      iss: legacyIssuer,
      [`${legacyClaim}namespace`]: namespace,
      [`${legacyClaim}secret.name`]: secret,
      [`${legacyClaim}service-account.name`]: serviceAccount.name,
      [`${legacyClaim}service-account.uid`]: serviceAccount.uid,
      sub: `${serviceAccountPrefix}${namespace}:${serviceAccount.name}`,
    })
  }

  async authenticate(token: string, audiences: readonly string[]): Promise<TokenUser | undefined> {
    const { decodeJwt, errors, jwtVerify } = await import('jose')
    try {
      const issuer = decodeJwt(token).iss
      if (issuer !== this.issuer && issuer !== legacyIssuer) return undefined
      const { payload } = await jwtVerify(token, this.#keys.publicKey, {
        algorithms: [signingAlgorithm],
        currentDate: new Date(this.#now()),
        ...(issuer === legacyIssuer ? {} : { audience: [...audiences] }),
      })
      if (issuer === legacyIssuer) return this.#legacyUser(payload, token, audiences)
      const listed = Array.isArray(payload.aud) ? payload.aud : [payload.aud ?? '']
      const user = this.#user(payload['kubernetes.io'] as KubernetesClaim, payload.jti)
      return user === undefined
        ? undefined
        : { user, audiences: audiences.filter((one) => listed.includes(one)) }
    } catch (reason) {
      if (reason instanceof errors.JOSEError) return undefined
      throw reason
    }
  }

  /** GET /openid/v1/jwks */
  async publicKeys(): Promise<object> {
    const { exportJWK } = await import('jose')
    const key = await exportJWK(this.#keys.publicKey)
    return { keys: [{ use: 'sig', ...key, kid: this.#keys.id, alg: signingAlgorithm }] }
  }

  /** GET /.well-known/openid-configuration */
  configuration(serverUrl: string): object {
    return {
      issuer: this.issuer,
      jwks_uri: `${serverUrl}/openid/v1/jwks`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [signingAlgorithm],
    }
  }

  async #sign(claims: Readonly<Record<string, unknown>>): Promise<string> {
    const { SignJWT } = await import('jose')
    const header = { alg: signingAlgorithm, kid: this.#keys.id }
    return new SignJWT({ ...claims }).setProtectedHeader(header).sign(this.#keys.privateKey)
  }

  #user(claim: KubernetesClaim | undefined, id: string | undefined): User | undefined {
    const { namespace = '', serviceaccount, pod, node, secret } = claim ?? {}
    const isValid =
      serviceaccount !== undefined &&
      this.#isSame('serviceaccounts', namespace, serviceaccount) &&
      (pod === undefined || this.#isSame('pods', namespace, pod)) &&
      (secret === undefined || this.#isSame('secrets', namespace, secret)) &&
      (node === undefined || pod !== undefined || this.#isSame('nodes', '', node))
    if (!isValid) return undefined
    const prefix = 'authentication.kubernetes.io'
    return accountUser(namespace, serviceaccount, {
      ...(id === undefined ? {} : { [`${prefix}/credential-id`]: [`JTI=${id}`] }),
      ...(node === undefined
        ? {}
        : { [`${prefix}/node-name`]: [node.name], [`${prefix}/node-uid`]: [node.uid] }),
      ...(pod === undefined
        ? {}
        : { [`${prefix}/pod-name`]: [pod.name], [`${prefix}/pod-uid`]: [pod.uid] }),
    })
  }

  #legacyUser(
    payload: Readonly<Record<string, unknown>>,
    token: string,
    audiences: readonly string[],
  ): TokenUser | undefined {
    const text = (name: string): string => {
      const value = payload[`${legacyClaim}${name}`]
      return typeof value === 'string' ? value : ''
    }
    const namespace = text('namespace')
    const account = { name: text('service-account.name'), uid: text('service-account.uid') }
    const secret: (KubeObject & { data?: Readonly<Record<string, string>> }) | undefined =
      this.#find('secrets', namespace, text('secret.name'))
    const held = Buffer.from(secret?.data?.['token'] ?? '', 'base64').toString('utf8')
    if (held !== token || !this.#isSame('serviceaccounts', namespace, account)) return undefined
    return { user: accountUser(namespace, account, {}), audiences }
  }

  #isSame(plural: string, namespace: string, { name, uid }: BoundObject): boolean {
    const object = this.#find(plural, namespace, name)
    return object?.metadata.uid === uid
  }

  #find(plural: string, namespace: string, name: string): KubeObject | undefined {
    const key = namespace === '' ? name : `${namespace}/${name}`
    return this.#core(plural).cache.get(key)?.object
  }
}

const accountUser = (
  namespace: string,
  account: BoundObject,
  extra: NonNullable<User['extra']>,
): User => ({
  name: `${serviceAccountPrefix}${namespace}:${account.name}`,
  uid: account.uid,
  groups: [...serviceAccountGroups(namespace), authenticatedGroup],
  ...(Object.keys(extra).length === 0 ? {} : { extra }),
})
