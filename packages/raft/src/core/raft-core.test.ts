import { expect, test } from 'vitest'
import {
  bytes,
  config,
  fresh,
  nodeId,
  TestCluster,
  TestMember,
  voters,
} from './testing/test-cluster.ts'

test('three members elect a leader and commit what it proposes', () => {
  const cluster = new TestCluster({ members: ['a', 'b', 'c'] })
  cluster.elect('a')
  cluster.propose('a', 'x', 'y')
  cluster.propose('b', 'z')
  cluster.tickAll()
  for (const member of cluster.members.values()) {
    expect(member.appliedTexts).toEqual(['x', 'y', 'z'])
  }
})

test('a single member applies nothing before its disk holds it', () => {
  const member = new TestMember(config('a'), fresh(voters('a')))
  member.autoPersist = false
  member.core.tick()
  member.core.tick()
  member.drain()
  expect(member.core.status().role).toBe('candidate')
  member.persistAll()
  expect(member.core.status().role).toBe('leader')
  member.core.propose([bytes('x')])
  member.drain()
  expect(member.applied).toEqual([])
  member.persistAll()
  member.drain()
  expect(member.appliedTexts).toEqual(['x'])
})

test('a leader answers a read only after a heartbeat round, a follower by asking it', () => {
  const cluster = new TestCluster({ members: ['a', 'b', 'c'] })
  cluster.elect('a')
  cluster.member('a').core.readIndex(1)
  cluster.member('b').core.readIndex(1)
  cluster.settle()
  expect(cluster.member('a').reads).toEqual([{ context: 1, index: 1 }])
  expect(cluster.member('b').reads).toEqual([{ context: 1, index: 1 }])
})

test('leadership moves to the member it is transferred to', () => {
  const cluster = new TestCluster({ members: ['a', 'b', 'c'] })
  cluster.elect('a')
  cluster.member('a').core.transferLeadership(nodeId('b'))
  cluster.settle()
  expect(cluster.roles()).toBe('a:follower b:leader c:follower')
})
