import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { NodeId } from '../core/types.ts'
import { seedLog } from './seed-log.ts'
import { DurableListMachine, type ListDisk } from './testing/list-machine.ts'
import { nth, propose, TestMembers, votersOnly, waitFor } from './testing/test-members.ts'

const restored = ['one', 'two', 'three']
const newDisk = (): ListDisk => ({ commands: restored, appliedIndex: 7 })
const opened: TestMembers[] = []
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close()
})

async function seeded(count: number): Promise<TestMembers> {
  const members = await TestMembers.create(count)
  opened.push(members)
  for (const id of members.voters) await seedLog(placeOf(members, id))
  return members
}

function placeOf(members: TestMembers, id: NodeId): Parameters<typeof seedLog>[0] {
  const directory = join(members.root, id)
  const membership = votersOnly(members.voters)
  return { id, clusterId: 'test', directory, membership, index: 7, term: 3 }
}

test('members that begin with a state go on from it, and one that joins gets it as a snapshot', async () => {
  const members = await seeded(3)
  for (const id of members.voters) {
    await members.start(id, { stateMachine: new DurableListMachine(newDisk()) })
  }
  const leader = await members.leader()
  expect(await propose(leader.node, 'next')).toBe(4)
  expect(leader.node.status()).toMatchObject({ generation: 7 })
  const id = 'new' as NodeId
  const added = await members.start(id, {
    stateMachine: new DurableListMachine({ commands: [], appliedIndex: 0 }),
  })
  await leader.node.changeMembership(
    { voters: members.voters, votersOutgoing: [], learners: [id] },
    new Map(),
  )
  await waitFor(() => added.machine.commands.length === 4)
  expect(added.machine.commands).toEqual([...restored, 'next'])
  expect(added.machine.restores).toBe(1)
})

test('a member goes on after a restart, and is not seeded twice', async () => {
  const members = await seeded(1)
  const id = nth(members.voters, 0)
  const disk = newDisk()
  const first = await members.start(id, { stateMachine: new DurableListMachine(disk) })
  await propose(first.node, 'next')
  await members.stop(id)
  const again = await members.start(id, { stateMachine: new DurableListMachine(disk) })
  await waitFor(() => again.machine.commands.length === 4)
  await members.stop(id)
  await expect(seedLog(placeOf(members, id))).rejects.toMatchObject({ code: 'CORRUPT' })
})

test('a folder with a log of another is left alone', async () => {
  const members = await TestMembers.create(1)
  opened.push(members)
  const id = nth(members.voters, 0)
  await members.start(id)
  await members.stop(id)
  await expect(seedLog(placeOf(members, id))).rejects.toMatchObject({ code: 'CORRUPT' })
})

test('a folder in use is refused', async () => {
  const members = await TestMembers.create(1)
  opened.push(members)
  const id = nth(members.voters, 0)
  await mkdir(join(members.root, id), { recursive: true })
  await members.start(id)
  await expect(seedLog(placeOf(members, id))).rejects.toMatchObject({ code: 'LOCKED' })
})
