// How a leader changes the membership: one change at a time, straight or through a joint configuration that it leaves by itself.
import { assert } from './assert.ts'
import type { Leadership } from './leadership.ts'
import {
  encodeMembership,
  firstStep,
  isJoint,
  isMembershipValid,
  leaveJoint,
} from './membership.ts'
import type { Membership, ProposeOutcome } from './types.ts'

/** Proposes the first step from `current` to `target`. */
export function proposeChange(
  leadership: Leadership,
  current: Membership,
  target: Membership,
): ProposeOutcome {
  assert(isMembershipValid(target), 'the shell proposes valid memberships only')
  if (leadership.transferee !== undefined) return { accepted: false, reason: 'transferring' }
  if (!leadership.canChangeMembership()) return { accepted: false, reason: 'changePending' }
  const step = firstStep(current, target)
  if (step === undefined) return { accepted: false, reason: 'changePending' }
  leadership.proposeMembership(encodeMembership(step))
  return { accepted: true, term: leadership.term }
}

/** The way out of a joint configuration, as soon as it is applied. Returns whether it was proposed. */
export function maybeLeaveJoint(leadership: Leadership, current: Membership): boolean {
  if (!isJoint(current) || !leadership.canChangeMembership()) return false
  leadership.proposeMembership(encodeMembership(leaveJoint(current)))
  return true
}
