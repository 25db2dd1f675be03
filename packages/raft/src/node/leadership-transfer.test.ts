import { afterEach, describe, expect, test } from 'vitest'
import { nth, propose, TestMembers, waitFor, type TestMember } from './testing/test-members.ts'

let members: TestMembers
afterEach(async () => {
  await members.close()
})

/** Proposes one command after the other until stop(), which tells what failed. */
function writeOn({ node }: TestMember): { stop(): Promise<unknown[]> } {
  const failures: unknown[] = []
  const stopping = new AbortController()
  const write = async (): Promise<void> => {
    for (let i = 0; !stopping.signal.aborted && failures.length === 0; i++) {
      await propose(node, `${node.id} ${i}`).catch((reason: unknown) => failures.push(reason))
    }
  }
  const writing = write()
  return {
    async stop() {
      stopping.abort()
      await writing
      return failures
    },
  }
}

describe('a planned transfer', () => {
  test('fails no command, wherever it is proposed, and each is applied once', async () => {
    members = await TestMembers.create(3)
    const all = await members.startAll()
    await members.leader()
    const writers = all.map((member) => writeOn(member))
    for (let i = 0; i < 5; i++) {
      const leader = await members.leader()
      const next = await leader.node.transferLeadership()
      expect(next).not.toBe(leader.id)
      await waitFor(() => members.members.get(next)?.node.status().role === 'leader')
    }
    for (const writer of writers) expect(await writer.stop()).toEqual([])
    const [first] = all
    const count = (): number | undefined => first?.machine.commands.length
    await waitFor(() => all.every(({ machine }) => machine.commands.length === count()))
    const { commands } = nth(all, 0).machine
    expect(new Set(commands).size).toBe(commands.length)
  })

  test('without a target goes to who can be heard', async () => {
    members = await TestMembers.create(3)
    await members.startAll()
    const leader = await members.leader()
    const away = members.follower(leader)
    await members.stop(away.id)
    await propose(leader.node, 'a')
    await waitFor(() => leader.node.status().progress.some((peer) => !peer.recentActive))
    const next = await leader.node.transferLeadership()
    expect(next).toBe(members.voters.find((id) => id !== leader.id && id !== away.id))
  })

  test('is refused where there is nobody', async () => {
    members = await TestMembers.create(1)
    const { node, id } = await members.start(nth(members.voters, 0))
    await propose(node, 'a')
    await expect(node.transferLeadership()).rejects.toThrow(RangeError)
    expect(await node.transferLeadership(id)).toBe(id)
  })
})

describe('a leader that closes', () => {
  test('has handed over, and answered what was proposed before', async () => {
    members = await TestMembers.create(3)
    await members.startAll()
    const leader = await members.leader()
    const { term } = leader.node.status()
    const others = [...members.members.values()].filter(({ id }) => id !== leader.id)
    const answers = Promise.all(Array.from({ length: 50 }, (_, i) => propose(leader.node, `c${i}`)))
    await leader.node.close()
    expect(await answers).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
    // Nobody has waited for an election timeout: the next term is that of the one who was told to campaign.
    const next = await members.leader(leader.id)
    expect(next.node.status().term).toBe(term + 1)
    await waitFor(() => others.every(({ machine }) => machine.commands.length === 50))
  })

  test('does not when it is told not to', async () => {
    members = await TestMembers.create(3)
    await members.startAll()
    const leader = await members.leader()
    const other = members.follower(leader)
    await waitFor(() => other.node.status().leader === leader.id)
    await leader.node.close({ transfer: false })
    expect(other.node.status().leader).toBe(leader.id)
  })

  test('closes when nobody takes over, and answers CLOSED', async () => {
    members = await TestMembers.create(3)
    await members.startAll()
    const leader = await members.leader()
    for (const id of members.voters) members.network.setIsolated(id, true)
    const pending = propose(leader.node, 'a')
    const closed = leader.node.close()
    await expect(pending).rejects.toMatchObject({ code: 'CLOSED' })
    await closed
  })

  test('takes nothing more meanwhile', async () => {
    members = await TestMembers.create(3)
    await members.startAll()
    const leader = await members.leader()
    const closed = leader.node.close()
    await expect(propose(leader.node, 'late')).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(leader.node.transferLeadership()).rejects.toMatchObject({ code: 'CLOSED' })
    await closed
  })
})
