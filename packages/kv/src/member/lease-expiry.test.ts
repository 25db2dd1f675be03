import { expect, test } from 'vitest'
import { stranger } from '../auth/caller.ts'
import { encodeLeaseGrantRequest } from '../proto/index.ts'
import { encodeCommand } from './command.ts'
import { decodeLeaseExpiry, encodeLeaseExpiry } from './lease-expiry.ts'
import { openTestMember } from './testing/test-member.ts'

test('the end of a lease counts in the term of the leader that decided it, and in no other', async () => {
  const { stateMachine } = await openTestMember()
  const grant = encodeCommand('leaseGrant', encodeLeaseGrantRequest({ id: 7n, ttl: 5 }), stranger)
  const expiry = encodeCommand('leaseExpire', encodeLeaseExpiry(7n, 1), stranger)
  stateMachine.apply({ index: 1, term: 1, commands: [grant] })
  // The leader of term 1 was lost with it, and raft proposes it again.
  const [refused] = stateMachine.apply({ index: 2, term: 2, commands: [expiry] })
  expect(refused).toMatchObject({ code: 'NOT_LEADER' })
  expect(stateMachine.lessor.exists(7n)).toBe(true)
  const own = encodeCommand('leaseExpire', encodeLeaseExpiry(7n, 2), stranger)
  stateMachine.apply({ index: 3, term: 2, commands: [own] })
  expect(stateMachine.lessor.exists(7n)).toBe(false)
})

test('bytes that are no end of a lease are refused', () => {
  expect(() => decodeLeaseExpiry(new Uint8Array(7))).toThrow('malformed')
})
