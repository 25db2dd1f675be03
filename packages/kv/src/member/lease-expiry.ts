// The command with which a leader ends a lease whose time is up: the term that it leads in (8 bytes, big-endian), then etcd's
// LeaseRevokeRequest. It counts in that term alone: raft proposes again what was lost with a leader, and the next one may have renewed
// the lease meanwhile.
import { KvError } from '../errors.ts'
import { encodeLeaseRevokeRequest } from '../proto/index.ts'

const termSizeBytes = 8

export function encodeLeaseExpiry(id: bigint, term: number): Uint8Array {
  const request = encodeLeaseRevokeRequest({ id })
  const body = new Uint8Array(termSizeBytes + request.length)
  new DataView(body.buffer).setBigUint64(0, BigInt(term))
  body.set(request, termSizeBytes)
  return body
}

/** Throws MALFORMED on bytes that are none. */
export function decodeLeaseExpiry(body: Uint8Array): { term: number; request: Uint8Array } {
  if (body.length < termSizeBytes) throw new KvError('MALFORMED')
  const view = new DataView(body.buffer, body.byteOffset, body.length)
  return { term: Number(view.getBigUint64(0)), request: body.subarray(termSizeBytes) }
}
