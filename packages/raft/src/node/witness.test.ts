// Goal: a witness counts for votes and commits and holds no payload, in memory or on disk; and whoever asks it for more is told so.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { Membership, NodeId } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import {
  nth,
  propose,
  read,
  TestMembers,
  votersOnly,
  waitFor,
  type ExtraOptions,
  type TestMember,
} from './testing/test-members.ts'

let members: TestMembers

afterEach(async () => {
  await members.close()
})

interface WithWitness {
  readonly full: readonly TestMember[]
  readonly witness: TestMember
  readonly options: ExtraOptions
}

async function startWithWitness(extra: ExtraOptions = {}): Promise<WithWitness> {
  members = await TestMembers.create(3)
  const [a, b, w] = [0, 1, 2].map((i) => nth(members.voters, i)) as [NodeId, NodeId, NodeId]
  const initialMembership: Membership = { ...votersOnly([a, b, w]), witnesses: [w] }
  const options = { ...extra, initialMembership }
  const full = [await members.start(a, options), await members.start(b, options)]
  const witness = await members.start(w, { ...options, witness: true })
  return { full, witness, options }
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (reason: unknown) => (reason instanceof RaftError ? reason.code : reason),
  )

async function bytesOf(member: TestMember): Promise<string> {
  const folder = join(members.root, member.id)
  const names = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = names.filter((each) => each.isFile())
  const contents = files.map((each) => readFile(join(each.parentPath, each.name), 'latin1'))
  return (await Promise.all(contents)).join('')
}

test('a leader and a witness commit what the other member missed, and the payload is not at the witness', async () => {
  const { witness, options } = await startWithWitness()
  const leader = await members.leader()
  expect(leader.id).not.toBe(witness.id)
  const other = members.follower(leader)
  await members.stop(other.id)
  expect(await propose(leader.node, 'secret-payload')).toBe(1)
  await waitFor(() => witness.node.status().appliedIndex === leader.node.status().commitIndex)
  expect(await bytesOf(witness)).not.toContain('secret-payload')
  expect(await bytesOf(leader)).toContain('secret-payload')
  const back = await members.start(other.id, options)
  await read(back.node)
  expect(back.machine.commands).toEqual(['secret-payload'])
})

test('when only leader and witness have the newest entries, the others wait for the leader', async () => {
  const { witness, options } = await startWithWitness()
  const leader = await members.leader()
  const other = members.follower(leader)
  await members.stop(other.id)
  await propose(leader.node, 'x')
  await waitFor(() => witness.node.status().commitIndex === leader.node.status().commitIndex)
  await members.stop(leader.id)
  const behind = await members.start(other.id, options)
  const term = behind.node.status().term
  await waitFor(() => behind.node.status().role === 'preCandidate')
  expect(behind.node.status()).toMatchObject({ leader: undefined, term })
  await members.start(leader.id, options)
  expect((await members.leader()).id).toBe(leader.id)
  await read(behind.node)
  expect(behind.machine.commands).toEqual(['x'])
})

test('commands and reads at a witness are refused by name, and it is not made leader', async () => {
  const { witness } = await startWithWitness()
  const leader = await members.leader()
  expect(await codeOf(propose(witness.node, 'x'))).toBe('WITNESS')
  expect(await codeOf(read(witness.node))).toBe('WITNESS')
  const refused = leader.node.transferLeadership(witness.id)
  await expect(refused).rejects.toThrow('is not a voter, or a witness')
})

test('a witness compacts its log, is brought up to date by a snapshot without a state, and starts again', async () => {
  const { witness, options } = await startWithWitness({
    snapshotEntries: 10,
    catchUpEntries: 2,
    limits: { logRetentionEntriesMax: 2 },
  })
  const leader = await members.leader()
  for (let i = 0; i < 30; i++) await propose(leader.node, `before-${i}`)
  await waitFor(() => witness.node.status().firstIndex > 5)
  await members.stop(witness.id)
  const target = leader.node.status().lastIndex + 20
  for (let i = 0; i < 40; i++) await propose(leader.node, `after-${i}`)
  await waitFor(() => leader.node.status().firstIndex > target)
  const again = await members.start(witness.id, { ...options, witness: true })
  await waitFor(() => again.node.status().appliedIndex === leader.node.status().appliedIndex)
  expect(again.events.some(({ type }) => type === 'snapshotReceived')).toBe(true)
  expect(await bytesOf(again)).not.toContain('after-')
  await members.stop(members.follower(leader).id)
  expect(await propose(leader.node, 'with the witness')).toBe(71)
})

test('a member does not start as something else than the membership says', async () => {
  const { witness, options } = await startWithWitness()
  await members.leader()
  await members.stop(witness.id)
  await expect(members.start(witness.id, options)).rejects.toThrow('witness is not what')
  const other: Membership = votersOnly([nth(members.voters, 0)])
  const start = members.start(witness.id, { ...options, initialMembership: other })
  await expect(start).rejects.toThrow('is a witness, and cannot change that')
})
