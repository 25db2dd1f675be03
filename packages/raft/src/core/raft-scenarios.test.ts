// Situations that the literature and other implementations have stumbled over, played through to the end.
import { describe, expect, test } from 'vitest'
import {
  answerOf,
  appendEntries,
  appendResult,
  heartbeat,
  memberWith,
  ofType,
  requestVote,
  voteResult,
} from './testing/messages.ts'
import {
  bytes,
  config,
  entry,
  fresh,
  ids,
  nodeId,
  TestCluster,
  TestMember,
  voters,
} from './testing/test-cluster.ts'

const three = ['a', 'b', 'c']
const five = ['a', 'b', 'c', 'd', 'e']

function electedThree(): TestCluster {
  const cluster = new TestCluster({ members: three })
  cluster.elect('a')
  cluster.tickAll()
  return cluster
}

function appliedBy(cluster: TestCluster): string[][] {
  return [...cluster.members.values()].map((member) => member.appliedTexts)
}

describe('elections', () => {
  test('three members elect a leader and apply what any of them proposes, in one order', () => {
    const cluster = electedThree()
    cluster.propose('a', 'x', 'y')
    cluster.propose('b', 'z')
    cluster.tickAll()
    expect(appliedBy(cluster)).toEqual([
      ['x', 'y', 'z'],
      ['x', 'y', 'z'],
      ['x', 'y', 'z'],
    ])
  })

  test('a member back from a partition does not disturb the leader (pre-vote)', () => {
    const cluster = electedThree()
    cluster.partition('c')
    cluster.tickAll(100)
    cluster.heal()
    cluster.tickAll(30)
    expect(cluster.roles()).toBe('a:leader b:follower c:follower')
    expect(cluster.member('a').core.status().term).toBe(1)
  })

  test('a majority elects a new leader while the old one, cut off, steps down', () => {
    const cluster = electedThree()
    cluster.partition('a')
    cluster.tickAll(40)
    expect(cluster.member('a').core.status().role).not.toBe('leader')
    cluster.elect('b')
    cluster.propose('b', 'x')
    cluster.heal()
    cluster.tickAll(3)
    expect(appliedBy(cluster)).toEqual([['x'], ['x'], ['x']])
  })

  test('a member with a higher term than the leader makes it step down, so that it is not stuck', () => {
    const cluster = electedThree()
    answerOf(cluster.member('c'), voteResult({ to: nodeId('c'), term: 7, granted: false }))
    expect(cluster.member('c').core.status().term).toBe(7)
    cluster.tickAll(60)
    const terms = [...cluster.members.values()].map((member) => member.core.status().term)
    expect(new Set(terms).size).toBe(1)
    expect(terms[0]).toBeGreaterThan(7)
  })

  test('a single voter leads one tick after its start, and only when its vote is on disk', () => {
    const member = new TestMember(config('a'), fresh(voters('a')))
    member.autoPersist = false
    member.core.tick()
    member.drain()
    expect(member.core.status().role).toBe('candidate')
    member.persistAll()
    expect(member.core.status().role).toBe('leader')
  })

  test('an old answer to a pre-vote does not count for the next campaign', () => {
    const member = memberWith({ term: 4 })
    for (let i = 0; i < 10; i++) member.core.tick()
    member.drain()
    answerOf(member, voteResult({ term: 3, preVote: true }))
    expect(member.core.status().role).toBe('preCandidate')
  })

  test('a learner votes when asked: the candidate may know of a promotion that it does not', () => {
    const membership = { voters: ids('b', 'c'), votersOutgoing: [], learners: ids('a') }
    const member = new TestMember(config('a'), fresh(membership))
    expect(answerOf(member, requestVote({}))).toMatchObject([{ granted: true }])
    for (let i = 0; i < 50; i++) member.core.tick()
    expect(member.core.status().role).toBe('follower')
  })

  test('a learner that hears no leader votes, however often its timeout has passed', () => {
    const membership = { voters: ids('b', 'c'), votersOutgoing: [], learners: ids('a') }
    const member = new TestMember(config('a'), fresh(membership))
    answerOf(member, heartbeat({}))
    for (let i = 0; i < 9; i++) member.core.tick()
    expect(answerOf(member, requestVote({ from: nodeId('c'), term: 2 }))).toEqual([])
    for (let i = 0; i < 4; i++) member.core.tick()
    expect(answerOf(member, requestVote({ from: nodeId('c'), term: 2 }))).toMatchObject([
      { granted: true },
    ])
  })

  test('a log written just before a crash may be newer than the hard state, and sets the term', () => {
    const member = memberWith({ terms: [1, 3], term: 2, vote: 'b' })
    expect(member.core.status()).toMatchObject({ term: 3, vote: undefined })
  })
})

