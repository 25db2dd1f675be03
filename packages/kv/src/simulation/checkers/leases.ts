// A lease lives for its TTL at least, however clocks drift and leaders change, unless somebody revokes it; its keys die with it, all in one
// revision; and once it is gone it stays gone, whatever an old leader believes.
import type { Call } from '../calls.ts'
import type { CommittedHistory } from '../committed-history.ts'
import { Violation } from '../violation.ts'

const property = 'leases'

const noLease = { lease: 0n, ttlSeconds: 0 }

interface Lease {
  readonly id: bigint
  readonly ttlSeconds: number
  /** When the first member had it, and when the first one had it no more. */
  readonly grantedMs: number
  removedMs: number | undefined
  /** A client has asked for its end. */
  isRevoked: boolean
  /** When the last renewal was asked for that came through, of those that were answered by now. */
  renewedMs: number
  /** Its time was up before it was renewed: the leader may have said so, and the next one have gone on with it. */
  wasOver: boolean
}

export interface LeasesOptions {
  readonly history: CommittedHistory
  readonly now: () => number
  /** Clocks run at 1 - this to 1 + this. */
  readonly driftRateMax: number
  /** A put with a TTL that is refused may take its lease away again: not all members know such puts. */
  readonly takesBack: boolean
  /** That revision looks like the end of a lease: its keys are deleted, and nothing else happens. */
  readonly ended: (revision: number) => void
}

export class LeasesChecker {
  readonly #options: LeasesOptions
  readonly #leases = new Map<bigint, Lease>()
  /** Revokes that were asked for before the lease was seen. */
  readonly #revoked = new Set<bigint>()
  granted = 0
  expired = 0

  constructor(options: LeasesOptions) {
    this.#options = options
  }

  called({ request }: Call): void {
    if (request.type === 'leaseRevoke') this.#revoked.add(request.id)
    const { ttlSeconds = 0, lease } = request.type === 'put' ? request.request : noLease
    if (ttlSeconds > 0 && this.#options.takesBack) this.#revoked.add(lease)
  }

  /** A member has the lease from now on. Those who come later, or begin anew, say nothing new. */
  appeared(id: bigint, ttlSeconds: number): void {
    if (this.#leases.has(id)) return
    const grantedMs = this.#options.now()
    const times = { grantedMs, removedMs: undefined, renewedMs: -Infinity }
    this.#leases.set(id, { id, ttlSeconds, ...times, isRevoked: false, wasOver: false })
    this.granted++
  }

  /** A member has it no more; `revision` is the newest that it has. */
  removed(id: bigint, revision: number): void {
    const lease = this.#leases.get(id)
    if (lease === undefined) throw new Violation(property, `lease ${id} ends and never began`)
    if (lease.removedMs !== undefined) return
    const now = this.#options.now()
    lease.removedMs = now
    lease.isRevoked = this.#revoked.has(id)
    this.#checkKeys(id, revision)
    if (lease.isRevoked) return
    this.expired++
    const sinceMs = Math.max(lease.grantedMs, lease.renewedMs)
    this.#checkTime(lease, sinceMs, now)
  }

  #checkTime({ id, ttlSeconds }: Lease, sinceMs: number, endMs: number): void {
    const leastMs = (ttlSeconds * 1000) / (1 + this.#options.driftRateMax)
    // Less than this is rounding.
    if (endMs - sinceMs >= leastMs - 0.001) return
    const what = `lease ${id} of ${ttlSeconds} s ended ${(endMs - sinceMs).toFixed(0)} ms after its renewal`
    throw new Violation(property, what)
  }

  #checkKeys(id: bigint, revision: number): void {
    const { history, ended } = this.#options
    const [survivor] = history.keysOfLease(id, revision)
    if (survivor !== undefined) {
      throw new Violation(property, `lease ${id} ended and its key ${survivor} did not`)
    }
    const before = history.keysOfLease(id, revision - 1)
    if (before.length === 0) return
    const deleted = history.at(revision)?.changes ?? []
    const isExact =
      deleted.length === before.length &&
      deleted.every(({ key, pair }, i) => pair === undefined && key === before[i])
    // Otherwise somebody deleted the last of its keys just before.
    if (isExact) ended(revision)
  }

  answered(id: bigint, ttl: number): void {
    const lease = this.#leases.get(id)
    if (lease?.ttlSeconds === ttl) return
    const what = lease === undefined ? 'is not there' : `has ${lease.ttlSeconds} s`
    throw new Violation(property, `lease ${id} was granted for ${ttl} s and ${what}`)
  }

  /** A renewal was answered with a TTL: 0 for a lease that is gone. */
  renewed(call: Call, id: bigint, ttl: number): void {
    const lease = this.#leases.get(id)
    if (ttl === 0) {
      this.#isGone(call, lease)
      return
    }
    if (lease === undefined)
      throw new Violation(property, `lease ${id} was renewed and never began`)
    if (ttl !== lease.ttlSeconds) {
      throw new Violation(property, `lease ${id} of ${lease.ttlSeconds} s was renewed for ${ttl} s`)
    }
    const { removedMs, isRevoked } = lease
    lease.wasOver ||= this.#isOver(lease)
    if (removedMs === undefined) lease.renewedMs = Math.max(lease.renewedMs, call.calledMs)
    else if (!isRevoked && call.calledMs > removedMs) {
      throw new Violation(property, `lease ${id} had expired, and was renewed at ${call.member}`)
    }
  }

  /** -1: there is no such lease. */
  timeToLive(call: Call, id: bigint, ttl: number, grantedTtl: number): void {
    const lease = this.#leases.get(id)
    if (ttl < 0) this.#isGone(call, lease)
    else if (lease === undefined || grantedTtl !== lease.ttlSeconds) {
      throw new Violation(property, `lease ${id} is said to have a TTL of ${grantedTtl} s`)
    }
  }

  #isGone(call: Call, lease: Lease | undefined): void {
    // Its grant was seen before it was asked for, and it is there still: it must be known to the leader, if not by the time it is answered.
    if (lease === undefined || lease.removedMs !== undefined || this.#revoked.has(lease.id)) return
    if (lease.grantedMs > call.calledMs || lease.wasOver || this.#isOver(lease)) return
    throw new Violation(property, `lease ${lease.id} is there, ${call.member} says it is not`)
  }

  /** Its time is up; it may be on its way out. */
  #isOver({ grantedMs, renewedMs, ttlSeconds }: Lease): boolean {
    const leastMs = (ttlSeconds * 1000) / (1 + this.#options.driftRateMax)
    return this.#options.now() - Math.max(grantedMs, renewedMs) >= leastMs
  }

  /** A write that needs `ids` was refused because one is not there. */
  notFound(call: Call, ids: readonly bigint[]): void {
    const isReason = ids.some((id) => {
      const lease = this.#leases.get(id)
      return lease === undefined || lease.removedMs !== undefined || lease.grantedMs > call.calledMs
    })
    if (isReason) return
    throw new Violation(property, `request ${call.number} did not find a lease that is there`)
  }

  /** A write with that lease was done. */
  used(call: Call, id: bigint): void {
    const { removedMs } = this.#leases.get(id) ?? {}
    if (removedMs !== undefined && removedMs < call.calledMs) {
      throw new Violation(property, `request ${call.number} used lease ${id} after its end`)
    }
  }

  /** Leases that are there still. */
  live(): bigint[] {
    return [...this.#leases.values()]
      .filter(({ removedMs }) => removedMs === undefined)
      .map(({ id }) => id)
  }
}
