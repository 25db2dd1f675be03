// Figure 2 of the Raft paper, one test per sentence. The thesis: raft-thesis-*.test.ts.
import { describe, expect, test } from 'vitest'
import {
  answerOf,
  appendEntries,
  appendResult,
  candidate,
  heartbeat,
  leader,
  memberWith,
  ofType,
  requestVote,
  termsOf,
  voteResult,
} from './testing/messages.ts'
import { bytes, entry, nodeId, TestCluster } from './testing/test-cluster.ts'

describe('Figure 2, state', () => {
  test('persistent state is updated on stable storage before responding to RPCs', () => {
    const member = memberWith({})
    member.autoPersist = false
    const messages = answerOf(member, requestVote({ term: 1 }))
    expect(messages).toEqual([])
    expect(member.pending[0]?.persist).toMatchObject({
      hardState: { term: 1, vote: 'b' },
      mustSync: true,
    })
    expect(ofType(member.persistAll(), 'requestVoteResult')).toHaveLength(1)
  })

  test('an appended entry is on stable storage before it is acknowledged', () => {
    const member = memberWith({})
    member.autoPersist = false
    expect(answerOf(member, appendEntries({ entries: [entry(1, 1)] }))).toEqual([])
    expect(ofType(member.persistAll(), 'appendEntriesResult')).toMatchObject([{ index: 1 }])
  })

  test('the commit index alone needs no sync', () => {
    const member = memberWith({ terms: [1] })
    answerOf(member, heartbeat({}))
    member.autoPersist = false
    answerOf(member, heartbeat({ commit: 1 }))
    expect(member.pending[0]?.persist).toMatchObject({ mustSync: false, entries: [] })
  })

  test('a member that has lost what it had acknowledged stops and says so', () => {
    const member = memberWith({ terms: [1] })
    expect(() => answerOf(member, heartbeat({ commit: 2 }))).toThrow(
      'this member has lost entries that it had acknowledged',
    )
  })

  test('currentTerm is initialized to 0 on first boot and increases monotonically', () => {
    const member = memberWith({})
    expect(member.core.status().term).toBe(0)
    answerOf(member, heartbeat({ term: 5 }))
    answerOf(member, heartbeat({ term: 3 }))
    expect(member.core.status().term).toBe(5)
  })

  test('nextIndex is initialized to leader last log index + 1 and matchIndex to 0', () => {
    const member = candidate(memberWith({ terms: [1, 1] }))
    member.autoPersist = false
    member.core.step(voteResult({ term: 2 }))
    expect(member.core.status().progress).toMatchObject([
      { id: 'b', nextIndex: 3, matchIndex: 0, state: 'probe' },
      { id: 'c', nextIndex: 3, matchIndex: 0, state: 'probe' },
    ])
  })
})

describe('Figure 2, AppendEntries RPC', () => {
  test('1. reply false if term < currentTerm', () => {
    const member = memberWith({ term: 5 })
    const answers = answerOf(member, appendEntries({ term: 4, entries: [entry(1, 4)] }))
    expect(answers).toMatchObject([{ type: 'appendEntriesResult', rejected: true, term: 5 }])
    expect(member.core.status().lastIndex).toBe(0)
  })

  test('2. reply false if the log has no entry at prevLogIndex whose term matches prevLogTerm', () => {
    const member = memberWith({ terms: [1, 1] })
    const missing = appendEntries({ term: 2, prevLogIndex: 3, prevLogTerm: 1 })
    const differing = appendEntries({ term: 2, prevLogIndex: 2, prevLogTerm: 2 })
    expect(answerOf(member, missing)).toMatchObject([{ rejected: true, index: 3 }])
    expect(answerOf(member, differing)).toMatchObject([{ rejected: true, index: 2 }])
  })

  test('3. if an existing entry conflicts with a new one, delete it and all that follow it', () => {
    const member = memberWith({ terms: [1, 1, 1] })
    const entries = [entry(2, 2)]
    answerOf(member, appendEntries({ term: 2, prevLogIndex: 1, prevLogTerm: 1, entries }))
    expect(termsOf(member.stored.entries)).toEqual([1, 2])
  })

  test('entries that follow one that matches are kept: an old message may not cut the log', () => {
    const member = memberWith({ terms: [1, 1, 1] })
    const entries = [entry(2, 1)]
    answerOf(member, appendEntries({ prevLogIndex: 1, prevLogTerm: 1, entries }))
    expect(termsOf(member.stored.entries)).toEqual([1, 1, 1])
  })

  test('4. append any new entries not already in the log', () => {
    const member = memberWith({ terms: [1] })
    const entries = [entry(1, 1), entry(2, 1), entry(3, 1)]
    expect(answerOf(member, appendEntries({ entries }))).toMatchObject([{ index: 3 }])
    expect(termsOf(member.stored.entries)).toEqual([1, 1, 1])
  })

  test('5. set commitIndex = min(leaderCommit, index of last new entry)', () => {
    const member = memberWith({ terms: [1, 1, 1] })
    const message = { prevLogIndex: 1, prevLogTerm: 1, entries: [entry(2, 1)] }
    answerOf(member, appendEntries({ ...message, commit: 3 }))
    expect(member.core.status().commitIndex).toBe(2)
    answerOf(member, appendEntries({ ...message, commit: 1 }))
    expect(member.core.status().commitIndex).toBe(2)
  })
})

