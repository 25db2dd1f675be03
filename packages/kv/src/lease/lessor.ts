// All leases and the keys on them. Granting, revoking and attaching follow the log and are the same on every member; time runs on
// the leader alone, which revokes what expires through the log. Time is passed in (monotonic milliseconds).
import { KvError } from '../errors.ts'
import type { LeaseBook, Tables } from '../mvcc/tables.ts'
import { ExpiryHeap } from './expiry-heap.ts'
import { encodeLeaseRow, leaseRowKey, parseLeaseRow, type LeaseRow } from './lease-row.ts'

/** etcd's limit, about 285 years. */
export const leaseTtlSecondsMax = 9_000_000_000
/** An expired lease whose revoke did not come through is handed out again after this time. */
const revokeRetryMs = 3000
/** A new leader lets no more leases expire in the same second than this share of those that can be revoked in one. */
const promotedShare = 0.75
/** etcd's: how many leases may be revoked in a second. */
export const revokesPerSecondDefault = 1000
/** A lease with more time left than this is checkpointed as often. */
const checkpointIntervalMs = 5 * 60_000

interface Lease {
  readonly id: bigint
  readonly ttlSeconds: number
  /** At the last checkpoint; 0: there was none since it was renewed. */
  remainingSeconds: number
  /** Infinity on a follower. */
  expiresAtMs: number
  readonly keys: Set<string>
}

export interface LeaseTimes {
  /** Whole seconds left, rounded down; the granted ones on a follower. */
  readonly ttlSeconds: number
  readonly grantedTtlSeconds: number
  readonly keys: readonly string[]
}

/** What a new leader gives a lease instead of its whole TTL. */
export interface LeaseCheckpoint {
  readonly id: bigint
  readonly remainingTtl: number
}

export class Lessor implements LeaseBook {
  readonly #tables: Tables
  readonly #ttlSecondsMin: number
  readonly #leases = new Map<bigint, Lease>()
  readonly #leaseOfKey = new Map<string, bigint>()
  /** One item per lease while leading; an item whose lease was renewed since is put back when it comes up. */
  readonly #expiries = new ExpiryHeap()
  /** When to checkpoint each lease that lives for so long; one item per lease while leading. */
  readonly #checkpoints = new ExpiryHeap()
  #isPrimary = false

  /** A TTL below `ttlSecondsMin` is raised to it. */
  constructor(tables: Tables, ttlSecondsMin: number) {
    this.#tables = tables
    this.#ttlSecondsMin = ttlSecondsMin
  }

  get size(): number {
    return this.#leases.size
  }

  get isPrimary(): boolean {
    return this.#isPrimary
  }

