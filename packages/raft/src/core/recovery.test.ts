// Goal: a member that has lost acknowledged entries does no harm, and becomes a full one again exactly when a leader has given back
// everything. Method: single members fed by hand, and small clusters with one log shortened.
import { expect, test } from 'vitest'
import {
  answerOf,
  appendEntries,
  heartbeat,
  memberWith,
  ofType,
  requestVote,
} from './testing/messages.ts'
import { entry, nodeId, TestCluster, voters, type TestMember } from './testing/test-cluster.ts'
import type { RecoverRequest, RecoverResult } from './types.ts'

const lost = { terms: [1, 1], term: 2, isRecovering: true } as const

function firstRequest(member: TestMember): RecoverRequest {
  const [request] = ofType(answerOf(member, heartbeat({ term: 2 })), 'recoverRequest')
  if (request === undefined) throw new Error('The member does not ask')
  return request
}

function resultFor(request: RecoverRequest, lastIndex: number): RecoverResult {
  const { from: to, to: from, term, nonce } = request
  return { type: 'recoverResult', from, to, term, nonce, lastIndex }
}

const missing = { term: 2, prevLogIndex: 2, prevLogTerm: 1 } as const

test('a recovering member grants neither votes nor pre-votes, and does not campaign', () => {
  const member = memberWith(lost)
  for (const preVote of [true, false]) {
    const request = requestVote({ term: 9, lastLogIndex: 50, lastLogTerm: 8, preVote })
    expect(answerOf(member, request)).toMatchObject([{ granted: false }])
  }
  for (let i = 0; i < 100; i++) member.core.tick()
  answerOf(member, heartbeat({ term: 9 }))
  const messages = answerOf(member, {
    type: 'timeoutNow',
    from: nodeId('b'),
    to: member.id,
    term: 9,
  })
  expect(messages).toEqual([])
  expect(member.core.status()).toMatchObject({ role: 'follower', vote: undefined })
})

test('a recovering member asks the leader, and is whole when its log is durably the same', () => {
  const member = memberWith(lost)
  const request = firstRequest(member)
  answerOf(member, resultFor(request, 4))
  answerOf(member, appendEntries({ ...missing, entries: [entry(3, 1)] }))
  expect(member.stored.hardState.isRecovering).toBe(true)
  member.autoPersist = false
  answerOf(
    member,
    appendEntries({ ...missing, prevLogIndex: 3, entries: [entry(4, 2), entry(5, 2)] }),
  )
  expect(member.core.status().isRecovering).toBe(true)
  member.persistAll()
  expect(member.core.status().isRecovering).toBe(false)
  member.drain()
  member.persistAll()
  expect(member.stored.hardState).toMatchObject({ term: 2 })
  expect(member.stored.hardState.isRecovering).toBeUndefined()
  const vote = requestVote({ term: 3, lastLogIndex: 5, lastLogTerm: 2, force: true })
  member.core.step(vote)
  member.drain()
  expect(member.persistAll()).toMatchObject([{ type: 'requestVoteResult', granted: true }])
})

test('entries of its own that the leader has not compared do not make a recovering member whole', () => {
  const member = memberWith({ ...lost, terms: [1, 1, 1, 1] })
  answerOf(member, resultFor(firstRequest(member), 4))
  expect(member.core.status().isRecovering).toBe(true)
  answerOf(member, appendEntries({ ...missing, entries: [entry(3, 1)] }))
  expect(member.core.status().isRecovering).toBe(true)
  answerOf(member, appendEntries({ ...missing, prevLogIndex: 3, entries: [entry(4, 2)] }))
  expect(member.core.status().isRecovering).toBe(false)
})

test('an answer to an older question says nothing', () => {
  const member = memberWith({ ...lost, terms: [1, 1] })
  const request = firstRequest(member)
  answerOf(member, resultFor({ ...request, nonce: request.nonce - 1 }, 2))
  answerOf(member, appendEntries({ ...missing, commit: 2 }))
  expect(member.core.status().isRecovering).toBe(true)
  answerOf(member, resultFor(request, 2))
  expect(member.core.status().isRecovering).toBe(false)
})

