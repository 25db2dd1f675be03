// Who a client is. By its TLS certificate: CN is the user, each O a group.
import type { TLSSocket } from 'node:tls'
import { authenticatedGroup, type User } from './user.ts'

/** What a request shows of who sent it. */
export interface Credentials {
  /** The user of the connection's certificate. */
  readonly certificateUser: User | undefined
  /** A header of the request, '' when it was not sent. */
  header(name: string): string
}

/** Finds the user. undefined: nothing was shown. Throws ApiError Unauthorized for what was shown and is not valid. */
export interface Authenticator {
  authenticate(credentials: Credentials): Promise<User | undefined> | User | undefined
}

/** Believes certificates alone. */
export class CertificateAuthenticator implements Authenticator {
  authenticate({ certificateUser }: Credentials): User | undefined {
    return certificateUser
  }
}

/** undefined: no certificate, or one that the cluster's authority did not sign. */
export const userOfSocket = (socket: TLSSocket): User | undefined => {
  if (!socket.authorized) return undefined
  const { subject } = socket.getPeerCertificate()
  // A certificate may name several organizations; the declarations do not say so.
  const { CN, O } = (subject ?? {}) as { CN?: string | string[]; O?: string | string[] }
  const name = Array.isArray(CN) ? CN.at(-1) : CN
  if (name === undefined || name === '') return undefined
  const groups = O === undefined ? [] : Array.isArray(O) ? O : [O]
  return { name, groups: [...groups, authenticatedGroup] }
}
