// The requests of the Auth service. They are small and alike, so one shape serves all of them.
import { decodeMessage, encodeMessage } from './wire/message-codec.ts'
import type { MessageName } from './wire/schema-table.ts'

export type AuthRequestName = Extract<MessageName, `Auth${string}Request`>

/** A request has those that its message has; text that is missing is ''. */
export interface AuthRequest {
  readonly name?: string
  readonly user?: string
  readonly role?: string
  readonly password?: string
  readonly hashedPassword?: string
  readonly options?: { readonly noPassword: boolean } | undefined
  readonly perm?:
    | { readonly permType: number; readonly key: Uint8Array; readonly rangeEnd: Uint8Array }
    | undefined
  readonly key?: Uint8Array
  readonly rangeEnd?: Uint8Array
}

export function encodeAuthRequest(name: AuthRequestName, request: AuthRequest): Uint8Array {
  return encodeMessage(name, request)
}

/** Throws MALFORMED. */
export function decodeAuthRequest(name: AuthRequestName, bytes: Uint8Array): AuthRequest {
  return decodeMessage(name, bytes)
}
