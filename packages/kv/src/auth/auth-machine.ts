// What the log does to users, roles and tokens. One byte says which call of etcd's Auth service it is, then come its request's bytes;
// passwords are hashed before they get here.
import { assertNever } from '@balsa/raft/assert'
import { KvError } from '../errors.ts'
import { decodeAuthRequest } from '../proto/index.ts'
import { decodeUtf8, encodeUtf8 } from '../proto/wire/utf8.ts'
import type { AuthStore } from './auth-store.ts'
import type { Caller } from './caller.ts'
import { Permits, type LeasedKeys } from './permits.ts'
import { simpleTokenOf, SimpleTokens, tokenPrefixSize } from './simple-tokens.ts'

/** Numbers are on disk and on the wire: they never change their meaning. */
export const authOperation = {
  enable: 1,
  disable: 2,
  /** Gives out a simple token; the password was checked. Body: AuthenticationRecord. */
  authenticate: 3,
  userAdd: 4,
  userDelete: 5,
  userChangePassword: 6,
  userGrantRole: 7,
  userRevokeRole: 8,
  roleAdd: 9,
  roleDelete: 10,
  roleGrantPermission: 11,
  roleRevokePermission: 12,
} as const
export type AuthOperation = keyof typeof authOperation

const names = new Map<number, AuthOperation>(
  Object.entries(authOperation).map(([name, number]) => [number, name as AuthOperation]),
)
const recordHeadSizeBytes = 8 + tokenPrefixSize
const noBytes = new Uint8Array(0)

export function encodeAuthCommand(operation: AuthOperation, body: Uint8Array): Uint8Array {
  const command = new Uint8Array(1 + body.length)
  command[0] = authOperation[operation]
  command.set(body, 1)
  return command
}

export interface AuthenticationRecord {
  readonly name: string
  /** Of the users and roles when the password was checked: if they changed since, it is checked again. */
  readonly revision: number
  /** The random part of the token, in ASCII. */
  readonly prefix: string
}

export function encodeAuthentication({ name, revision, prefix }: AuthenticationRecord): Uint8Array {
  const bytes = encodeUtf8(name)
  const record = new Uint8Array(recordHeadSizeBytes + bytes.length)
  new DataView(record.buffer).setFloat64(0, revision)
  record.set(encodeUtf8(prefix), 8)
  record.set(bytes, recordHeadSizeBytes)
  return record
}

function decodeAuthentication(bytes: Uint8Array): AuthenticationRecord {
  if (bytes.length < recordHeadSizeBytes) throw new KvError('MALFORMED')
  return {
    revision: new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getFloat64(0),
    prefix: decodeUtf8(bytes.subarray(8, recordHeadSizeBytes)),
    name: decodeUtf8(bytes.subarray(recordHeadSizeBytes)),
  }
}

/** Where in the log a command stands, and this member's time when it gets there; time is for tokens only. */
export interface AuthPoint {
  readonly index: number
  readonly nowMs: number
}

export class AuthMachine {
  readonly permits: Permits
  readonly tokens: SimpleTokens
  #store: AuthStore

  constructor(store: AuthStore, options: { leasedKeys: LeasedKeys; tokenTtlMs: number }) {
    this.#store = store
    this.tokens = new SimpleTokens(options.tokenTtlMs)
    this.permits = new Permits(() => this.#store, options.leasedKeys)
  }

  get store(): AuthStore {
    return this.#store
  }

  /** A snapshot took the place of all rows. Tokens given out since are known to the other members, not here. */
  restored(store: AuthStore): void {
    this.#store = store
    this.tokens.clear()
  }

  /** The token that was given out, else ''. Throws what the caller is refused with; nothing is changed then. */
  apply(body: Uint8Array, caller: Caller, point: AuthPoint): string {
    const operation = names.get(body[0] ?? 0)
    if (operation === undefined) throw new KvError('UNIMPLEMENTED')
    const request = body.subarray(1)
    if (operation === 'authenticate') return this.#authenticate(request, point)
    this.permits.admin(caller)
    this.#change(operation, request)
    return ''
  }

  #authenticate(request: Uint8Array, { index, nowMs }: AuthPoint): string {
    const { name, revision, prefix } = decodeAuthentication(request)
    if (!this.#store.isEnabled) throw new KvError('AUTH_NOT_ENABLED')
    if (revision !== this.#store.revision) throw new KvError('AUTH_OLD_REVISION')
    const token = simpleTokenOf(prefix, index)
    this.tokens.grant(token, name, nowMs)
    return token
  }

  #change(operation: Exclude<AuthOperation, 'authenticate'>, request: Uint8Array): void {
    const store = this.#store
    switch (operation) {
      case 'enable':
        return store.enable()
      case 'disable':
        store.disable()
        return this.tokens.clear()
      case 'userAdd':
        return addUser(store, request)
      case 'userDelete': {
        const { name = '' } = decodeAuthRequest('AuthUserDeleteRequest', request)
        store.deleteUser(name)
        return this.tokens.forgetUser(name)
      }
      case 'userChangePassword': {
        const message = decodeAuthRequest('AuthUserChangePasswordRequest', request)
        const { name = '', hashedPassword = '' } = message
        store.changePassword(name, encodeUtf8(hashedPassword))
        return this.tokens.forgetUser(name)
      }
      case 'userGrantRole': {
        const { user = '', role = '' } = decodeAuthRequest('AuthUserGrantRoleRequest', request)
        return store.grantRole(user, role)
      }
      case 'userRevokeRole': {
        const { name = '', role = '' } = decodeAuthRequest('AuthUserRevokeRoleRequest', request)
        return store.revokeRole(name, role)
      }
      case 'roleAdd':
      case 'roleDelete':
      case 'roleGrantPermission':
      case 'roleRevokePermission':
        return changeRole(store, operation, request)
      default:
        return assertNever(operation)
    }
  }
}

type RoleOperation = Extract<AuthOperation, `role${string}`>

function changeRole(store: AuthStore, operation: RoleOperation, request: Uint8Array): void {
  switch (operation) {
    case 'roleAdd':
      return store.addRole(decodeAuthRequest('AuthRoleAddRequest', request).name ?? '')
    case 'roleDelete':
      return store.deleteRole(decodeAuthRequest('AuthRoleDeleteRequest', request).role ?? '')
    case 'roleGrantPermission': {
      const { name = '', perm } = decodeAuthRequest('AuthRoleGrantPermissionRequest', request)
      return store.grantPermission(name, perm)
    }
    case 'roleRevokePermission': {
      const message = decodeAuthRequest('AuthRoleRevokePermissionRequest', request)
      const { role = '', key = noBytes, rangeEnd = noBytes } = message
      return store.revokePermission(role, { key, rangeEnd })
    }
    default:
      return assertNever(operation)
  }
}

/** `hashedPassword` is bcrypt's text; in a command it is never the password itself. */
function addUser(store: AuthStore, request: Uint8Array): void {
  const {
    name = '',
    hashedPassword = '',
    options,
  } = decodeAuthRequest('AuthUserAddRequest', request)
  const noPassword = options?.noPassword ?? false
  store.addUser({ name, password: noPassword ? noBytes : encodeUtf8(hashedPassword), noPassword })
}
