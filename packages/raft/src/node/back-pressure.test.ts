// A proposer that is faster than the cluster: it is told to wait, and what waits stays within the limits, whether the disk is slow or the
// quorum is gone.
import { afterEach, expect, test } from 'vitest'
import type { RaftErrorCode } from '../errors.ts'
import { RaftError } from '../errors.ts'
import type { RaftNode } from './raft-node.ts'
import { KillableFileSystem } from './testing/killable-file-system.ts'
import { nth, read, TestMembers, waitFor } from './testing/test-members.ts'

let members: TestMembers
afterEach(async () => {
  await members.close()
})

const limits = { pendingCommandsMax: 100, pendingSizeBytesMax: 100_000 }

interface Answers {
  ok: number
  readonly codes: RaftErrorCode[]
}

/** Never waits. */
function proposeBlindly(node: RaftNode<number>, count: number, size: number): Answers {
  const answers: Answers = { ok: 0, codes: [] }
  for (let i = 0; i < count; i++) {
    node.propose(Buffer.alloc(size, 'x'), (error) => {
      if (error instanceof RaftError) answers.codes.push(error.code)
      else answers.ok++
    })
  }
  return answers
}

/** Waits for 'drain' whenever it is told to. Resolves when everything is answered; returns how often it waited. */
async function proposePolitely(
  node: RaftNode<number>,
  count: number,
  size: number,
): Promise<number> {
  let waits = 0
  let answered = 0
  for (let i = 0; i < count; i++) {
    const mayGoOn = node.propose(Buffer.alloc(size, 'x'), (error) => {
      if (error === undefined) answered++
    })
    if (mayGoOn) continue
    waits++
    await new Promise<void>((resolve) => {
      const end = node.subscribe(({ type }) => {
        if (type !== 'drain') return
        end()
        resolve()
      })
    })
  }
  await waitFor(() => answered === count)
  return waits
}

test('a proposer that waits when it is told to is never refused', async () => {
  members = await TestMembers.create(3)
  await members.startAll({ limits })
  const { node } = await members.leader()
  expect(await proposePolitely(node, 2_000, 10)).toBeGreaterThan(10)
  expect(await proposePolitely(node, 200, 5_000)).toBeGreaterThan(5)
  expect(node.status()).toMatchObject({ pendingCommands: 0, pendingSizeBytes: 0 })
})

test.each([
  ['count', 10, 100],
  ['bytes', 4_996, 20],
])(
  'one that does not wait is refused at the limit of %s while the disk hangs',
  async (_name, size, taken) => {
    members = await TestMembers.create(1)
    const fileSystem = new KillableFileSystem()
    const { node } = await members.start(nth(members.voters, 0), { limits, fileSystem })
    await read(node)
    fileSystem.hangSyncs()
    const answers = proposeBlindly(node, 1_000, size)
    expect(answers.codes).toEqual(Array.from({ length: 1_000 - taken }, () => 'OVERLOADED'))
    expect(node.status()).toMatchObject({
      pendingCommands: taken,
      pendingSizeBytes: taken * (size + 4),
    })
    fileSystem.continueSyncs()
    await waitFor(() => answers.ok === taken)
    expect(node.status().pendingSizeBytes).toBe(0)
  },
)

test('one that does not wait is refused at the limit while there is no quorum, on the leader and on a follower', async () => {
  members = await TestMembers.create(3)
  const all = await members.startAll({ limits })
  await members.leader()
  for (const { id } of all) members.network.setIsolated(id, true)
  for (const { node } of all) {
    const answers = proposeBlindly(node, 1_000, 10)
    expect(answers.codes).toHaveLength(900)
    expect(node.status().pendingCommands).toBe(100)
  }
})
