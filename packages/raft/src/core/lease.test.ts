import { describe, expect, test } from 'vitest'
import { LeaderLease, VotePromise } from './lease.ts'
import { answerOf, heartbeat, ofType, requestVote, voteResult } from './testing/messages.ts'
import {
  config,
  fresh,
  ids,
  nodeId,
  TestCluster,
  TestMember,
  voters,
} from './testing/test-cluster.ts'
import type { LeaseReadsConfig, Membership, NodeId, RaftConfig } from './types.ts'

const a = nodeId('a')
const b = nodeId('b')
const c = nodeId('c')
const d = nodeId('d')
const three = voters('a', 'b', 'c')

/** Both clocks show what a test sets. */
class TestClock {
  monotonicMs = 1_000
  wallMs = 50_000

  readonly config: LeaseReadsConfig = {
    monotonicMs: () => this.monotonicMs,
    wallMs: () => this.wallMs,
    tickMs: 10,
    driftRateMax: 0.1,
  }

  pass(ms: number): void {
    this.monotonicMs += ms
    this.wallMs += ms
  }
}

describe('the lease of a leader', () => {
  // An election timeout of 11 ticks of 10 ms, less one, less a tenth.
  const heldMs = 90

  function held(
    clock: TestClock,
    membership: Membership,
    promises: readonly NodeId[],
  ): LeaderLease {
    const lease = new LeaderLease(clock.config, 11)
    const number = lease.sending()
    for (const id of promises) lease.answered(id, number, 110)
    expect(lease.isHeld(membership, a)).toBe(true)
    return lease
  }

  test('lasts from when the heartbeat was sent, not from when it was answered', () => {
    const clock = new TestClock()
    const lease = new LeaderLease(clock.config, 11)
    const number = lease.sending()
    clock.pass(60)
    lease.answered(b, number, 110)
    clock.pass(heldMs - 60 - 1)
    expect(lease.isHeld(three, a)).toBe(true)
    clock.pass(1)
    expect(lease.isHeld(three, a)).toBe(false)
  })

  test('lasts no longer than the follower has promised', () => {
    const clock = new TestClock()
    const lease = new LeaderLease(clock.config, 11)
    lease.answered(b, lease.sending(), 20)
    clock.pass(17)
    expect(lease.isHeld(three, a)).toBe(true)
    clock.pass(1)
    expect(lease.isHeld(three, a)).toBe(false)
  })

  test('is not proved by an answer without a number or a promise', () => {
    const clock = new TestClock()
    const lease = new LeaderLease(clock.config, 11)
    const number = lease.sending()
    lease.answered(b, 0, 110)
    lease.answered(c, number, 0)
    expect(lease.isHeld(three, a)).toBe(false)
  })

  test('an old answer that comes late does not shorten it', () => {
    const clock = new TestClock()
    const lease = new LeaderLease(clock.config, 11)
    const first = lease.sending()
    clock.pass(50)
    lease.answered(b, lease.sending(), 110)
    lease.answered(b, first, 110)
    clock.pass(heldMs - 1)
    expect(lease.isHeld(three, a)).toBe(true)
  })

  test('needs both quorums of a joint configuration', () => {
    const clock = new TestClock()
    const joint = { voters: ids('a', 'b', 'c'), votersOutgoing: ids('a', 'd'), learners: [] }
    const lease = new LeaderLease(clock.config, 11)
    lease.answered(b, lease.sending(), 110)
    expect(lease.isHeld(joint, a)).toBe(false)
    lease.answered(d, lease.sending(), 110)
    expect(lease.isHeld(joint, a)).toBe(true)
  })

  test('of a member that was suspended is over although its monotonic clock stood still', () => {
    const clock = new TestClock()
    const lease = held(clock, three, [b])
    clock.wallMs += heldMs
    expect(lease.isHeld(three, a)).toBe(false)
  })

  test('is over by the monotonic clock when the wall clock was set back', () => {
    const clock = new TestClock()
    const lease = held(clock, three, [b])
    clock.pass(heldMs)
    clock.wallMs -= 1_000
    expect(lease.isHeld(three, a)).toBe(false)
  })

  test('does not come back in the term in which somebody was told to campaign', () => {
    const clock = new TestClock()
    const lease = held(clock, three, [b, c])
    lease.revoke()
    lease.answered(b, lease.sending(), 110)
    expect(lease.isHeld(three, a)).toBe(false)
  })

  test('remembers a bounded number of heartbeats', () => {
    const clock = new TestClock()
    const lease = new LeaderLease(clock.config, 11)
    const first = lease.sending()
    for (let i = 0; i < 2_000; i++) lease.sending()
    lease.verify()
    lease.answered(b, first, 110)
    expect(lease.isHeld(three, a)).toBe(false)
  })
})

