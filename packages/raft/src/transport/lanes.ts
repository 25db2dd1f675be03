// The two connections for messages to one peer, so that what keeps a leader in office never waits behind what it replicates: `control` carries
// all that is small, `bulk` entries and proposals. A version 1 peer gets both on one. Messages overtake each other between lanes, which raft
// is made for.
import type { Message } from '../core/types.ts'

export type Lane = 'control' | 'bulk'

export interface LaneLimits {
  /** Of a frame that arrives; a longer one closes the connection before it is read. */
  readonly frameSizeBytesMax: number
  /** Bytes that wait in the socket before more frames are made. */
  readonly socketBytesMax: number
}

const kib = 1024
const mib: number = 1024 * 1024

export const laneLimits: Readonly<Record<Lane, LaneLimits>> = {
  control: { frameSizeBytesMax: 256 * kib, socketBytesMax: 64 * kib },
  /** Larger than any that the core makes with payloads of the allowed size. */
  bulk: { frameSizeBytesMax: 64 * mib, socketBytesMax: mib },
}

export function laneOf(message: Message): Lane {
  const { type } = message
  const isBulk = type === 'appendEntries' || type === 'propose' || type === 'installSnapshot'
  return isBulk ? 'bulk' : 'control'
}

/** Undefined: a connection that carries both. */
export function parseLane(text: string): Lane | undefined {
  return text === 'control' || text === 'bulk' ? text : undefined
}
