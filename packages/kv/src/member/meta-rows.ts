// The rows of the meta table: how far the log is applied, and who the members are. Written in the same batch as what they speak of.
import { KvError } from '../errors.ts'

export const stateRowKey = 'mstate'

/** `revision` and `compactRevision` are the store's when `index` was applied. */
export interface AppliedState {
  readonly index: number
  readonly term: number
  readonly revision: number
  readonly compactRevision: number
}

export interface MemberAttributes {
  readonly id: string
  readonly name: string
  readonly peerUrls: readonly string[]
  readonly clientUrls: readonly string[]
  /** Of the server that it runs; members of before this was said leave it out. */
  readonly version?: string
  /** The highest kind of command that it applies; left out by members of before this was said. */
  readonly commands?: number
}

const stateSizeBytes = 32
const nothingApplied: AppliedState = { index: 0, term: 0, revision: 1, compactRevision: -1 }

export function encodeState(state: AppliedState): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(stateSizeBytes))
  bytes.setFloat64(0, state.index)
  bytes.setFloat64(8, state.term)
  bytes.setFloat64(16, state.revision)
  bytes.setFloat64(24, state.compactRevision)
  return new Uint8Array(bytes.buffer)
}

/** A missing row is that of an empty store. */
export function decodeState(row: Uint8Array | undefined): AppliedState {
  if (row === undefined) return nothingApplied
  if (row.length !== stateSizeBytes) {
    throw new KvError('CORRUPT', { message: 'The row of the applied state is malformed' })
  }
  const view = new DataView(row.buffer, row.byteOffset, row.length)
  return {
    index: view.getFloat64(0),
    term: view.getFloat64(8),
    revision: view.getFloat64(16),
    compactRevision: view.getFloat64(24),
  }
}

/** All rows of members. */
export const memberRows: { readonly from: string; readonly to: string } = {
  from: 'mmember/',
  to: 'mmember0',
}

export function memberRowKey(id: string): string {
  return memberRows.from + id
}

export function encodeAttributes(attributes: MemberAttributes): Uint8Array {
  return Buffer.from(JSON.stringify(attributes))
}

/** Throws MALFORMED on bytes that are no attributes. */
export function decodeAttributes(bytes: Uint8Array): MemberAttributes {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString())
  } catch (cause) {
    throw new KvError('MALFORMED', { cause })
  }
  if (!isAttributes(value)) throw new KvError('MALFORMED')
  return value
}

function isAttributes(value: unknown): value is MemberAttributes {
  if (typeof value !== 'object' || value === null) return false
  const { id, name, peerUrls, clientUrls, version, commands } = value as Record<string, unknown>
  return (
    typeof id === 'string' &&
    /^[0-9a-f]{16}$/.test(id) &&
    typeof name === 'string' &&
    isStrings(peerUrls) &&
    isStrings(clientUrls) &&
    (version === undefined || typeof version === 'string') &&
    (commands === undefined || typeof commands === 'number')
  )
}

function isStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
