// Members of several versions in one cluster: nothing is proposed that one of them would pass over.
import { expect, test } from 'vitest'
import { MemoryBackend } from '../backend/memory-backend.ts'
import { KvError } from '../errors.ts'
import { encodePutRequest } from '../proto/index.ts'
import type { LeaseGrantResponse } from '../proto/messages.ts'
import { encodeClusterCommand } from './cluster-book.ts'
import { commandKind, decodeCommand, highestCommand, unsaidCommands } from './command.ts'
import { EmbeddedKv } from './embedded-kv.ts'
import { askMembers, membersAnswerer, type ClusterAnswer } from './member-question.ts'
import { encodeAttributes } from './meta-rows.ts'
import type { PeerQuestions } from './peer-questions.ts'
import { ManualClock } from './testing/manual-clock.ts'
import { ask, openTestMember, type TestMember } from './testing/test-member.ts'

const own = '0000000000000007'
const other = '0000000000000008'

const oldCluster = (): Promise<TestMember> => openTestMember({ commands: unsaidCommands })

/** One of the members says what it is; one of before says no commands. */
function publish({ stateMachine, consensus }: TestMember, id: string, commands?: number): void {
  const said = commands === undefined ? {} : { commands }
  const attributes = { id, name: id, peerUrls: [], clientUrls: [], version: '3.6.0', ...said }
  const body = encodeAttributes(attributes)
  consensus.propose(Uint8Array.of(commandKind.publish, ...body), () => undefined)
  expect(stateMachine.cluster.members.get(id)).toEqual(attributes)
}

const kindsIn = ({ consensus }: TestMember, from = 0): (string | undefined)[] =>
  consensus.log.slice(from).flatMap(({ commands }) =>
    commands.map((command) => {
      const { name, body } = decodeCommand(command)
      return name === 'as' ? decodeCommand(body.subarray(1)).name : name
    }),
  )

test('the level rises when the last member has said what it applies, learners too, and never falls', async () => {
  const member = await oldCluster()
  const { core, stateMachine } = member
  const { cluster } = stateMachine
  stateMachine.membershipChanged({ voters: [own], votersOutgoing: [], learners: [other] })
  publish(member, own, highestCommand)
  await core.cluster.settleCommands()
  expect(cluster.commands).toBe(unsaidCommands)
  publish(member, other)
  await core.cluster.settleCommands()
  expect(cluster.commands).toBe(unsaidCommands)
  publish(member, other, highestCommand - 1)
  await core.cluster.settleCommands()
  expect(cluster.commands).toBe(highestCommand - 1)
  publish(member, other, highestCommand + 5)
  await core.cluster.settleCommands()
  expect(cluster.commands).toBe(highestCommand)
  publish(member, other)
  await core.cluster.settleCommands()
  expect(cluster.commands).toBe(highestCommand)
})

test('a member of before that leaves is waited for no more', async () => {
  const member = await oldCluster()
  const { core, stateMachine } = member
  stateMachine.membershipChanged({ voters: [own, other], votersOutgoing: [], learners: [] })
  publish(member, own, highestCommand)
  publish(member, other)
  await core.cluster.settleCommands()
  expect(stateMachine.cluster.commands).toBe(unsaidCommands)
  stateMachine.membershipChanged({ voters: [own], votersOutgoing: [], learners: [] })
  await core.cluster.settleCommands()
  expect(stateMachine.cluster.commands).toBe(highestCommand)
})

test('the word of a leader counts in its own term, and stays with the tables', async () => {
  const backend = new MemoryBackend()
  const { stateMachine } = await openTestMember({ backend, commands: unsaidCommands })
  const { cluster } = stateMachine
  const command = { op: 'commands', highest: highestCommand, term: 4 } as const
  cluster.apply(encodeClusterCommand(command), 5)
  expect(cluster.commands).toBe(unsaidCommands)
  cluster.apply(encodeClusterCommand(command), 4)
  expect(cluster.commands).toBe(highestCommand)
  const again = await openTestMember({ backend, commands: unsaidCommands })
  expect(again.stateMachine.cluster.commands).toBe(highestCommand)
})

test('a member that knows less than the cluster uses stops, and does not start', async () => {
  const backend = new MemoryBackend()
  const { consensus } = await openTestMember({ backend })
  const newer = { op: 'commands', highest: highestCommand + 1, term: 1 } as const
  const body = encodeClusterCommand(newer)
  const propose = (): unknown =>
    consensus.propose(Uint8Array.of(commandKind.cluster, ...body), () => undefined)
  expect(propose).toThrow(/start this member with a newer version/)
  backend.put('mcluster/commands', Buffer.from(String(highestCommand + 1)))
  await expect(openTestMember({ backend })).rejects.toThrow(/up to kind 16, .* up to 15/)
})

