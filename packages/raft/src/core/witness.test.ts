// Goal: what a leader sends a witness, and when, and what a witness never does. Method: small clusters of cores, by hand.
import { expect, test } from 'vitest'
import { ofType } from './testing/messages.ts'
import { ids, nodeId, TestCluster, voters } from './testing/test-cluster.ts'
import { entryType, type Membership } from './types.ts'

const membership: Membership = { ...voters('a', 'b', 'w'), witnesses: ids('w') }

function withWitness(): TestCluster {
  const cluster = new TestCluster({ members: ['a', 'b', 'w'], membership })
  cluster.elect('a')
  return cluster
}

test('a witness gets entries without payloads, changes of membership whole, and the others everything', () => {
  const cluster = withWitness()
  cluster.propose('a', 'payload')
  cluster.member('a').core.proposeMembership({ ...membership, learners: ids('l') })
  cluster.settle()
  const last = cluster.member('a').core.status().lastIndex
  expect(cluster.member('w').core.status()).toMatchObject({ lastIndex: last, commitIndex: last })
  for (const [name, size] of [
    ['b', 7],
    ['w', 0],
  ] as const) {
    const entries = cluster.member(name).stored.entries
    expect(entries.find(({ index }) => index === 2)?.data.length).toBe(size)
    expect(entries.find(({ type }) => type === entryType.membership)?.data.length).not.toBe(0)
  }
})

test('a witness counts for what is committed', () => {
  const cluster = withWitness()
  cluster.partition('b')
  cluster.propose('a', 'x')
  expect(cluster.commits()).toEqual([2, 1, 2])
})

test('a witness gets an entry only when it is durable at the leader', () => {
  const cluster = withWitness()
  const leader = cluster.member('a')
  leader.autoPersist = false
  leader.core.propose([Uint8Array.of(1)])
  const early = ofType(leader.drain(), 'appendEntries').filter(({ entries }) => entries.length > 0)
  expect(early.map(({ to }) => to)).toEqual(ids('b'))
  leader.persistAll()
  const late = ofType(leader.drain(), 'appendEntries').filter(({ entries }) => entries.length > 0)
  expect(late.map(({ to }) => to)).toEqual(ids('w'))
})

test('a witness never campaigns, is never transferred to, and votes by its log', () => {
  const cluster = withWitness()
  cluster.propose('a', 'x')
  cluster.member('a').core.transferLeadership(nodeId('w'))
  cluster.settle()
  expect(cluster.roles()).toBe('a:leader b:follower w:follower')
  cluster.partition('a')
  cluster.tick('w', 100)
  expect(cluster.roles()).toBe('a:leader b:follower w:follower')
  cluster.elect('b')
  expect(cluster.roles()).toBe('a:leader b:leader w:follower')
})

test('who lacks what leader and witness have committed is not elected', () => {
  const cluster = withWitness()
  cluster.partition('b')
  cluster.propose('a', 'x')
  cluster.partition('a')
  cluster.tickAll(100)
  expect(cluster.member('b').core.status().role).not.toBe('leader')
  cluster.heal()
  cluster.tickAll(100)
  expect(cluster.commits()).toEqual(Array(3).fill(cluster.commits()[0]))
  expect(cluster.member('b').appliedTexts).toEqual(['x'])
})

test('a leader beside a witness does not remove itself, and nobody becomes or ceases to be a witness', () => {
  const { core } = withWitness().member('a')
  const propose = (target: Membership): unknown => core.proposeMembership(target)
  expect(propose({ ...voters('b', 'w'), witnesses: ids('w') })).toMatchObject({
    reason: 'leaderLeaves',
  })
  expect(propose(voters('a', 'b', 'w'))).toMatchObject({ reason: 'kindChanges' })
  expect(propose({ ...membership, witnesses: ids('b', 'w') })).toMatchObject({
    reason: 'kindChanges',
  })
})
