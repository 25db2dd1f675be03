// Real members in one process for tests: real files in a temporary folder, the memory transport, short timeouts.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Membership, NodeId } from '../../core/types.ts'
import { MemoryNetwork } from '../../transport/memory-transport.ts'
import { RaftNode } from '../raft-node.ts'
import type { RaftNodeEvent, RaftNodeOptions } from '../types.ts'
import { ListMachine } from './list-machine.ts'

export const ids = (count: number): NodeId[] =>
  Array.from({ length: count }, (_, i) => `n${i + 1}` as NodeId)

export const votersOnly = (voters: readonly NodeId[]): Membership => ({
  voters,
  votersOutgoing: [],
  learners: [],
})

export interface TestMember {
  readonly id: NodeId
  readonly node: RaftNode<number>
  readonly machine: ListMachine
  readonly events: RaftNodeEvent[]
}

export type ExtraOptions = Partial<
  Omit<RaftNodeOptions<number>, 'stateMachine'> & { stateMachine: ListMachine }
>

export class TestMembers {
  readonly network: MemoryNetwork = new MemoryNetwork()
  readonly root: string
  readonly voters: readonly NodeId[]
  readonly members: Map<NodeId, TestMember> = new Map<NodeId, TestMember>()

  private constructor(root: string, voters: readonly NodeId[]) {
    this.root = root
    this.voters = voters
  }

  static async create(count: number): Promise<TestMembers> {
    return new TestMembers(await mkdtemp(join(tmpdir(), 'balsa-raft-')), ids(count))
  }

  async start(id: NodeId, extra: ExtraOptions = {}): Promise<TestMember> {
    const machine = extra.stateMachine ?? new ListMachine()
    const events: RaftNodeEvent[] = []
    const node = await RaftNode.open<number>({
      id,
      clusterId: 'test',
      initialMembership: votersOnly(this.voters),
      peers: new Map(),
      directory: join(this.root, id),
      stateMachine: machine,
      transport: this.network.transport(id),
      heartbeatIntervalMs: 20,
      electionTimeoutMs: 200,
      onEvent: (event) => events.push(event),
      ...extra,
    })
    const member = { id, node, machine, events }
    this.members.set(id, member)
    return member
  }

  async startAll(extra: ExtraOptions = {}): Promise<TestMember[]> {
    return await Promise.all(this.voters.map((id) => this.start(id, extra)))
  }

  async stop(id: NodeId): Promise<void> {
    await this.members.get(id)?.node.close()
    this.members.delete(id)
  }

  /** The one that leads, leaving out `except`. */
  async leader(except?: NodeId): Promise<TestMember> {
    return await waitFor(() => {
      const leading = [...this.members.values()].filter(
        ({ id, node }) => id !== except && node.status().role === 'leader',
      )
      return leading.length === 1 ? leading[0] : undefined
    })
  }

  follower(leader: TestMember): TestMember {
    const found = [...this.members.values()].find(({ id }) => id !== leader.id)
    if (found === undefined) throw new Error('there is no follower')
    return found
  }

  async close(): Promise<void> {
    for (const { node } of this.members.values()) await node.close()
    await rm(this.root, { recursive: true, force: true })
  }
}

export function propose(node: RaftNode<number>, command: string): Promise<number> {
  return new Promise((resolve, reject) => {
    node.propose(Buffer.from(command), (error, result) => {
      if (error === undefined) resolve(result ?? -1)
      else reject(error)
    })
  })
}

export function read(node: RaftNode<number>): Promise<void> {
  return new Promise((resolve, reject) => {
    node.read((error) => {
      if (error === undefined) resolve()
      else reject(error)
    })
  })
}

export function nth<T>(list: readonly T[], i: number): T {
  const item = list[i]
  if (item === undefined) throw new Error(`there is no item ${i}`)
  return item
}

/** Waits until `find` gives something else than undefined or false. */
export async function waitFor<T>(find: () => T | undefined | false, ms = 20_000): Promise<T> {
  const deadline = performance.now() + ms
  for (;;) {
    const found = find()
    if (found !== undefined && found !== false) return found
    if (performance.now() > deadline) throw new Error('waited too long')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