describe('replication', () => {
  test('Figure 8: an entry of an older term on a majority is not committed by counting', () => {
    // (c): a leads term 4; its entry of term 2 is on a, b and c; e holds one of term 3.
    const cluster = new TestCluster({
      members: five,
      change: { random: () => 0.9 },
      restored: {
        a: {
          hardState: { term: 3, vote: undefined, commit: 1 },
          entries: [entry(1, 1), entry(2, 2)],
        },
        b: {
          hardState: { term: 2, vote: undefined, commit: 1 },
          entries: [entry(1, 1), entry(2, 2)],
        },
        c: { hardState: { term: 3, vote: undefined, commit: 1 }, entries: [entry(1, 1)] },
        d: { hardState: { term: 3, vote: undefined, commit: 1 }, entries: [entry(1, 1)] },
        e: {
          hardState: { term: 3, vote: undefined, commit: 1 },
          entries: [entry(1, 1), entry(2, 3)],
        },
      },
    })
    cluster.partition('a', 'b', 'c')
    // The entry that opens term 4 does not get through, only the older one does.
    const isOpening = (term: number): boolean => term >= 4
    const cut = cluster.drop
    cluster.drop = (message) =>
      cut(message) ||
      (message.type === 'appendEntries' && message.entries.some((each) => isOpening(each.term)))
    cluster.elect('a')
    const { term } = cluster.member('a').core.status()
    for (const id of ids('b', 'c')) {
      cluster.member('a').core.step(appendResult({ from: id, term, index: 2 }))
    }
    expect(cluster.member('a').core.status().commitIndex).toBe(1)
    // (d): e may still win, and its entry replaces the other one everywhere.
    cluster.partition('a')
    for (const name of ['b', 'c']) cluster.tick(name, 12)
    cluster.elect('e')
    cluster.heal()
    cluster.tickAll(5)
    expect(cluster.member('a').core.log.termAt(2)).toBe(3)
  })

  test('logs that diverged over many terms meet again after one refusal (Figure 7)', () => {
    const terms: Record<string, number[]> = {
      a: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6],
      b: [1, 1, 1, 4, 4, 5, 5, 6, 6],
      c: [1, 1, 1, 4],
      d: [1, 1, 1, 4, 4, 4, 4],
      e: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    }
    const restored = Object.fromEntries(
      Object.entries(terms).map(([name, log]) => [
        name,
        {
          hardState: { term: 6, vote: undefined, commit: 0 },
          entries: log.map((term, i) => entry(i + 1, term)),
        },
      ]),
    )
    const cluster = new TestCluster({ members: five, restored })
    cluster.elect('a')
    cluster.tickAll(2)
    const logs = [...cluster.members.values()].map((member) => member.log)
    expect(new Set(logs).size).toBe(1)
    const refusals = ofType(cluster.transcript, 'appendEntriesResult').filter((m) => m.rejected)
    expect(refusals.filter((message) => message.from === 'e')).toHaveLength(1)
  })

  test('an append rewritten while the disk is busy is acknowledged only when its own bytes are down', () => {
    const member = memberWith({})
    member.autoPersist = false
    answerOf(member, appendEntries({ term: 1, entries: [entry(1, 1)] }))
    answerOf(member, appendEntries({ term: 2, from: nodeId('c'), entries: [entry(1, 2)] }))
    answerOf(
      member,
      appendEntries({ term: 2, from: nodeId('c'), prevLogIndex: 1, prevLogTerm: 2, commit: 1 }),
    )
    member.persistAll(1)
    expect(member.core.status().persistedIndex).toBe(0)
    member.drain()
    expect(member.applied).toEqual([])
    member.persistAll()
    member.drain()
    expect(member.applied.map((each) => each.term)).toEqual([2])
  })

  test('a follower that lost messages is found by the next heartbeat and gets them again', () => {
    const cluster = electedThree()
    cluster.drop = (message) => message.type === 'appendEntries' && message.to === 'b'
    cluster.propose('a', 'x', 'y')
    cluster.heal()
    cluster.tickAll(3)
    expect(cluster.member('b').appliedTexts).toEqual(['x', 'y'])
  })

  test('a window full of lost messages opens again', () => {
    const cluster = new TestCluster({ members: three, change: { inflightMessagesMax: 2 } })
    cluster.elect('a')
    cluster.drop = (message) => message.to === 'b' && message.type === 'appendEntries'
    for (const text of ['1', '2', '3', '4', '5']) cluster.propose('a', text)
    cluster.heal()
    cluster.tickAll(8)
    expect(cluster.member('b').appliedTexts).toEqual(['1', '2', '3', '4', '5'])
  })

  test('no more messages are in flight to a follower than its window holds', () => {
    const cluster = new TestCluster({
      members: three,
      change: { inflightMessagesMax: 3, messageSizeBytesMax: 40 },
    })
    cluster.elect('a')
    cluster.tickAll()
    cluster.member('a').core.propose(['1', '2', '3', '4', '5', '6'].map(bytes))
    const sent = ofType(cluster.member('a').drain(), 'appendEntries')
    expect(sent.filter((message) => message.to === 'b')).toHaveLength(3)
  })

  test('a repeated forwarded proposal is appended once', () => {
    const cluster = electedThree()
    cluster.member('b').core.propose([bytes('x')])
    const [proposal] = ofType(cluster.member('b').drain(), 'propose')
    expect(proposal).toBeDefined()
    for (let i = 0; i < 3; i++) if (proposal) cluster.member('a').core.step(proposal)
    cluster.settle()
    expect(cluster.member('a').appliedTexts).toEqual(['x'])
  })

  test('a proposal forwarded in an older term is dropped, not appended in the newer one', () => {
    const cluster = electedThree()
    cluster.member('c').core.propose([bytes('old')])
    const [proposal] = ofType(cluster.member('c').drain(), 'propose')
    cluster.member('a').core.transferLeadership(nodeId('b'))
    cluster.settle()
    expect(proposal).toBeDefined()
    if (proposal) cluster.member('b').core.step({ ...proposal, to: nodeId('b') })
    cluster.tickAll(2)
    expect(cluster.member('b').appliedTexts).toEqual([])
  })

  test('the uncommitted tail is limited, an empty one takes any proposal', () => {
    const member = memberWith({})
    const limited = new TestMember(config('a', { uncommittedSizeBytesMax: 100 }), member.stored)
    for (let i = 0; i < 10; i++) limited.core.tick()
    limited.drain()
    answerOf(limited, voteResult({ term: 1, preVote: true }))
    answerOf(limited, voteResult({ term: 1 }))
    answerOf(limited, appendResult({ index: 1 }))
    expect(limited.core.propose([bytes('x'.repeat(500))])).toMatchObject({ accepted: true })
    expect(limited.core.propose([bytes('y')])).toEqual({ accepted: false, reason: 'overloaded' })
    answerOf(limited, appendResult({ index: 1 }))
    limited.drain()
    answerOf(limited, appendResult({ index: 2 }))
    expect(limited.core.propose([bytes('y')])).toMatchObject({ accepted: true })
  })

  test('a late vote does not move the commit index of a leader past its own count', () => {
    const member = memberWith({ terms: [1, 1] })
    for (let i = 0; i < 10; i++) member.core.tick()
    member.drain()
    answerOf(member, voteResult({ term: 2, preVote: true }))
    answerOf(member, voteResult({ term: 2 }))
    answerOf(member, voteResult({ term: 2, from: nodeId('c'), commit: 2, commitTerm: 1 }))
    member.core.verify()
    expect(member.core.status()).toMatchObject({ role: 'leader', commitIndex: 0 })
    answerOf(member, appendResult({ term: 2, index: 3 }))
    expect(member.core.status().commitIndex).toBe(3)
  })

  test('a refusal of an older term tells a candidate what is committed', () => {
    const member = memberWith({ terms: [1, 1] })
    for (let i = 0; i < 10; i++) member.core.tick()
    member.drain()
    answerOf(member, voteResult({ term: 2, preVote: true }))
    expect(member.core.status()).toMatchObject({ role: 'candidate', term: 2, commitIndex: 0 })
    answerOf(
      member,
      voteResult({ term: 1, granted: false, preVote: true, commit: 2, commitTerm: 9 }),
    )
    expect(member.core.status().commitIndex).toBe(0)
    answerOf(
      member,
      voteResult({ term: 1, granted: false, preVote: true, commit: 2, commitTerm: 1 }),
    )
    expect(member.core.status()).toMatchObject({ role: 'candidate', term: 2, commitIndex: 2 })
  })

  test('without a leader proposals are refused', () => {
    const member = memberWith({})
    expect(member.core.propose([bytes('x')])).toEqual({ accepted: false, reason: 'noLeader' })
  })
})

