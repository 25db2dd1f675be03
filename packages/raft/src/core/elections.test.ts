import { describe, expect, test } from 'vitest'
import { answerOf, ofType, requestVote } from './testing/messages.ts'
import {
  config,
  fresh,
  ids,
  nodeId,
  TestCluster,
  TestMember,
  voters,
} from './testing/test-cluster.ts'
import type { Membership, Message, RaftConfig } from './types.ts'

const a = nodeId('a')
const b = nodeId('b')
const c = nodeId('c')

function elected(change: Partial<RaftConfig> = {}, membership?: Membership): TestCluster {
  const members = membership === undefined ? ['a', 'b', 'c'] : ['a', 'b', 'c', 'd']
  const cluster = new TestCluster({ members, change, ...(membership && { membership }) })
  cluster.elect('a')
  cluster.tickAll()
  return cluster
}

describe('election priorities', () => {
  function member(priority: number): TestMember {
    return new TestMember(config('a', { priority }), fresh(voters('a', 'b', 'c')))
  }

  const preVote = requestVote({ preVote: true, priority: 1 })

  test('a member that is preferred refuses a pre-vote of a log like its own, and campaigns at the next tick', () => {
    const preferred = member(2)
    expect(answerOf(preferred, preVote)).toMatchObject([{ preVote: true, granted: false }])
    preferred.core.tick()
    expect(ofType(preferred.drain(), 'requestVote')).toMatchObject([
      { preVote: true, priority: 2 },
      { preVote: true, priority: 2 },
    ])
  })

  test('it grants a pre-vote of a newer log, of its own priority, and every vote', () => {
    const granted = [
      { ...preVote, lastLogIndex: 1, lastLogTerm: 1 },
      { ...preVote, priority: 2 },
      { ...preVote, preVote: false },
    ].flatMap((message) => answerOf(member(2), message))
    expect(granted).toMatchObject([{ granted: true }, { granted: true }, { granted: true }])
  })

  test('it holds others back for three election timeouts without a leader at most', () => {
    const preferred = member(2)
    for (let i = 0; i < 30; i++) preferred.core.tick()
    preferred.drain()
    expect(answerOf(preferred, { ...preVote, term: 9 })).toMatchObject([{ granted: true }])
  })

  test('a member of priority 0 never campaigns by itself, and does when its leader tells it to', () => {
    const cluster = elected()
    const last = new TestMember(config('b', { priority: 0 }), cluster.member('b').stored)
    cluster.members.set(b, last)
    cluster.tickAll()
    cluster.partition('b')
    cluster.tick('b', 100)
    expect(last.core.status().role).toBe('follower')
    cluster.heal()
    cluster.tickAll()
    cluster.member('a').core.transferLeadership(b)
    cluster.settle()
    expect(cluster.roles()).toBe('a:follower b:leader c:follower')
  })
})

describe('the successor of a leader', () => {
  test('is the voter that is most up to date of those that are heard from', () => {
    const cluster = elected()
    cluster.partition('b')
    cluster.propose('a', 'x')
    cluster.heal()
    cluster.member('a').core.transferLeadership(undefined)
    cluster.settle()
    expect(cluster.roles()).toBe('a:follower b:follower c:leader')
  })

  test('is never a learner or a witness, also when somebody asks for it', () => {
    const membership = { ...voters('a', 'b', 'c'), learners: ids('d'), witnesses: ids('b') }
    const cluster = elected({}, membership)
    cluster.partition('c')
    cluster.tickAll(1)
    for (const to of [nodeId('d'), b]) cluster.member('a').core.transferLeadership(to)
    cluster.settle()
    expect(cluster.member('a').core.propose([])).toMatchObject({ accepted: true })
    cluster.heal()
    cluster.tickAll()
    cluster.member('a').core.transferLeadership(undefined)
    cluster.settle()
    expect(cluster.roles()).toBe('a:follower b:follower c:leader d:follower')
  })

  test('is told to take over by a leader that its own change removes', () => {
    const cluster = elected()
    cluster.member('a').core.proposeMembership(voters('b', 'c'))
    cluster.settle()
    expect(cluster.roles()).toBe('a:follower b:leader c:follower')
  })

  test('campaigns once the change that came with the order is applied', () => {
    const cluster = elected()
    cluster.member('a').core.proposeMembership(voters('b', 'c'))
    const held = cluster.member('b')
    const apply = held.core.applied.bind(held.core)
    held.core.applied = () => {}
    cluster.settle()
    expect(held.core.status().role).toBe('follower')
    apply(held.core.status().commitIndex)
    expect(held.core.status().role).toBe('candidate')
  })
})

