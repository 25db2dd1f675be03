import { afterEach, expect, test } from 'vitest'
import type { RaftMetrics } from './metrics.ts'
import { KillableFileSystem } from './testing/killable-file-system.ts'
import { nth, propose, read, TestMembers, waitFor } from './testing/test-members.ts'

let members: TestMembers
afterEach(async () => {
  await members.close()
})

/** Counts calls by name, and keeps the first arguments of each. */
class Recorder {
  readonly counts = new Map<string, number>()
  readonly sums = new Map<string, number>()
  readonly metrics: RaftMetrics = {
    proposed: (commands, sizeBytes) => this.#add('proposed', commands, sizeBytes),
    committed: (commands, latencyMs) => this.#add('committed', commands, latencyMs),
    failed: (commands, code) => this.#add(`failed ${code}`, commands),
    synced: (durationMs, sizeBytes) => this.#add('synced', sizeBytes, durationMs),
    messageSent: (type, sizeBytes) => this.#add(`sent ${type}`, sizeBytes),
    messageReceived: (type, sizeBytes) => this.#add(`received ${type}`, sizeBytes),
    snapshotSent: () => this.#add('snapshotSent', 1),
    snapshotReceived: () => this.#add('snapshotReceived', 1),
    checkpointed: (_index, durationMs) => this.#add('checkpointed', 1, durationMs),
    campaigned: () => this.#add('campaigned', 1),
    leaderChanged: () => this.#add('leaderChanged', 1),
    applied: (entries) => this.#add('applied', entries),
    readsServed: (how, reads, latencyMs) => this.#add(`read ${how}`, reads, latencyMs),
    readsFailed: (reads, code) => this.#add(`read failed ${code}`, reads),
    unreachable: () => this.#add('unreachable', 1),
  }

  #add(name: string, amount: number, other = 0): void {
    expect(Number.isFinite(amount) && amount >= 0 && other >= 0).toBe(true)
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
    this.sums.set(name, (this.sums.get(name) ?? 0) + amount)
  }

  sum(name: string): number {
    return this.sums.get(name) ?? 0
  }
}

test('an observer hears of commands, batches, syncs, messages, reads, elections and snapshots', async () => {
  members = await TestMembers.create(3)
  const recorders = members.voters.map(() => new Recorder())
  const options = { snapshotEntries: 10, catchUpEntries: 3, limits: { logRetentionEntriesMax: 0 } }
  for (const [i, id] of members.voters.entries()) {
    await members.start(id, { ...options, metrics: nth(recorders, i).metrics })
  }
  const leader = await members.leader()
  const own = nth(recorders, members.voters.indexOf(leader.id))
  const late = members.follower(leader)
  await Promise.all(['a', 'b', 'c'].map((text) => propose(leader.node, text)))
  expect([own.sum('proposed'), own.counts.get('proposed'), own.sum('committed')]).toEqual([3, 1, 3])
  await read(leader.node)
  await read(leader.node)
  expect(own.sum('read readIndex')).toBe(2)
  await members.stop(late.id)
  for (let i = 0; i < 60; i++) await propose(leader.node, `c${i}`)
  const again = new Recorder()
  const back = await members.start(late.id, { ...options, metrics: again.metrics })
  await waitFor(() => back.machine.commands.length === 63 && own.sum('snapshotSent') > 0)
  expect(again.sum('snapshotReceived')).toBe(own.sum('snapshotSent'))
  for (const name of ['campaigned', 'leaderChanged', 'checkpointed', 'unreachable']) {
    expect([name, own.sum(name) > 0]).toEqual([name, true])
  }
  expect(own.sum('applied')).toBe(leader.node.status().appliedIndex)
  expect(own.counts.get('synced')).toBeGreaterThan(60)
  expect(own.sum('sent appendEntries')).toBeGreaterThan(own.sum('sent heartbeat'))
  expect(again.sum('received appendEntries')).toBeGreaterThan(0)
  // What it acknowledges leaves after its next sync.
  await waitFor(() => again.sum('sent appendEntriesResult') > 0)
})

test('an observer hears with which code commands and reads failed', async () => {
  members = await TestMembers.create(1)
  const recorder = new Recorder()
  const fileSystem = new KillableFileSystem()
  const { node } = await members.start(nth(members.voters, 0), {
    fileSystem,
    metrics: recorder.metrics,
    limits: { commandSizeBytesMax: 5, pendingCommandsMax: 2 },
  })
  await read(node)
  fileSystem.hangSyncs()
  const answered: unknown[] = []
  for (const text of ['too large', 'a', 'b', 'c']) {
    node.propose(Buffer.from(text), (error) => answered.push(error))
  }
  fileSystem.failSyncs(new Error('EIO: disk'))
  fileSystem.continueSyncs()
  await waitFor(() => answered.length === 4)
  const failed = ['TOO_LARGE', 'OVERLOADED', 'CLOSED'].map((code) => recorder.sum(`failed ${code}`))
  expect(failed).toEqual([1, 1, 2])
})
