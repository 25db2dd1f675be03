// Chapter 3 of the Raft thesis (terms, elections, replication, safety, restarts, transfer), one test per rule, in the order of the text.
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
  timeOut,
  voteResult,
} from './testing/messages.ts'
import { bytes, config, entry, nodeId, TestCluster, TestMember } from './testing/test-cluster.ts'
import type { Message } from './types.ts'

const three = ['a', 'b', 'c']
const c = nodeId('c')

describe('3.3 terms', () => {
  test('terms are exchanged with every message: who is behind takes the larger one over', () => {
    const messages: Message[] = [
      appendEntries({ term: 4 }),
      appendResult({ term: 4 }),
      heartbeat({ term: 4 }),
      requestVote({ term: 4 }),
      voteResult({ term: 4, granted: false }),
      { type: 'heartbeatResult', from: c, to: nodeId('a'), term: 4, readSequence: 0 },
    ]
    for (const message of messages) {
      const member = memberWith({ term: 2 })
      answerOf(member, message)
      expect(member.core.status().term).toBe(4)
    }
  })

  test.each(['candidate', 'leader'])(
    'a %s whose term is out of date becomes a follower at once',
    (role) => {
      const member = role === 'leader' ? leader(memberWith({})) : candidate(memberWith({}))
      expect(member.core.status().role).toBe(role)
      answerOf(member, voteResult({ term: 7, granted: false }))
      expect(member.core.status()).toMatchObject({ role: 'follower', term: 7, leader: undefined })
    },
  )

  test('a request of an older term is refused and changes nothing', () => {
    const member = memberWith({ terms: [1, 3], term: 3 })
    const before = member.core.status()
    const old = { term: 2, commit: 2 }
    const answers = [
      ...answerOf(member, appendEntries({ ...old, entries: [entry(1, 2)] })),
      ...answerOf(member, heartbeat(old)),
      ...answerOf(member, requestVote({ term: 2, lastLogIndex: 9, lastLogTerm: 2 })),
    ]
    expect(answers).toMatchObject([
      { term: 3, rejected: true },
      { term: 3, rejected: true },
      { term: 3, granted: false },
    ])
    expect(member.core.status()).toEqual(before)
  })

  test('an answer of an older term counts nothing', () => {
    const member = candidate(memberWith({ term: 4 }))
    answerOf(member, voteResult({ term: 4 }))
    expect(member.core.status().role).toBe('candidate')
    answerOf(member, voteResult({ term: 5 }))
    answerOf(member, appendResult({ term: 4, index: 1 }))
    expect(member.core.status()).toMatchObject({ role: 'leader', commitIndex: 0 })
  })
})