describe('a stuck disk', () => {
  test('makes a leader hand over to a member whose disk works', () => {
    const cluster = elected()
    cluster.member('a').core.diskStalled(true)
    cluster.settle()
    expect(cluster.roles()).toBe('a:follower b:leader c:follower')
  })

  test('makes a leader step down when nobody takes over within an election timeout', () => {
    const cluster = elected()
    cluster.drop = ({ type }) => type === 'timeoutNow'
    cluster.member('a').core.diskStalled(true)
    cluster.tickAll(9)
    expect(cluster.member('a').core.status().role).toBe('leader')
    cluster.tickAll(2)
    expect(cluster.member('a').core.status().role).toBe('follower')
  })

  test('that works again in time leaves the leader where it is', () => {
    const cluster = elected()
    cluster.drop = ({ type }) => type === 'timeoutNow'
    cluster.member('a').core.diskStalled(true)
    cluster.tickAll(5)
    cluster.member('a').core.diskStalled(false)
    cluster.tickAll(20)
    expect(cluster.roles()).toBe('a:leader b:follower c:follower')
  })

  test('keeps a member from campaigning, on its timeout and on demand, until it works again', () => {
    const cluster = elected()
    const { core } = cluster.member('b')
    core.diskStalled(true)
    cluster.member('a').core.transferLeadership(b)
    cluster.settle()
    cluster.partition('b')
    cluster.tick('b', 40)
    expect(core.status().role).toBe('follower')
    core.diskStalled(false)
    cluster.tick('b')
    expect(core.status().role).toBe('preCandidate')
  })

  test('of a sole voter changes nothing: nobody could do better', () => {
    const cluster = new TestCluster({ members: ['a'] })
    cluster.elect('a')
    cluster.member('a').core.diskStalled(true)
    cluster.tickAll(40)
    expect(cluster.roles()).toBe('a:leader')
  })
})

describe('promotion', () => {
  const growing = { ...voters('a', 'b', 'c'), learners: ids('d'), promoting: ids('d') }

  /** Nothing gets to the learner. */
  function growingWithout(): TestCluster {
    const cluster = new TestCluster({ members: ['a', 'b', 'c', 'd'], membership: growing })
    cluster.drop = ({ to }) => to === nodeId('d')
    cluster.elect('a')
    cluster.tickAll(30)
    return cluster
  }

  test('a learner that has caught up becomes a voter by itself', () => {
    const cluster = elected({}, growing)
    cluster.propose('a', 'x')
    cluster.tickAll(3)
    expect(cluster.member('c').core.status().membership).toEqual(voters('a', 'b', 'c', 'd'))
  })

  test('a learner that is away stays one, and becomes a voter when it has come back, also under another leader', () => {
    const cluster = growingWithout()
    expect(cluster.member('a').core.status().membership).toEqual(growing)
    cluster.member('a').core.transferLeadership(c)
    cluster.settle()
    cluster.heal()
    cluster.tickAll(5)
    expect(cluster.roles()).toBe('a:follower b:follower c:leader d:follower')
    expect(cluster.member('a').core.status().membership).toEqual(voters('a', 'b', 'c', 'd'))
  })

  test('a learner whose round takes longer than an election timeout stays one until a round is short', () => {
    const cluster = growingWithout()
    cluster.propose('a', 'x')
    const late: Message[] = []
    cluster.drop = (message) => message.to === nodeId('d') && late.push(message) > 0
    for (let i = 0; i < 4; i++) {
      for (let tick = 0; tick < 11; tick++) {
        cluster.propose('a', 'y')
        cluster.tickAll()
      }
      for (const message of late.splice(0)) cluster.member('d').core.step(message)
      cluster.settle()
    }
    expect(cluster.member('d').appliedTexts).toContain('y')
    expect(cluster.member('a').core.status().membership).toEqual(growing)
    cluster.heal()
    cluster.tickAll(5)
    expect(cluster.member('a').core.status().membership).toEqual(voters('a', 'b', 'c', 'd'))
  })

  test('several are promoted one after the other', () => {
    const membership = { ...voters('a'), learners: ids('b', 'c', 'd'), promoting: ids('b', 'c') }
    const cluster = elected({}, membership)
    cluster.tickAll(10)
    expect(cluster.member('d').core.status().membership).toEqual({
      ...voters('a', 'b', 'c'),
      learners: ids('d'),
    })
  })
})

describe('any set of members to any other', () => {
  const from = voters('a', 'b')
  const targets: readonly [string, Membership][] = [
    ['every voter is another one', voters('c', 'd')],
    ['a voter becomes a learner while another comes', { ...voters('a', 'c'), learners: ids('b') }],
    ['voters and learners change places', { ...voters('b', 'c', 'd'), learners: ids('a') }],
    ['the leader goes, and with it another', voters('c')],
  ]

  test.each(targets)('%s', (_name, target) => {
    const cluster = elected({}, { ...from, learners: ids('c', 'd') })
    cluster.propose('a', 'x')
    cluster.member('a').core.proposeMembership(target)
    cluster.settle()
    cluster.tickAll(30)
    const leader = [...cluster.members.values()].find(({ core }) => core.status().role === 'leader')
    expect(target.voters).toContain(leader?.id)
    expect(leader?.core.status().membership).toEqual(target)
    cluster.propose(leader?.id ?? '', 'y')
    expect(leader?.appliedTexts).toEqual(['x', 'y'])
  })

  test('a change whose leader is lost half way is finished by the next one', () => {
    const cluster = elected({}, { ...voters('a', 'b', 'c'), learners: ids('d') })
    cluster.drop = ({ from: sender }) => sender !== a
    cluster.member('a').core.proposeMembership(voters('b', 'd'))
    cluster.settle()
    cluster.partition('a')
    cluster.tickAll(40)
    cluster.elect('b')
    cluster.tickAll(3)
    expect(cluster.member('b').core.status()).toMatchObject({
      role: 'leader',
      membership: voters('b', 'd'),
    })
  })
})
