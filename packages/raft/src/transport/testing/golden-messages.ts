// One message of every kind that protocol version 1 has, with values that no two fields share, for the byte-exact tests.
import { encodeMembership } from '../../core/membership.ts'
import type { Membership, Message, NodeId } from '../../core/types.ts'

const base = { from: 'a' as NodeId, to: 'b' as NodeId, term: 0x0102 }

export const goldenMembership: Membership = {
  voters: ['a' as NodeId, 'b' as NodeId],
  votersOutgoing: ['a' as NodeId],
  learners: ['c' as NodeId],
}

export const goldenMessages: readonly Message[] = [
  {
    type: 'requestVote',
    ...base,
    lastLogIndex: 2 ** 33 + 3,
    lastLogTerm: 4,
    preVote: false,
    force: true,
  },
  { type: 'requestVoteResult', ...base, granted: true, preVote: true, commit: 5, commitTerm: 6 },
  {
    type: 'appendEntries',
    ...base,
    prevLogIndex: 7,
    prevLogTerm: 8,
    commit: 9,
    entries: [
      { term: 10, index: 8, type: 0, data: Buffer.from('balsa') },
      { term: 11, index: 9, type: 1, data: Buffer.from(encodeMembership(goldenMembership)) },
      { term: 12, index: 10, type: 0, data: Buffer.alloc(0) },
    ],
  },
  { type: 'appendEntriesResult', ...base, index: 13, rejected: true, hintIndex: 14, hintTerm: 15 },
  { type: 'heartbeat', ...base, commit: 16, readSequence: 17 },
  { type: 'heartbeatResult', ...base, readSequence: 18 },
  {
    type: 'installSnapshot',
    ...base,
    snapshot: { index: 19, term: 20, membership: goldenMembership },
  },
  { type: 'timeoutNow', ...base },
  { type: 'propose', ...base, sequence: 21, payloads: [Buffer.from('x'), Buffer.alloc(0)] },
  { type: 'readIndex', ...base, context: 22 },
  { type: 'readIndexResult', ...base, context: 23, index: 24 },
]
