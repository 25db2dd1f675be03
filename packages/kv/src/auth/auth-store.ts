// Users, roles and what they allow. Changed by the log alone, so all members hold the same; every change of who may do what has a revision
// of its own, by which a decision made before it is known to be old.
import { KvError } from '../errors.ts'
import { keyRange, type KeyRange } from '../mvcc/key-range.ts'
import { keyText } from '../mvcc/key-text.ts'
import type { Tables } from '../mvcc/tables.ts'
import {
  authRevisionRowKey,
  decodeAuthRevision,
  decodeRole,
  decodeUser,
  enabledRowKey,
  encodeAuthRevision,
  encodeRole,
  encodeUser,
  nameText,
  permissionType,
  roleRowKey,
  roleRowPrefix,
  userRowKey,
  userRowPrefix,
  type Permission,
  type Role,
  type User,
} from './auth-rows.ts'
import { Allowance } from './allowance.ts'

/** Both the user and the role that may do everything. */
export const rootName = 'root'

interface Allowed {
  readonly read: Allowance
  readonly write: Allowance
}

export class AuthStore {
  readonly #tables: Tables
  /** By row key, which is the order that etcd lists them in. */
  readonly #users = new Map<string, User>()
  readonly #roles = new Map<string, Role>()
  /** What a user's roles add up to, once somebody asked. */
  readonly #allowed = new Map<string, Allowed>()
  #isEnabled = false
  #revision = 1

  constructor(tables: Tables) {
    this.#tables = tables
  }

  get isEnabled(): boolean {
    return this.#isEnabled
  }

  get revision(): number {
    return this.#revision
  }

  user(name: string): User | undefined {
    return this.#users.get(userRowKey(name))
  }

  /** Takes one row of the tables; call it for all of them, in any order. */
  loadRow(key: string, value: Uint8Array): void {
    if (key === enabledRowKey) this.#isEnabled = value[0] === 1
    else if (key === authRevisionRowKey) this.#revision = Math.max(1, decodeAuthRevision(value))
    else if (key.startsWith(userRowPrefix)) this.#users.set(key, decodeUser(value))
    else if (key.startsWith(roleRowPrefix)) this.#roles.set(key, decodeRole(value))
  }

