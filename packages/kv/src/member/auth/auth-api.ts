// What the wires ask of a member about users, roles and permissions: the 17 calls of etcdserverpb.Auth under short names.
import type { HeaderOnlyResponse, ResponseHeader } from '../../proto/messages.ts'
import type { Done } from '../types.ts'

/**
 * Who a caller says to be. It is read anew at every request, so a connection whose token was renewed may keep its view.
 * The token wins over the certificate.
 */
export interface Credentials {
  /** As Authenticate gave it, with or without 'Bearer ' before it; '' and undefined: none. */
  readonly token?: string | undefined
  /** Of the verified client certificate. */
  readonly commonName?: string | undefined
}

export interface PermissionMessage {
  /** 0 read, 1 write, 2 both. */
  readonly permType: number
  readonly key: Uint8Array
  readonly rangeEnd: Uint8Array
}

/** What each call answers. */
export interface AuthResponses {
  enable: HeaderOnlyResponse
  disable: HeaderOnlyResponse
  status: { header: ResponseHeader; enabled: boolean; authRevision: number }
  authenticate: { header: ResponseHeader; token: string }
  userAdd: HeaderOnlyResponse
  userGet: { header: ResponseHeader; roles: readonly string[] }
  userList: { header: ResponseHeader; users: readonly string[] }
  userDelete: HeaderOnlyResponse
  userChangePassword: HeaderOnlyResponse
  userGrantRole: HeaderOnlyResponse
  userRevokeRole: HeaderOnlyResponse
  roleAdd: HeaderOnlyResponse
  roleGet: { header: ResponseHeader; perm: readonly PermissionMessage[] }
  roleList: { header: ResponseHeader; roles: readonly string[] }
  roleDelete: HeaderOnlyResponse
  roleGrantPermission: HeaderOnlyResponse
  roleRevokePermission: HeaderOnlyResponse
}
export type AuthCall = keyof AuthResponses

export interface AuthApi {
  /** `body`: the protobuf bytes of the call's request. */
  call<Name extends AuthCall>(name: Name, body: Uint8Array, done: Done<AuthResponses[Name]>): void
}
