import { afterEach, describe, expect, test } from 'vitest'
import { RaftError } from '../errors.ts'
import { nth, propose, read, TestMembers, waitFor } from './testing/test-members.ts'

let members: TestMembers

afterEach(async () => {
  await members.close()
})

describe('a cluster of one', () => {
  test('leads at once, applies what is proposed and has it after a restart', async () => {
    members = await TestMembers.create(1)
    const first = await members.start(nth(members.voters, 0))
    expect(await Promise.all(['a', 'b', 'c'].map((text) => propose(first.node, text)))).toEqual([
      1, 2, 3,
    ])
    await read(first.node)
    await members.stop(first.id)
    const second = await members.start(first.id)
    await read(second.node)
    expect(second.machine.commands).toEqual(['a', 'b', 'c'])
  })

  test('refuses a folder that another member has open, and names it', async () => {
    members = await TestMembers.create(1)
    const { id } = await members.start(nth(members.voters, 0))
    await expect(members.start(id)).rejects.toMatchObject({
      code: 'LOCKED',
      message: expect.stringContaining(`process ${process.pid}`) as string,
    })
  })
})

describe('a cluster of three', () => {
  test('agrees on one order, whoever proposes', async () => {
    members = await TestMembers.create(3)
    const all = await members.startAll()
    await members.leader()
    const commands = Array.from({ length: 300 }, (_, i) => `command ${i}`)
    await Promise.all(commands.map((text, i) => propose(nth(all, i % 3).node, text)))
    await Promise.all(all.map(({ node }) => read(node)))
    expect([...nth(all, 0).machine.commands].sort()).toEqual([...commands].sort())
    expect(nth(all, 1).machine.commands).toEqual(nth(all, 0).machine.commands)
    expect(nth(all, 2).machine.commands).toEqual(nth(all, 0).machine.commands)
  })

  test('goes on when the leader stops, and the old leader catches up', async () => {
    members = await TestMembers.create(3)
    await members.startAll()
    const old = await members.leader()
    await propose(old.node, 'before')
    await members.stop(old.id)
    const next = await members.leader()
    await propose(next.node, 'after')
    const back = await members.start(old.id)
    await waitFor(() => back.machine.commands.length === 2)
    expect(back.machine.commands).toEqual(['before', 'after'])
  })
})

test('a closed member answers CLOSED to everybody', async () => {
  members = await TestMembers.create(1)
  const { node } = await members.start(nth(members.voters, 0))
  const pending = propose(node, 'a').then(
    () => 'applied',
    (error: unknown) => (error instanceof RaftError ? error.code : error),
  )
  await node.close()
  expect(await pending).toBe('CLOSED')
  await expect(propose(node, 'b')).rejects.toMatchObject({ code: 'CLOSED' })
  await expect(read(node)).rejects.toMatchObject({ code: 'CLOSED' })
})
