// Sections 6.2, 6.4, 9.6 and 10.2 of the Raft thesis (finding the leader, reads, pre-vote, parallel writes), one test per rule. Sessions (6.3) are
// not the core's: it guarantees that a forwarded proposal is appended at most once a term.
import { describe, expect, test } from 'vitest'
import {
  answerOf,
  appendEntries,
  appendResult,
  heartbeat,
  heartbeatResult,
  leader,
  memberWith,
  ofType,
  requestVote,
  timeOut,
  voteResult,
} from './testing/messages.ts'
import { bytes, config, entry, nodeId, TestCluster, TestMember } from './testing/test-cluster.ts'

const three = ['a', 'b', 'c']
const c = nodeId('c')

describe('6.2 routing requests to the leader', () => {
  test('a follower passes a proposal on to the leader it knows', () => {
    const member = memberWith({})
    answerOf(member, heartbeat({}))
    expect(member.core.propose([bytes('x')])).toEqual({ accepted: true, term: 1 })
    expect(member.drain()).toMatchObject([{ type: 'propose', to: 'b', term: 1 }])
  })

  test('without a leader a proposal is refused', () => {
    const refused = { accepted: false, reason: 'noLeader' }
    expect(memberWith({}).core.propose([bytes('x')])).toEqual(refused)
  })

  test('a leader steps down when an election timeout passes without a round to a majority', () => {
    const member = leader(memberWith({}))
    for (let i = 0; i < 9; i++) member.core.tick()
    expect(member.core.status().role).toBe('leader')
    member.core.tick()
    expect(member.core.status()).toMatchObject({ role: 'follower', leader: undefined })
  })

  test('an answer of one of two others a timeout keeps it in office', () => {
    const member = leader(memberWith({}))
    for (let i = 0; i < 100; i++) {
      member.core.tick()
      if (i % 9 === 0) answerOf(member, heartbeatResult({}))
    }
    expect(member.core.status().role).toBe('leader')
  })

  test('who campaigns, or hears of a new term, forgets its leader', () => {
    const member = memberWith({})
    answerOf(member, heartbeat({}))
    timeOut(member)
    expect(member.core.status().leader).toBeUndefined()
    answerOf(member, heartbeat({}))
    answerOf(member, appendResult({ term: 2 }))
    expect(member.core.status().leader).toBeUndefined()
  })
})

