// Quorum arithmetic and the steps between memberships against naive models: by counting subsets and trying every completion.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  firstStep,
  isJoint,
  isMembershipValid,
  isSameMembership,
  keepsKinds,
} from './membership.ts'
import { hasQuorum, quorumReached, voteOutcome } from './quorum.ts'
import { nodeId } from './testing/test-cluster.ts'
import type { Membership, NodeId } from './types.ts'

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(nodeId)
const some = fc.subarray(names)
const numbers = fc.dictionary(fc.constantFrom(...names), fc.nat(9))
const answers = fc.dictionary(fc.constantFrom(...names), fc.boolean())

/** Any valid membership, joint or not, with learners, witnesses and learners to promote. */
const membership = fc
  .record({ voters: some, votersOutgoing: some, learners: some, witnesses: some, promoting: some })
  .map(({ voters, votersOutgoing, learners, witnesses, promoting }): Membership => {
    const outside = learners.filter((id) => !voters.includes(id))
    const voting = new Set([...voters, ...votersOutgoing])
    const inside = outside.filter((id) => !voting.has(id))
    const without = { voters, votersOutgoing, learners: inside }
    const chosen = witnesses.filter((id) => voting.has(id))
    const promoted = promoting.filter((id) => inside.includes(id))
    return {
      ...without,
      ...(chosen.length > 0 ? { witnesses: chosen } : {}),
      ...(promoted.length > 0 ? { promoting: promoted } : {}),
    }
  })
  .filter(isMembershipValid)
const settled = membership.filter((value) => !isJoint(value))

function isMajority(of: readonly NodeId[], holds: (id: NodeId) => boolean): boolean {
  return of.filter(holds).length * 2 > of.length
}

/** A majority of each configuration, witnesses counted like any voter, learners not at all. */
function decides(members: Membership, holds: (id: NodeId) => boolean): boolean {
  const { voters, votersOutgoing } = members
  const isOutgoing = votersOutgoing.length === 0 || isMajority(votersOutgoing, holds)
  return isMajority(voters, holds) && isOutgoing
}

/** All ways in which those who have not answered may yet answer. */
function completions(known: ReadonlyMap<NodeId, boolean>): ((id: NodeId) => boolean)[] {
  const missing = names.filter((id) => !known.has(id))
  return Array.from({ length: 2 ** missing.length }, (_, bits) => (id: NodeId): boolean => {
    return known.get(id) ?? (bits & (2 ** missing.indexOf(id))) !== 0
  })
}

test('the index that a quorum has reached is the highest that a majority of each configuration has', () => {
  fc.assert(
    fc.property(membership, numbers, (members, reached) => {
      const at = (id: NodeId): number => reached[id] ?? 0
      const indexes = Array.from({ length: 10 }, (_, index) => 9 - index)
      const expected = indexes.find((index) => decides(members, (id) => at(id) >= index))
      expect(quorumReached(members, at)).toBe(expected)
    }),
    { seed: 11, numRuns: 1500 },
  )
})

test('a vote is won when every completion wins it, lost when none does, and else pending', () => {
  fc.assert(
    fc.property(membership, answers, (members, given) => {
      const known = new Map(Object.entries(given).map(([id, vote]) => [nodeId(id), vote]))
      const outcomes = completions(known).map((vote) => decides(members, vote))
      const [expected] = [
        outcomes.every(Boolean) ? 'won' : undefined,
        outcomes.some(Boolean) ? 'pending' : 'lost',
      ].filter((each) => each !== undefined)
      expect(voteOutcome(members, known)).toBe(expected)
    }),
    { seed: 12, numRuns: 1000 },
  )
})

test('one answer more never takes a quorum away', () => {
  fc.assert(
    fc.property(membership, answers, fc.constantFrom(...names), (members, given, also) => {
      const before = hasQuorum(members, (id) => given[id] === true)
      const after = hasQuorum(members, (id) => id === also || given[id] === true)
      expect(!before || after).toBe(true)
    }),
    { seed: 13, numRuns: 1000 },
  )
})

/** Whether some quorum of `before` and some quorum of `after` have nobody in common, by trying all sets and their complements. */
function canDisagree(before: Membership, after: Membership): boolean {
  return Array.from({ length: 2 ** names.length }, (_, bits) => bits).some((bits) => {
    const isIn = (id: NodeId): boolean => (bits & (2 ** names.indexOf(id))) !== 0
    return hasQuorum(before, isIn) && hasQuorum(after, (id) => !isIn(id))
  })
}

test('two quorums of one membership share a member', () => {
  fc.assert(
    fc.property(membership, (members) => {
      expect(canDisagree(members, members)).toBe(false)
    }),
    { seed: 14, numRuns: 300 },
  )
})

/** The memberships on the way from one to another, as a leader proposes them; undefined if there is no way. */
function way(from: Membership, to: Membership): Membership[] | undefined {
  const steps: Membership[] = []
  for (let at = from; !isSameMembership(at, to); at = steps.at(-1) ?? at) {
    const step = firstStep(at, to)
    if (step === undefined || steps.length > 2) return undefined
    steps.push(step)
  }
  return steps
}

test('any membership leads to any other in two steps at most, unless a member would change its kind in place', () => {
  fc.assert(
    fc.property(settled, settled, (from, to) => {
      const steps = way(from, to)
      expect(steps !== undefined).toBe(keepsKinds(from, to) || isSameMembership(from, to))
      for (const step of steps ?? []) expect(isMembershipValid(step)).toBe(true)
      expect((steps ?? []).length).toBeLessThanOrEqual(2)
    }),
    { seed: 15, numRuns: 1500 },
  )
})

test('every quorum before a step and every quorum after it share a member', () => {
  fc.assert(
    fc.property(settled, settled, (from, to) => {
      let before = from
      for (const step of way(from, to) ?? []) {
        expect(canDisagree(before, step)).toBe(false)
        before = step
      }
    }),
    { seed: 16, numRuns: 400 },
  )
})
