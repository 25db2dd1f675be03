// Requests to the KV service as they come from a wire: decoded, and refused for what is wrong with them alone. In etcd this is told before it is looked at
// who asks.
import { checkDeleteRange, checkPut, checkTxn, isReadOnlyTxn } from '../mvcc/check-txn.ts'
import { checkRange } from '../mvcc/range.ts'
import {
  decodeDeleteRangeRequest,
  decodePutRequest,
  decodeRangeRequest,
  decodeTxnRequest,
  withGivenEnds,
} from '../proto/index.ts'
import type { PutRequest, RangeRequest, TxnRequest } from '../proto/messages.ts'

export function goodRange(body: Uint8Array): RangeRequest {
  const request = decodeRangeRequest(body)
  checkRange(request)
  return request
}

export function goodPut(body: Uint8Array): PutRequest {
  const request = decodePutRequest(body)
  checkPut(request)
  return request
}

export function checkDeleteRangeBody(body: Uint8Array): void {
  checkDeleteRange(decodeDeleteRangeRequest(body))
}

export interface GoodTxn {
  readonly request: TxnRequest
  /** It needs no log entry. */
  readonly isReadOnly: boolean
}

export function goodTxn(body: Uint8Array, opsMax?: number): GoodTxn {
  const request = decodeTxnRequest(body)
  checkTxn(request, opsMax)
  const isReadOnly = isReadOnlyTxn(request)
  // As in etcd the log does not tell an end that is given and empty from none.
  return { request: isReadOnly ? withGivenEnds(request) : request, isReadOnly }
}
