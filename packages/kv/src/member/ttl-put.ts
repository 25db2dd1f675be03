// A put that ends by itself, on its way into the log: one entry where all members know such a put. Else, while members of an older
// version are there, the lease goes first and the put with it after; a put that is refused takes its lease along.
import type { Caller } from '../auth/caller.ts'
import { grpcStatus, kvErrors, type KvError } from '../errors.ts'
import {
  encodeLeaseGrantRequest,
  encodeLeaseRevokeRequest,
  encodePutRequest,
} from '../proto/index.ts'
import type { PutRequest, PutResponse } from '../proto/messages.ts'
import type { LogGate } from './log-gate.ts'
import type { Done } from './types.ts'

export interface TtlPut {
  /** Names its lease. */
  readonly request: PutRequest
  readonly caller: Caller
}

export function proposeTtlPut(gate: LogGate, put: TtlPut, done: Done<PutResponse>): void {
  const { request, caller } = put
  if (gate.knowsTtlPuts) {
    gate.propose('put', encodePutRequest(request), done, caller)
    return
  }
  const { lease, ttlSeconds = 0 } = request
  const plain = encodePutRequest({ ...request, ttlSeconds: 0 })
  const grant = encodeLeaseGrantRequest({ id: lease, ttl: ttlSeconds })
  gate.propose(
    'leaseGrant',
    grant,
    (error) => {
      // A lease that is there already keeps its time, and its end is not this put's business.
      if (error?.code === 'LEASE_EXISTS') gate.propose('put', plain, done, caller)
      else if (error !== undefined) done(error, undefined)
      else gate.propose('put', plain, (...answer) => putOrRevoke(gate, lease, answer, done), caller)
    },
    caller,
  )
}

function putOrRevoke(
  gate: LogGate,
  lease: bigint,
  answer: Parameters<Done<PutResponse>>,
  done: Done<PutResponse>,
): void {
  const [error] = answer
  if (error === undefined || mayBeApplied(error)) done(...answer)
  else gate.propose('leaseRevoke', encodeLeaseRevokeRequest({ id: lease }), () => done(...answer))
}

/** Then the key is to live its time, and so is an empty lease. */
function mayBeApplied({ code }: KvError): boolean {
  return kvErrors[code][0] === grpcStatus.unavailable
}