describe('6.4 read-only requests', () => {
  test('1. a leader commits an entry of its own term before it serves a read', () => {
    const member = leader(memberWith({ terms: [1], commit: 1 }))
    member.core.readIndex(7)
    answerOf(member, heartbeatResult({ term: 2 }))
    expect(member.reads).toEqual([])
    answerOf(member, appendResult({ term: 2, index: 2 }))
    answerOf(member, heartbeatResult({ term: 2 }))
    expect(member.reads).toEqual([])
    answerOf(member, heartbeatResult({ term: 2, readSequence: 1 }))
    expect(member.reads).toEqual([{ context: 7, index: 2 }])
  })

  test('1. for that every term opens with an entry that says nothing', () => {
    const member = leader(memberWith({}))
    expect(member.stored.entries).toMatchObject([{ index: 1, term: 1, data: new Uint8Array(0) }])
  })

  test('2. the read index is the commit index at the time of the request', () => {
    const member = leader(memberWith({}))
    answerOf(member, appendResult({ index: 1 }))
    member.core.readIndex(1)
    member.core.propose([bytes('x')])
    member.drain()
    answerOf(member, appendResult({ index: 2 }))
    expect(member.core.status().commitIndex).toBe(2)
    answerOf(member, heartbeatResult({ readSequence: 1 }))
    expect(member.reads).toEqual([{ context: 1, index: 1 }])
  })

  test('3. a round of heartbeats to a majority confirms it, one that left after the request', () => {
    const member = leader(memberWith({}))
    answerOf(member, appendResult({ index: 1 }))
    member.core.readIndex(1)
    const rounds = ofType(member.drain(), 'heartbeat').map((message) => message.readSequence)
    expect(rounds).toEqual([1, 1])
    answerOf(member, heartbeatResult({}))
    expect(member.reads).toEqual([])
    answerOf(member, heartbeatResult({ readSequence: 1 }))
    expect(member.reads).toEqual([{ context: 1, index: 1 }])
  })

  test('3. one round serves all reads that were asked before it left', () => {
    const member = leader(memberWith({}))
    answerOf(member, appendResult({ index: 1 }))
    for (const context of [1, 2, 3]) member.core.readIndex(context)
    expect(ofType(member.drain(), 'heartbeat')).toHaveLength(2)
    answerOf(member, heartbeatResult({ readSequence: 1 }))
    expect(member.reads).toHaveLength(3)
  })

  test('3. a leader that finds out that it is none answers no read', () => {
    const member = leader(memberWith({}))
    answerOf(member, appendResult({ index: 1 }))
    member.core.readIndex(1)
    member.drain()
    answerOf(member, heartbeatResult({ term: 2, readSequence: 1 }))
    expect(member.reads).toEqual([{ context: 1, index: undefined }])
  })

  test('4. the answer names the index that the state machine must have reached, applied or not', () => {
    const member = leader(memberWith({}))
    answerOf(member, appendResult({ index: 1 }))
    member.autoApply = false
    member.core.propose([bytes('x')])
    member.drain()
    answerOf(member, appendResult({ index: 2 }))
    member.core.readIndex(1)
    member.drain()
    answerOf(member, heartbeatResult({ readSequence: 1 }))
    expect(member.reads).toEqual([{ context: 1, index: 2 }])
    expect(member.core.status().appliedIndex).toBe(1)
  })

  test('5. a follower asks the leader for a read index and serves the read itself', () => {
    const cluster = new TestCluster({ members: three })
    cluster.elect('a')
    cluster.propose('a', 'x')
    cluster.member('b').core.readIndex(4)
    cluster.settle()
    expect(cluster.member('b').reads).toEqual([{ context: 4, index: 2 }])
    expect(cluster.member('a').reads).toEqual([])
  })
})

describe('9.6 preventing disruptions when a server rejoins', () => {
  test('a server enters a new term only when a majority says that it would win', () => {
    const cluster = new TestCluster({ members: three })
    cluster.elect('a')
    cluster.partition('c')
    cluster.tick('c', 100)
    expect(cluster.member('c').core.status()).toMatchObject({ role: 'preCandidate', term: 1 })
    cluster.heal()
    cluster.tickAll(30)
    expect(cluster.roles()).toBe('a:leader b:follower c:follower')
    expect(cluster.member('a').core.status().term).toBe(1)
  })

  test('a pre-vote asks with the next term and changes neither term nor vote of anybody', () => {
    const member = memberWith({ term: 3, vote: 'c' })
    const answers = answerOf(member, requestVote({ term: 4, preVote: true }))
    expect(answers).toMatchObject([{ granted: true, preVote: true, term: 4 }])
    expect(member.core.status()).toMatchObject({ term: 3, vote: 'c' })
    expect(member.stored.hardState).toMatchObject({ term: 3, vote: 'c' })
  })

  test('it is granted only for a log that is up to date', () => {
    const member = memberWith({ terms: [1, 2] })
    const shorter = requestVote({ term: 3, preVote: true, lastLogIndex: 1, lastLogTerm: 2 })
    expect(answerOf(member, shorter)).toMatchObject([{ granted: false, term: 2 }])
  })

  test('it is granted to any number of candidates', () => {
    const member = memberWith({})
    for (const from of [nodeId('b'), c]) {
      const answers = answerOf(member, requestVote({ from, term: 1, preVote: true }))
      expect(answers).toMatchObject([{ to: from, granted: true }])
    }
  })

  test('it is granted only by who has not heard a leader for an election timeout', () => {
    const { stored } = memberWith({})
    const member = new TestMember(config('a', { random: () => 0.9 }), stored)
    answerOf(member, heartbeat({}))
    for (let i = 0; i < 9; i++) member.core.tick()
    const request = requestVote({ from: c, term: 2, preVote: true })
    expect(answerOf(member, request)).toEqual([])
    member.core.tick()
    expect(answerOf(member, request)).toMatchObject([{ granted: true }])
  })

  test('a refusal of a newer term ends the campaign, in that term', () => {
    const member = memberWith({})
    timeOut(member)
    answerOf(member, voteResult({ term: 6, granted: false, preVote: true }))
    expect(member.core.status()).toMatchObject({ role: 'follower', term: 6 })
  })

  test('an answer to a pre-vote of an earlier campaign does not count for this one', () => {
    const member = memberWith({ term: 4 })
    timeOut(member)
    answerOf(member, voteResult({ term: 6, preVote: true }))
    expect(member.core.status()).toMatchObject({ role: 'preCandidate', term: 4 })
  })

  test('votes for a pre-vote do not count for the vote, nor the other way round', () => {
    const member = memberWith({})
    timeOut(member)
    answerOf(member, voteResult({ term: 0, preVote: false }))
    expect(member.core.status().role).toBe('preCandidate')
    answerOf(member, voteResult({ term: 1, preVote: true }))
    answerOf(member, voteResult({ term: 1, preVote: true, from: c }))
    expect(member.core.status().role).toBe('candidate')
  })
})

