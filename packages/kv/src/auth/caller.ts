// Who is behind a request. It travels in the command, so that every member judges it the same way at the same point of the log.
import { KvError } from '../errors.ts'
import { decodeUtf8, encodeUtf8 } from '../proto/wire/utf8.ts'

export type Caller =
  /** Nobody known. */
  | { readonly kind: 'stranger' }
  /** The cluster's own work, or the program that a member runs in: may do everything. */
  | { readonly kind: 'owner' }
  /** `revision`: of the users and roles when it was known who it is. What they decided since may concern it. */
  | { readonly kind: 'user'; readonly name: string; readonly revision: number }

export type KnownCaller = Exclude<Caller, { kind: 'stranger' }>

export const stranger: Caller = { kind: 'stranger' }
export const owner: Caller = { kind: 'owner' }

const ownerMark = 0
const userMark = 1
const userHeadSizeBytes = 11
const nameSizeBytesMax = 0xffff
const ownerBytes = new Uint8Array([ownerMark])

/** What comes before a command that a caller makes. */
export function encodeCaller(caller: KnownCaller): Uint8Array {
  if (caller.kind === 'owner') return ownerBytes
  const name = encodeUtf8(caller.name)
  if (name.length > nameSizeBytesMax) throw new KvError('REQUEST_TOO_LARGE')
  const bytes = new Uint8Array(userHeadSizeBytes + name.length)
  const view = new DataView(bytes.buffer)
  bytes[0] = userMark
  view.setFloat64(1, caller.revision)
  view.setUint16(9, name.length)
  bytes.set(name, userHeadSizeBytes)
  return bytes
}

/** Throws MALFORMED. */
export function decodeCaller(bytes: Uint8Array): { caller: Caller; command: Uint8Array } {
  if (bytes[0] === ownerMark) return { caller: owner, command: bytes.subarray(1) }
  if (bytes[0] !== userMark || bytes.length < userHeadSizeBytes) throw new KvError('MALFORMED')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const end = userHeadSizeBytes + view.getUint16(9)
  if (end > bytes.length) throw new KvError('MALFORMED')
  const name = decodeUtf8(bytes.subarray(userHeadSizeBytes, end))
  const caller: Caller = { kind: 'user', name, revision: view.getFloat64(1) }
  return { caller, command: bytes.subarray(end) }
}
