// Membership as data: its bytes in a membership entry, what makes one valid, and which step leads safely from one to the next
// (thesis 4.1 and 4.3: at most one voter at a time, or through a joint configuration).
import { assert } from './assert.ts'
import type { Membership, NodeId } from './types.ts'

/** Three lists, or five when there are witnesses or learners to promote. */
const formatVersion = 1
const formatVersionOfFive = 2
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

/** Votes, but holds no payloads. */
export function isWitness({ witnesses = [] }: Membership, id: NodeId): boolean {
  return witnesses.includes(id)
}

export function isMember(membership: Membership, id: NodeId): boolean {
  return isVoter(membership, id) || membership.learners.includes(id)
}

/**
 * No id twice in a list, no member both voter and learner (an outgoing voter may become one), ids of printable ASCII; witnesses
 * vote, members to promote are learners, and every configuration has a voter that can lead.
 */
export function isMembershipValid(membership: Membership): boolean {
  const { voters, votersOutgoing, learners, witnesses = [], promoting = [] } = membership
  const lists = listsOf(membership)
  const canLead = (id: NodeId): boolean => !witnesses.includes(id)
  return (
    lists.every((ids) => ids.length <= membersMax && new Set(ids).size === ids.length) &&
    lists.every((ids) => ids.every(isIdValid)) &&
    voters.some(canLead) &&
    (votersOutgoing.length === 0 || votersOutgoing.some(canLead)) &&
    learners.every((id) => !voters.includes(id)) &&
    witnesses.every((id) => isVoter(membership, id)) &&
    promoting.every((id) => learners.includes(id))
  )
}

type MembershipLists = readonly [
  voters: readonly NodeId[],
  votersOutgoing: readonly NodeId[],
  learners: readonly NodeId[],
  witnesses: readonly NodeId[],
  promoting: readonly NodeId[],
]

function listsOf(membership: Membership): MembershipLists {
  const { voters, votersOutgoing, learners, witnesses = [], promoting = [] } = membership
  return [voters, votersOutgoing, learners, witnesses, promoting]
}

/** Leaves empty lists out that may be missing. */
function membershipOf(lists: MembershipLists): Membership {
  const [voters, votersOutgoing, learners, witnesses, promoting] = lists
  return {
    voters,
    votersOutgoing,
    learners,
    ...(witnesses.length > 0 ? { witnesses } : {}),
    ...(promoting.length > 0 ? { promoting } : {}),
  }
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
 * now (a joint configuration must be left first) or ever (a witness must be removed before it comes back as another kind of member).
 */
export function firstStep(current: Membership, target: Membership): Membership | undefined {
  assert(isMembershipValid(target), 'the target membership is not valid')
  if (isJoint(target) || !keepsKinds(current, target)) return undefined
  if (isJoint(current)) return isSameMembership(leaveJoint(current), target) ? target : undefined
  if (votersChanged(current, target) <= 1) return target
  const { voters, learners, witnesses = [], promoting = [] } = target
  const eitherWitnesses = [...new Set([...witnesses, ...(current.witnesses ?? [])])]
  // A voter that becomes a learner stands in both lists: it keeps its vote until the joint configuration is left.
  return membershipOf([voters, current.voters, learners, eitherWitnesses, promoting])
}

/** A learner becomes a voter. */
export function promote(membership: Membership, id: NodeId): Membership {
  const { voters, votersOutgoing, learners, witnesses = [], promoting = [] } = membership
  const isOther = (other: NodeId): boolean => other !== id
  assert(learners.includes(id), 'a learner is promoted')
  return membershipOf([
    [...voters, id],
    votersOutgoing,
    learners.filter(isOther),
    witnesses,
    promoting.filter(isOther),
  ])
}

/** A log without payloads cannot become one with them, and a state machine that follows the log cannot go on without: a witness stays one. */
export function keepsKinds(current: Membership, target: Membership): boolean {
  const remaining = memberIds(target).filter((id) => isMember(current, id))
  return remaining.every((id) => isWitness(current, id) === isWitness(target, id))
}

function votersChanged(current: Membership, target: Membership): number {
  const added = target.voters.filter((id) => !current.voters.includes(id)).length
  const removed = current.voters.filter((id) => !target.voters.includes(id)).length
  return added + removed
}

/** What follows a joint configuration: the incoming voters alone. */
export function leaveJoint(membership: Membership): Membership {
  const { voters, learners, witnesses = [], promoting = [] } = membership
  return membershipOf([
    voters,
    [],
    learners,
    witnesses.filter((id) => voters.includes(id)),
    promoting,
  ])
}

export function isSameMembership(a: Membership, b: Membership): boolean {
  const others = listsOf(b)
  return listsOf(a).every((ids, i) => isSameSet(ids, others[i] ?? []))
}

function isSameSet(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id))
}

/** version u8, then three or five lists: count u8, and per id its size u8 and its ASCII bytes. */
export function encodeMembership(membership: Membership): Uint8Array {
  assert(isMembershipValid(membership), 'only a valid membership is encoded')
  const lists = listsOf(membership)
  const [, , , witnesses, promoting] = lists
  const isShort = witnesses.length === 0 && promoting.length === 0
  const bytes: number[] = [isShort ? formatVersion : formatVersionOfFive]
  for (const ids of isShort ? lists.slice(0, 3) : lists) {
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
  const version = bytes[0]
  if (version !== formatVersion && version !== formatVersionOfFive) return undefined
  const lists = decodeLists(bytes, version === formatVersion ? 3 : 5)
  if (lists === undefined) return undefined
  const [voters = [], votersOutgoing = [], learners = [], witnesses = [], promoting = []] = lists
  const isShort = witnesses.length === 0 && promoting.length === 0
  if (isShort !== (version === formatVersion)) return undefined
  const membership = membershipOf([voters, votersOutgoing, learners, witnesses, promoting])
  return isMembershipValid(membership) ? membership : undefined
}

/** The lists after the version; undefined unless they end where the bytes do. */
function decodeLists(bytes: Uint8Array, listCount: number): NodeId[][] | undefined {
  let position = 1
  const lists: NodeId[][] = []
  while (lists.length < listCount) {
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
  return position === bytes.length ? lists : undefined
}
