import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { NodeId } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import { nodeClock } from './clock-node.ts'
import type { Clock } from './ports.ts'
import { KillableFileSystem } from './testing/killable-file-system.ts'
import { DurableListMachine, type ListDisk } from './testing/list-machine.ts'
import {
  nth,
  propose,
  read,
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
    return 'no error'
  } catch (error) {
    return error instanceof RaftError ? error.code : error
  }
}

async function proposeAll(member: TestMember, prefix: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await propose(member.node, `${prefix}${i}`)
}

/** Enough for four checkpoints of ten entries each, each waited for: 48 commands. */
async function proposeOverCheckpoints(member: TestMember): Promise<void> {
  const count = (): number => member.events.filter(({ type }) => type === 'checkpoint').length
  for (let round = 0; round < 4; round++) {
    await proposeAll(member, `${round}-`, 12)
    await waitFor(() => count() > round)
  }
}

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

  test('leads without waiting for an election timeout', async () => {
    members = await TestMembers.create(1)
    const { node } = await members.start(nth(members.voters, 0), {
      heartbeatIntervalMs: 60_000,
      electionTimeoutMs: 600_000,
    })
    expect(await propose(node, 'a')).toBe(1)
  })

  test('has everything it answered when it is killed', async () => {
    members = await TestMembers.create(1)
    const id = nth(members.voters, 0)
    const fileSystem = new KillableFileSystem()
    const first = await members.start(id, { fileSystem })
    await proposeAll(first, 'c', 50)
    fileSystem.kill()
    const second = await members.start(id)
    await read(second.node)
    expect(second.machine.commands).toEqual(Array.from({ length: 50 }, (_, i) => `c${i}`))
  })

  test('keeps a snapshot of a machine in memory, removes the log before it and starts from both', async () => {
    members = await TestMembers.create(1)
    const id = nth(members.voters, 0)
    const first = await members.start(id, {
      snapshotEntries: 10,
      catchUpEntries: 3,
      limits: { logRetentionEntriesMax: 0 },
    })
    await proposeOverCheckpoints(first)
    expect(first.node.status().firstIndex).toBeGreaterThan(30)
    await members.stop(id)
    expect(await readdir(join(members.root, id, 'snap'))).toHaveLength(1)
    const second = await members.start(id)
    await read(second.node)
    expect(second.machine.restores).toBe(1)
    expect(second.machine.commands).toEqual(first.machine.commands)
  })

  test('starts a durable machine from where it is, without a snapshot', async () => {
    members = await TestMembers.create(1)
    const id = nth(members.voters, 0)
    const disk: ListDisk = { commands: [], appliedIndex: 0 }
    const options = {
      snapshotEntries: 10,
      catchUpEntries: 3,
      limits: { logRetentionEntriesMax: 0 },
    }
    const first = await members.start(id, {
      ...options,
      stateMachine: new DurableListMachine(disk),
    })
    await proposeOverCheckpoints(first)
    await members.stop(id)
    const second = await members.start(id, {
      ...options,
      stateMachine: new DurableListMachine(disk),
    })
    await read(second.node)
    expect(second.machine.restores).toBe(0)
    expect(second.machine.commands).toEqual(first.machine.commands)
    expect(await readdir(join(members.root, id, 'snap'))).toEqual([])
  })

  test('refuses a folder that is open already, and names who has it', async () => {
    members = await TestMembers.create(1)
    const { id } = await members.start(nth(members.voters, 0))
    await expect(members.start(id)).rejects.toMatchObject({
      code: 'LOCKED',
      message: expect.stringContaining(`process ${process.pid}`) as string,
    })
  })

  test('refuses the folder of another cluster', async () => {
    members = await TestMembers.create(1)
    const { id } = await members.start(nth(members.voters, 0))
    await members.stop(id)
    expect(await codeOf(members.start(id, { clusterId: 'other' }))).toBe('CLUSTER_MISMATCH')
  })

  test('refuses to start a machine that is ahead of its log', async () => {
    members = await TestMembers.create(1)
    const { id } = await members.start(nth(members.voters, 0))
    await members.stop(id)
    const stateMachine = new DurableListMachine({ commands: ['x'], appliedIndex: 1000 })
    expect(await codeOf(members.start(id, { stateMachine }))).toBe('CORRUPT')
  })
})

