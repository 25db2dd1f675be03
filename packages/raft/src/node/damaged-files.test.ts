// Goal: whatever byte of a member's files goes bad, a member of three comes back to the state of its peers or names file and offset, and
// a member alone never starts with anything but the right state. Method: every byte of small files, in a cluster of its own.
import { expect, test } from 'vitest'
import type { NodeId } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import {
  copyDisk,
  HandWorld,
  memberDirectory,
  newMemberDisk,
  type MemberDisk,
} from './testing/hand-world.ts'
import { ids, nth, votersOnly } from './testing/test-members.ts'

const options = { snapshotEntries: 8, catchUpEntries: 4, limits: { logRetentionEntriesMax: 0 } }

interface Cluster {
  readonly names: readonly NodeId[]
  readonly disks: readonly MemberDisk[]
  readonly commands: readonly string[]
}

/** Some segments, a snapshot (or a durable state machine) and metadata on every disk. */
async function makeCluster(size: number, isDurable: boolean): Promise<Cluster> {
  const names = ids(size)
  const disks = names.map(() => newMemberDisk(isDurable))
  const world = new HandWorld(size)
  const initialMembership = votersOnly(names)
  for (const [i, id] of names.entries()) {
    await world.start(id, nth(disks, i), { ...options, initialMembership })
  }
  for (let i = 1; i <= 20; i++) await world.propose(`command ${i} ${'x'.repeat(i * 3)}`)
  const { machine } = await world.leader()
  const commands = [...machine.commands]
  await world.until(() =>
    [...world.members.values()].every((one) => one.machine.commands.length === commands.length),
  )
  await world.close()
  return { names, disks, commands }
}

interface Flip {
  readonly path: string
  readonly at: number
  readonly bit: number
}

/** Every `step`th byte of every file but the lock. */
function* flips({ files }: MemberDisk, step: number): Generator<Flip> {
  let count = 0
  for (const path of files.paths()) {
    if (path.endsWith('/lock')) continue
    for (let at = count % step; at < files.file(path).size; at += step) {
      yield { path, at, bit: count++ % 8 }
    }
  }
}

type Outcome = 'whole' | 'healed' | 'refused'

function mustNameThePlace(reason: unknown): Outcome {
  if (!(reason instanceof RaftError)) throw reason
  expect(reason.code).toBe('CORRUPT')
  expect(reason.file).toContain(memberDirectory)
  expect(reason.offset).toEqual(expect.any(Number))
  return 'refused'
}

/** Damages one of the disks and starts the cluster with it. */
async function runDamaged(
  { names, disks, commands }: Cluster,
  victim: number,
  flip: Flip,
): Promise<Outcome> {
  const world = new HandWorld(flip.at + 1)
  const initialMembership = votersOnly(names)
  let outcome: Outcome = 'whole'
  for (const [i, id] of names.entries()) {
    const disk = copyDisk(nth(disks, i))
    if (i === victim) disk.files.file(flip.path).flipBit(flip.at, flip.bit)
    try {
      const { events, node } = await world.start(id, disk, { ...options, initialMembership })
      if (!events.some(({ type }) => type === 'isolated')) continue
      outcome = 'healed'
      if (flip.path.endsWith('.wal')) expect(node.status().isRecovering).toBe(true)
    } catch (reason) {
      if (i !== victim) throw reason
      outcome = mustNameThePlace(reason)
    }
  }
  if (world.members.size > names.length / 2) await mustAgree(world, commands)
  await world.close()
  return outcome
}

async function mustAgree(world: HandWorld, commands: readonly string[]): Promise<void> {
  await world.propose('last')
  const members = [...world.members.values()]
  await world.until(() => members.every(({ machine }) => machine.commands.includes('last')))
  for (const { machine, events } of members) {
    expect(machine.commands.filter((command) => command !== 'last')).toEqual(commands)
    expect(events.filter(({ type }) => type === 'failed')).toEqual([])
  }
  await world.until(() => members.every(({ node }) => node.status().isRecovering !== true))
}

async function runAll(cluster: Cluster, step: number): Promise<Map<Outcome, number>> {
  const counts = new Map<Outcome, number>()
  const victims = cluster.disks.length
  let count = 0
  for (const flip of flips(nth(cluster.disks, 0), step)) {
    const victim = nth(cluster.disks, count++ % victims)
      .files.paths()
      .includes(flip.path)
      ? (count - 1) % victims
      : 0
    try {
      const outcome = await runDamaged(cluster, victim, flip)
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
    } catch (error) {
      throw new Error(`bit ${flip.bit} of ${flip.path} at ${flip.at}, member ${victim}`, {
        cause: error,
      })
    }
  }
  return counts
}

test('a byte flipped anywhere in the files of one of three members is healed by the others', async () => {
  const counts = await runAll(await makeCluster(3, false), 7)
  expect(counts.get('healed')).toBeGreaterThan(100)
}, 120_000)

test('so it is when the state machine has storage of its own, and may be ahead of what is left of the log', async () => {
  const counts = await runAll(await makeCluster(3, true), 7)
  expect(counts.get('healed')).toBeGreaterThan(100)
}, 120_000)

test('a member alone starts with the right state or not at all, whatever byte is flipped', async () => {
  const counts = await runAll(await makeCluster(1, false), 1)
  expect(counts.get('healed')).toBeUndefined()
  expect(counts.get('refused')).toBeGreaterThan(100)
}, 120_000)
