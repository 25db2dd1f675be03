// Tokens of an OpenID Connect provider: ID tokens that its published keys signed for this cluster. Which claims are the user and the
// groups is configured, as with upstream's --oidc flags.
import type { JWTPayload, JWTVerifyGetKey } from 'jose'
import { authenticatedGroup } from '../user.ts'
import type { TokenSource, TokenUser } from './token-authenticator.ts'

export interface OidcOptions {
  /** As in the tokens' claim `iss`. */
  readonly issuerUrl: string
  /** What the tokens' claim `aud` must hold. */
  readonly clientId: string
  /** `sub` unless given. */
  readonly usernameClaim?: string
  /** Put before names; the issuer and `#` unless given or the claim is email; `-` for none. */
  readonly usernamePrefix?: string
  readonly groupsClaim?: string
  readonly groupsPrefix?: string
  /** Claims that a token must have with these values. */
  readonly requiredClaims?: Readonly<Record<string, string>>
}

const algorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'EdDSA']
const discoveryTimeoutMs = 5_000
/** A provider that did not answer is not asked again so soon. */
const retryAfterMs = 10_000

export class OidcTokens implements TokenSource {
  readonly #options: OidcOptions
  readonly #now: () => number
  #keys: JWTVerifyGetKey | undefined
  #failedAtMs = Number.NEGATIVE_INFINITY

  constructor(options: OidcOptions, now: () => number) {
    this.#options = options
    this.#now = now
  }

  async authenticate(token: string, audiences: readonly string[]): Promise<TokenUser | undefined> {
    const { decodeJwt, errors, jwtVerify } = await import('jose')
    try {
      if (decodeJwt(token).iss !== this.#options.issuerUrl) return undefined
      const keys = await this.#openKeys()
      if (keys === undefined) return undefined
      const { payload } = await jwtVerify(token, keys, {
        issuer: this.#options.issuerUrl,
        audience: this.#options.clientId,
        algorithms,
        requiredClaims: ['exp'],
        currentDate: new Date(this.#now()),
      })
      return this.#userOf(payload, audiences)
    } catch (reason) {
      // A provider whose keys cannot be fetched (TypeError of fetch) is as good as none.
      if (reason instanceof errors.JOSEError || reason instanceof TypeError) return undefined
      throw reason
    }
  }

  #userOf(payload: JWTPayload, audiences: readonly string[]): TokenUser | undefined {
    const { usernameClaim = 'sub', groupsClaim, requiredClaims = {} } = this.#options
    const isMissing = Object.entries(requiredClaims).some(
      ([name, value]) => payload[name] !== value,
    )
    const name = payload[usernameClaim]
    if (isMissing || typeof name !== 'string' || name === '') return undefined
    if (usernameClaim === 'email' && payload['email_verified'] === false) return undefined
    const claimed = groupsClaim === undefined ? [] : payload[groupsClaim]
    const groups = (Array.isArray(claimed) ? claimed : [claimed]).filter(
      (group): group is string => typeof group === 'string' && group !== '',
    )
    const { groupsPrefix = '' } = this.#options
    return {
      user: {
        name: `${this.#usernamePrefix()}${name}`,
        groups: [...groups.map((group) => `${groupsPrefix}${group}`), authenticatedGroup],
      },
      audiences,
    }
  }

  #usernamePrefix(): string {
    const { usernamePrefix, usernameClaim = 'sub', issuerUrl } = this.#options
    if (usernamePrefix !== undefined) return usernamePrefix === '-' ? '' : usernamePrefix
    return usernameClaim === 'email' ? '' : `${issuerUrl}#`
  }

  /** The provider's keys, which are fetched again when a token names one that is not among them. */
  async #openKeys(): Promise<JWTVerifyGetKey | undefined> {
    if (this.#keys !== undefined) return this.#keys
    if (this.#now() - this.#failedAtMs < retryAfterMs) return undefined
    try {
      const { createRemoteJWKSet } = await import('jose')
      const base = this.#options.issuerUrl.replace(/\/$/, '')
      const response = await fetch(`${base}/.well-known/openid-configuration`, {
        signal: AbortSignal.timeout(discoveryTimeoutMs),
      })
      const document: unknown = await response.json()
      const url = (document as { readonly jwks_uri?: unknown } | null)?.jwks_uri
      if (typeof url !== 'string') throw new TypeError('The provider names no jwks_uri')
      this.#keys = createRemoteJWKSet(new URL(url), { timeoutDuration: discoveryTimeoutMs })
      return this.#keys
    } catch (reason) {
      if (!(reason instanceof Error)) throw reason
      // Tokens of a provider that cannot be asked are not believed; the next one asks it again.
      this.#failedAtMs = this.#now()
      return undefined
    }
  }
}
