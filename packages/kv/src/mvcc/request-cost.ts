// What a request may add to the tables, as etcd counts it against the quota.
import type { PutRequest, RequestOp, TxnRequest } from '../proto/messages.ts'

/** What etcd adds to the bytes of each pair. */
const pairOverheadBytes = 256
export const leaseGrantCostBytes = 64

export function putCost({ key, value }: PutRequest): number {
  return pairOverheadBytes + key.length + value.length
}

/** The dearer branch; 0 if nothing is put. What nested txns put is not counted, as in etcd, so an alarm for space lets it through. */
export function txnCost(request: TxnRequest): number {
  return Math.max(opsCost(request.success), opsCost(request.failure))
}

function opsCost(ops: readonly RequestOp[]): number {
  let cost = 0
  for (const op of ops) if (op?.type === 'put') cost += putCost(op.request)
  return cost
}