describe('10.2 parallel writes and pipelining', () => {
  test('10.2.1: the leader sends entries in parallel with writing them to its own disk', () => {
    const member = leader(memberWith({}))
    answerOf(member, appendResult({ index: 1 }))
    member.autoPersist = false
    member.core.propose([bytes('x')])
    expect(ofType(member.drain(), 'appendEntries')).toMatchObject([
      { to: 'b', entries: [{ index: 2 }] },
    ])
    expect(member.core.status().persistedIndex).toBe(1)
  })

  test('10.2.1: the leader counts itself only for what its own disk has', () => {
    const member = leader(memberWith({}))
    answerOf(member, appendResult({ index: 1 }))
    member.autoPersist = false
    member.core.propose([bytes('x')])
    member.drain()
    answerOf(member, appendResult({ index: 2 }))
    expect(member.core.status().commitIndex).toBe(1)
    member.persistAll()
    expect(member.core.status().commitIndex).toBe(2)
  })

  test('10.2.1: a majority of followers commits an entry even before the leader has written it', () => {
    const member = leader(memberWith({}))
    for (const from of [nodeId('b'), c]) answerOf(member, appendResult({ from, index: 1 }))
    member.autoPersist = false
    member.core.propose([bytes('x')])
    member.drain()
    for (const from of [nodeId('b'), c]) answerOf(member, appendResult({ from, index: 2 }))
    expect(member.core.status().commitIndex).toBe(2)
    expect(member.appliedTexts).toEqual([])
    member.persistAll()
    member.drain()
    expect(member.appliedTexts).toEqual(['x'])
  })

  test('10.2.1: a follower acknowledges only what its disk has', () => {
    const member = memberWith({})
    member.autoPersist = false
    expect(answerOf(member, appendEntries({ entries: [entry(1, 1)] }))).toEqual([])
    expect(ofType(member.persistAll(), 'appendEntriesResult')).toMatchObject([{ index: 1 }])
  })

  test('10.2.2: the next message leaves before the last one is answered', () => {
    const member = leader(memberWith({}))
    answerOf(member, appendResult({ index: 1 }))
    const indexes = ['x', 'y', 'z'].flatMap((text) => {
      member.core.propose([bytes(text)])
      const toB = ofType(member.drain(), 'appendEntries').filter((message) => message.to === 'b')
      return toB.map((message) => message.prevLogIndex)
    })
    expect(indexes).toEqual([1, 2, 3])
  })

  test('10.2.2: when one of them is refused the leader goes back to what is known to match', () => {
    const member = leader(memberWith({}))
    answerOf(member, appendResult({ index: 1 }))
    for (const text of ['x', 'y']) {
      member.core.propose([bytes(text)])
      member.drain()
    }
    const refusal = appendResult({ rejected: true, index: 2, hintIndex: 1, hintTerm: 1 })
    expect(ofType(answerOf(member, refusal), 'appendEntries')).toMatchObject([
      { to: 'b', prevLogIndex: 1, entries: [{ index: 2 }, { index: 3 }] },
    ])
  })
})