  enable(): void {
    if (this.#isEnabled) return
    const root = this.user(rootName)
    if (root === undefined) throw new KvError('ROOT_USER_NOT_FOUND')
    if (!isRoot(root)) throw new KvError('ROOT_ROLE_NOT_FOUND')
    this.#setEnabled(true)
  }

  disable(): void {
    if (!this.#isEnabled) return
    this.#setEnabled(false)
    this.#changed()
  }

  addUser(user: Omit<User, 'roles'>): void {
    if (user.name === '') throw new KvError('USER_EMPTY')
    if (this.user(user.name) !== undefined) throw new KvError('USER_EXISTS')
    this.#putUser({ ...user, roles: [] })
    this.#changed()
  }

  deleteUser(name: string): void {
    this.#refuseRoot(name === rootName)
    this.#knownUser(name)
    const key = userRowKey(name)
    this.#users.delete(key)
    this.#tables.delete(key)
    this.#changed()
  }

  changePassword(name: string, password: Uint8Array): void {
    this.#putUser({ ...this.#knownUser(name), password })
    this.#changed()
  }

  userNames(): string[] {
    return namesOf(this.#users)
  }

  /** The role root needs not exist to be granted. */
  grantRole(name: string, role: string): void {
    const user = this.#knownUser(name)
    if (role !== rootName) this.knownRole(role)
    if (user.roles.includes(role)) return
    this.#putUser({ ...user, roles: [...user.roles, role].sort(byBytes) })
    this.#changed()
  }

  revokeRole(name: string, role: string): void {
    this.#refuseRoot(name === rootName && role === rootName)
    const user = this.#knownUser(name)
    if (!user.roles.includes(role)) throw new KvError('ROLE_NOT_GRANTED')
    this.#putUser({ ...user, roles: user.roles.filter((other) => other !== role) })
    this.#changed()
  }

  rolesOf(name: string): readonly string[] {
    return this.#knownUser(name).roles
  }

  addRole(name: string): void {
    if (name === '') throw new KvError('ROLE_EMPTY')
    if (this.#roles.has(roleRowKey(name))) throw new KvError('ROLE_EXISTS')
    this.#putRole({ name, permissions: [] })
    this.#changed()
  }

  deleteRole(name: string): void {
    this.#refuseRoot(name === rootName)
    this.knownRole(name)
    const key = roleRowKey(name)
    this.#roles.delete(key)
    this.#tables.delete(key)
    for (const user of this.#users.values()) {
      if (!user.roles.includes(name)) continue
      this.#putUser({ ...user, roles: user.roles.filter((role) => role !== name) })
    }
    this.#changed()
  }

  roleNames(): string[] {
    return namesOf(this.#roles)
  }

  knownRole(name: string): Role {
    const role = this.#roles.get(roleRowKey(name))
    if (role === undefined) throw new KvError('ROLE_NOT_FOUND')
    return role
  }

  /** One for the same key and range end takes the place of an earlier one. */
  grantPermission(name: string, permission: Permission | undefined): void {
    if (permission === undefined) throw new KvError('PERMISSION_NOT_GIVEN')
    const role = this.knownRole(name)
    const permissions = withPermission(role.permissions, permission)
    this.#putRole({ name, permissions })
    this.#changed()
  }

  revokePermission(name: string, range: Pick<Permission, 'key' | 'rangeEnd'>): void {
    const role = this.knownRole(name)
    const permissions = role.permissions.filter((other) => !isSameRange(other, range))
    if (permissions.length === role.permissions.length) throw new KvError('PERMISSION_NOT_GRANTED')
    this.#putRole({ name, permissions })
    this.#changed()
  }

  mayRead(user: User, range: KeyRange): boolean {
    return this.#allowedTo(user).read.covers(range)
  }

  mayWrite(user: User, range: KeyRange): boolean {
    return this.#allowedTo(user).write.covers(range)
  }

  #allowedTo(user: User): Allowed {
    const known = this.#allowed.get(user.name)
    if (known !== undefined) return known
    const permissions = user.roles.flatMap(
      (role) => this.#roles.get(roleRowKey(role))?.permissions ?? [],
    )
    const { read, write, readWrite } = permissionType
    const allowanceOf = (type: number): Allowance =>
      new Allowance(
        permissions
          .filter(({ permType }) => permType === type || permType === readWrite)
          .map(({ key, rangeEnd }) => keyRange(key, rangeEnd)),
      )
    const allowed = { read: allowanceOf(read), write: allowanceOf(write) }
    this.#allowed.set(user.name, allowed)
    return allowed
  }

  #knownUser(name: string): User {
    const user = this.user(name)
    if (user === undefined) throw new KvError('USER_NOT_FOUND')
    return user
  }

  /** While permissions are in force nobody may lock everybody out. */
  #refuseRoot(isRootsOwn: boolean): void {
    if (this.#isEnabled && isRootsOwn) throw new KvError('INVALID_AUTH_MANAGEMENT')
  }

  #putUser(user: User): void {
    const key = userRowKey(user.name)
    this.#users.set(key, user)
    this.#tables.put(key, encodeUser(user))
  }

  #putRole(role: Role): void {
    const key = roleRowKey(role.name)
    this.#roles.set(key, role)
    this.#tables.put(key, encodeRole(role))
  }

  #setEnabled(isEnabled: boolean): void {
    this.#isEnabled = isEnabled
    this.#tables.put(enabledRowKey, new Uint8Array([isEnabled ? 1 : 0]))
  }

  #changed(): void {
    this.#allowed.clear()
    this.#revision++
    this.#tables.put(authRevisionRowKey, encodeAuthRevision(this.#revision))
  }
}

export function isRoot(user: User): boolean {
  return user.roles.includes(rootName)
}

function namesOf(rows: ReadonlyMap<string, { readonly name: string }>): string[] {
  const sorted = [...rows].sort(([a], [b]) => byText(a, b))
  return sorted.map(([, { name }]) => name)
}

/**
 * As etcd keeps them: sorted by key alone. Of those with the key only the first is looked at: if it has the range too, it changes in
 * place, else the new one comes after all of that key, even where one of them has that range.
 */
function withPermission(
  permissions: readonly Permission[],
  permission: Permission,
): readonly Permission[] {
  const key = keyText(permission.key)
  const first = permissions.find((other) => byText(keyText(other.key), key) >= 0)
  if (first !== undefined && isSameRange(first, permission)) {
    return permissions.map((other) => (other === first ? permission : other))
  }
  return [...permissions, permission].sort((a, b) => byText(keyText(a.key), keyText(b.key)))
}

function isSameRange(
  a: Pick<Permission, 'key' | 'rangeEnd'>,
  b: Pick<Permission, 'key' | 'rangeEnd'>,
): boolean {
  return keyText(a.key) === keyText(b.key) && keyText(a.rangeEnd) === keyText(b.rangeEnd)
}

function byBytes(a: string, b: string): number {
  return byText(nameText(a), nameText(b))
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
