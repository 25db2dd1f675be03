// The rows of users and roles: etcd's own messages, so that snapshots of both convert one to one.
import { keyText } from '../mvcc/key-text.ts'
import { decodeMessage, encodeMessage } from '../proto/index.ts'
import { decodeUtf8, encodeUtf8 } from '../proto/wire/utf8.ts'

export const authTable = 'a'
export const enabledRowKey = 'aenabled'
export const authRevisionRowKey = 'arevision'
/** All rows of users, and of roles, begin so. */
export const userRowPrefix = 'au/'
export const roleRowPrefix = 'ar/'

export interface User {
  readonly name: string
  /** bcrypt's text as bytes; empty with `noPassword`. */
  readonly password: Uint8Array
  /** Sorted by their bytes. */
  readonly roles: readonly string[]
  /** Known by a client certificate only. */
  readonly noPassword: boolean
}

export const permissionType = { read: 0, write: 1, readWrite: 2 } as const

export interface Permission {
  /** Of permissionType; other values allow nothing. */
  readonly permType: number
  readonly key: Uint8Array
  /** Empty: the one key. One zero byte: no upper end. */
  readonly rangeEnd: Uint8Array
}

export interface Role {
  readonly name: string
  /** Sorted by key. */
  readonly permissions: readonly Permission[]
}

/** A name as its UTF-8 bytes in text form: the order that etcd lists names in. */
export function nameText(name: string): string {
  return keyText(encodeUtf8(name))
}

export function userRowKey(name: string): string {
  return userRowPrefix + nameText(name)
}

export function roleRowKey(name: string): string {
  return roleRowPrefix + nameText(name)
}

export function encodeUser({ name, password, roles, noPassword }: User): Uint8Array {
  const options = { noPassword }
  return encodeMessage('User', { name: encodeUtf8(name), password, roles, options })
}

/** Throws MALFORMED. */
export function decodeUser(bytes: Uint8Array): User {
  const { name, password, roles, options } = decodeMessage('User', bytes) as unknown as {
    name: Uint8Array
    password: Uint8Array
    roles: readonly string[]
    options: { noPassword: boolean } | undefined
  }
  return { name: decodeUtf8(name), password, roles, noPassword: options?.noPassword ?? false }
}

export function encodeRole({ name, permissions }: Role): Uint8Array {
  return encodeMessage('Role', { name: encodeUtf8(name), keyPermission: permissions })
}

/** Throws MALFORMED. */
export function decodeRole(bytes: Uint8Array): Role {
  const { name, keyPermission } = decodeMessage('Role', bytes) as unknown as {
    name: Uint8Array
    keyPermission: readonly Permission[]
  }
  return { name: decodeUtf8(name), permissions: keyPermission }
}

/** Big-endian, as etcd keeps it. */
export function encodeAuthRevision(revision: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(8))
  bytes.setBigUint64(0, BigInt(revision))
  return new Uint8Array(bytes.buffer)
}

/** 0 for a row that is none. */
export function decodeAuthRevision(row: Uint8Array): number {
  if (row.length !== 8) return 0
  return Number(new DataView(row.buffer, row.byteOffset, row.length).getBigUint64(0))
}
