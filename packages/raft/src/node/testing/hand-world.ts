// Members over simulated disks in one process, on a clock that moves by hand: a whole cluster starts, elects and catches up in a few
// milliseconds, so that a test can do it for every byte of a file.
import type { NodeId } from '../../core/types.ts'
import { SeededRandom } from '../../simulation/random.ts'
import { SimDisk } from '../../simulation/sim-disk.ts'
import { SimFileSystem } from '../../simulation/sim-file-system.ts'
import { MemoryNetwork } from '../../transport/memory-transport.ts'
import type { Clock, FileSystem } from '../ports.ts'
import { RaftNode } from '../raft-node.ts'
import type { RaftNodeEvent, RaftNodeOptions } from '../types.ts'
import { DurableListMachine, ListMachine, type ListDisk } from './list-machine.ts'
import { votersOnly } from './test-members.ts'

const heartbeatIntervalMs = 10
export const memberDirectory = '/member'

class HandClock implements Clock {
  #now = 0
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>()

  now(): number {
    return this.#now
  }

  setTimer(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback }
    this.#timers.add(timer)
    return () => {
      this.#timers.delete(timer)
    }
  }

  defer(callback: () => void): void {
    setImmediate(callback)
  }

  advance(ms: number): void {
    this.#now += ms
    for (const timer of this.#timers) {
      if (timer.at > this.#now || !this.#timers.delete(timer)) continue
      timer.callback()
    }
  }
}

export interface HandMember {
  readonly id: NodeId
  readonly node: RaftNode<number>
  readonly machine: ListMachine
  readonly events: RaftNodeEvent[]
}

export interface MemberDisk {
  readonly files: SimDisk
  /** Of a state machine with storage of its own. */
  readonly machine: ListDisk | undefined
}

export class HandWorld {
  readonly clock: HandClock = new HandClock()
  readonly #network = new MemoryNetwork(this.clock)
  readonly #random: SeededRandom
  readonly members: Map<NodeId, HandMember> = new Map<NodeId, HandMember>()

  constructor(seed: number) {
    this.#random = new SeededRandom(seed)
  }

  async start(
    id: NodeId,
    disk: MemberDisk,
    extra: Partial<RaftNodeOptions<number>> & { readonly fileSystem?: FileSystem } = {},
  ): Promise<HandMember> {
    const machine =
      disk.machine === undefined ? new ListMachine() : new DurableListMachine(disk.machine)
    const events: RaftNodeEvent[] = []
    const node = await RaftNode.open<number>({
      id,
      clusterId: 'test',
      initialMembership: votersOnly([id]),
      peers: new Map(),
      directory: memberDirectory,
      stateMachine: machine,
      transport: this.#network.transport(id),
      fileSystem: new SimFileSystem(disk.files),
      clock: this.clock,
      random: () => this.#random.next(),
      heartbeatIntervalMs,
      electionTimeoutMs: 10 * heartbeatIntervalMs,
      segmentSizeBytes: 1024,
      onEvent: (event) => events.push(event),
      ...extra,
    })
    const member = { id, node, machine, events }
    this.members.set(id, member)
    return member
  }

  /** Lets time pass until `find` gives something else than undefined or false. */
  async until<T>(find: () => T | undefined | false): Promise<T> {
    for (let tick = 0; tick < 2000; tick++) {
      for (let turn = 0; turn < 8; turn++) {
        const found = find()
        if (found !== undefined && found !== false) return found
        await new Promise((resolve) => {
          setImmediate(resolve)
        })
      }
      this.clock.advance(heartbeatIntervalMs)
    }
    throw new Error('nothing came of it')
  }

  async leader(): Promise<HandMember> {
    return await this.until(() =>
      [...this.members.values()].find(({ node }) => node.status().role === 'leader'),
    )
  }

  /** Proposed again until it is applied; other copies of it may be too. */
  async propose(command: string): Promise<void> {
    let isDone = false
    let isPending = false
    await this.until(() => {
      const leader = [...this.members.values()].find(({ node }) => node.status().role === 'leader')
      if (leader !== undefined && !isPending && !isDone) {
        isPending = true
        leader.node.propose(Buffer.from(command), (error) => {
          isPending = false
          isDone ||= error === undefined
        })
      }
      return isDone
    })
  }

  async close(): Promise<void> {
    const closing = [...this.members.values()].map(({ node }) => node.close({ transfer: false }))
    this.members.clear()
    await Promise.all(closing)
  }
}

export function newMemberDisk(isDurable = false): MemberDisk {
  const machine = isDurable ? { commands: [], appliedIndex: 0 } : undefined
  return { files: new SimDisk(new SeededRandom(1)), machine }
}

/** The same bytes on another disk, all of them durable. */
export function copyDisk({ files, machine }: MemberDisk): MemberDisk {
  const copy = new SimDisk(new SeededRandom(1))
  for (const path of files.paths()) {
    copy.makeDirectory(path.slice(0, path.lastIndexOf('/')))
    const source = files.file(path)
    const target = copy.create(path)
    target.write(0, source.read(0, source.size))
    target.sync()
  }
  for (const path of [memberDirectory, `${memberDirectory}/wal`, `${memberDirectory}/snap`]) {
    copy.makeDirectory(path)
    copy.syncDirectory(path)
  }
  copy.syncDirectory('/')
  return { files: copy, machine: machine === undefined ? undefined : { ...machine } }
}
