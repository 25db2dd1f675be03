import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  decodeMembership,
  encodeMembership,
  firstStep,
  isMembershipValid,
  isVoter,
  isSameMembership,
  leaveJoint,
} from './membership.ts'
import { ids, nodeId, voters } from './testing/test-cluster.ts'
import type { Membership } from './types.ts'

const id = fc.stringMatching(/^[!-~]{1,64}$/).map(nodeId)
const membership = fc
  .record({
    all: fc.uniqueArray(id, { minLength: 1, maxLength: 12 }),
    learnerCount: fc.nat(4),
    witnessCount: fc.nat(3),
    promotingCount: fc.nat(3),
    isJoint: fc.boolean(),
  })
  .map(({ all, learnerCount, witnessCount, promotingCount, isJoint }): Membership => {
    const cut = Math.max(1, all.length - learnerCount)
    const chosen = all.slice(0, cut)
    const witnesses = chosen.slice(1, 1 + witnessCount)
    const promoting = all.slice(cut, cut + promotingCount)
    return {
      voters: chosen,
      votersOutgoing: isJoint ? chosen : [],
      learners: all.slice(cut),
      ...(witnesses.length > 0 ? { witnesses } : {}),
      ...(promoting.length > 0 ? { promoting } : {}),
    }
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
  ['a witness that is no voter', { ...voters('a'), witnesses: ids('b') }],
  ['nobody who could lead', { ...voters('a', 'b'), witnesses: ids('a', 'b') }],
  ['a member to promote that is no learner', { ...voters('a'), promoting: ids('a') }],
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

test('a voter that becomes a learner among other changes keeps its vote while joint and is a learner afterwards', () => {
  const target: Membership = { voters: ids('a', 'd'), votersOutgoing: [], learners: ids('b') }
  const joint = firstStep(voters('a', 'b', 'c'), target)
  expect(joint).toEqual({ ...target, votersOutgoing: ids('a', 'b', 'c') })
  expect(joint && isVoter(joint, nodeId('b'))).toBe(true)
  expect(joint && decodeMembership(encodeMembership(joint))).toEqual(joint)
  expect(joint && leaveJoint(joint)).toEqual(target)
})

test('a joint configuration must be left before the next change', () => {
  const joint: Membership = { voters: ids('c'), votersOutgoing: ids('a', 'b'), learners: [] }
  expect(firstStep(joint, voters('d'))).toBeUndefined()
  expect(firstStep(joint, voters('c'))).toEqual(voters('c'))
  expect(firstStep(voters('a'), joint)).toBeUndefined()
})

test('a membership without witnesses and learners to promote is encoded as it always was', () => {
  const bytes = encodeMembership({ ...voters('a'), witnesses: [], promoting: [] })
  expect(bytes).toEqual(Uint8Array.of(1, 1, 1, 0x61, 0, 0))
  expect(encodeMembership({ ...voters('a', 'b'), witnesses: ids('b') })[0]).toBe(2)
})

test('lists that may be missing are the same missing and empty', () => {
  expect(isSameMembership(voters('a'), { ...voters('a'), witnesses: [], promoting: [] })).toBe(true)
  const withWitness = { ...voters('a', 'b'), witnesses: ids('b') }
  expect(isSameMembership(voters('a', 'b'), withWitness)).toBe(false)
})

test('a witness comes and goes like any voter, but no member becomes or ceases to be one in place', () => {
  const withWitness = { ...voters('a', 'b', 'w'), witnesses: ids('w') }
  expect(firstStep(voters('a', 'b'), withWitness)).toEqual(withWitness)
  expect(firstStep(withWitness, voters('a', 'b'))).toEqual(voters('a', 'b'))
  expect(firstStep(withWitness, voters('a', 'b', 'w'))).toBeUndefined()
  expect(firstStep(voters('a', 'b', 'w'), withWitness)).toBeUndefined()
  expect(firstStep(withWitness, { ...voters('a', 'b'), learners: ids('w') })).toBeUndefined()
})

test('a joint configuration knows the witnesses of both its halves', () => {
  const current = { ...voters('a', 'b', 'w'), witnesses: ids('w') }
  const target = { ...voters('a', 'c', 'x'), witnesses: ids('x') }
  const joint = firstStep(current, target)
  expect(joint).toEqual({
    voters: ids('a', 'c', 'x'),
    votersOutgoing: ids('a', 'b', 'w'),
    learners: [],
    witnesses: ids('x', 'w'),
  })
  expect(joint && leaveJoint(joint)).toEqual(target)
})
