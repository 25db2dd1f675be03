import { expect, test } from 'vitest'
import { stranger } from '../auth/caller.ts'
import {
  encodeLeaseCheckpointRequest,
  encodeLeaseGrantRequest,
  encodeLeaseRevokeRequest,
} from '../proto/index.ts'
import { encodeCommand } from './command.ts'
import type { CommandResult, KvStateMachine } from './state-machine.ts'
import { encodeTermBound, requestOfTerm } from './term-bound.ts'
import { openTestMember } from './testing/test-member.ts'

const grant = encodeCommand('leaseGrant', encodeLeaseGrantRequest({ id: 7n, ttl: 1800 }), stranger)

function applyAt(
  stateMachine: KvStateMachine,
  [index, term]: readonly [number, number],
  command: Uint8Array,
): CommandResult | undefined {
  return stateMachine.apply({ index, term, commands: [command] })[0]
}

test('the end of a lease counts in the term of the leader that decided it, and in no other', async () => {
  const { stateMachine } = await openTestMember()
  const end = (term: number): Uint8Array =>
    encodeCommand(
      'leaseExpire',
      encodeTermBound(term, encodeLeaseRevokeRequest({ id: 7n })),
      stranger,
    )
  applyAt(stateMachine, [1, 1], grant)
  // The leader of term 1 was lost with it, and raft proposes it again.
  expect(applyAt(stateMachine, [2, 2], end(1))).toMatchObject({ code: 'NOT_LEADER' })
  expect(stateMachine.lessor.exists(7n)).toBe(true)
  applyAt(stateMachine, [3, 2], end(2))
  expect(stateMachine.lessor.exists(7n)).toBe(false)
})

test('what an earlier leader said is left of a lease does not undo its renewal at the next', async () => {
  const { stateMachine } = await openTestMember()
  const { lessor } = stateMachine
  const left = (term: number, remainingTtl: number): Uint8Array => {
    const request = encodeLeaseCheckpointRequest({ checkpoints: [{ id: 7n, remainingTtl }] })
    return encodeCommand('leaseRemaining', encodeTermBound(term, request), stranger)
  }
  applyAt(stateMachine, [1, 1], grant)
  applyAt(stateMachine, [2, 1], left(1, 1500))
  expect(lessor.isCheckpointed(7n)).toBe(true)
  // Renewed at the leader of term 2; then comes what the one of term 1 had proposed.
  applyAt(stateMachine, [3, 2], left(2, 0))
  expect(applyAt(stateMachine, [4, 2], left(1, 1200))).toMatchObject({ code: 'NOT_LEADER' })
  expect(lessor.isCheckpointed(7n)).toBe(false)
})

test('bytes that are bound to no term are refused', () => {
  expect(() => requestOfTerm(1, new Uint8Array(7))).toThrow('malformed')
})
