// Keeps a lease alive until it is told to stop: renews it at a third of its time to live, and tries again until it has certainly run out.
import { KvError } from '../errors.ts'
import type { Kv } from '../kv.ts'
import { delay } from './back-off.ts'

export interface LeaseKeeper {
  readonly id: bigint
  /** Stops renewing; the lease runs out by itself. Idempotent. */
  stop(): void
}

export interface LeaseKeeperOptions {
  /** Called once when the lease is gone: revoked, expired, or not renewed in its time. Not called after stop(). */
  readonly onLost?: (error: KvError) => void
}

/** Renewals of one lease in its time to live, and the shortest wait after a failed one. */
const renewalsPerTtl = 3
const retryMs = 200

export function keepLeaseAlive(
  kv: Pick<Kv, 'keepAliveLease'>,
  lease: { readonly id: bigint; readonly ttlSeconds: number },
  options: LeaseKeeperOptions = {},
): LeaseKeeper {
  const stopped = new AbortController()
  void keep(kv, lease, options, stopped.signal)
  return { id: lease.id, stop: () => stopped.abort() }
}

async function keep(
  kv: Pick<Kv, 'keepAliveLease'>,
  lease: { readonly id: bigint; readonly ttlSeconds: number },
  options: LeaseKeeperOptions,
  signal: AbortSignal,
): Promise<void> {
  const error = await renew(kv, lease, signal)
  if (!signal.aborted) options.onLost?.(error)
}

/** Resolves to why it ended; never rejects. */
async function renew(
  kv: Pick<Kv, 'keepAliveLease'>,
  lease: { readonly id: bigint; readonly ttlSeconds: number },
  signal: AbortSignal,
): Promise<KvError> {
  let ttlMs = lease.ttlSeconds * 1000
  let expiresAt = performance.now() + ttlMs
  try {
    for (;;) {
      await delay(ttlMs / renewalsPerTtl, signal)
      const askedAt = performance.now()
      const ttlSeconds = await renewOnce(kv, lease.id, expiresAt, signal)
      if (ttlSeconds <= 0) return new KvError('LEASE_NOT_FOUND')
      ttlMs = ttlSeconds * 1000
      expiresAt = askedAt + ttlMs
    }
  } catch (reason) {
    return KvError.from(reason)
  }
}

/** Tries until `expiresAt`. */
async function renewOnce(
  kv: Pick<Kv, 'keepAliveLease'>,
  id: bigint,
  expiresAt: number,
  signal: AbortSignal,
): Promise<number> {
  for (;;) {
    const leftMs = expiresAt - performance.now()
    const limited = AbortSignal.any([signal, AbortSignal.timeout(Math.max(1, Math.ceil(leftMs)))])
    try {
      return await kv.keepAliveLease(id, { signal: limited })
    } catch (reason) {
      if (signal.aborted || performance.now() + retryMs >= expiresAt) throw KvError.from(reason)
    }
    await delay(retryMs, signal)
  }
}
