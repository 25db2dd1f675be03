// How a leader changes the membership: one change at a time, straight or through a joint configuration. It leaves that by itself, and promotes
// by itself the learners that are to become voters once they have caught up.
import { assert } from './assert.ts'
import type { Leadership } from './leadership.ts'
import {
  encodeMembership,
  firstStep,
  isJoint,
  isMembershipValid,
  isVoter,
  keepsKinds,
  leaveJoint,
  promote,
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
  if (!keepsKinds(current, target)) return { accepted: false, reason: 'kindChanges' }
  if (!mayLeave(leadership, current, target)) return { accepted: false, reason: 'leaderLeaves' }
  const step = firstStep(current, target)
  if (step === undefined) return { accepted: false, reason: 'changePending' }
  leadership.proposeMembership(encodeMembership(step))
  return { accepted: true, term: leadership.term }
}

/** What the leader does without being asked: the way out of a joint configuration as soon as it is applied, else a promotion. Returns whether it proposed something. */
export function maybeChangeByItself(leadership: Leadership, current: Membership): boolean {
  const next = isJoint(current) ? leaveJoint(current) : maybePromote(leadership, current)
  if (next === undefined || !leadership.canChangeMembership()) return false
  if (!mayLeave(leadership, current, next)) {
    leadership.transfer(undefined)
    return false
  }
  leadership.proposeMembership(encodeMembership(next))
  return true
}

function maybePromote(leadership: Leadership, current: Membership): Membership | undefined {
  if (current.promoting === undefined || leadership.transferee !== undefined) return undefined
  const id = leadership.promotionCandidate
  // The leader's own idea of who is a learner may be a change behind.
  if (id === undefined || !current.promoting.includes(id)) return undefined
  return promote(current, id)
}

/**
 * A leader and a witness may commit without anybody else, also that the leader is no voter any more. Then the witness refuses its
 * vote to all who lack that entry, and who has it has no vote: nobody could be elected. Such a leader hands over first.
 */
function mayLeave({ id }: Leadership, current: Membership, target: Membership): boolean {
  const hasWitness = [current, target].some(({ witnesses = [] }) => witnesses.length > 0)
  return !hasWitness || isVoter(target, id)
}