describe('Figure 2, RequestVote RPC', () => {
  test('1. reply false if term < currentTerm', () => {
    const answers = answerOf(memberWith({ term: 5 }), requestVote({ term: 4 }))
    expect(answers).toMatchObject([{ granted: false, term: 5 }])
  })

  test('2. grant the vote if votedFor is null or candidateId, and to nobody else in the term', () => {
    const member = memberWith({})
    const from = nodeId('c')
    expect(answerOf(member, requestVote({}))).toMatchObject([{ to: 'b', granted: true }])
    expect(answerOf(member, requestVote({}))).toMatchObject([{ to: 'b', granted: true }])
    expect(answerOf(member, requestVote({ from }))).toMatchObject([{ to: 'c', granted: false }])
  })

  test('a vote is remembered across a crash', () => {
    const member = memberWith({})
    answerOf(member, requestVote({}))
    member.crash()
    const answers = answerOf(member, requestVote({ from: nodeId('c') }))
    expect(answers).toMatchObject([{ granted: false }])
  })

  test.each([
    ['a later last term', { lastLogIndex: 1, lastLogTerm: 3 }, true],
    ['the same last term and as long a log', { lastLogIndex: 2, lastLogTerm: 2 }, true],
    ['the same last term and a shorter log', { lastLogIndex: 1, lastLogTerm: 2 }, false],
    ['an earlier last term and a longer log', { lastLogIndex: 9, lastLogTerm: 1 }, false],
  ])('5.4.1: a candidate with %s gets the vote: %s', (_, lastLog, granted) => {
    const member = memberWith({ terms: [1, 2] })
    expect(answerOf(member, requestVote({ term: 4, ...lastLog }))).toMatchObject([{ granted }])
  })
})

