// Who a client is: by a bearer token, else by its TLS certificate (CN is the user, each O a group), else nobody in particular.
import type { TLSSocket } from 'node:tls'
import { unauthorized } from '../api-errors.ts'
import type { TokenAuthenticator } from './tokens/token-authenticator.ts'
import { anonymousUser, authenticatedGroup, type User } from './user.ts'

/** Whom the certificate of a connection names. */
export interface ConnectionIdentity {
  readonly user: User | undefined
  /** A certificate was shown that the cluster's authority did not sign, or that names nobody. */
  readonly isRefused: boolean
  /** Called with each request that says who sends it. */
  readonly onKnown?: () => void
}

/** What a request shows of who sent it. */
export interface Credentials {
  readonly connection: ConnectionIdentity
  /** A header of the request, '' when it was not sent. */
  header(name: string): string
}

/** Finds the user. Throws ApiError Unauthorized for what was shown and is not valid. */
export interface Authenticator {
  authenticate(credentials: Credentials): Promise<User> | User
}

export class RequestAuthenticator implements Authenticator {
  readonly #tokens: TokenAuthenticator
  readonly #isAnonymousAllowed: boolean

  constructor(options: {
    readonly tokens: TokenAuthenticator
    /** Else requests that show nothing are refused. */
    readonly anonymous: boolean
  }) {
    this.#tokens = options.tokens
    this.#isAnonymousAllowed = options.anonymous
  }

  authenticate({ connection, header }: Credentials): Promise<User> | User {
    // As upstream: a certificate that is valid counts before a token.
    if (connection.user !== undefined) return connection.user
    const token = bearerToken(header('authorization')) ?? webSocketToken(header)
    if (token !== undefined) return this.#userOfToken(token)
    if (connection.isRefused || !this.#isAnonymousAllowed) throw unauthorized()
    return anonymousUser
  }

  async #userOfToken(token: string): Promise<User> {
    const found = await this.#tokens.authenticateToken(token)
    if (found === undefined) throw unauthorized()
    return found.user
  }
}

const bearerToken = (authorization: string): string | undefined =>
  /^bearer +(\S+)\s*$/i.exec(authorization)?.[1]

const protocolPrefix = 'base64url.bearer.authorization.k8s.io.'

/** Browsers cannot set headers of a WebSocket: its protocols may carry the token. */
const webSocketToken = (header: (name: string) => string): string | undefined => {
  const offered = header('sec-websocket-protocol')
  if (!offered.includes(protocolPrefix)) return undefined
  const protocol = offered
    .split(',')
    .map((one) => one.trim())
    .find((one) => one.startsWith(protocolPrefix))
  return protocol === undefined
    ? undefined
    : Buffer.from(protocol.slice(protocolPrefix.length), 'base64url').toString('utf8')
}

export const identityOfSocket = (socket: TLSSocket | undefined): ConnectionIdentity => {
  const certificate = socket?.getPeerCertificate()
  // A certificate may name several organizations; the declarations do not say so. Without one the object is empty.
  const { CN, O } = (certificate?.subject ?? {}) as {
    CN?: string | string[]
    O?: string | string[]
  }
  const name = Array.isArray(CN) ? CN.at(-1) : CN
  if (socket?.authorized !== true || name === undefined || name === '') {
    return { user: undefined, isRefused: certificate?.raw !== undefined }
  }
  const groups = O === undefined ? [] : Array.isArray(O) ? O : [O]
  return { user: { name, groups: [...groups, authenticatedGroup] }, isRefused: false }
}
