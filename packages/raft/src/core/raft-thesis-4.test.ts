// Chapter 4 of the Raft thesis (membership), one test per rule. One difference throughout, as in etcd/raft: a change is in force when it is
// applied, not when it is appended. And sections 5.1 and 5.3 (snapshots) as far as they concern the core.
import { describe, expect, test } from 'vitest'
import {
  answerOf,
  appendEntries,
  appendResult,
  heartbeat,
  leader,
  memberWith,
  ofType,
  requestVote,
  timeOut,
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
import type { InstallSnapshot, Membership, Message } from './types.ts'

const three = ['a', 'b', 'c']
const five = ['a', 'b', 'c', 'd', 'e']
const c = nodeId('c')
const pending = { accepted: false, reason: 'changePending' }

function elected(members: readonly string[], membership?: Membership): TestCluster {
  const patient = { random: () => 0.5 }
  const who = membership === undefined ? { members } : { members, membership }
  const cluster = new TestCluster({ ...who, change: patient })
  cluster.elect('a')
  cluster.tickAll()
  return cluster
}

function change(cluster: TestCluster, target: Membership): void {
  cluster.member('a').core.proposeMembership(target)
  cluster.settle()
}

describe('4.1 safety', () => {
  test('a change of one voter goes straight to the new configuration', () => {
    const member = leader(memberWith({}))
    answerOf(member, appendResult({ index: 1 }))
    member.core.proposeMembership(voters('a', 'b'))
    member.drain()
    answerOf(member, appendResult({ index: 2 }))
    expect(member.core.status()).toMatchObject({ lastIndex: 2, membership: voters('a', 'b') })
  })

  test('a change is decided by the configuration before it, and in force when it is applied', () => {
    const cluster = elected(['a', 'b'], voters('a', 'b'))
    cluster.partition('b')
    change(cluster, voters('a'))
    expect(cluster.member('a').core.status()).toMatchObject({
      commitIndex: 1,
      membership: voters('a', 'b'),
    })
    cluster.heal()
    cluster.tickAll(2)
    expect(cluster.member('a').core.status().membership).toEqual(voters('a'))
  })

  test('the next change waits until the one before is applied', () => {
    const cluster = elected(three)
    const { core } = cluster.member('a')
    core.proposeMembership(voters('a', 'b'))
    expect(core.proposeMembership(voters('a', 'c'))).toEqual(pending)
    cluster.settle()
    expect(core.proposeMembership(voters('a', 'b', 'c'))).toMatchObject({ accepted: true })
  })

  test('a new leader takes no change before an entry of its own term is committed (raft-dev 2015)', () => {
    const member = leader(memberWith({}))
    expect(member.core.proposeMembership(voters('a', 'b'))).toEqual(pending)
    answerOf(member, appendResult({ index: 1 }))
    expect(member.core.proposeMembership(voters('a', 'b'))).toMatchObject({ accepted: true })
  })

  test('a change that an older leader left in the log counts as under way', () => {
    const cluster = elected(three)
    cluster.drop = ({ type }) => type === 'appendEntriesResult'
    change(cluster, voters('a', 'b'))
    cluster.partition('a')
    cluster.tick('b', 10)
    cluster.drop = ({ type, from }) => type === 'appendEntriesResult' || from === 'a'
    cluster.elect('c')
    expect(cluster.member('c').core.proposeMembership(voters('c'))).toEqual(pending)
  })

  test('a member goes by the newest change it has applied also after a restart', () => {
    const cluster = elected(three)
    change(cluster, voters('a', 'b'))
    const b = cluster.member('b')
    b.crash()
    expect(b.core.status().membership).toEqual(voters('a', 'b', 'c'))
    b.drain()
    expect(b.core.status().membership).toEqual(voters('a', 'b'))
  })

  test('a server takes messages of a leader that is not in its configuration', () => {
    const member = new TestMember(config('a'), fresh(voters('c')))
    answerOf(member, appendEntries({ entries: [entry(1, 1)], commit: 1 }))
    expect(member.core.status()).toMatchObject({ leader: 'b', commitIndex: 1 })
  })

  test('a server votes for a candidate that is not in its configuration', () => {
    const member = new TestMember(config('a'), fresh(voters('c')))
    expect(answerOf(member, requestVote({}))).toMatchObject([{ granted: true }])
  })
})

describe('4.2.1 catching up new servers', () => {
  const membership = { ...voters('a'), learners: ids('b') }

  test('a learner gets the log and counts for no majority', () => {
    const cluster = elected(['a', 'b', 'c'], { ...voters('a', 'c'), learners: ids('b') })
    cluster.partition('c')
    cluster.propose('a', 'x')
    expect(cluster.member('b').core.status().lastIndex).toBe(2)
    expect(cluster.member('a').core.status().commitIndex).toBe(1)
  })

  test('a learner does not campaign', () => {
    const member = new TestMember(config('b'), fresh(membership))
    expect(timeOut(member)).toEqual([])
    expect(member.core.status()).toMatchObject({ role: 'follower', term: 0 })
  })

  test('a learner is asked for no vote', () => {
    const member = new TestMember(config('a'), fresh({ ...voters('a', 'c'), learners: ids('b') }))
    expect(timeOut(member).map(({ to }) => to)).toEqual(['c'])
  })

  test('a learner keeps no leader in office', () => {
    const cluster = elected(['a', 'b', 'c'], { ...voters('a', 'c'), learners: ids('b') })
    cluster.partition('c')
    cluster.tickAll(20)
    expect(cluster.member('a').core.status().role).toBe('follower')
  })
})

describe('4.2.2 removing the current leader', () => {
  test('a leader that is not in the new configuration steps down when that is committed', () => {
    const cluster = elected(three)
    cluster.drop = ({ type }) => type === 'appendEntriesResult'
    change(cluster, voters('b', 'c'))
    expect(cluster.member('a').core.status().role).toBe('leader')
    cluster.heal()
    cluster.tickAll(2)
    expect(cluster.member('a').core.status()).toMatchObject({ role: 'follower', leader: undefined })
  })

  test('a member that is no voter any more does not campaign', () => {
    const cluster = elected(three)
    change(cluster, voters('b', 'c'))
    cluster.tick('a', 50)
    expect(cluster.member('a').core.status()).toMatchObject({ role: 'follower', term: 1 })
  })
})

describe('4.2.3 disruptive servers', () => {
  test('who hears a leader within an election timeout takes over no term and gives no vote', () => {
    const member = memberWith({})
    answerOf(member, heartbeat({}))
    for (let i = 0; i < 9; i++) member.core.tick()
    expect(answerOf(member, requestVote({ from: c, term: 2 }))).toEqual([])
    expect(answerOf(member, requestVote({ from: c, term: 2, preVote: true }))).toEqual([])
    expect(member.core.status().term).toBe(1)
  })

  test('who has not heard one for that long does', () => {
    const { stored } = memberWith({})
    const member = new TestMember(config('a', { random: () => 0.9 }), stored)
    answerOf(member, heartbeat({}))
    for (let i = 0; i < 10; i++) member.core.tick()
    expect(answerOf(member, requestVote({ from: c, term: 2 }))).toMatchObject([{ granted: true }])
  })

  test('a leader lets nobody disturb it either', () => {
    const member = leader(memberWith({}))
    const far = requestVote({ from: c, term: 50, lastLogIndex: 9, lastLogTerm: 40 })
    expect(answerOf(member, far)).toEqual([])
    expect(member.core.status()).toMatchObject({ role: 'leader', term: 1 })
  })

  test('a request after a transfer carries a flag and is answered all the same', () => {
    const member = memberWith({})
    answerOf(member, heartbeat({}))
    const forced = requestVote({ from: c, term: 2, force: true })
    expect(answerOf(member, forced)).toMatchObject([{ granted: true }])
  })
})

describe('4.3 joint consensus', () => {
  function joint(): TestCluster {
    const cluster = elected(five, voters('a', 'b', 'c'))
    cluster.partition('d', 'e')
    change(cluster, voters('a', 'd', 'e'))
    return cluster
  }

  test('more than one voter changes through a configuration of both sets', () => {
    const { membership } = joint().member('a').core.status()
    expect(membership).toEqual({
      voters: ids('a', 'd', 'e'),
      votersOutgoing: ids('a', 'b', 'c'),
      learners: [],
    })
  })

  test('entries go to all members of both sets', () => {
    const { progress } = joint().member('a').core.status()
    expect(progress.map(({ id }) => id).toSorted()).toEqual(['b', 'c', 'd', 'e'])
  })

  test('what is agreed on needs a majority of the new set', () => {
    const cluster = joint()
    const { commitIndex } = cluster.member('a').core.status()
    cluster.propose('a', 'x')
    expect(cluster.member('a').core.status().commitIndex).toBe(commitIndex)
  })

  test('what is agreed on needs a majority of the old set', () => {
    const cluster = elected(five, voters('a', 'b', 'c'))
    const isLate = (message: Message): boolean =>
      message.type === 'appendEntries' && message.entries.some((each) => each.index > 2)
    cluster.drop = (message) => ['b', 'c'].includes(message.to) && isLate(message)
    change(cluster, voters('a', 'd', 'e'))
    cluster.tickAll(4)
    expect(cluster.member('d').core.status().lastIndex).toBe(3)
    expect(cluster.member('a').core.status().commitIndex).toBe(2)
  })

  test('a member of either set may be elected, by both, and leads out of the joint configuration', () => {
    const cluster = joint()
    cluster.partition('a')
    for (const name of ['c', 'd', 'e']) cluster.tick(name, 11)
    cluster.tick('b', 15)
    // b was elected in term 2 by both; out of the joint configuration it is no voter, and has told d to take over.
    const { stored } = cluster.member('d')
    expect(stored.entries.map(({ term }) => term)).toEqual([1, 1, 1, 2, 3])
    expect(cluster.member('d').core.status()).toMatchObject({
      role: 'leader',
      term: 3,
      membership: voters('a', 'd', 'e'),
    })
  })

  test('when it is committed the leader leaves it by itself, with an entry of its own', () => {
    const cluster = joint()
    cluster.heal()
    cluster.tickAll(4)
    expect(cluster.member('a').core.status().membership).toEqual(voters('a', 'd', 'e'))
  })

  test('no other change is taken before it is left', () => {
    const cluster = joint()
    expect(cluster.member('a').core.proposeMembership(voters('a'))).toEqual(pending)
  })

  test('a leader of the old set alone steps down when the new one is committed', () => {
    const cluster = elected(five, voters('a', 'b'))
    change(cluster, voters('d', 'e'))
    cluster.tickAll(4)
    expect(cluster.member('a').core.status()).toMatchObject({
      role: 'follower',
      membership: voters('d', 'e'),
    })
  })
})

describe('5 snapshots', () => {
  const snapshot = { index: 2, term: 1, membership: voters('a', 'b', 'c') }
  const install: InstallSnapshot = {
    type: 'installSnapshot',
    from: nodeId('b'),
    to: nodeId('a'),
    term: 2,
    snapshot,
  }

  test('5.1: a snapshot replaces a log that it conflicts with, and its membership holds', () => {
    const member = memberWith({ terms: [1, 2, 2], term: 2 })
    const membership = voters('a', 'b')
    answerOf(member, { ...install, snapshot: { ...snapshot, membership } })
    expect(member.core.status()).toMatchObject({ firstIndex: 3, lastIndex: 2, membership })
  })

  test('5.1: entries that follow a snapshot which matches them are kept', () => {
    const member = memberWith({ terms: [1, 1, 1], term: 2 })
    answerOf(member, install)
    expect(member.core.status()).toMatchObject({ lastIndex: 3, commitIndex: 2, appliedIndex: 2 })
  })

  test('5.1: a snapshot that is older than what is committed changes nothing', () => {
    const member = memberWith({ terms: [1, 1, 1], term: 2, commit: 3 })
    member.drain()
    answerOf(member, { ...install, snapshot: { ...snapshot, membership: voters('z') } })
    expect(member.core.status()).toMatchObject({ commitIndex: 3, membership: snapshot.membership })
  })

  test('5.3: a leader that has dropped the next entry of a follower sends its snapshot, with index, term and membership', () => {
    const cluster = elected(three)
    cluster.partition('c')
    cluster.propose('a', '1', '2')
    cluster.member('a').compact(3)
    cluster.heal()
    cluster.tickAll(2)
    const [sent] = ofType(cluster.transcript, 'installSnapshot')
    expect(sent).toMatchObject({
      to: 'c',
      snapshot: { index: 3, term: 1, membership: voters('a', 'b', 'c') },
    })
  })

  test('5.3: an acknowledgement of a snapshot waits until it is durable', () => {
    const member = memberWith({})
    member.autoPersist = false
    expect(answerOf(member, install)).toEqual([])
    expect(member.pending[0]?.persist).toMatchObject({ snapshot: { index: 2 }, mustSync: true })
    expect(ofType(member.persistAll(), 'appendEntriesResult')).toMatchObject([{ index: 2 }])
  })

  test('5.1: the log after a compaction goes on as if nothing was missing', () => {
    const cluster = elected(three)
    cluster.propose('a', '1', '2')
    cluster.member('a').compact(3)
    cluster.member('a').core.propose([bytes('3')])
    cluster.settle()
    expect(cluster.member('c').appliedTexts).toEqual(['1', '2', '3'])
  })
})
