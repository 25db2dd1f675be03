import { afterEach, describe, expect, test } from 'vitest'
import type { Membership, NodeId } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import {
  propose,
  TestMembers,
  votersOnly,
  waitFor,
  type TestMember,
} from './testing/test-members.ts'

let members: TestMembers
afterEach(async () => {
  await members.close()
})

const codeOf = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    await promise
    return 'done'
  } catch (error) {
    return error instanceof RaftError ? error.code : error
  }
}

const named = (...ids: string[]): NodeId[] => ids as NodeId[]
const noPeers = new Map<NodeId, string>()

async function startThree(): Promise<TestMember> {
  members = await TestMembers.create(3)
  await members.startAll()
  const leader = await members.leader()
  await propose(leader.node, 'first')
  return leader
}

describe('a change of membership', () => {
  test('goes from any set to any other, and is over when the last step is in force', async () => {
    const leader = await startThree()
    for (const id of named('m4', 'm5')) await members.start(id)
    const target = votersOnly([leader.id, ...named('m4', 'm5')])
    await leader.node.changeMembership(target, noPeers)
    expect(leader.node.status().membership).toMatchObject(target)
    const changes = leader.events.filter(({ type }) => type === 'membershipChanged')
    // The joint configuration, and the way out of it.
    expect(changes).toHaveLength(2)
    for (const id of members.voters) if (id !== leader.id) await members.stop(id)
    expect(await propose(leader.node, 'second')).toBe(2)
  })

  test('makes learners of voters, and voters of learners', async () => {
    const leader = await startThree()
    const others = members.voters.filter((id) => id !== leader.id)
    const target: Membership = { ...votersOnly([leader.id]), learners: others }
    await leader.node.changeMembership(target, noPeers)
    expect(leader.node.status().membership).toMatchObject(target)
    await propose(leader.node, 'second')
    await waitFor(() =>
      others.every((id) => members.members.get(id)?.machine.commands.length === 2),
    )
    const all = votersOnly(members.voters)
    await leader.node.changeMembership(all, noPeers)
    expect(leader.node.status().membership).toMatchObject(all)
  })

  test('to what is in force already is over at once', async () => {
    const leader = await startThree()
    const { lastIndex } = leader.node.status()
    await leader.node.changeMembership(votersOnly(members.voters), noPeers)
    expect(leader.node.status().lastIndex).toBe(lastIndex)
  })

  test('is refused while another one is under way, and by who does not lead', async () => {
    const leader = await startThree()
    await members.start('m4' as NodeId)
    const three = votersOnly(members.voters)
    const four = votersOnly([...members.voters, ...named('m4')])
    const first = leader.node.changeMembership(four, noPeers)
    expect(await codeOf(leader.node.changeMembership(three, noPeers))).toBe('CHANGE_PENDING')
    await first
    const follower = members.follower(leader)
    await waitFor(() => follower.node.status().membership.voters.length === 4)
    expect(await codeOf(follower.node.changeMembership(three, noPeers))).toBe('NOT_LEADER')
  })

  test.each<[string, Membership]>([
    ['without a voter', votersOnly([])],
    ['that is a step and no aim', { ...votersOnly(named('n1')), votersOutgoing: named('n2') }],
    [
      'that makes a witness of a member',
      { ...votersOnly(named('n1', 'n2', 'n3')), witnesses: named('n1') },
    ],
    ['with a voter that is a learner too', { ...votersOnly(named('n1')), learners: named('n1') }],
  ])('to a membership %s is refused', async (_name, target) => {
    const leader = await startThree()
    expect(await codeOf(leader.node.changeMembership(target, noPeers))).toBe('INVALID_MEMBERSHIP')
  })
})
