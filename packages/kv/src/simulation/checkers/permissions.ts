// Nobody does what it may not, and everybody may do what it may: judged by a small account of its own of who may what, for requests that
// no change of it overlaps.
import { keyRange } from '../../mvcc/key-range.ts'
import type { RequestOp } from '../../proto/messages.ts'
import type { Call } from '../calls.ts'
import type { UserName, UsersState } from '../sim-users.ts'
import type { Timeline } from '../timeline.ts'
import { Violation } from '../violation.ts'

const property = 'permissions'

interface Need {
  readonly from: string
  readonly to: string | undefined
  readonly isWrite: boolean
}

/** `unclear`: it hangs on the keys of a lease, or on a member's own view, whether more is needed. */
interface Needs {
  readonly who: 'anybody' | 'known' | 'root'
  readonly ranges: readonly Need[]
  readonly isUnclear: boolean
}

export class PermissionsChecker {
  readonly #timeline: Timeline<UsersState>

  constructor(timeline: Timeline<UsersState>) {
    this.#timeline = timeline
  }

  /** Whether this refusal may come once there are users, whatever is asked: a member had not heard of them, or not of the last change. */
  isOfUsers(code: string): boolean {
    const isOpen = this.#timeline.since(-Infinity).every((state) => state === 'open')
    return !isOpen && (code === 'USER_EMPTY' || code === 'AUTH_OLD_REVISION')
  }

  answered(call: Call): void {
    const states = this.#statesOf(call)
    if (states === undefined) return
    const needs = needsOf(call)
    if (states.every((state) => !may(call.user, state, needs))) {
      throw new Violation(property, `${nameOf(call)} was answered, and may not do it`)
    }
  }

  /** With PERMISSION_DENIED. */
  denied(call: Call): void {
    const states = this.#statesOf(call)
    const needs = needsOf(call)
    if (states === undefined || needs.isUnclear) return
    if (states.every((state) => may(call.user, state, needs))) {
      throw new Violation(property, `${nameOf(call)} was denied, and may do it`)
    }
  }

  /** Undefined: by what its member knows alone, which may be old. */
  #statesOf({ request, calledMs }: Call): UsersState[] | undefined {
    const { type } = request
    if (type === 'hashKv' || type === 'defragment' || type === 'leaseTimeToLive') return undefined
    if (type === 'range' && request.request.serializable) return undefined
    return this.#timeline.since(calledMs)
  }
}

function may(user: UserName | undefined, state: UsersState, { who, ranges }: Needs): boolean {
  if (state === 'open' || user === 'root' || who === 'anybody') return true
  if (user === undefined || who === 'root') return false
  return ranges.every((range) => isCovered(user, state, range))
}

function isCovered(user: UserName, state: UsersState, { from, to, isWrite }: Need): boolean {
  const isBelow = (prefix: string): boolean =>
    from >= `${prefix}/` && to !== undefined && to <= `${prefix}0`
  if (user === 'bob') return !isWrite || isBelow('b')
  return isBelow('a') || (state === 'wide' && isBelow('b'))
}

function needsOf({ request }: Call): Needs {
  const none = { ranges: [], isUnclear: false }
  switch (request.type) {
    case 'compact':
    case 'hashKv':
    case 'defragment':
      return { ...none, who: 'root' }
    case 'leaseKeepAlive':
      return { ...none, who: 'anybody' }
    case 'leaseGrant':
      return { ...none, who: 'known' }
    case 'leaseRevoke':
    case 'leaseTimeToLive':
      return { ...none, who: 'known', isUnclear: true }
    case 'txn': {
      const { compare, success, failure } = request.request
      const ops = [...success, ...failure]
      if (compare.length + ops.length === 0) return { ...none, who: 'anybody' }
      const compared = compare.map((one) => need(one.key, one.rangeEnd, false))
      return {
        who: 'known',
        ranges: [...compared, ...ops.flatMap(rangesOf)],
        isUnclear: ops.some(isOnLease),
      }
    }
    case 'range':
    case 'put':
    case 'deleteRange':
      return { who: 'known', ranges: rangesOf(request), isUnclear: isOnLease(request) }
  }
}

function rangesOf(op: RequestOp): Need[] {
  if (op === undefined || op.type === 'txn') return []
  const { key } = op.request
  const rangeEnd = op.type === 'put' ? noBytes : op.request.rangeEnd
  if (op.type === 'range') return [need(key, rangeEnd, false)]
  const write = need(key, rangeEnd, true)
  return op.request.prevKv ? [write, { ...write, isWrite: false }] : [write]
}

function need(key: Uint8Array, rangeEnd: Uint8Array, isWrite: boolean): Need {
  return { ...keyRange(key, rangeEnd), isWrite }
}

function isOnLease(op: RequestOp): boolean {
  return op?.type === 'put' && op.request.lease !== 0n
}

const noBytes = new Uint8Array(0)

function nameOf({ number, request, user, member }: Call): string {
  return `request ${number} (${request.type}) of ${user ?? 'nobody'} at ${member}`
}