test('who does not know the commands in use is not told who the members are', async () => {
  const { core } = await openTestMember()
  const reached = (commands: number): PeerQuestions => ({
    ask: (_url, _path, question, done) => {
      const answer = membersAnswerer(core, () => commands)
      answer(question, (status, body) => done({ status, body }))
    },
  })
  const asked = (commands: number): Promise<[ClusterAnswer | undefined, string | undefined]> =>
    new Promise((resolve) => {
      const question = { url: 'http://a', fresh: false }
      askMembers(reached(commands), question, (...answer) => resolve([answer[0], answer[1]]))
    })
  const [answer] = await asked(highestCommand)
  expect(answer?.clusterId).toBe(9n)
  const [nothing, refusal] = await asked(highestCommand + 1)
  expect([nothing, refusal]).toEqual([undefined, expect.stringMatching(/too old: .* kind 16/)])
  // One of before this was asked says nothing of it.
  const reply = await new Promise<number>((resolve) => {
    membersAnswerer(core, () => highestCommand)({ fresh: false }, resolve)
  })
  expect(reply).toBe(426)
})

const put = {
  key: Buffer.from('a'),
  value: Buffer.from('1'),
  lease: 7n,
  prevKv: false,
  ignoreValue: false,
  ignoreLease: false,
  ttlSeconds: 30,
}

test('before that, a put with a TTL is a grant and a put; a refused one takes its lease along', async () => {
  const member = await oldCluster()
  const { core, stateMachine } = member
  await ask((done) => core.put(encodePutRequest(put), done))
  await ask((done) => core.put(encodePutRequest({ ...put, key: Buffer.from('b') }), done))
  const times = stateMachine.lessor.timeToLive(7n, 0)
  expect([times?.grantedTtlSeconds, times?.keys]).toEqual([30, ['a', 'b']])
  expect(kindsIn(member)).toEqual(['leaseGrant', 'put', 'leaseGrant', 'put'])
  const missing = { ...put, key: Buffer.from('c'), value: Buffer.alloc(0), ignoreValue: true }
  const refused = (lease: bigint): Promise<unknown> =>
    ask((done) => core.put(encodePutRequest({ ...missing, lease }), done))
  await expect(refused(8n)).rejects.toMatchObject({ code: 'KEY_NOT_FOUND' })
  await expect(refused(7n)).rejects.toMatchObject({ code: 'KEY_NOT_FOUND' })
  expect(stateMachine.lessor.ids()).toEqual([7n])
})

test('before that, quotas are refused, after a second in which members that begin may say what they know', async () => {
  const clock = new ManualClock()
  const member = await openTestMember({ clock, commands: unsaidCommands })
  const kv = new EmbeddedKv(member.core)
  const refused = kv.maintenance.setQuota({ prefix: 'a/', keysMax: 1 }).catch(KvError.from)
  clock.advance(1100)
  expect(await refused).toMatchObject({ code: 'NOT_CAPABLE' })
  expect(kindsIn(member)).toEqual([])
  const taken = kv.maintenance.setQuota({ prefix: 'a/', keysMax: 1 })
  publish(member, own, highestCommand)
  await member.core.cluster.settleCommands()
  clock.advance(100)
  await taken
  expect(kindsIn(member)).toContain('quota')
})

test.each([
  [unsaidCommands, 'leaseRevoke', 'leaseCheckpoint'],
  [highestCommand, 'leaseExpire', 'leaseRemaining'],
])(
  'at level %i a leader ends leases with %s and tells what is left of them with %s',
  async (commands, end, left) => {
    const clock = new ManualClock()
    const member = await openTestMember({ clock, commands })
    const { core } = member
    const kv = new EmbeddedKv(core)
    const grant = (seconds: number): Promise<Pick<LeaseGrantResponse, 'id'>> =>
      kv.grantLease(seconds)
    await grant(2)
    const { id } = await grant(1000)
    core.leases.applied(1)
    clock.advance(4000)
    expect(kindsIn(member).at(-1)).toBe(end)
    clock.advance(400_000)
    expect(kindsIn(member).at(-1)).toBe(left)
    await kv.keepAliveLease(id)
    expect(kindsIn(member).at(-1)).toBe(left)
  },
)
