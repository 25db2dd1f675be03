// The commands with which a leader acts on the time of leases: the term that it leads in (8 bytes, big-endian), then etcd's request.
// They count in that term alone: raft proposes again what was lost with a leader, and the next one may have renewed the lease meanwhile.
import { KvError } from '../errors.ts'

const termSizeBytes = 8

export function encodeTermBound(term: number, request: Uint8Array): Uint8Array {
  const body = new Uint8Array(termSizeBytes + request.length)
  new DataView(body.buffer).setBigUint64(0, BigInt(term))
  body.set(request, termSizeBytes)
  return body
}

/** The request within. Throws NOT_LEADER if it is of another term than `term`, MALFORMED on bytes that are none. */
export function requestOfTerm(term: number, body: Uint8Array): Uint8Array {
  if (body.length < termSizeBytes) throw new KvError('MALFORMED')
  const view = new DataView(body.buffer, body.byteOffset, body.length)
  if (Number(view.getBigUint64(0)) !== term) throw new KvError('NOT_LEADER')
  return body.subarray(termSizeBytes)
}
