// Membership as data: its bytes in a membership entry, what makes one valid, and which step leads safely from one to the next
// (thesis 4.1 and 4.3: at most one voter at a time, or through a joint configuration).
import { assert } from './assert.ts'
import type { Membership, NodeId } from './types.ts'

const formatVersion = 1
const membersMax = 64
const idSizeBytesMax = 64

/** Every member once: voters, outgoing voters, learners. */
export function memberIds(membership: Membership): readonly NodeId[] {
  return [...new Set([...membership.voters, ...membership.votersOutgoing, ...membership.learners])]
}

export function isJoint(membership: Membership): boolean {
  return membership.votersOutgoing.length > 0
}

/** Whether `id` has a vote in any of the configurations in force. */
export function isVoter(membership: Membership, id: NodeId): boolean {
  return membership.voters.includes(id) || membership.votersOutgoing.includes(id)
}

/** Whether nobody but `id` has a vote. */
export function isSoleVoter({ voters, votersOutgoing }: Membership, id: NodeId): boolean {
  return voters.length === 1 && voters[0] === id && votersOutgoing.length === 0
}

export function isMember(membership: Membership, id: NodeId): boolean {
  return isVoter(membership, id) || membership.learners.includes(id)
}

/** At least one voter, no id twice in a list, no member both voter and learner, ids of printable ASCII. */
export function isMembershipValid(membership: Membership): boolean {
  const { voters, votersOutgoing, learners } = membership
  const lists = [voters, votersOutgoing, learners]
  return (
    voters.length > 0 &&
    lists.every((ids) => ids.length <= membersMax && new Set(ids).size === ids.length) &&
    lists.every((ids) => ids.every(isIdValid)) &&
    learners.every((id) => !voters.includes(id) && !votersOutgoing.includes(id))
  )
}

function isIdValid(id: string): boolean {
  if (id.length === 0 || id.length > idSizeBytesMax) return false
  for (let i = 0; i < id.length; i++) {
    const code = id.charCodeAt(i)
    if (code < 0x21 || code > 0x7e) return false
  }
  return true
}

/**
 * The membership to propose first on the way from `current` to `target`: the target itself if one voter at most comes or
 * goes, else the joint configuration of both, which the leader leaves as soon as it is applied. Undefined if there is no way
 * now (a joint configuration must be left first).
 */
export function firstStep(current: Membership, target: Membership): Membership | undefined {
  assert(isMembershipValid(target), 'the target membership is not valid')
  if (isJoint(target)) return undefined
  if (isJoint(current)) return isSameMembership(leaveJoint(current), target) ? target : undefined
  if (votersChanged(current, target) <= 1) return target
  const outgoing = new Set<NodeId>(current.voters)
  // A voter that becomes a learner keeps its vote until the joint configuration is left.
  const learners = target.learners.filter((id) => !outgoing.has(id))
  return { voters: target.voters, votersOutgoing: current.voters, learners }
}

function votersChanged(current: Membership, target: Membership): number {
  const added = target.voters.filter((id) => !current.voters.includes(id)).length
  const removed = current.voters.filter((id) => !target.voters.includes(id)).length
  return added + removed
}

/** What follows a joint configuration: the incoming voters alone. */
export function leaveJoint(membership: Membership): Membership {
  return { voters: membership.voters, votersOutgoing: [], learners: membership.learners }
}

export function isSameMembership(a: Membership, b: Membership): boolean {
  return (
    isSameSet(a.voters, b.voters) &&
    isSameSet(a.votersOutgoing, b.votersOutgoing) &&
    isSameSet(a.learners, b.learners)
  )
}

function isSameSet(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id))
}

/** version u8, then three lists: count u8, and per id its size u8 and its ASCII bytes. */
export function encodeMembership(membership: Membership): Uint8Array {
  assert(isMembershipValid(membership), 'only a valid membership is encoded')
  const lists = [membership.voters, membership.votersOutgoing, membership.learners]
  const bytes: number[] = [formatVersion]
  for (const ids of lists) {
    bytes.push(ids.length)
    for (const id of ids) {
      bytes.push(id.length)
      for (let i = 0; i < id.length; i++) bytes.push(id.charCodeAt(i))
    }
  }
  return Uint8Array.from(bytes)
}

/** Undefined for bytes that encodeMembership() does not make. */
export function decodeMembership(bytes: Uint8Array): Membership | undefined {
  if (bytes[0] !== formatVersion) return undefined
  let position = 1
  const lists: NodeId[][] = []
  while (lists.length < 3) {
    const count = bytes[position++]
    if (count === undefined) return undefined
    const ids: NodeId[] = []
    for (let i = 0; i < count; i++) {
      const size = bytes[position++]
      if (size === undefined || position + size > bytes.length) return undefined
      ids.push(String.fromCharCode(...bytes.subarray(position, position + size)) as NodeId)
      position += size
    }
    lists.push(ids)
  }
  if (position !== bytes.length) return undefined
  const [voters = [], votersOutgoing = [], learners = []] = lists
  const membership: Membership = { voters, votersOutgoing, learners }
  return isMembershipValid(membership) ? membership : undefined
}