describe('limits', () => {
  test('a command above the size is refused, one at the size is taken', async () => {
    members = await TestMembers.create(1)
    const limits = { commandSizeBytesMax: 10, entrySizeBytesMax: 5 }
    const { node } = await members.start(nth(members.voters, 0), { limits })
    expect(await codeOf(propose(node, 'x'.repeat(11)))).toBe('TOO_LARGE')
    expect(await propose(node, 'x'.repeat(10))).toBe(1)
  })

  test('more waiting commands than allowed are refused at once, the others are answered', async () => {
    members = await TestMembers.create(1)
    const limits = { pendingCommandsMax: 5, entryCommandsMax: 2 }
    const { node } = await members.start(nth(members.voters, 0), { limits })
    const answers = Array.from({ length: 7 }, (_, i) => codeOf(propose(node, `c${i}`)))
    expect(await Promise.all(answers)).toEqual([
      ...Array.from({ length: 5 }, () => 'no error'),
      'OVERLOADED',
      'OVERLOADED',
    ])
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

  test('a follower far behind gets a snapshot, keeps it over a restart and follows on', async () => {
    members = await TestMembers.create(3)
    const options = {
      snapshotEntries: 10,
      catchUpEntries: 3,
      limits: { logRetentionEntriesMax: 0 },
    }
    await members.startAll(options)
    const leader = await members.leader()
    const late = members.follower(leader)
    await members.stop(late.id)
    await proposeAll(leader, 'c', 60)
    const back = await members.start(late.id, options)
    await waitFor(() => back.machine.commands.length === 60)
    expect(back.machine.restores).toBe(1)
    expect(back.events.some(({ type }) => type === 'snapshotReceived')).toBe(true)
    await propose(back.node, 'more')
    await members.stop(late.id)
    const again = await members.start(late.id, options)
    await waitFor(() => again.machine.commands.length === 61)
    expect(again.machine.commands).toEqual(leader.machine.commands)
  })

  test('a durable machine far behind is replaced by a snapshot', async () => {
    members = await TestMembers.create(3)
    const disks = new Map<NodeId, ListDisk>()
    const start = (id: NodeId): Promise<TestMember> => {
      const disk = disks.get(id) ?? { commands: [], appliedIndex: 0 }
      disks.set(id, disk)
      const stateMachine = new DurableListMachine(disk)
      return members.start(id, {
        snapshotEntries: 10,
        catchUpEntries: 3,
        limits: { logRetentionEntriesMax: 0 },
        stateMachine,
      })
    }
    for (const id of members.voters) await start(id)
    const leader = await members.leader()
    const late = members.follower(leader)
    await members.stop(late.id)
    await proposeAll(leader, 'c', 60)
    const back = await start(late.id)
    await waitFor(() => back.machine.commands.length === 60)
    expect(back.machine.restores).toBe(1)
    await members.stop(late.id)
    const again = await start(late.id)
    await waitFor(() => again.machine.commands.length === 60)
    expect(again.machine.restores).toBe(0)
  })

  test('a command that an overthrown leader could not commit is proposed again, and applied once', async () => {
    members = await TestMembers.create(3)
    const all = await members.startAll()
    const old = await members.leader()
    members.network.setIsolated(old.id, true)
    const pending = propose(old.node, 'lost and found')
    const next = await members.leader(old.id)
    await propose(next.node, 'other')
    members.network.setIsolated(old.id, false)
    expect(await pending).toBe(2)
    await waitFor(() => all.every(({ machine }) => machine.commands.length === 2))
    for (const { machine } of all) expect(machine.commands).toEqual(['other', 'lost and found'])
  })

  test('leaders come and go, and every command is applied at most once, an answered one exactly once', async () => {
    members = await TestMembers.create(3)
    const all = await members.startAll()
    const answers: Promise<unknown>[] = []
    const commands: string[] = []
    for (let round = 0; round < 5; round++) {
      const leader = await members.leader()
      for (const [i, { node }] of all.entries()) {
        for (let n = 0; n < 20; n++) {
          commands.push(`${round}-${i}-${n}`)
          answers.push(codeOf(propose(node, `${round}-${i}-${n}`)))
        }
      }
      members.network.setIsolated(leader.id, true)
      await members.leader(leader.id)
      members.network.setIsolated(leader.id, false)
    }
    const codes = await Promise.all(answers)
    await Promise.all(all.map(({ node }) => read(node)))
    const applied = nth(all, 0).machine.commands
    expect(new Set(applied).size).toBe(applied.length)
    for (const [i, code] of codes.entries()) {
      if (code === 'no error') expect(applied).toContain(nth(commands, i))
      else expect(['TIMEOUT', 'NO_LEADER']).toContain(code)
    }
    expect(codes.filter((code) => code === 'no error').length).toBeGreaterThan(100)
    expect(nth(all, 1).machine.commands).toEqual(applied)
    expect(nth(all, 2).machine.commands).toEqual(applied)
  })

  test('hands leadership over on demand, and refuses to where nobody may lead', async () => {
    members = await TestMembers.create(3)
    await members.startAll()
    const leader = await members.leader()
    const other = members.follower(leader)
    expect(await codeOf(other.node.transferLeadership(leader.id))).toBe('NOT_LEADER')
    await leader.node.transferLeadership(other.id)
    expect((await members.leader()).id).toBe(other.id)
    await expect(other.node.transferLeadership('nobody' as NodeId)).rejects.toThrow(RangeError)
  })

  test('takes a new member in, which gets everything, and lets one go', async () => {
    members = await TestMembers.create(3)
    await members.startAll()
    const leader = await members.leader()
    await proposeAll(leader, 'c', 5)
    const added = 'n4' as NodeId
    const joining = await members.start(added)
    await leader.node.changeMembership(votersOnly([...members.voters, added]), new Map())
    await waitFor(() => joining.machine.commands.length === 5)
    const leaving = members.follower(leader)
    const rest = [...members.voters, added].filter((id) => id !== leaving.id)
    await leader.node.changeMembership(votersOnly(rest), new Map())
    await members.stop(leaving.id)
    await propose(joining.node, 'after')
    expect(joining.machine.membership?.voters).toEqual(rest)
  })
})

describe('a member that stops', () => {
  test('answers CLOSED to everybody when it is closed', async () => {
    members = await TestMembers.create(1)
    const { node } = await members.start(nth(members.voters, 0))
    const pending = codeOf(propose(node, 'a'))
    await node.close()
    expect(await pending).toBe('CLOSED')
    expect(await codeOf(propose(node, 'b'))).toBe('CLOSED')
    expect(await codeOf(read(node))).toBe('CLOSED')
  })

  test.each([
    ['its disk fails', 'EIO: disk'],
    ['its state machine throws', 'state machine broke'],
  ])('tells why when %s, and answers everybody', async (_name, message) => {
    members = await TestMembers.create(1)
    const fileSystem = new KillableFileSystem()
    const { node, machine, events } = await members.start(nth(members.voters, 0), { fileSystem })
    await propose(node, 'a')
    const error = new Error(message)
    if (message.startsWith('EIO')) fileSystem.failSyncs(error)
    else {
      machine.apply = () => {
        throw error
      }
    }
    expect(await codeOf(propose(node, 'b'))).toBe('CLOSED')
    expect(events.at(-1)).toEqual({ type: 'failed', error })
    expect(await codeOf(propose(node, 'c'))).toBe('CLOSED')
  })

  test('gives up a command without a leader in the end, and says that it is not applied', async () => {
    members = await TestMembers.create(3)
    const fast: Clock = {
      ...nodeClock,
      now: () => nodeClock.now() * 50,
      setTimer: (ms, callback) => nodeClock.setTimer(ms / 50, callback),
    }
    const { node } = await members.start(nth(members.voters, 0), { clock: fast })
    const answers = Promise.all([codeOf(propose(node, 'a')), codeOf(read(node))])
    expect(await answers).toEqual(['NO_LEADER', 'NO_LEADER'])
  })
})
