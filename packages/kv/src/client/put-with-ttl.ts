// A put that ends by itself: a lease of its own first, then the put with it. The lease comes first, so that the key is never seen without its
// end; if the put fails, the lease holds nothing and goes.
import { KvError } from '../errors.ts'
import type { Bytes, Kv, KvPair, PutOptions } from '../kv.ts'
import { transientCodes } from './caller.ts'

export async function putWithTtl(
  kv: Kv,
  key: Bytes,
  value: Bytes,
  options: PutOptions,
): Promise<{ revision: number; prev: KvPair | undefined }> {
  const { ttlSeconds = 0, ...put } = options
  if (put.lease !== undefined) {
    throw new KvError('LEASE_PROVIDED', { message: 'a put takes a lease or a TTL, not both' })
  }
  const call = options.signal === undefined ? {} : { signal: options.signal }
  const { id } = await kv.grantLease(ttlSeconds, call)
  try {
    return await kv.put(key, value, { ...put, lease: id })
  } catch (reason) {
    // Not if the put may have been applied: then the key is to live its time.
    if (reason instanceof KvError && !mayBeApplied(reason)) {
      await kv.revokeLease(id, call).catch((cause: unknown) => KvError.from(cause))
    }
    throw reason
  }
}

function mayBeApplied({ code }: KvError): boolean {
  return transientCodes.has(code) || code === 'ABORTED'
}

/** 63 bits; above zero. */
export function randomLeaseId(): bigint {
  const [bits = 1n] = crypto.getRandomValues(new BigUint64Array(1))
  return BigInt.asUintN(63, bits) || 1n
}
