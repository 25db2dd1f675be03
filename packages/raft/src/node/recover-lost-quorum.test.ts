import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { Membership, NodeId } from '../core/types.ts'
import type { RaftError } from '../errors.ts'
import { SeededRandom } from '../simulation/random.ts'
import { SimDisk } from '../simulation/sim-disk.ts'
import { SimFileSystem } from '../simulation/sim-file-system.ts'
import { createWsTransport, type WsTransport } from '../transport/ws-transport.ts'
import { entry, persistEntries } from '../wal/testing/test-wal.ts'
import { Wal } from '../wal/wal.ts'
import { nodeClock } from './clock-node.ts'
import type { File, FileSystem } from './ports.ts'
import type { RaftNode } from './raft-node.ts'
import { recoverLostQuorum } from './recover-lost-quorum.ts'
import {
  nth,
  propose,
  read,
  TestMembers,
  waitFor,
  type TestMember,
} from './testing/test-members.ts'

let members: TestMembers
const opened: TestMembers[] = []
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close()
})

async function createMembers(count: number): Promise<void> {
  members = await TestMembers.create(count)
  opened.push(members)
}

/** Members over sockets, each at a port of its own that it keeps. */
class Sockets {
  readonly refusals = new Map<NodeId, RaftError[]>()
  readonly urls = new Map<NodeId, string>()
  readonly #transports = new Map<NodeId, WsTransport>()

  async start(id: NodeId, peers: readonly NodeId[]): Promise<TestMember> {
    const refusals: RaftError[] = []
    this.refusals.set(id, refusals)
    const known = this.urls.get(id)
    const transport = createWsTransport({
      id,
      clusterId: 'test',
      listen: { port: known === undefined ? 0 : Number(new URL(known).port) },
      onRefused: (error) => refusals.push(error),
    })
    this.#transports.set(id, transport)
    const member = await members.start(id, { transport, peers: this.peers(peers) })
    this.urls.set(id, `http://127.0.0.1:${transport.address()?.port}`)
    return member
  }

  peers(ids: readonly NodeId[]): Map<NodeId, string> {
    return new Map(
      ids.flatMap((id) => [[id, this.urls.get(id) ?? '']] as const).filter(([, url]) => url !== ''),
    )
  }

  connect(ids: readonly NodeId[]): void {
    for (const id of ids)
      this.#transports.get(id)?.setPeers(this.peers(ids.filter((other) => other !== id)))
  }
}

async function changeMembership(
  sockets: Sockets,
  node: RaftNode<number>,
  membership: Membership,
): Promise<void> {
  const others = [...membership.voters, ...membership.learners].filter((id) => id !== node.id)
  await node.changeMembership(membership, sockets.peers(others))
}

test('a survivor goes on alone with all it had, grows again, and a member of before is refused and changes nothing', async () => {
  await createMembers(3)
  const sockets = new Sockets()
  for (const id of members.voters) await sockets.start(id, [])
  sockets.connect(members.voters)
  const leader = await members.leader()
  for (let i = 0; i < 20; i++) await propose(leader.node, `c${i}`)
  const survivor = members.follower(leader)
  await waitFor(() => survivor.machine.commands.length === 20)
  const [old, gone] = members.voters.filter((id) => id !== survivor.id)
  if (old === undefined || gone === undefined) throw new Error('there are three members')
  for (const id of members.voters) await members.stop(id)
  await cp(join(members.root, old), join(members.root, 'kept'), { recursive: true })
  for (const id of [old, gone]) await rm(join(members.root, id), { recursive: true })

  const place = { id: survivor.id, clusterId: 'test', directory: join(members.root, survivor.id) }
  const found = await recoverLostQuorum(place)
  expect(found).toMatchObject({ isNeeded: true, isDone: false, generation: 0 })
  expect(found.text).toContain(`holds entries up to ${found.lastIndex} of term ${found.lastTerm}`)
  await expect(recoverLostQuorum({ ...place, confirm: 'other' })).rejects.toMatchObject({
    code: 'NOT_CONFIRMED',
  })
  const done = await recoverLostQuorum({ ...place, confirm: 'test' })
  expect(done).toMatchObject({ isDone: true, generation: 1 })
  expect(await recoverLostQuorum({ ...place, confirm: 'test' })).toMatchObject({
    isNeeded: false,
    isDone: false,
    generation: 1,
  })

  const first = await sockets.start(survivor.id, [])
  await read(first.node)
  expect(first.machine.commands).toEqual(Array.from({ length: 20 }, (_, i) => `c${i}`))
  const added = ['m4', 'm5'] as NodeId[]
  for (const id of added) await sockets.start(id, [survivor.id])
  const alone = { voters: [survivor.id], votersOutgoing: [] }
  await changeMembership(sockets, first.node, { ...alone, learners: added })
  await waitFor(() => added.every((id) => members.members.get(id)?.machine.commands.length === 20))
  await changeMembership(sockets, first.node, {
    voters: [survivor.id, ...added],
    votersOutgoing: [],
    learners: [],
  })
  sockets.connect([survivor.id, ...added])
  const third = nth(added, 1)
  expect(await propose(nth([...members.members.values()], 1).node, 'grown')).toBe(21)

  await cp(join(members.root, 'kept'), join(members.root, old), { recursive: true })
  const back = await sockets.start(old, [survivor.id, ...added])
  await waitFor(() => (sockets.refusals.get(old) ?? []).length > 0)
  expect(sockets.refusals.get(old)?.[0]).toMatchObject({ code: 'OLD_GENERATION' })
  const { term } = first.node.status()
  expect(await propose(first.node, 'after')).toBe(22)
  expect([first.node.status().term, back.machine.commands.length]).toEqual([term, 20])

  // The new members know the generation after a restart too.
  await members.stop(third)
  const again = await sockets.start(third, [survivor.id])
  await waitFor(() => again.machine.commands.length === 22)
  expect(again.node.status().generation).toBe(1)
})

