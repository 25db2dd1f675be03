// A refusal has a reason: what is said to be compacted is, what is said to lie in the future does, and a lease that is not found is gone.
import type { KvError } from '../../errors.ts'
import type { Call } from '../calls.ts'
import type { CommittedHistory } from '../committed-history.ts'
import { Violation } from '../violation.ts'
import type { LeasesChecker } from './leases.ts'
import type { PermissionsChecker } from './permissions.ts'
import type { SpaceChecker } from './space.ts'

const property = 'refusals'
/** Nothing can be done now, and nothing is said about the request. */
const unavailable = new Set([
  'NO_LEADER',
  'NOT_LEADER',
  'LEADER_CHANGED',
  'TOO_MANY_REQUESTS',
  'STOPPED',
  'TIMEOUT',
  'TIMEOUT_LEADER_FAILED',
  'TIMEOUT_CONNECTION_LOST',
])
/** The request may have been done, or may still be. */
const uncertain = new Set([
  'STOPPED',
  'TIMEOUT',
  'TIMEOUT_LEADER_FAILED',
  'TIMEOUT_CONNECTION_LOST',
])

export function isUncertain(error: KvError): boolean {
  return uncertain.has(error.code)
}

interface Others {
  readonly permissions: PermissionsChecker
  readonly space: SpaceChecker
}

export class RefusalsChecker {
  readonly #history: CommittedHistory
  readonly #leases: LeasesChecker
  readonly #others: Others

  constructor(history: CommittedHistory, leases: LeasesChecker, others: Others) {
    this.#history = history
    this.#leases = leases
    this.#others = others
  }

  refused(call: Call, error: KvError): void {
    const { permissions, space } = this.#others
    if (unavailable.has(error.code) || permissions.isOfUsers(error.code)) return
    if (error.code === 'COMPACTED') this.#compacted(call)
    else if (error.code === 'FUTURE_REVISION') this.#future(call)
    else if (error.code === 'LEASE_NOT_FOUND') this.#leases.notFound(call, leasesOf(call))
    else if (error.code === 'PERMISSION_DENIED') permissions.denied(call)
    else if (error.code === 'NO_SPACE') space.refused(call)
    else throw wrong(call, `got '${error.message}'`)
  }

  #compacted(call: Call): void {
    const { request } = call
    const { compactRevision } = this.#history
    // A compaction at the same revision again is refused, and so is a hash, as in etcd 3.4; a read there is not.
    const asked = revisionsOf(call)
    const isRead = request.type === 'range' || request.type === 'txn'
    const limit = isRead ? compactRevision - 1 : compactRevision
    if (asked.some((revision) => revision <= limit)) return
    throw wrong(call, `is said to be compacted, but that is at ${compactRevision}`)
  }

  #future(call: Call): void {
    const { request, floor } = call
    // A member alone may be behind.
    const isLocal =
      request.type === 'hashKv' || (request.type === 'range' && request.request.serializable)
    if (isLocal || revisionsOf(call).some((revision) => revision > floor)) return
    throw wrong(call, `is said to lie in the future, but ${floor} was known`)
  }
}

function revisionsOf({ request }: Call): number[] {
  if (request.type === 'range') return [request.request.revision]
  if (request.type === 'compact' || request.type === 'hashKv') return [request.revision]
  if (request.type !== 'txn') return []
  const ops = [...request.request.success, ...request.request.failure]
  return ops.flatMap((op) => (op?.type === 'range' ? [op.request.revision] : []))
}

/** The leases that it needs. */
export function leasesOf({ request }: Call): bigint[] {
  if (request.type === 'leaseRevoke') return [request.id]
  if (request.type === 'put') return request.request.lease === 0n ? [] : [request.request.lease]
  if (request.type !== 'txn') return []
  const ops = [...request.request.success, ...request.request.failure]
  const leases = ops.flatMap((op) => (op?.type === 'put' ? [op.request.lease] : []))
  return leases.filter((id) => id !== 0n)
}

function wrong(call: Call, what: string): Violation {
  return new Violation(
    property,
    `request ${call.number} (${call.request.type}) at ${call.member} ${what}`,
  )
}