  /** Throws LEASE_EXISTS or LEASE_TTL_TOO_LARGE; returns the TTL given. */
  grant(id: bigint, ttlSeconds: number, nowMs: number): number {
    if (ttlSeconds > leaseTtlSecondsMax) throw new KvError('LEASE_TTL_TOO_LARGE')
    if (id === 0n) throw new KvError('LEASE_NOT_FOUND')
    if (this.#leases.has(id)) throw new KvError('LEASE_EXISTS')
    const ttl = Math.max(ttlSeconds, this.#ttlSecondsMin)
    this.#add({ id, ttlSeconds: ttl, remainingSeconds: 0 }, nowMs)
    this.#tables.put(leaseRowKey(id), encodeLeaseRow(ttl))
    return ttl
  }

  /** The keys that die with the lease, in order. Throws LEASE_NOT_FOUND. */
  keysOf(id: bigint): string[] {
    return [...this.#lease(id).keys].sort()
  }

  /** The same in no order and as they are now; none for a lease that is unknown. */
  attachedKeys(id: bigint): Iterable<string> {
    return this.#leases.get(id)?.keys ?? []
  }

  /** Forgets a lease whose keys are gone. */
  remove(id: bigint): void {
    for (const key of this.#lease(id).keys) this.#leaseOfKey.delete(key)
    this.#leases.delete(id)
    this.#tables.delete(leaseRowKey(id))
  }

  exists(id: bigint): boolean {
    return this.#leases.has(id)
  }

  leaseOf(key: string): bigint {
    return this.#leaseOfKey.get(key) ?? 0n
  }

  /** Every key with a lease; keys may be attached and detached while it runs. */
  leasedKeys(): Iterable<readonly [key: string, id: bigint]> {
    return this.#leaseOfKey
  }

  attach(id: bigint, key: string): void {
    this.#lease(id).keys.add(key)
    this.#leaseOfKey.set(key, id)
  }

  detach(key: string): void {
    const id = this.#leaseOfKey.get(key)
    if (id === undefined) return
    this.#leaseOfKey.delete(key)
    this.#leases.get(id)?.keys.delete(key)
  }

  /** So much of a lease was left; 0 after it was renewed. One that is gone by now is nobody's loss. */
  checkpoint({ id, remainingTtl }: LeaseCheckpoint): void {
    const lease = this.#leases.get(id)
    if (lease === undefined) return
    lease.remainingSeconds = Math.max(remainingTtl, 0)
    this.#tables.put(leaseRowKey(id), encodeLeaseRow(lease.ttlSeconds, lease.remainingSeconds))
  }

  /** Whether a renewal must be told to the log, since a new leader would count on less time. */
  isCheckpointed(id: bigint): boolean {
    return (this.#leases.get(id)?.remainingSeconds ?? 0) > 0
  }

  /** Leader only. Up to `countMax` leases whose remaining time should be told to the log now. */
  takeCheckpoints(nowMs: number, countMax: number): LeaseCheckpoint[] {
    const taken: LeaseCheckpoint[] = []
    while (taken.length < countMax) {
      const id = this.#checkpoints.popDue(nowMs)
      if (id === undefined) break
      const lease = this.#leases.get(id)
      if (lease === undefined) continue
      const leftMs = lease.expiresAtMs - nowMs
      if (leftMs > checkpointIntervalMs) {
        const remainingTtl = Math.ceil(leftMs / 1000)
        taken.push({ id, remainingTtl })
        // At once, so that a renewal that comes before it is applied takes it back.
        lease.remainingSeconds = remainingTtl
      }
      this.#scheduleCheckpoint(lease, nowMs)
    }
    return taken
  }

  /** Leader only. Starts the TTL anew; returns it, or 0 for a lease that is unknown or has expired. */
  renew(id: bigint, nowMs: number): number {
    const lease = this.#leases.get(id)
    if (lease === undefined || lease.expiresAtMs <= nowMs) return 0
    lease.expiresAtMs = nowMs + lease.ttlSeconds * 1000
    return lease.ttlSeconds
  }

  timeToLive(id: bigint, nowMs: number): LeaseTimes | undefined {
    const lease = this.#leases.get(id)
    if (lease === undefined) return undefined
    const left = Math.floor((lease.expiresAtMs - nowMs) / 1000)
    const ttlSeconds = Number.isFinite(left) ? Math.max(left, 0) : lease.ttlSeconds
    return { ttlSeconds, grantedTtlSeconds: lease.ttlSeconds, keys: [...lease.keys].sort() }
  }

  /** All ids, those that expire first in front. */
  ids(): bigint[] {
    return this.#byExpiry().map(({ id }) => id)
  }

  /**
   * This member leads from now on: every lease gets what was left of it at its checkpoint, else its full TTL, and `extendMs`, since
   * renewals may have been lost. Expiries that pile up are spread, so that they can be revoked in time.
   */
  promote(
    nowMs: number,
    extendMs: number,
    revokesPerSecond: number = revokesPerSecondDefault,
  ): void {
    this.#isPrimary = true
    this.#expiries.clear()
    this.#checkpoints.clear()
    for (const lease of this.#leases.values()) {
      const { remainingSeconds, ttlSeconds } = lease
      const seconds = remainingSeconds > 0 ? Math.min(remainingSeconds, ttlSeconds) : ttlSeconds
      lease.expiresAtMs = nowMs + seconds * 1000 + extendMs
    }
    this.#spread(Math.max(1, Math.floor(revokesPerSecond * promotedShare)))
    for (const lease of this.#leases.values()) {
      this.#expiries.push(lease.expiresAtMs, lease.id)
      this.#scheduleCheckpoint(lease, nowMs)
    }
  }

  /** This member follows: nothing expires here. */
  demote(): void {
    this.#isPrimary = false
    this.#expiries.clear()
    this.#checkpoints.clear()
    for (const lease of this.#leases.values()) lease.expiresAtMs = Infinity
  }

  /** Up to `countMax` leases to revoke; the same lease comes again after a while if it is still there. */
  takeExpired(nowMs: number, countMax: number): bigint[] {
    const expired: bigint[] = []
    while (expired.length < countMax) {
      const id = this.#expiries.popDue(nowMs)
      if (id === undefined) break
      const lease = this.#leases.get(id)
      if (lease === undefined) continue
      if (lease.expiresAtMs > nowMs) this.#expiries.push(lease.expiresAtMs, id)
      else {
        expired.push(id)
        this.#expiries.push(nowMs + revokeRetryMs, id)
      }
    }
    return expired
  }

  /** Takes in a stored lease while loading. */
  loadRow(key: string, value: Uint8Array): void {
    const row = parseLeaseRow(key, value)
    this.#add(row, 0)
  }

  #add({ id, ttlSeconds, remainingSeconds }: LeaseRow, nowMs: number): void {
    const expiresAtMs = this.#isPrimary ? nowMs + ttlSeconds * 1000 : Infinity
    const lease = { id, ttlSeconds, remainingSeconds, expiresAtMs, keys: new Set<string>() }
    this.#leases.set(id, lease)
    if (!this.#isPrimary) return
    this.#expiries.push(expiresAtMs, id)
    this.#scheduleCheckpoint(lease, nowMs)
  }

  #scheduleCheckpoint({ id, ttlSeconds }: Lease, nowMs: number): void {
    const isLong = ttlSeconds * 1000 > checkpointIntervalMs
    if (isLong) this.#checkpoints.push(nowMs + checkpointIntervalMs, id)
  }

  /** Moves piled-up expiries apart: the n-th lease expires no earlier than the rate allows after the first. */
  #spread(perSecondMax: number): void {
    if (this.#leases.size <= perSecondMax) return
    let windowStartMs = 0
    let inWindow = 0
    for (const lease of this.#byExpiry()) {
      if (lease.expiresAtMs >= windowStartMs + 1000) {
        windowStartMs = lease.expiresAtMs
        inWindow = 0
      } else if (inWindow >= perSecondMax) {
        windowStartMs += 1000
        inWindow = 0
      }
      lease.expiresAtMs = Math.max(lease.expiresAtMs, windowStartMs)
      inWindow++
    }
  }

  #byExpiry(): Lease[] {
    return [...this.#leases.values()].sort((a, b) =>
      a.expiresAtMs === b.expiresAtMs
        ? Number(a.id > b.id) - Number(a.id < b.id)
        : a.expiresAtMs - b.expiresAtMs,
    )
  }

  #lease(id: bigint): Lease {
    const lease = this.#leases.get(id)
    if (lease === undefined) throw new KvError('LEASE_NOT_FOUND')
    return lease
  }
}