describe('reads', () => {
  test('the leader answers after a heartbeat round, a follower by asking the leader', () => {
    const cluster = electedThree()
    cluster.member('a').core.readIndex(1)
    cluster.member('b').core.readIndex(1)
    cluster.settle()
    expect(cluster.member('a').reads).toEqual([{ context: 1, index: 1 }])
    expect(cluster.member('b').reads).toEqual([{ context: 1, index: 1 }])
  })

  test('a leader that was replaced without noticing answers no read', () => {
    const cluster = electedThree()
    cluster.partition('a')
    for (const name of ['b', 'c']) for (let i = 0; i < 12; i++) cluster.member(name).core.tick()
    cluster.elect('b')
    cluster.propose('b', 'x')
    cluster.member('a').core.readIndex(1)
    cluster.settle()
    expect(cluster.member('a').core.status().role).toBe('leader')
    expect(cluster.member('a').reads).toEqual([])
    cluster.heal()
    cluster.tickAll(2)
    expect(cluster.member('a').reads).toEqual([{ context: 1, index: undefined }])
  })

  test('an answer to an older heartbeat does not confirm a newer read (etcd #20418)', () => {
    const cluster = electedThree()
    const leader = cluster.member('a')
    leader.core.readIndex(1)
    const old = ofType(leader.drain(), 'heartbeat').find((message) => message.to === 'b')
    leader.core.readIndex(2)
    leader.drain()
    expect(old).toBeDefined()
    const [answer] = old ? answerOf(cluster.member('b'), old) : []
    if (answer) answerOf(leader, answer)
    expect(leader.reads).toEqual([{ context: 1, index: 1 }])
  })

  test('reads that a follower forwarded are given back when the leader changes or the way is lost', () => {
    const cluster = electedThree()
    cluster.drop = (message) => message.type === 'readIndexResult'
    cluster.member('b').core.readIndex(1)
    cluster.settle()
    expect(cluster.member('b').reads).toEqual([])
    cluster.tickAll(10)
    expect(cluster.member('b').reads).toEqual([{ context: 1, index: undefined }])
    cluster.member('b').core.readIndex(2)
    cluster.member('a').core.transferLeadership(nodeId('c'))
    cluster.settle()
    expect(cluster.member('b').reads[1]).toEqual({ context: 2, index: undefined })
  })

  test('an answer to a read of an earlier life of the follower is not taken for one of this life', () => {
    let draws = 0
    const cluster = new TestCluster({
      members: three,
      change: { random: () => (draws++ % 97) / 97 },
    })
    cluster.elect('a')
    cluster.tickAll()
    cluster.drop = (message) => message.type === 'readIndexResult'
    cluster.member('b').core.readIndex(1)
    cluster.settle()
    const old = ofType(cluster.transcript, 'readIndexResult').at(-1)
    cluster.heal()
    cluster.member('b').crash()
    cluster.propose('a', 'x')
    cluster.tickAll()
    cluster.member('b').core.readIndex(1)
    expect(old?.to).toBe('b')
    if (old !== undefined) cluster.member('b').core.step(old)
    cluster.member('b').drain()
    expect(cluster.member('b').reads).toEqual([])
  })

  test('a single voter answers reads by itself', () => {
    const cluster = new TestCluster({ members: ['a'] })
    cluster.elect('a')
    cluster.member('a').core.readIndex(5)
    cluster.settle()
    expect(cluster.member('a').reads).toEqual([{ context: 5, index: 1 }])
  })
})

