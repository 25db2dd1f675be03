import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  decodeMembership,
  encodeMembership,
  firstStep,
  isMembershipValid,
  leaveJoint,
} from './membership.ts'
import { ids, nodeId, voters } from './testing/test-cluster.ts'
import type { Membership } from './types.ts'

const id = fc.stringMatching(/^[!-~]{1,64}$/).map(nodeId)
const membership = fc
  .record({
    all: fc.uniqueArray(id, { minLength: 1, maxLength: 12 }),
    learnerCount: fc.nat(4),
    isJoint: fc.boolean(),
  })
  .map(({ all, learnerCount, isJoint }): Membership => {
    const cut = Math.max(1, all.length - learnerCount)
    const chosen = all.slice(0, cut)
    return { voters: chosen, votersOutgoing: isJoint ? chosen : [], learners: all.slice(cut) }
  })

test('a membership survives encoding', () => {
  fc.assert(
    fc.property(membership, (value) => {
      expect(decodeMembership(encodeMembership(value))).toEqual(value)
    }),
    { seed: 1 },
  )
})

test('bytes that are no membership are told from those that are', () => {
  fc.assert(
    fc.property(membership, fc.uint8Array({ maxLength: 40 }), fc.nat(), (value, noise, at) => {
      const encoded = encodeMembership(value)
      const damaged = [
        noise,
        encoded.subarray(0, at % encoded.length),
        Uint8Array.of(...encoded, 0),
      ]
      for (const bytes of damaged) {
        const decoded = decodeMembership(bytes)
        expect(decoded === undefined || isMembershipValid(decoded)).toBe(true)
      }
      expect(decodeMembership(encoded.subarray(0, encoded.length - 1))).toBeUndefined()
    }),
    { seed: 2 },
  )
})

test.each([
  ['no voters', { voters: [], votersOutgoing: [], learners: ids('a') }],
  ['a voter twice', { voters: ids('a', 'a'), votersOutgoing: [], learners: [] }],
  ['a member that is voter and learner', { ...voters('a'), learners: ids('a') }],
  ['an id with a space', voters('a b')],
  ['an empty id', voters('')],
  ['an id of 65 bytes', voters('x'.repeat(65))],
])('a membership with %s is not valid', (_, value) => {
  expect(isMembershipValid(value)).toBe(false)
})

test('one voter may come or go in a single step', () => {
  expect(firstStep(voters('a', 'b'), voters('a', 'b', 'c'))).toEqual(voters('a', 'b', 'c'))
  expect(firstStep(voters('a', 'b', 'c'), voters('a', 'b'))).toEqual(voters('a', 'b'))
})

test('more voters come and go through a joint configuration, which leads to the target', () => {
  const target: Membership = { voters: ids('c', 'd'), votersOutgoing: [], learners: ids('x') }
  const joint = firstStep(voters('a', 'b', 'c'), target)
  expect(joint).toEqual({
    voters: ids('c', 'd'),
    votersOutgoing: ids('a', 'b', 'c'),
    learners: ids('x'),
  })
  expect(joint && leaveJoint(joint)).toEqual(target)
})

test('a joint configuration must be left before the next change', () => {
  const joint: Membership = { voters: ids('c'), votersOutgoing: ids('a', 'b'), learners: [] }
  expect(firstStep(joint, voters('d'))).toBeUndefined()
  expect(firstStep(joint, voters('c'))).toEqual(voters('c'))
  expect(firstStep(voters('a'), joint)).toBeUndefined()
})
