// The quota: whether a request still fits into the tables. Measured is what is in use, not what is allocated: compacting gives room
// again without any word of an operator.
import type { Backend } from '../backend/backend.ts'
import { leaseGrantCostBytes, putCost, txnCost } from '../mvcc/request-cost.ts'
import { decodePutRequest, decodeTxnRequest } from '../proto/index.ts'
import type { CommandName } from './command.ts'

/** Bytes that may be put before the tables are measured again. */
const allowanceSizeBytes = 16 * 2 ** 20
/** What a row takes beside the request that made it, roughly. */
const rowSizeBytes = 256
/** More than what the pairs of any one request add to its bytes. */
const overheadSizeBytesMax = 2 ** 20

export class Quota {
  readonly limitBytes: number
  readonly #backend: Backend
  /** What may be put without looking. */
  #allowedBytes = 0

  /** `limitBytes` Infinity: there is no limit. */
  constructor(backend: Backend, limitBytes: number) {
    this.#backend = backend
    this.limitBytes = limitBytes
  }

  isExceeded(): boolean {
    return this.limitBytes !== Infinity && this.#backend.size().used >= this.limitBytes
  }

  /** False: the request must be refused. Requests that take no room always fit. */
  fits(name: CommandName, body: Uint8Array): boolean {
    if (this.limitBytes === Infinity) return true
    if (this.#allowedBytes > body.length + overheadSizeBytesMax) {
      // Far from the limit nobody needs to know exactly.
      if (name === 'put' || name === 'txn') this.#allowedBytes -= body.length + rowSizeBytes
      return true
    }
    const cost = costOf(name, body)
    if (cost === 0) return true
    this.#allowedBytes -= cost
    if (this.#allowedBytes > 0) return true
    const left = this.limitBytes - this.#backend.size().used
    if (left <= cost) return false
    this.#allowedBytes = Math.min(allowanceSizeBytes, left - cost)
    return true
  }
}

function costOf(name: CommandName, body: Uint8Array): number {
  if (name === 'put') return putCost(decodePutRequest(body))
  if (name === 'txn') return txnCost(decodeTxnRequest(body))
  return name === 'leaseGrant' ? leaseGrantCostBytes : 0
}