describe('snapshots', () => {
  function compacted(): TestCluster {
    const cluster = electedThree()
    cluster.partition('c')
    cluster.propose('a', '1', '2', '3', '4')
    cluster.tickAll()
    cluster.member('a').compact(4)
    cluster.heal()
    return cluster
  }

  test('a follower behind the compacted log gets a snapshot and then the entries after it', () => {
    const cluster = compacted()
    cluster.tickAll(5)
    const { firstIndex, lastIndex, appliedIndex } = cluster.member('c').core.status()
    expect({ firstIndex, lastIndex, appliedIndex }).toEqual({
      firstIndex: 5,
      lastIndex: 5,
      appliedIndex: 5,
    })
    expect(cluster.member('c').appliedTexts).toEqual(['4'])
  })

  test('while a snapshot is on its way nothing else is sent, and a failure starts it again', () => {
    const cluster = compacted()
    cluster.drop = (message) => message.type === 'installSnapshot'
    cluster.tickAll(5)
    const streams = (): number => ofType(cluster.transcript, 'installSnapshot').length
    expect(streams()).toBe(1)
    cluster.heal()
    cluster.member('a').core.reportSnapshot(nodeId('c'), false)
    cluster.tickAll(3)
    expect(streams()).toBe(2)
    expect(cluster.member('c').core.status().appliedIndex).toBe(5)
  })

  test('a snapshot of entries that are there only moves the commit index', () => {
    const member = memberWith({ terms: [1, 1, 1] })
    const snapshot = { index: 2, term: 1, membership: voters('a', 'b', 'c') }
    const address = { from: nodeId('b'), to: nodeId('a'), term: 1 }
    const answers = answerOf(member, { type: 'installSnapshot', ...address, snapshot })
    expect(answers).toMatchObject([{ index: 2, rejected: false }])
    expect(member.core.status()).toMatchObject({ firstIndex: 1, lastIndex: 3, commitIndex: 2 })
  })

  test('an old snapshot is answered with what is committed already', () => {
    const member = memberWith({ terms: [1, 1, 1], commit: 3 })
    const snapshot = { index: 2, term: 1, membership: voters('a') }
    const address = { from: nodeId('b'), to: nodeId('a'), term: 1 }
    const answers = answerOf(member, { type: 'installSnapshot', ...address, snapshot })
    expect(answers).toMatchObject([{ index: 3, rejected: false }])
    expect(member.core.status().membership.voters).toEqual(ids('a', 'b', 'c'))
  })
})

