// A put that ends by itself: the key and a lease of its own in one step where the server knows how. To one of etcd, which does not, the
// lease goes first and the put with it after, so that the key is never seen without its end; if the put fails, the lease goes again.
import { KvError } from '../errors.ts'
import type { Bytes, Kv, PutOptions, PutResult } from '../kv.ts'
import { transientCodes } from './caller.ts'

type Put = (key: Bytes, value: Bytes, options: PutOptions) => Promise<PutResult>

export class TtlPuts {
  readonly #leases: Pick<Kv, 'grantLease' | 'revokeLease'>
  readonly #put: Put
  #isOneStep = true

  /** `put` sends its request as it is. */
  constructor(leases: Pick<Kv, 'grantLease' | 'revokeLease'>, put: Put) {
    this.#leases = leases
    this.#put = put
  }

  async put(key: Bytes, value: Bytes, options: PutOptions): Promise<PutResult> {
    const request = withOwnLease(options)
    if (!this.#isOneStep) return this.#inTwoSteps(key, value, options)
    try {
      return await this.#put(key, value, request)
    } catch (reason) {
      // A server that knows of the TTL makes the lease; one that does not looks for it.
      if (!(reason instanceof KvError) || reason.code !== 'LEASE_NOT_FOUND') throw reason
    }
    this.#isOneStep = false
    return this.#inTwoSteps(key, value, options)
  }

  async #inTwoSteps(key: Bytes, value: Bytes, options: PutOptions): Promise<PutResult> {
    const { ttlSeconds = 0, ...put } = options
    const call = options.signal === undefined ? {} : { signal: options.signal }
    const { id } = await this.#leases.grantLease(ttlSeconds, call)
    try {
      return await this.#put(key, value, { ...put, lease: id })
    } catch (reason) {
      // Not if the put may have been applied: then the key is to live its time.
      if (reason instanceof KvError && !mayBeApplied(reason)) {
        await this.#leases.revokeLease(id, call).catch((cause: unknown) => KvError.from(cause))
      }
      throw reason
    }
  }
}

/** The lease is named here, so that a repeated put makes one and no more. */
export function withOwnLease(options: PutOptions): PutOptions {
  if (options.lease !== undefined) {
    throw new KvError('LEASE_PROVIDED', { message: 'a put takes a lease or a TTL, not both' })
  }
  return { ...options, ttlSeconds: Math.max(options.ttlSeconds ?? 0, 1), lease: randomLeaseId() }
}

function mayBeApplied({ code }: KvError): boolean {
  return transientCodes.has(code) || code === 'ABORTED'
}

/** 63 bits; above zero. */
export function randomLeaseId(): bigint {
  const [bits = 1n] = crypto.getRandomValues(new BigUint64Array(1))
  return BigInt.asUintN(63, bits) || 1n
}