describe('what cannot be recovered is refused', () => {
  test('a member that runs', async () => {
    await createMembers(1)
    const { id } = await members.start(nth(members.voters, 0))
    const place = { id, clusterId: 'test', directory: join(members.root, id) }
    await expect(recoverLostQuorum(place)).rejects.toMatchObject({ code: 'LOCKED' })
  })

  test('a folder without a log, which stays without one', async () => {
    await createMembers(1)
    const place = { id: nth(members.voters, 0), clusterId: 'test', directory: members.root }
    for (let i = 0; i < 2; i++) {
      await expect(recoverLostQuorum(place)).rejects.toMatchObject({ code: 'CORRUPT' })
    }
  })
})

/** Everything fails from one operation on, as if the process had died there. */
class DyingFileSystem implements FileSystem {
  readonly #inner: FileSystem
  #left: number

  constructor(inner: FileSystem, operations: number) {
    this.#inner = inner
    this.#left = operations
  }

  get isDead(): boolean {
    return this.#left < 0
  }

  async #call<T>(action: () => Promise<T>): Promise<T> {
    if (--this.#left < 0) throw new Error('the process has died')
    return await action()
  }

  async open(path: string, mode: 'create' | 'write' | 'read'): Promise<File> {
    const file = await this.#call(() => this.#inner.open(path, mode))
    return {
      size: () => this.#call(() => file.size()),
      read: (position, length) => this.#call(() => file.read(position, length)),
      write: (buffers, position) => this.#call(() => file.write(buffers, position)),
      sync: () => this.#call(() => file.sync()),
      truncate: (size) => this.#call(() => file.truncate(size)),
      close: () => this.#call(() => file.close()),
    }
  }

  list(path: string): Promise<string[]> {
    return this.#call(() => this.#inner.list(path))
  }

  makeDirectory(path: string): Promise<void> {
    return this.#call(() => this.#inner.makeDirectory(path))
  }

  rename(from: string, to: string): Promise<void> {
    return this.#call(() => this.#inner.rename(from, to))
  }

  remove(path: string): Promise<void> {
    return this.#call(() => this.#inner.remove(path))
  }

  syncDirectory(path: string): Promise<void> {
    return this.#call(() => this.#inner.syncDirectory(path))
  }

  lock(path: string): Promise<{ release(): Promise<void> }> {
    return this.#call(() => this.#inner.lock(path))
  }
}

const survivor = 'n1' as NodeId
const place = { id: survivor, clusterId: 'test', directory: '/member' }

/** The disk of a member of three with ten entries, of which it knows seven to be committed. */
async function survivingDisk(seed: number): Promise<SimDisk> {
  const disk = new SimDisk(new SeededRandom(seed))
  const fileSystem = new SimFileSystem(disk)
  for (const path of ['/member', '/member/wal', '/member/snap'])
    await fileSystem.makeDirectory(path)
  for (const path of ['/', '/member']) await fileSystem.syncDirectory(path)
  const listener = { durable() {}, synced() {}, failed() {} }
  const voters = ['n1', 'n2', 'n3'] as NodeId[]
  const { wal } = await Wal.open({
    fileSystem,
    clock: nodeClock,
    directory: '/member/wal',
    metadataPath: '/member/meta',
    clusterId: 'test',
    nodeId: survivor,
    initialMembership: { voters, votersOutgoing: [], learners: [] },
    listener,
  })
  const entries = Array.from({ length: 10 }, (_, i) => entry(i + 1, 2, `c${i}`))
  wal.append(1, persistEntries(entries, { term: 3, vote: voters[1], commit: 7 }))
  await wal.close()
  return disk
}

test('a crash at any step leaves what can be recovered again, with nothing lost', async () => {
  let deaths = 0
  for (let operations = 0; ; operations++) {
    const disk = await survivingDisk(operations)
    const before = await recoverLostQuorum({ ...place, fileSystem: new SimFileSystem(disk) })
    const dying = new DyingFileSystem(new SimFileSystem(disk), operations)
    const attempt = recoverLostQuorum({ ...place, confirm: 'test', fileSystem: dying })
    const isDone = await attempt.then(
      (report) => report.isDone,
      () => false,
    )
    disk.crash()
    const fileSystem = new SimFileSystem(disk)
    const after = await recoverLostQuorum({ ...place, confirm: 'test', fileSystem })
    if (isDone) expect(after.isNeeded).toBe(false)
    expect(before).toMatchObject({ lastIndex: 10, lastTerm: 2, commitIndex: 7 })
    const end = await recoverLostQuorum({ ...place, fileSystem: new SimFileSystem(disk) })
    expect(end).toMatchObject({ isNeeded: false, membership: { voters: [survivor] } })
    expect([end.lastIndex, end.commitIndex]).toEqual([11, 11])
    expect(end.lastTerm).toBeGreaterThanOrEqual(4)
    expect(end.generation).toBeGreaterThan(0)
    if (!dying.isDead) break
    deaths++
  }
  expect(deaths).toBeGreaterThan(10)
})