describe('membership', () => {
  function change(
    cluster: TestCluster,
    leader: string,
    names: string[],
    learners: string[] = [],
  ): void {
    cluster
      .member(leader)
      .core.proposeMembership({ ...voters(...names), learners: ids(...learners) })
    cluster.settle()
  }

  test('a change takes effect when it is applied, not when it is appended', () => {
    const cluster = electedThree()
    cluster.partition('a')
    change(cluster, 'a', ['a', 'b'])
    expect(cluster.member('a').core.status().membership).toEqual(voters('a', 'b', 'c'))
    cluster.heal()
    cluster.tickAll(2)
    expect(cluster.member('b').core.status().membership).toEqual(voters('a', 'b'))
  })

  test('one change at a time, and none before an entry of the own term is applied', () => {
    const cluster = new TestCluster({ members: three })
    cluster.drop = (message) => message.type === 'appendEntriesResult'
    cluster.elect('a')
    const pending = { accepted: false, reason: 'changePending' }
    expect(cluster.member('a').core.proposeMembership(voters('a', 'b'))).toEqual(pending)
    cluster.heal()
    cluster.tickAll(2)
    expect(cluster.member('a').core.proposeMembership(voters('a', 'b'))).toMatchObject({
      accepted: true,
    })
    expect(cluster.member('a').core.proposeMembership(voters('a', 'c'))).toEqual(pending)
  })

  test('any set of voters is reached through a joint configuration that is left by itself', () => {
    const cluster = new TestCluster({ members: five, membership: voters('a', 'b', 'c') })
    cluster.elect('a')
    cluster.tickAll()
    change(cluster, 'a', ['a', 'd', 'e'])
    cluster.tickAll(5)
    for (const name of ['a', 'd', 'e']) {
      expect(cluster.member(name).core.status().membership).toEqual(voters('a', 'd', 'e'))
    }
    cluster.partition('b', 'c')
    cluster.propose('a', 'x')
    expect(cluster.member('a').appliedTexts).toEqual(['x'])
  })

  test('a learner gets the log and does not count', () => {
    const cluster = new TestCluster({ members: three, membership: voters('a', 'b') })
    cluster.elect('a')
    cluster.tickAll()
    change(cluster, 'a', ['a', 'b'], ['c'])
    cluster.propose('a', 'x')
    cluster.tickAll()
    expect(cluster.member('c').appliedTexts).toEqual(['x'])
    cluster.partition('b')
    cluster.propose('a', 'y')
    expect(cluster.member('a').appliedTexts).toEqual(['x'])
  })

  test('a leader that removes itself steps down when the change is applied, and the rest goes on', () => {
    const cluster = new TestCluster({ members: three, change: { random: () => 0.9 } })
    cluster.elect('a')
    cluster.tickAll()
    change(cluster, 'a', ['b', 'c'])
    expect(cluster.member('a').core.status().role).toBe('follower')
    cluster.tick('c', 12)
    cluster.elect('b')
    cluster.propose('b', 'x')
    expect(cluster.member('b').appliedTexts).toEqual(['x'])
  })

  test('a voter learns from the answer to its pre-vote that a change took effect (fuzz seed 2138)', () => {
    const member = new TestMember(config('b'), fresh(voters('a', 'b', 'c')))
    const cluster = new TestCluster({ members: three })
    cluster.members.set(nodeId('b'), member)
    cluster.elect('a')
    cluster.tickAll()
    // b holds the change, but neither that it is committed nor the entry after it.
    cluster.drop = ({ type, to }) => to === 'b' && type === 'heartbeat'
    cluster.member('a').core.proposeMembership(voters('b'))
    let isFull = false
    cluster.drop = (message) => {
      if (message.to !== 'b') return false
      if (message.type !== 'appendEntries') return message.type === 'heartbeat'
      const isChange = message.entries.some((each) => each.index === 2)
      const wasFull = isFull
      isFull ||= isChange
      return wasFull
    }
    cluster.settle()
    cluster.propose('a', 'tail')
    cluster.heal()
    cluster.tickAll(60)
    expect(cluster.member('b').core.status()).toMatchObject({
      role: 'leader',
      membership: voters('b'),
    })
  })

  test('of several changes in a recovered log all but the last are known to be committed', () => {
    const cluster = electedThree()
    cluster.drop = () => false
    change(cluster, 'a', ['a', 'b'])
    change(cluster, 'a', ['a', 'b', 'c'])
    const stored = cluster.member('b').stored
    const hardState = { ...stored.hardState, commit: 0 }
    const recovered = new TestMember(config('b'), { ...stored, hardState })
    const changes = stored.entries.filter((each) => each.type === 1).map((each) => each.index)
    expect(changes).toEqual([2, 3])
    expect(recovered.core.status().commitIndex).toBe(2)
  })
})