describe('3.4 leader election', () => {
  test('servers begin as followers', () => {
    expect(memberWith({ terms: [1], vote: 'a' }).core.status()).toMatchObject({
      role: 'follower',
      leader: undefined,
    })
  })

  test.each([
    ['appendEntries', appendEntries({ term: 1 })],
    ['a heartbeat', heartbeat({ term: 1 })],
    ['a request that it grants', requestVote({ term: 1 })],
  ])('a follower that hears %s stays one for another election timeout', (_, message) => {
    const member = memberWith({ term: 1 })
    for (let i = 0; i < 9; i++) member.core.tick()
    answerOf(member, message)
    for (let i = 0; i < 9; i++) member.core.tick()
    expect(member.core.status().role).toBe('follower')
    member.core.tick()
    expect(member.core.status().role).toBe('preCandidate')
  })

  test('a request that it refuses does not keep a follower from its campaign', () => {
    const member = memberWith({ terms: [1, 1] })
    for (let i = 0; i < 9; i++) member.core.tick()
    answerOf(member, requestVote({ term: 1, lastLogIndex: 1, lastLogTerm: 1 }))
    member.core.tick()
    expect(member.core.status().role).toBe('preCandidate')
  })

  test('a candidate wins with the votes of a majority of all members, itself included', () => {
    const cluster = new TestCluster({ members: ['a', 'b', 'c', 'd', 'e'] })
    cluster.partition('a', 'b')
    cluster.tick('a', 30)
    expect(cluster.member('a').core.status().role).toBe('preCandidate')
    cluster.partition('a', 'b', 'c')
    cluster.tick('a', 10)
    expect(cluster.member('a').core.status().role).toBe('leader')
  })

  test('a vote counts once, however often the network repeats it', () => {
    const cluster = new TestCluster({ members: ['a', 'b', 'c', 'd', 'e'] })
    const { core } = cluster.member('a')
    for (let i = 0; i < 10; i++) core.tick()
    for (let i = 0; i < 5; i++) core.step(voteResult({ term: 1, preVote: true }))
    expect(core.status().role).toBe('preCandidate')
  })

  test('a candidate asks for votes only when its vote for itself is on disk', () => {
    const member = memberWith({})
    timeOut(member)
    member.autoPersist = false
    expect(answerOf(member, voteResult({ preVote: true }))).toEqual([])
    expect(ofType(member.persistAll(), 'requestVote')).toMatchObject([{ to: 'b' }, { to: 'c' }])
  })

  test('first come, first served: the second candidate of a term is refused', () => {
    const member = memberWith({})
    answerOf(member, requestVote({ from: c }))
    expect(answerOf(member, requestVote({}))).toMatchObject([{ to: 'b', granted: false }])
  })

  test('a candidate that hears a leader of its own term, or a later one, follows it', () => {
    for (const term of [1, 2]) {
      const member = candidate(memberWith({}))
      answerOf(member, heartbeat({ term }))
      expect(member.core.status()).toMatchObject({ role: 'follower', leader: 'b', term })
    }
  })

  test('a candidate that hears a leader of an older term refuses and stays a candidate', () => {
    const member = candidate(memberWith({ term: 3 }))
    const answers = answerOf(member, appendEntries({ term: 3 }))
    expect(answers).toMatchObject([{ rejected: true, term: 4 }])
    expect(member.core.status().role).toBe('candidate')
  })

  test('a candidate without a majority starts over after another timeout, by a pre-vote for the next term', () => {
    const member = candidate(memberWith({}))
    expect(ofType(timeOut(member), 'requestVote')).toMatchObject([
      { to: 'b', term: 2, preVote: true },
      { to: 'c', term: 2, preVote: true },
    ])
  })

  test.each([
    [0, 10],
    [0.5, 15],
    [0.99, 19],
  ])('election timeouts come from an interval: %d of it is %i ticks', (random, ticks) => {
    const { stored } = memberWith({})
    const member = new TestMember(config('a', { random: () => random }), stored)
    for (let i = 1; i < ticks; i++) member.core.tick()
    expect(member.core.status().role).toBe('follower')
    member.core.tick()
    expect(member.core.status().role).toBe('preCandidate')
  })
})

