// Gives leases their time: starts it when this member comes to lead, revokes what expires through the log, renews, and passes
// renewals on to the leader when this member follows.
import { KvError } from '../errors.ts'
import type { LeaseCheckpoint, LeaseTimes, Lessor } from '../lease/lessor.ts'
import type { MemberClock } from './member-clock.ts'
import type { Done } from './types.ts'

const expiryIntervalMs = 500
/** Revokes that may wait for their answer, in seconds of the rate. */
const revokesPendingSeconds = 1
/** Of one command; the leases of one interval may take several. */
const checkpointsPerCommandMax = 1000
const checkpointCommandsMax = 10
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

export interface LeaseSettings {
  /** Expired leases revoked per second, at most. */
  readonly revokesPerSecond: number
  /** A new leader knows what is left of long leases, and does not start them anew. */
  readonly checkpoints: boolean
}

export interface LeaseKeeperOptions {
  readonly lessor: () => Lessor
  readonly clock: MemberClock
  readonly electionTimeoutMs: number
  readonly settings: LeaseSettings
  /** Tells the log what is left of leases, good in the term that this member leads in. */
  readonly checkpoint: (
    checkpoints: readonly LeaseCheckpoint[],
    term: number,
    done: (error: KvError | undefined) => void,
  ) => void
  /** Proposes the end of an expired lease, good in the term that this member leads in. */
  readonly revoke: (id: bigint, term: number, done: () => void) => void
  /** Confirms with a quorum that this member still leads. */
  readonly confirm: (done: (error: Error | undefined) => void) => void
  readonly link: LeaderLink
}

export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions
  /** The term this member leads in; undefined while it follows. */
  #leadTerm: number | undefined
  #lastTickMs: number
  #lastTickWallMs: number
  #mustConfirm = false
  #revokesPending = 0
  #cancelTick: (() => void) | undefined
  #isStopped = false

  constructor(options: LeaseKeeperOptions) {
    this.#options = options
    this.#lastTickMs = options.clock.now()
    this.#lastTickWallMs = wallMsOf(options.clock)
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
    const { clock, electionTimeoutMs, settings } = this.#options
    lessor.promote(clock.now(), electionTimeoutMs, settings.revokesPerSecond)
  }

  /** The new TTL in seconds; 0 if the lease is gone. */
  renew(id: bigint, done: Done<number>): void {
    this.#asLeader(
      (answered) => this.renewHere(id, answered),
      (answered) => this.#options.link.renew(id, answered),
      done,
    )
  }

  timeToLive(id: bigint, done: Done<LeaseTimes | undefined>): void {
    this.#asLeader(
      (answered) => this.timeToLiveHere(id, answered),
      (answered) => this.#options.link.timeToLive(id, answered),
      done,
    )
  }

  /** For the leader's end of a link: NOT_LEADER if this member does not lead. */
  renewHere(id: bigint, done: Done<number>): void {
    const renewed: Done<number> = (error, ttl) => {
      const term = this.#leadTerm
      if (error !== undefined || !this.#options.lessor().isCheckpointed(id)) done(error, ttl)
      else if (term === undefined) done(new KvError('NOT_LEADER'), undefined)
      else {
        // Else a new leader would count on the time that was left before.
        this.#options.checkpoint([{ id, remainingTtl: 0 }], term, (failure) =>
          done(failure, failure === undefined ? ttl : undefined),
        )
      }
    }
    this.#here(id, (lessor) => lessor.renew(id, this.#options.clock.now()), renewed)
  }

  timeToLiveHere(id: bigint, done: Done<LeaseTimes | undefined>): void {
    this.#here(id, (lessor) => lessor.timeToLive(id, this.#options.clock.now()), done)
  }

  stop(): void {
    this.#isStopped = true
    this.#cancelTick?.()
  }

  #asLeader<T>(
    here: (done: Done<T>) => void,
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
        this.#options.clock.setTimer(retryMs, () => this.#asLeader(here, there, done, attempt + 1))
      }
    }
    if (this.#leadTerm === undefined) there(answered)
    else here(answered)
  }

  #here<T>(id: bigint, read: (lessor: Lessor) => T, done: Done<T>): void {
    if (!this.#options.lessor().isPrimary) {
      done(new KvError('NOT_LEADER'), undefined)
      return
    }
    this.#noticePause()
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

  /** The monotonic clock may have stood still with its machine: then the wall clock tells. */
  #noticePause(): void {
    const { clock } = this.#options
    const pauseMs = clock.now() - this.#lastTickMs
    const wallPauseMs = wallMsOf(clock) - this.#lastTickWallMs
    if (Math.max(pauseMs, wallPauseMs) > pauseMsMax) this.#mustConfirm = true
  }

  #scheduleTick(): void {
    this.#cancelTick = this.#options.clock.setTimer(expiryIntervalMs, () => this.#tick())
  }

  #tick(): void {
    const { clock } = this.#options
    const now = clock.now()
    this.#noticePause()
    this.#lastTickMs = now
    this.#lastTickWallMs = wallMsOf(clock)
    this.#scheduleTick()
    const lessor = this.#options.lessor()
    const term = this.#leadTerm
    if (!lessor.isPrimary || term === undefined) return
    const { settings } = this.#options
    if (settings.checkpoints) this.#checkpoint(lessor, term, now)
    const perInterval = Math.ceil((settings.revokesPerSecond * expiryIntervalMs) / 1000)
    const pendingMax = settings.revokesPerSecond * revokesPendingSeconds
    const room = Math.min(perInterval, pendingMax - this.#revokesPending)
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
      for (const id of expired) this.#options.revoke(id, term, () => this.#revokesPending--)
    })
  }

  /** What does not come through is told again an interval later. */
  #checkpoint(lessor: Lessor, term: number, now: number): void {
    for (let commands = 0; commands < checkpointCommandsMax; commands++) {
      const checkpoints = lessor.takeCheckpoints(now, checkpointsPerCommandMax)
      if (checkpoints.length === 0) return
      this.#options.checkpoint(checkpoints, term, () => undefined)
    }
  }
}

function wallMsOf(clock: MemberClock): number {
  return clock.wallMs?.() ?? clock.now()
}
