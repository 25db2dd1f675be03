// The member's chances: names that nobody else may draw (lease ids) or guess (tokens). All randomness of a member goes through this
// port, so that a simulated run is a function of its seed.
import { randomBytes } from 'node:crypto'

export interface MemberRandom {
  /** `count` bytes that nobody can foresee. */
  bytes(count: number): Uint8Array
}

export const nodeMemberRandom: MemberRandom = { bytes: (count) => randomBytes(count) }

/** A positive int64, as etcd's ids of leases are. */
export function randomId(random: MemberRandom): bigint {
  const bytes = random.bytes(8)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const id = BigInt.asUintN(63, view.getBigUint64(0))
  return id === 0n ? 1n : id
}

/** From 0 up to, not including, 1: what raft draws its timeouts from. */
export function randomFraction(random: MemberRandom): number {
  const bytes = random.bytes(4)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return view.getUint32(0) / 2 ** 32
}