describe('3.5 log replication', () => {
  test('a command becomes an entry and goes to all others in parallel', () => {
    const member = leader(memberWith({}))
    for (const from of [nodeId('b'), c]) answerOf(member, appendResult({ from, index: 1 }))
    member.core.propose([bytes('x')])
    expect(ofType(member.drain(), 'appendEntries')).toMatchObject([
      { to: 'b', entries: [{ index: 2, term: 1 }] },
      { to: 'c', entries: [{ index: 2, term: 1 }] },
    ])
  })

  test('the leader sends again until every follower has every entry, also after it has answered the client', () => {
    const cluster = new TestCluster({ members: three })
    cluster.elect('a')
    cluster.partition('c')
    cluster.propose('a', 'x')
    cluster.tickAll(8)
    expect(cluster.member('a').appliedTexts).toEqual(['x'])
    cluster.heal()
    cluster.tickAll(2)
    expect(cluster.member('c').appliedTexts).toEqual(['x'])
  })

  test('an entry is committed once a majority has it, and everything before it too', () => {
    const member = leader(memberWith({}))
    member.core.propose([bytes('x'), bytes('y')])
    member.drain()
    answerOf(member, appendResult({ index: 3 }))
    expect(member.core.status().commitIndex).toBe(3)
    expect(member.appliedTexts).toEqual(['x', 'y'])
  })

  test('the commit index goes out with later messages, heartbeats too, there cut to what the follower holds', () => {
    const member = leader(memberWith({}))
    expect(ofType(answerOf(member, appendResult({ index: 1 })), 'appendEntries')).toMatchObject([
      { to: 'b', commit: 1 },
    ])
    member.core.tick()
    expect(ofType(member.drain(), 'heartbeat')).toMatchObject([
      { to: 'b', commit: 1 },
      { to: 'c', commit: 0 },
    ])
  })

  test('a follower applies what is committed in log order', () => {
    const member = memberWith({})
    const entries = ['x', 'y', 'z'].map((text, i) => entry(i + 1, 1, text))
    answerOf(member, appendEntries({ entries, commit: 3 }))
    expect(member.appliedTexts).toEqual(['x', 'y', 'z'])
  })

  test('the probe of a new leader sits just after its last entry and goes back by whole terms', () => {
    const member = leader(memberWith({ terms: [1, 1, 2, 2, 4] }))
    const refusal = { term: 5, rejected: true, index: 5, hintIndex: 5, hintTerm: 3 }
    const [probe] = ofType(answerOf(member, appendResult(refusal)), 'appendEntries')
    expect(probe).toMatchObject({ to: 'b', prevLogIndex: 4, prevLogTerm: 2 })
  })

  test('the follower names its last position of a term no later than the leader’s, and at most the one refused', () => {
    const member = memberWith({ terms: [1, 1, 2, 2, 4] })
    const probe = appendEntries({ term: 6, prevLogIndex: 9, prevLogTerm: 3 })
    expect(answerOf(member, probe)).toMatchObject([{ hintIndex: 4, hintTerm: 2 }])
    const lower = appendEntries({ term: 6, prevLogIndex: 3, prevLogTerm: 1 })
    expect(answerOf(member, lower)).toMatchObject([{ hintIndex: 2, hintTerm: 1 }])
  })

  test('a refusal at the very beginning ends the search: the first entry always matches', () => {
    const member = leader(memberWith({ terms: [1] }))
    const refusal = { term: 2, rejected: true, index: 1, hintIndex: 0, hintTerm: 0 }
    const [probe] = ofType(answerOf(member, appendResult(refusal)), 'appendEntries')
    expect(probe).toMatchObject({ prevLogIndex: 0, prevLogTerm: 0 })
    expect(termsOf(probe?.entries ?? [])).toEqual([1, 2])
  })

  test('a refusal that comes late does not take back what the follower has acknowledged', () => {
    const member = leader(memberWith({ terms: [1, 1] }))
    answerOf(member, appendResult({ term: 2, index: 3 }))
    answerOf(member, appendResult({ term: 2, rejected: true, index: 2, hintIndex: 0 }))
    expect(member.core.status().progress[0]).toMatchObject({
      state: 'replicate',
      matchIndex: 3,
      nextIndex: 4,
    })
  })
})

describe('3.6 safety', () => {
  test('3.6.1: a voter denies its vote if its own log is more up to date', () => {
    const cluster = new TestCluster({ members: three })
    cluster.elect('a')
    cluster.partition('c')
    cluster.propose('a', 'x')
    cluster.heal()
    cluster.partition('a')
    cluster.tick('b', 9)
    cluster.tick('c', 40)
    expect(cluster.member('c').core.status().role).not.toBe('leader')
    cluster.tick('b', 40)
    expect(cluster.member('b').core.status().role).toBe('leader')
  })

  test('3.6.2: an entry of an older term is committed only through one of the own term', () => {
    const member = leader(memberWith({ terms: [1, 1, 2] }))
    answerOf(member, appendResult({ term: 3, index: 3 }))
    answerOf(member, appendResult({ term: 3, index: 3, from: c }))
    expect(member.core.status().commitIndex).toBe(0)
    answerOf(member, appendResult({ term: 3, index: 4 }))
    expect(member.core.status().commitIndex).toBe(4)
  })
})

describe('3.7 crashes of followers and candidates', () => {
  test('requests may come twice: entries that are there are left alone and acknowledged again', () => {
    const member = memberWith({})
    const message = appendEntries({ entries: [entry(1, 1, 'x'), entry(2, 1, 'y')], commit: 2 })
    const first = answerOf(member, message)
    expect(answerOf(member, message)).toEqual(first)
    expect(member.appliedTexts).toEqual(['x', 'y'])
    expect(member.pending).toEqual([])
  })
})

