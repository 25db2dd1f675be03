// Gives leases their time: starts it when this member comes to lead, revokes what expires through the log, renews, and passes
// renewals on to the leader when this member follows.
import { KvError } from '../errors.ts'
import type { LeaseTimes, Lessor } from '../lease/lessor.ts'
import type { MemberClock } from './member-clock.ts'
import type { Done } from './types.ts'

const expiryIntervalMs = 500
/** Leases revoked per interval, and revokes that may wait for their answer. */
const revokesPerIntervalMax = 500
const revokesPendingMax = 1000
/** A leader that did not run for this long may have been replaced without knowing: it asks a quorum before it acts on time. */
const pauseMsMax = 3 * expiryIntervalMs
const retryMs = 50
/** Attempts to reach a leader before a request is given up. */
const attemptsMax = 100

/** Asks the leader; the error is NOT_LEADER or NO_LEADER if it should be asked again. */
export interface LeaderLink {
  renew(id: bigint, done: Done<number>): void
  timeToLive(id: bigint, done: Done<LeaseTimes | undefined>): void
}

export interface LeaseKeeperOptions {
  readonly lessor: () => Lessor
  readonly clock: MemberClock
  readonly electionTimeoutMs: number
  /** Proposes the revoke of an expired lease. */
  readonly revoke: (id: bigint, done: () => void) => void
  /** Confirms with a quorum that this member still leads. */
  readonly confirm: (done: (error: Error | undefined) => void) => void
  readonly link: LeaderLink
}

export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions
  /** The term this member leads in; undefined while it follows. */
  #leadTerm: number | undefined
  #lastTickMs: number
  #mustConfirm = false
  #revokesPending = 0
  #cancelTick: (() => void) | undefined
  #isStopped = false

  constructor(options: LeaseKeeperOptions) {
    this.#options = options
    this.#lastTickMs = options.clock.now()
    this.#scheduleTick()
  }

  leaderChanged(isSelf: boolean, term: number): void {
    this.#leadTerm = isSelf ? term : undefined
    if (!isSelf) this.#options.lessor().demote()
  }

  /** Time starts once an entry of the own term is applied: then everything earlier terms decided is known. */
  applied(term: number): void {
    const lessor = this.#options.lessor()
    if (this.#leadTerm === undefined || term !== this.#leadTerm || lessor.isPrimary) return
    lessor.promote(this.#options.clock.now(), this.#options.electionTimeoutMs)
  }

  /** The new TTL in seconds; 0 if the lease is gone. */
  renew(id: bigint, done: Done<number>): void {
    this.#asLeader(
      id,
      (lessor) => lessor.renew(id, this.#options.clock.now()),
      (again) => this.#options.link.renew(id, again),
      done,
    )
  }

  timeToLive(id: bigint, done: Done<LeaseTimes | undefined>): void {
    this.#asLeader(
      id,
      (lessor) => lessor.timeToLive(id, this.#options.clock.now()),
      (again) => this.#options.link.timeToLive(id, again),
      done,
    )
  }

  /** For the leader's end of a link: NOT_LEADER if this member does not lead. */
  renewHere(id: bigint, done: Done<number>): void {
    this.#here(id, (lessor) => lessor.renew(id, this.#options.clock.now()), done)
  }

  timeToLiveHere(id: bigint, done: Done<LeaseTimes | undefined>): void {
    this.#here(id, (lessor) => lessor.timeToLive(id, this.#options.clock.now()), done)
  }

  stop(): void {
    this.#isStopped = true
    this.#cancelTick?.()
  }

  #asLeader<T>(
    id: bigint,
    here: (lessor: Lessor) => T,
    there: (done: Done<T>) => void,
    done: Done<T>,
    attempt: number = 1,
  ): void {
    const answered: Done<T> = (error, result) => {
      const isLater = error?.code === 'NOT_LEADER' || error?.code === 'NO_LEADER'
      if (!isLater) done(error, result)
      else if (attempt >= attemptsMax) done(new KvError('TIMEOUT'), undefined)
      else if (this.#isStopped) done(new KvError('STOPPED'), undefined)
      else {
        this.#options.clock.setTimer(retryMs, () =>
          this.#asLeader(id, here, there, done, attempt + 1),
        )
      }
    }
    if (this.#leadTerm === undefined) there(answered)
    else this.#here(id, here, answered)
  }

  #here<T>(id: bigint, read: (lessor: Lessor) => T, done: Done<T>): void {
    if (!this.#options.lessor().isPrimary) {
      done(new KvError('NOT_LEADER'), undefined)
      return
    }
    if (this.#options.clock.now() - this.#lastTickMs > pauseMsMax) this.#mustConfirm = true
    // A lease that is not known here may have been granted: a follower can apply an entry before a leader whose disk is slow.
    if (!this.#mustConfirm && this.#options.lessor().exists(id)) {
      done(undefined, read(this.#options.lessor()))
      return
    }
    this.#options.confirm((error) => {
      const lessor = this.#options.lessor()
      if (error !== undefined || !lessor.isPrimary) done(new KvError('NOT_LEADER'), undefined)
      else {
        this.#mustConfirm = false
        done(undefined, read(lessor))
      }
    })
  }

  #scheduleTick(): void {
    this.#cancelTick = this.#options.clock.setTimer(expiryIntervalMs, () => this.#tick())
  }

  #tick(): void {
    const now = this.#options.clock.now()
    if (now - this.#lastTickMs > pauseMsMax) this.#mustConfirm = true
    this.#lastTickMs = now
    this.#scheduleTick()
    const lessor = this.#options.lessor()
    if (!lessor.isPrimary) return
    const room = Math.min(revokesPerIntervalMax, revokesPendingMax - this.#revokesPending)
    const expired = lessor.takeExpired(now, room)
    if (expired.length === 0) return
    this.#revokesPending += expired.length
    this.#options.confirm((error) => {
      // Not confirmed: the leases come again, here or at the next leader.
      if (error !== undefined || !this.#options.lessor().isPrimary) {
        this.#revokesPending -= expired.length
        return
      }
      this.#mustConfirm = false
      for (const id of expired) this.#options.revoke(id, () => this.#revokesPending--)
    })
  }
}