test('a new leader is asked anew, and what the old one said and sent does not count', () => {
  const member = memberWith({ ...lost, terms: [1, 1] })
  const request = firstRequest(member)
  answerOf(member, appendEntries({ ...missing }))
  const [next] = ofType(answerOf(member, heartbeat({ term: 3 })), 'recoverRequest')
  expect(next?.nonce).toBeGreaterThan(request.nonce)
  answerOf(member, resultFor(request, 2))
  expect(member.core.status().isRecovering).toBe(true)
  if (next !== undefined) answerOf(member, resultFor(next, 2))
  expect(member.core.status().isRecovering).toBe(true)
  answerOf(member, appendEntries({ ...missing, term: 3 }))
  expect(member.core.status().isRecovering).toBe(false)
})

test('a heartbeat commits no entry of a recovering member that the leader has not compared', () => {
  const member = memberWith({ ...lost, terms: [1, 1, 1] })
  answerOf(member, heartbeat({ term: 2, commit: 7 }))
  expect(member.core.status().commitIndex).toBe(0)
  answerOf(member, appendEntries({ ...missing }))
  answerOf(member, heartbeat({ term: 2, commit: 7 }))
  expect(member.core.status().commitIndex).toBe(2)
})

test('what is said to be committed is not believed of a log that is older', () => {
  const member = memberWith({ ...lost, commit: 2, applied: 1 })
  expect(member.core.status().commitIndex).toBe(1)
})

function shortened(): TestCluster {
  const cluster = new TestCluster({ members: ['a', 'b', 'c'] })
  cluster.elect('a')
  for (let i = 1; i <= 5; i++) cluster.propose('a', `x${i}`)
  cluster.tickAll()
  return cluster
}

function loseTail(cluster: TestCluster, name: string): void {
  cluster.member(name).loseWrites(6)
  cluster.member(name).crash()
}

test('a follower that lost the end of its log gets it back and votes again', () => {
  const cluster = shortened()
  loseTail(cluster, 'b')
  expect(cluster.member('b').core.status().lastIndex).toBeLessThan(6)
  cluster.tickAll(2)
  expect(cluster.member('b').core.status()).toMatchObject({ isRecovering: false, lastIndex: 6 })
  cluster.partition('a')
  cluster.tick('b', 10)
  cluster.elect('c')
  expect(cluster.roles()).toBe('a:leader b:follower c:leader')
})

test('a leader that lost the end of its log follows the next one until it is whole', () => {
  const cluster = shortened()
  loseTail(cluster, 'a')
  expect(cluster.member('a').core.status()).toMatchObject({ role: 'follower', isRecovering: true })
  cluster.tick('b', 10)
  cluster.elect('c')
  cluster.tickAll(2)
  expect(cluster.member('a').core.status()).toMatchObject({ isRecovering: false, lastIndex: 7 })
})

test('a member that lost its log and its snapshot is given a snapshot, and is whole with it', () => {
  const cluster = shortened()
  cluster.member('a').compact(5)
  const b = cluster.member('b')
  b.stored = {
    ...b.stored,
    snapshot: { index: 0, term: 0, membership: voters('a', 'b', 'c') },
    entries: [],
    hardState: { ...b.stored.hardState, isRecovering: true },
  }
  b.crash()
  cluster.tickAll(2)
  expect(b.core.status()).toMatchObject({ isRecovering: false, firstIndex: 6, lastIndex: 6 })
})

test('an acknowledgement from before the loss arrives after the question: the leader is asked once more', () => {
  const cluster = shortened()
  const old = cluster.transcript.findLast(
    (message) => message.type === 'appendEntriesResult' && message.from === 'b',
  )
  loseTail(cluster, 'b')
  cluster.drop = (message) => message.type === 'appendEntries' && message.to === 'b'
  cluster.tickAll(2)
  if (old !== undefined) cluster.member('a').core.step(old)
  expect(cluster.member('a').core.status().progress).toMatchObject([
    { id: 'b', matchIndex: 6 },
    { id: 'c' },
  ])
  cluster.heal()
  cluster.tickAll(2)
  expect(cluster.member('b').core.status().isRecovering).toBe(true)
  cluster.tickAll(10)
  expect(cluster.member('b').core.status()).toMatchObject({ isRecovering: false, lastIndex: 6 })
})

test('while two of three recover nobody can be elected, but who leads makes them whole', () => {
  const cluster = shortened()
  loseTail(cluster, 'b')
  loseTail(cluster, 'c')
  cluster.partition('a')
  cluster.tickAll(60)
  expect(cluster.roles()).not.toContain('leader')

  const other = shortened()
  loseTail(other, 'b')
  loseTail(other, 'c')
  other.propose('a', 'y')
  other.tickAll(2)
  expect(other.commits()).toEqual([7, 7, 7])
  expect(other.member('b').core.status().isRecovering).toBe(false)
})
