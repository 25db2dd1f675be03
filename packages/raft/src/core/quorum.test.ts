import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { hasQuorum, quorumReached, voteOutcome } from './quorum.ts'
import { nodeId } from './testing/test-cluster.ts'
import type { Membership, NodeId } from './types.ts'

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(nodeId)
const subset = fc.subarray(names, { minLength: 1 })
const membership = fc
  .record({ voters: subset, votersOutgoing: fc.oneof(fc.constant<NodeId[]>([]), subset) })
  .map((lists): Membership => ({ ...lists, learners: [] }))
const numbers = fc.dictionary(fc.constantFrom(...names), fc.nat(9))

/** Every majority of every configuration, by counting subsets. */
function naiveReached(members: Membership, reached: Record<string, number>): number {
  const configurations = [members.voters, members.votersOutgoing].filter((ids) => ids.length > 0)
  let best = 0
  for (let index = 1; index <= 9; index++) {
    const isReached = configurations.every((ids) => {
      const count = ids.filter((id) => (reached[id] ?? 0) >= index).length
      return count * 2 > ids.length
    })
    if (isReached) best = index
  }
  return best
}

test('the index a quorum has reached is the highest one that a majority of each configuration has', () => {
  fc.assert(
    fc.property(membership, numbers, (members, reached) => {
      expect(quorumReached(members, (id) => reached[id] ?? 0)).toBe(naiveReached(members, reached))
    }),
    { seed: 1, numRuns: 2000 },
  )
})

test('a vote is won or lost as soon as the missing answers cannot change it, and not before', () => {
  const votes = fc.dictionary(fc.constantFrom(...names), fc.boolean())
  fc.assert(
    fc.property(membership, votes, (members, answers) => {
      const known = new Map(Object.entries(answers).map(([id, vote]) => [nodeId(id), vote]))
      const winsIf = (missing: boolean): boolean =>
        hasQuorum(members, (id) => known.get(id) ?? missing)
      let expected = 'pending'
      if (winsIf(false)) expected = 'won'
      else if (!winsIf(true)) expected = 'lost'
      expect(voteOutcome(members, known)).toBe(expected)
    }),
    { seed: 2, numRuns: 2000 },
  )
})

test('two quorums of memberships that are one step apart share a member', () => {
  const pair = fc.tuple(subset, subset, fc.func(fc.boolean()), fc.func(fc.boolean()))
  fc.assert(
    fc.property(pair, ([before, after, inFirst, inSecond]) => {
      const joint: Membership = { voters: after, votersOutgoing: before, learners: [] }
      const old: Membership = { voters: before, votersOutgoing: [], learners: [] }
      const isBoth = hasQuorum(joint, inFirst) && hasQuorum(old, inSecond)
      const shared = before.filter((id) => inFirst(id) && inSecond(id))
      expect(!isBoth || shared.length > 0).toBe(true)
    }),
    { seed: 3, numRuns: 2000 },
  )
})

test('nobody has a quorum of no voters', () => {
  const nobody: Membership = { voters: [], votersOutgoing: [], learners: [] }
  expect(hasQuorum(nobody, () => true)).toBe(false)
})