describe('3.8 persisted state and restarts', () => {
  test('term and vote last through a restart, so that no term has two votes of one member', () => {
    const member = memberWith({})
    answerOf(member, requestVote({ term: 3, from: c }))
    member.crash()
    expect(member.core.status()).toMatchObject({ term: 3, vote: 'c' })
    expect(answerOf(member, requestVote({ term: 3 }))).toMatchObject([{ granted: false }])
  })

  test('entries last before they count towards commitment: those lost in a crash were never acknowledged', () => {
    const member = memberWith({})
    member.autoPersist = false
    answerOf(member, appendEntries({ entries: [entry(1, 1)] }))
    member.crash()
    expect(member.core.status().lastIndex).toBe(0)
    expect(member.drain()).toEqual([])
  })

  test('the commit index may start anew from an older value: it comes again with the next messages', () => {
    const member = memberWith({ terms: [1, 1] })
    expect(member.core.status().commitIndex).toBe(0)
    answerOf(member, heartbeat({ commit: 2 }))
    expect(member.core.status()).toMatchObject({ commitIndex: 2, appliedIndex: 2 })
  })

  test('a state machine that lasts is not handed again what it has applied', () => {
    const member = memberWith({ terms: [1, 1, 1], commit: 1, applied: 2 })
    expect(member.core.status()).toMatchObject({ commitIndex: 2, appliedIndex: 2 })
    answerOf(member, heartbeat({ commit: 3 }))
    expect(member.applied.map((each) => each.index)).toEqual([3])
  })
})

describe('3.10 leadership transfer', () => {
  test('1. the leader stops taking requests, forwarded ones too', () => {
    const member = leader(memberWith({}))
    member.core.transferLeadership(nodeId('b'))
    const refused = { accepted: false, reason: 'transferring' }
    expect(member.core.propose([bytes('x')])).toEqual(refused)
    const payloads = [bytes('y')]
    answerOf(member, { type: 'propose', from: c, to: nodeId('a'), term: 1, sequence: 1, payloads })
    expect(member.core.status().lastIndex).toBe(1)
  })

  test('2. it brings the log of the target up to date first', () => {
    const member = leader(memberWith({}))
    member.core.transferLeadership(nodeId('b'))
    expect(ofType(member.drain(), 'timeoutNow')).toEqual([])
  })

  test('3. then it tells the target to campaign, once', () => {
    const member = leader(memberWith({}))
    member.core.transferLeadership(nodeId('b'))
    const acknowledged = [appendResult({ index: 1 }), appendResult({ index: 1 })]
    const messages = acknowledged.flatMap((message) => answerOf(member, message))
    expect(ofType(messages, 'timeoutNow')).toMatchObject([{ to: 'b' }])
  })

  test('the target campaigns at once, and its request bypasses the lease of the leader', () => {
    const member = memberWith({})
    answerOf(member, heartbeat({}))
    const timeoutNow: Message = { type: 'timeoutNow', from: nodeId('b'), to: nodeId('a'), term: 1 }
    expect(ofType(answerOf(member, timeoutNow), 'requestVote')).toMatchObject([
      { to: 'b', term: 2, force: true, preVote: false },
      { to: 'c', term: 2, force: true, preVote: false },
    ])
  })

  test('nobody but the leader can make a member campaign', () => {
    const member = memberWith({})
    answerOf(member, heartbeat({}))
    const timeoutNow: Message = { type: 'timeoutNow', from: c, to: nodeId('a'), term: 1 }
    expect(answerOf(member, timeoutNow)).toEqual([])
    expect(member.core.status().role).toBe('follower')
  })

  test('the old leader steps down when it hears of the new term', () => {
    const member = leader(memberWith({}))
    answerOf(member, requestVote({ term: 2, force: true, lastLogIndex: 1, lastLogTerm: 1 }))
    expect(member.core.status()).toMatchObject({ role: 'follower', term: 2, vote: 'b' })
  })

  test('a transfer that has not come about after an election timeout is given up', () => {
    const cluster = new TestCluster({ members: three })
    cluster.elect('a')
    cluster.drop = (message) => message.type === 'timeoutNow'
    cluster.member('a').core.transferLeadership(nodeId('b'))
    cluster.tickAll(9)
    expect(cluster.member('a').core.propose([])).toMatchObject({ accepted: false })
    cluster.tickAll(1)
    expect(cluster.member('a').core.propose([])).toMatchObject({ accepted: true })
  })
})
