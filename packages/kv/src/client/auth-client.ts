// Users and roles of a cluster, as a program manages them: the same calls over any wire, and in a member itself.
import { prefixEnd } from '../mvcc/key-range.ts'
import type {
  CallOptions,
  KvAuth,
  KvPermission,
  KvPermissionKind,
  KvPermissionRange,
} from '../kv.ts'
import { decodeMessage, encodeAuthRequest } from '../proto/index.ts'
import type { AuthRequest, AuthRequestName, MessageName } from '../proto/index.ts'
import type { ResponseHeader } from '../proto/messages.ts'
import type { Ask } from './admin-client.ts'
import { bytesOf } from './convert.ts'

const kinds: readonly KvPermissionKind[] = ['read', 'write', 'readWrite']

export interface AuthClientOptions {
  /** Called with the header of each reply. */
  readonly onHeader?: (header: ResponseHeader) => void
}

/** Calls reject with KvError. None is repeated that may have been applied. */
export class AuthClient implements KvAuth, AsyncDisposable {
  readonly #ask: Ask
  readonly #onHeader: (header: ResponseHeader) => void
  readonly #close: () => Promise<void>

  /** `close`: of a client that has a wire to itself. */
  constructor(
    ask: Ask,
    { onHeader, close }: AuthClientOptions & { readonly close?: () => Promise<void> } = {},
  ) {
    this.#ask = ask
    this.#onHeader = onHeader ?? ((): void => undefined)
    this.#close = close ?? ((): Promise<void> => Promise.resolve())
  }

  async enable(options?: CallOptions): Promise<void> {
    await this.#change('AuthEnable', 'AuthEnable', {}, options)
  }

  async disable(options?: CallOptions): Promise<void> {
    await this.#change('AuthDisable', 'AuthDisable', {}, options)
  }

  async status(options?: CallOptions): Promise<{ isEnabled: boolean; revision: number }> {
    const reply = await this.#look('AuthStatus', 'AuthStatus', {}, options)
    return { isEnabled: reply['enabled'] === true, revision: Number(reply['authRevision']) }
  }

  async addUser(name: string, password: string | undefined, options?: CallOptions): Promise<void> {
    const noPassword = password === undefined
    const request = { name, password: password ?? '', options: { noPassword } }
    await this.#change('UserAdd', 'AuthUserAdd', request, options)
  }

  async deleteUser(name: string, options?: CallOptions): Promise<void> {
    await this.#change('UserDelete', 'AuthUserDelete', { name }, options)
  }

  async changePassword(name: string, password: string, options?: CallOptions): Promise<void> {
    const request = { name, password }
    await this.#change('UserChangePassword', 'AuthUserChangePassword', request, options)
  }

  async users(options?: CallOptions): Promise<readonly string[]> {
    return namesOf(await this.#look('UserList', 'AuthUserList', {}, options), 'users')
  }

  async rolesOf(user: string, options?: CallOptions): Promise<readonly string[]> {
    return namesOf(await this.#look('UserGet', 'AuthUserGet', { name: user }, options), 'roles')
  }

  async grantRole(user: string, role: string, options?: CallOptions): Promise<void> {
    await this.#change('UserGrantRole', 'AuthUserGrantRole', { user, role }, options)
  }

  async revokeRole(user: string, role: string, options?: CallOptions): Promise<void> {
    await this.#change('UserRevokeRole', 'AuthUserRevokeRole', { name: user, role }, options)
  }

  async addRole(name: string, options?: CallOptions): Promise<void> {
    await this.#change('RoleAdd', 'AuthRoleAdd', { name }, options)
  }

  async deleteRole(role: string, options?: CallOptions): Promise<void> {
    await this.#change('RoleDelete', 'AuthRoleDelete', { role }, options)
  }

  async roles(options?: CallOptions): Promise<readonly string[]> {
    return namesOf(await this.#look('RoleList', 'AuthRoleList', {}, options), 'roles')
  }

  async permissionsOf(role: string, options?: CallOptions): Promise<readonly KvPermission[]> {
    const { perm } = await this.#look('RoleGet', 'AuthRoleGet', { role }, options)
    const found = perm as unknown as readonly NonNullable<AuthRequest['perm']>[]
    return found.map(({ permType, key, rangeEnd }) => ({ kind: kinds[permType], key, rangeEnd }))
  }

  async grantPermission(
    name: string,
    kind: KvPermissionKind,
    range: KvPermissionRange,
    options?: CallOptions,
  ): Promise<void> {
    const perm = { permType: kinds.indexOf(kind), ...rangeOf(range) }
    await this.#change('RoleGrantPermission', 'AuthRoleGrantPermission', { name, perm }, options)
  }

  async revokePermission(
    role: string,
    range: KvPermissionRange,
    options?: CallOptions,
  ): Promise<void> {
    const request = { role, ...rangeOf(range) }
    await this.#change('RoleRevokePermission', 'AuthRoleRevokePermission', request, options)
  }

  close(): Promise<void> {
    return this.#close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #look(method: string, message: string, request: AuthRequest, options?: CallOptions): Reply {
    return this.#call(method, message, { request, options, isSafe: true })
  }

  #change(method: string, message: string, request: AuthRequest, options?: CallOptions): Reply {
    return this.#call(method, message, { request, options, isSafe: false })
  }

  async #call(method: string, message: string, { request, options = {}, isSafe }: AuthCall): Reply {
    const body = encodeAuthRequest(`${message}Request` as AuthRequestName, request)
    const reply = await this.#ask(`Auth/${method}`, body, options, isSafe)
    const decoded = decodeMessage(`${message}Response` as MessageName, reply)
    if (decoded['header'] !== undefined)
      this.#onHeader(decoded['header'] as unknown as ResponseHeader)
    return decoded
  }
}

interface AuthCall {
  readonly request: AuthRequest
  readonly options: CallOptions | undefined
  readonly isSafe: boolean
}
type Reply = Promise<ReturnType<typeof decodeMessage>>

function namesOf(reply: ReturnType<typeof decodeMessage>, field: string): readonly string[] {
  return reply[field] as readonly string[]
}

/** etcd's form of a range. Everything begins at the smallest key, which is one zero byte. */
function rangeOf({ key, rangeEnd, prefix }: KvPermissionRange): {
  key: Uint8Array
  rangeEnd: Uint8Array
} {
  if (prefix === undefined) {
    return { key: bytesOf(key ?? ''), rangeEnd: bytesOf(rangeEnd ?? '') }
  }
  const bytes = bytesOf(prefix)
  return { key: bytes.length === 0 ? new Uint8Array(1) : bytes, rangeEnd: prefixEnd(bytes) }
}
