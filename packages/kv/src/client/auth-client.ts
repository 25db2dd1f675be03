// Users and roles of a cluster, as a program manages them.
import { prefixEnd } from '../mvcc/key-range.ts'
import type { Bytes } from '../kv.ts'
import { decodeMessage, encodeAuthRequest } from '../proto/index.ts'
import type { AuthRequest, AuthRequestName, MessageName } from '../proto/index.ts'
import type { ResponseHeader } from '../proto/messages.ts'
import { Caller } from './caller.ts'
import type { CallerOptions } from './caller.ts'
import { bytesOf } from './convert.ts'
import type { Wire } from './wire.ts'

export type PermissionKind = 'read' | 'write' | 'readWrite'
const kinds: readonly PermissionKind[] = ['read', 'write', 'readWrite']

/** `key` alone, [key, rangeEnd), or all keys with `prefix` ('' for everything). */
export interface PermissionRange {
  readonly key?: Bytes
  readonly rangeEnd?: Bytes
  readonly prefix?: Bytes
}
export interface GrantedPermission {
  /** Undefined for one that allows nothing. */
  readonly kind: PermissionKind | undefined
  readonly key: Uint8Array
  /** Empty: the one key. One zero byte: no upper end. */
  readonly rangeEnd: Uint8Array
}

export interface AuthClientOptions {
  /** Called with the header of each reply. */
  readonly onHeader?: (header: ResponseHeader) => void
}

/** Calls reject with KvError. None is repeated that may have been applied. */
export class AuthClient implements AsyncDisposable {
  readonly #wire: Wire
  readonly #caller: Caller
  readonly #onHeader: (header: ResponseHeader) => void

  constructor(wire: Wire, options: CallerOptions & AuthClientOptions) {
    this.#wire = wire
    this.#onHeader = options.onHeader ?? ((): void => undefined)
    this.#caller = new Caller(wire, options)
  }

  /** The user root with the role root must exist. */
  async enable(): Promise<void> {
    await this.#call('AuthEnable', 'AuthEnable', {})
  }

  async disable(): Promise<void> {
    await this.#call('AuthDisable', 'AuthDisable', {})
  }

  async status(): Promise<{ isEnabled: boolean; revision: number }> {
    const { enabled, authRevision } = await this.#call('AuthStatus', 'AuthStatus', {})
    return { isEnabled: enabled === true, revision: Number(authRevision) }
  }

  /** Without a password the user is known by a client certificate only. */
  async addUser(name: string, password: string | undefined): Promise<void> {
    const options = { noPassword: password === undefined }
    await this.#call('UserAdd', 'AuthUserAdd', { name, password: password ?? '', options })
  }

  async deleteUser(name: string): Promise<void> {
    await this.#call('UserDelete', 'AuthUserDelete', { name })
  }

  async changePassword(name: string, password: string): Promise<void> {
    await this.#call('UserChangePassword', 'AuthUserChangePassword', { name, password })
  }

  async users(): Promise<readonly string[]> {
    return namesOf(await this.#call('UserList', 'AuthUserList', {}), 'users')
  }

  async rolesOf(user: string): Promise<readonly string[]> {
    return namesOf(await this.#call('UserGet', 'AuthUserGet', { name: user }), 'roles')
  }

  async grantRole(user: string, role: string): Promise<void> {
    await this.#call('UserGrantRole', 'AuthUserGrantRole', { user, role })
  }

  async revokeRole(user: string, role: string): Promise<void> {
    await this.#call('UserRevokeRole', 'AuthUserRevokeRole', { name: user, role })
  }

  async addRole(name: string): Promise<void> {
    await this.#call('RoleAdd', 'AuthRoleAdd', { name })
  }

  async deleteRole(role: string): Promise<void> {
    await this.#call('RoleDelete', 'AuthRoleDelete', { role })
  }

  async roles(): Promise<readonly string[]> {
    return namesOf(await this.#call('RoleList', 'AuthRoleList', {}), 'roles')
  }

  async permissionsOf(role: string): Promise<readonly GrantedPermission[]> {
    const { perm } = await this.#call('RoleGet', 'AuthRoleGet', { role })
    const found = perm as unknown as readonly NonNullable<AuthRequest['perm']>[]
    return found.map(({ permType, key, rangeEnd }) => ({ kind: kinds[permType], key, rangeEnd }))
  }

  async grantPermission(name: string, kind: PermissionKind, range: PermissionRange): Promise<void> {
    const perm = { permType: kinds.indexOf(kind), ...rangeOf(range) }
    await this.#call('RoleGrantPermission', 'AuthRoleGrantPermission', { name, perm })
  }

  /** Takes one that was granted for this very range. */
  async revokePermission(role: string, range: PermissionRange): Promise<void> {
    await this.#call('RoleRevokePermission', 'AuthRoleRevokePermission', {
      role,
      ...rangeOf(range),
    })
  }

  async close(): Promise<void> {
    this.#caller.close()
    await this.#wire.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #call(
    method: string,
    message: string,
    request: AuthRequest,
  ): Promise<ReturnType<typeof decodeMessage>> {
    const body = encodeAuthRequest(`${message}Request` as AuthRequestName, request)
    const reply = await this.#caller.call('write', `Auth/${method}`, body)
    const decoded = decodeMessage(`${message}Response` as MessageName, reply)
    if (decoded['header'] !== undefined)
      this.#onHeader(decoded['header'] as unknown as ResponseHeader)
    return decoded
  }
}

function namesOf(reply: ReturnType<typeof decodeMessage>, field: string): readonly string[] {
  return reply[field] as readonly string[]
}

/** etcd's form of a range. Everything begins at the smallest key, which is one zero byte. */
function rangeOf({ key, rangeEnd, prefix }: PermissionRange): {
  key: Uint8Array
  rangeEnd: Uint8Array
} {
  if (prefix === undefined) {
    return { key: bytesOf(key ?? ''), rangeEnd: bytesOf(rangeEnd ?? '') }
  }
  const bytes = bytesOf(prefix)
  return { key: bytes.length === 0 ? new Uint8Array(1) : bytes, rangeEnd: prefixEnd(bytes) }
}