describe('Figure 2, rules for servers', () => {
  test('all: if commitIndex > lastApplied, apply log[lastApplied]', () => {
    const member = memberWith({})
    answerOf(member, appendEntries({ entries: [entry(1, 1, 'x'), entry(2, 1, 'y')], commit: 1 }))
    expect(member.appliedTexts).toEqual(['x'])
    answerOf(member, heartbeat({ commit: 2 }))
    expect(member.appliedTexts).toEqual(['x', 'y'])
  })

  test('all: if an RPC contains a term > currentTerm, set currentTerm and convert to follower', () => {
    const member = leader(memberWith({}))
    answerOf(member, appendResult({ term: 9, rejected: true }))
    expect(member.core.status()).toMatchObject({ role: 'follower', term: 9, vote: undefined })
  })

  test('followers: an election timeout without a leader or a granted vote starts a campaign', () => {
    const member = memberWith({})
    for (let i = 0; i < 9; i++) member.core.tick()
    answerOf(member, heartbeat({}))
    for (let i = 0; i < 9; i++) member.core.tick()
    expect(member.core.status().role).toBe('follower')
    member.core.tick()
    expect(member.core.status().role).toBe('preCandidate')
  })

  test('candidates: increment the term, vote for self, ask all others for their vote', () => {
    const member = memberWith({ terms: [1], term: 3 })
    for (let i = 0; i < 10; i++) member.core.tick()
    const messages = [
      ...member.drain(),
      ...answerOf(member, voteResult({ term: 4, preVote: true })),
    ]
    const real = ofType(messages, 'requestVote').filter((message) => !message.preVote)
    expect(real).toMatchObject([
      { to: 'b', term: 4, lastLogIndex: 1, lastLogTerm: 1 },
      { to: 'c', term: 4 },
    ])
    expect(member.core.status()).toMatchObject({ role: 'candidate', term: 4, vote: 'a' })
  })

  test('candidates: the vote for oneself counts only when it is durable', () => {
    const member = memberWith({})
    for (let i = 0; i < 10; i++) member.core.tick()
    member.drain()
    member.autoPersist = false
    answerOf(member, voteResult({ term: 1, preVote: true }))
    answerOf(member, voteResult({ term: 1 }))
    expect(member.core.status().role).toBe('candidate')
    member.persistAll()
    expect(member.core.status().role).toBe('leader')
  })

  test('candidates: AppendEntries from a new leader makes a follower', () => {
    const member = candidate(memberWith({}))
    answerOf(member, appendEntries({ term: 1 }))
    expect(member.core.status()).toMatchObject({ role: 'follower', leader: 'b' })
  })

  test('candidates: each election draws a new timeout, so that split votes are rare', () => {
    const draws = [0, 0, 0.5, 0.9, 0.2]
    let drawn = 0
    const cluster = new TestCluster({
      members: ['a', 'b', 'c'],
      change: { random: () => draws[drawn++ % draws.length] ?? 0 },
    })
    drawn = 0
    cluster.partition('a')
    cluster.tick('a', 40)
    expect(drawn).toBeGreaterThan(1)
  })

  test('leaders: upon election send to each server, and open the term with an entry', () => {
    const member = candidate(memberWith({}))
    const messages = answerOf(member, voteResult({}))
    expect(ofType(messages, 'appendEntries')).toMatchObject([
      { to: 'b', entries: [{ index: 1, term: 1 }] },
      { to: 'c', entries: [{ index: 1, term: 1 }] },
    ])
  })

  test('leaders: heartbeats during idle periods prevent elections', () => {
    const cluster = new TestCluster({ members: ['a', 'b', 'c'] })
    cluster.elect('a')
    cluster.tickAll(100)
    expect(cluster.roles()).toBe('a:leader b:follower c:follower')
    expect(cluster.member('a').core.status().term).toBe(1)
  })

  test('leaders: a command is answered after its entry is applied', () => {
    const member = leader(memberWith({}))
    member.core.propose([bytes('x')])
    member.drain()
    expect(member.appliedTexts).toEqual([])
    answerOf(member, appendResult({ index: 2 }))
    expect(member.appliedTexts).toEqual(['x'])
  })

  test('leaders: if AppendEntries fails by inconsistency, decrement nextIndex and retry', () => {
    const member = leader(memberWith({ terms: [1, 1, 1] }))
    const term = member.core.status().term
    const refusal = appendResult({ term, rejected: true, index: 3, hintIndex: 1, hintTerm: 1 })
    expect(ofType(answerOf(member, refusal), 'appendEntries')).toMatchObject([
      { to: 'b', prevLogIndex: 1 },
    ])
  })

  test('leaders: commit N if a majority of matchIndex >= N and log[N].term == currentTerm', () => {
    const member = leader(memberWith({ terms: [1, 1] }))
    answerOf(member, appendResult({ term: 2, index: 2 }))
    expect(member.core.status().commitIndex).toBe(0)
    answerOf(member, appendResult({ term: 2, index: 3 }))
    expect(member.core.status().commitIndex).toBe(3)
  })

  test('leaders never overwrite or delete entries in their log (leader append-only)', () => {
    const member = leader(memberWith({ terms: [1, 1] }))
    const before = termsOf(member.stored.entries)
    answerOf(member, appendResult({ term: 2, rejected: true, index: 2 }))
    expect(termsOf(member.stored.entries)).toEqual(before)
  })
})