describe('transfer', () => {
  test('leadership moves to the chosen member, also when it lags behind', () => {
    const cluster = electedThree()
    cluster.drop = (message) => message.to === 'b' && message.type === 'appendEntries'
    cluster.propose('a', 'x')
    cluster.heal()
    cluster.member('a').core.transferLeadership(nodeId('b'))
    cluster.tickAll(2)
    expect(cluster.roles()).toBe('a:follower b:leader c:follower')
    expect(cluster.member('b').appliedTexts).toEqual(['x'])
  })

  test('a learner or a stranger is never made leader', () => {
    const cluster = new TestCluster({
      members: three,
      membership: { ...voters('a', 'b'), learners: ids('c') },
    })
    cluster.elect('a')
    cluster.tickAll()
    cluster.member('a').core.transferLeadership(nodeId('c'))
    cluster.member('a').core.transferLeadership(nodeId('z'))
    cluster.propose('a', 'x')
    expect(cluster.member('a').appliedTexts).toEqual(['x'])
  })

  test('a timeoutNow from somebody who does not lead is ignored', () => {
    const member = memberWith({})
    answerOf(member, heartbeat({}))
    const address = { from: nodeId('c'), to: nodeId('a'), term: 1 }
    expect(answerOf(member, { type: 'timeoutNow', ...address })).toEqual([])
  })
})