test('a promise holds for an election timeout by the own clock, and without leases there is none', () => {
  const clock = new TestClock()
  const promise = new VotePromise(clock.config, 11)
  expect(promise.give()).toBe(110)
  clock.pass(109)
  expect(promise.isHeld).toBe(true)
  clock.pass(1)
  expect(promise.isHeld).toBe(false)
  expect(new VotePromise(undefined, 11).give()).toBe(0)
})

/** Every member has the same clock; ticks are 10 ms apart unless a test lets only one of them pass. */
class LeaseCluster {
  readonly clock = new TestClock()
  readonly cluster: TestCluster

  constructor(change: Partial<RaftConfig> = {}) {
    const leaseReads = this.clock.config
    this.cluster = new TestCluster({
      members: ['a', 'b', 'c'],
      change: { leaseReads, electionTicks: 10, ...change },
    })
    // What members promised in an earlier life is over.
    this.clock.pass(100)
    this.cluster.elect('a')
    this.cluster.tickAll()
  }

  roles(): string {
    return this.cluster.roles()
  }

  /** Whether the read was answered without a message. */
  readsAtOnce(name: string): boolean {
    const member = this.cluster.member(name)
    const messages = member.drain()
    member.reads.length = 0
    member.core.readIndex(1)
    messages.push(...member.drain())
    const isAnswered = member.reads.some(({ index }) => index !== undefined)
    for (const message of messages) this.cluster.deliver(message)
    return isAnswered
  }
}

describe('reads by lease', () => {
  test('a leader answers a read at once while its lease holds, by a round when it does not', () => {
    const world = new LeaseCluster()
    expect(world.readsAtOnce('a')).toBe(true)
    world.clock.pass(100)
    expect(world.readsAtOnce('a')).toBe(false)
    world.cluster.settle()
    expect(world.cluster.member('a').reads).toHaveLength(1)
    world.cluster.tickAll()
    expect(world.readsAtOnce('a')).toBe(true)
  })

  test('who has promised neither votes nor campaigns, however many ticks pass and whatever term it hears of', () => {
    const { cluster, clock } = new LeaseCluster()
    const candidate = { from: b, to: c, lastLogIndex: 9, lastLogTerm: 9 }
    const { core } = cluster.member('c')
    cluster.partition('c')
    cluster.tick('c', 30)
    expect(core.status()).toMatchObject({ role: 'follower', leader: 'a' })
    answerOf(cluster.member('c'), voteResult({ to: c, term: 7, granted: false }))
    expect(core.status()).toMatchObject({ role: 'follower', term: 7 })
    expect(answerOf(cluster.member('c'), requestVote({ ...candidate, term: 8 }))).toEqual([])
    clock.pass(100)
    cluster.tick('c', 20)
    expect(core.status().role).toBe('preCandidate')
    const answers = answerOf(cluster.member('c'), requestVote({ ...candidate, term: 9 }))
    expect(ofType(answers, 'requestVoteResult')).toMatchObject([{ granted: true }])
  })

  test('who has just started may have promised something and votes for nobody for as long', () => {
    const clock = new TestClock()
    const options = config('a', { leaseReads: clock.config })
    const member = new TestMember(options, fresh(three))
    expect(answerOf(member, requestVote({ term: 1 }))).toEqual([])
    clock.pass(100)
    expect(answerOf(member, requestVote({ term: 1 }))).toMatchObject([{ granted: true }])
  })

  test('a sole voter has promised nothing to anybody and leads at once', () => {
    const clock = new TestClock()
    const member = new TestMember(config('a', { leaseReads: clock.config }), fresh(voters('a')))
    member.core.tick()
    member.drain()
    expect(member.core.status().role).toBe('leader')
  })

  test('a leader that has told another to campaign never reads by lease again, the message may be late', () => {
    const world = new LeaseCluster()
    world.cluster.drop = (message) => message.type === 'timeoutNow'
    world.cluster.member('a').core.transferLeadership(b)
    world.cluster.tickAll(15)
    expect(world.roles()).toBe('a:leader b:follower c:follower')
    expect(world.readsAtOnce('a')).toBe(false)
  })

  test('leadership moves while others have promised, because their leader wants it so', () => {
    const world = new LeaseCluster()
    world.cluster.member('a').core.transferLeadership(b)
    world.cluster.settle()
    expect(world.roles()).toBe('a:follower b:leader c:follower')
  })

  test('a member without leases promises nothing, so its leader asks for every read', () => {
    const world = new LeaseCluster()
    const answers = answerOf(
      new TestMember(config('a'), fresh(three)),
      heartbeat({ term: 1, number: 5 }),
    )
    expect(answers).toMatchObject([{ type: 'heartbeatResult', promiseMs: 0 }])
    expect(world.readsAtOnce('b')).toBe(false)
  })
})
