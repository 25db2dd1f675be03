// A session: a lease that is kept alive as long as the program runs. What is held by its lease is gone soon after the program is.
import { KvError } from '../errors.ts'
import type { CallOptions, Kv } from '../kv.ts'
import { keepLeaseAlive } from './lease-keeper.ts'
import type { LeaseKeeper } from './lease-keeper.ts'
import { onceKv } from './once-kv.ts'

export interface SessionOptions extends CallOptions {
  /** How long after the program's end its keys stay; 10 if left out. Raised to the cluster's minimum. */
  readonly ttlSeconds?: number
}

const ttlDefaultSeconds = 10

/** Opens a session; rejects as `grantLease` does. */
export async function openSession(kv: Kv, options: SessionOptions = {}): Promise<Session> {
  const { signal } = options
  const call = signal === undefined ? {} : { signal }
  const lease = await kv.grantLease(options.ttlSeconds ?? ttlDefaultSeconds, call)
  return new Session(kv, lease)
}

export class Session implements AsyncDisposable {
  readonly kv: Kv
  /** Of the lease. */
  readonly id: bigint
  readonly ttlSeconds: number
  readonly #keeper: LeaseKeeper
  readonly #lost = new AbortController()
  #nextNumber = 0
  #once: Kv | undefined
  #isClosed = false

  constructor(kv: Kv, lease: { readonly id: bigint; readonly ttlSeconds: number }) {
    this.kv = kv
    this.id = lease.id
    this.ttlSeconds = lease.ttlSeconds
    this.#keeper = keepLeaseAlive(kv, lease, { onLost: (error) => this.#lost.abort(error) })
  }

  /**
   * Aborted when the lease is gone, has certainly run out, or the session is closed: what it held is no longer held. Its `reason` is a
   * KvError. A program that was asleep may learn it late: what must not happen then has to be fenced by a condition.
   */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** Distinct for each call, for names of keys that are this session's own: the lease in hex, and a number. */
  nextName(): string {
    const number = this.#nextNumber++
    const lease = this.id.toString(16)
    return number === 0 ? lease : `${lease}.${number}`
  }

  /**
   * The same store, where every put, delete and txn is applied once or not at all, however often it has to be sent; see once-kv.ts for what it costs.
   */
  get once(): Kv {
    this.#once ??= onceKv(this)
    return this.#once
  }

  /** Gives everything back that the session holds. Idempotent; resolves also when the cluster cannot be reached: the lease runs out. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#keeper.stop()
    try {
      await this.kv.revokeLease(this.id)
    } catch (reason) {
      // Gone already, or out of reach, where time does the same.
      if (!(reason instanceof KvError)) throw reason
    } finally {
      this.#lost.abort(new KvError('LEASE_NOT_FOUND', { message: 'the session was closed' }))
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
