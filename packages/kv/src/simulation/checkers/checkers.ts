// All checkers of a run, and what each is told.
import type { KvError } from '../../errors.ts'
import { leaseTtlSecondsMin } from '../../member/member-options.ts'
import type { PutRequest } from '../../proto/messages.ts'
import type { Answer, Call } from '../calls.ts'
import type { CommittedHistory } from '../committed-history.ts'
import type { MemberProfile } from '../profile.ts'
import type { AlarmState } from '../sim-alarm.ts'
import type { Deed } from '../sim-member.ts'
import type { UsersState } from '../sim-users.ts'
import { Timeline } from '../timeline.ts'
import { HashesChecker } from './hashes.ts'
import { LeasesChecker } from './leases.ts'
import { LinearizabilityChecker } from './linearizability.ts'
import { PermissionsChecker } from './permissions.ts'
import { isUncertain, RefusalsChecker } from './refusals.ts'
import { RevisionsChecker } from './revisions.ts'
import { SpaceChecker } from './space.ts'

export interface CheckersOptions {
  readonly history: CommittedHistory
  readonly now: () => number
  readonly profile: MemberProfile
}

export class Checkers {
  readonly leases: LeasesChecker
  readonly revisions: RevisionsChecker
  readonly #history: CommittedHistory
  readonly #linearizability: LinearizabilityChecker
  readonly #refusals: RefusalsChecker
  readonly #hashes = new HashesChecker()
  /** Who may what, and whether an alarm is raised: for those to say who change it. */
  readonly users: Timeline<UsersState>
  readonly alarm: Timeline<AlarmState>
  readonly #permissions: PermissionsChecker
  readonly #space: SpaceChecker
  readonly #ttlSecondsMin: number
  /** The newest revision, and the newest compaction, that anybody was told of. */
  floor = 1
  compactFloor = -1

  constructor({ history, now, profile }: CheckersOptions) {
    this.#history = history
    this.users = new Timeline<UsersState>(now, 'open')
    this.alarm = new Timeline<AlarmState>(now, 'clear')
    this.#permissions = new PermissionsChecker(this.users)
    this.#space = new SpaceChecker(this.alarm)
    this.#ttlSecondsMin = leaseTtlSecondsMin(profile.electionTimeoutMs)
    const { driftRateMax, extras } = profile
    const takesBack = extras.isFresh
    this.revisions = new RevisionsChecker(history)
    const ended = (revision: number): void => this.revisions.leaseEnded(revision)
    this.leases = new LeasesChecker({ history, now, driftRateMax, takesBack, ended })
    this.#linearizability = new LinearizabilityChecker(history)
    this.#refusals = new RefusalsChecker(history, this.leases, {
      permissions: this.#permissions,
      space: this.#space,
    })
  }

  /** What a member did in one turn. */
  did(member: string, deeds: readonly Deed[]): void {
    const before = this.#history.revision
    this.#wrote(member, deeds)
    for (let number = before + 1; number <= this.#history.revision; number++) {
      this.revisions.committed(number, this.#history.at(number)?.changes ?? [])
    }
  }

  #wrote(member: string, deeds: readonly Deed[]): void {
    let rows: Extract<Deed, { type: 'row' }>['row'][] = []
    const flush = (): void => {
      if (rows.length > 0) this.#history.written(member, rows)
      rows = []
    }
    for (const deed of deeds) {
      if (deed.type === 'row') rows.push(deed.row)
      else {
        flush()
        this.#didElse(member, deed)
      }
    }
    flush()
  }

  #didElse(member: string, deed: Exclude<Deed, { type: 'row' }>): void {
    if (deed.type === 'copied') this.#history.copied(member, deed.row)
    else if (deed.type === 'lease') {
      const { id, ttlSeconds, afterRevision } = deed
      if (ttlSeconds === undefined) this.leases.removed(id, afterRevision)
      else this.leases.appeared(id, ttlSeconds)
    } else {
      this.#history.compactRevision = Math.max(this.#history.compactRevision, deed.revision)
    }
  }

  called(call: Call): void {
    this.revisions.called(call)
    this.leases.called(call)
  }

  answered(call: Call, answer: Answer): void {
    const { request } = call
    this.#permissions.answered(call)
    this.#space.answered(call)
    const made = this.#linearizability.answered(call, answer)
    this.revisions.answered(call, made)
    if (answer.response !== undefined) {
      this.floor = Math.max(this.floor, answer.response.header.revision)
    }
    if (request.type === 'put' || request.type === 'txn') this.#usedLeases(call, made)
    if (request.type === 'put') this.#ttlPut(request.request)
    if (request.type === 'compact') {
      this.compactFloor = Math.max(this.compactFloor, request.revision)
    } else if (answer.type === 'hashKv') this.#hashes.answered(call, answer.response)
    else if (answer.type === 'leaseGrant') {
      this.leases.answered(answer.response.id, answer.response.ttl)
    } else if (answer.type === 'leaseKeepAlive') {
      this.leases.renewed(call, answer.response.id, answer.response.ttl)
    } else if (answer.type === 'leaseTimeToLive') {
      const { id, ttl, grantedTtl } = answer.response
      this.leases.timeToLive(call, id, ttl, grantedTtl)
    }
  }

  #ttlPut({ lease, ttlSeconds = 0 }: PutRequest): void {
    if (ttlSeconds > 0) this.leases.answered(lease, Math.max(ttlSeconds, this.#ttlSecondsMin))
  }

  /** The leases of what it has put, not of the branch that was not taken. */
  #usedLeases(call: Call, made: number | undefined): void {
    const changes = made === undefined ? [] : (this.#history.at(made)?.changes ?? [])
    for (const { pair } of changes) {
      if (pair !== undefined && pair.lease !== 0n) this.leases.used(call, pair.lease)
    }
  }

  refused(call: Call, error: KvError): void {
    if (isUncertain(error)) return
    this.revisions.refused(call)
    this.#refusals.refused(call, error)
  }
}
