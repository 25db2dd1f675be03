// The examples of packages/raft/README.md: what stands there between two fences is what is compiled and run here.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import {
  createWsTransport,
  decodeMembership,
  entryType,
  RaftCore,
  RaftNode,
  recoverLostQuorum,
  type CommittedEntry,
  type Core,
  type Entry,
  type Message,
  type NodeId,
  type Persist,
  type RaftMetrics,
  type ReadState,
  type StateMachine,
  type StateSnapshot,
} from '@balsa/raft'
import { afterEach, expect, test } from 'vitest'

const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

// begin machine
class Journal implements StateMachine<number> {
  lines: string[] = []
  #index = 0

  apply({ index, commands }: CommittedEntry): number[] {
    this.#index = index // every entry comes once and in order, some without commands
    return commands.map((command) => this.lines.push(Buffer.from(command).toString()))
  }
  membershipChanged(): void {}
  snapshot(): StateSnapshot {
    const bytes = Buffer.from(JSON.stringify(this.lines)) // pinned: entries go on meanwhile
    return { index: this.#index, chunks: () => Readable.from([bytes]), release() {} }
  }
  async restore(index: number, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const parts: Uint8Array[] = []
    for await (const chunk of chunks) parts.push(chunk)
    this.lines = JSON.parse(Buffer.concat(parts).toString()) as string[]
    this.#index = index
  }
}
// end machine

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'balsa-readme-'))
  cleanUps.push(() => rm(directory, { recursive: true, force: true }))
  return directory
}

async function openNode(directory: string, metrics?: RaftMetrics): Promise<RaftNode<number>> {
  const stateMachine = new Journal()
  // begin open
  const id = 'a' as NodeId
  const node = await RaftNode.open({
    id,
    clusterId: 'demo',
    directory,
    stateMachine,
    transport: createWsTransport({ id, clusterId: 'demo', listen: { port: 0 } }),
    initialMembership: { voters: [id], votersOutgoing: [], learners: [] },
    peers: new Map(), // the others: id -> 'http://host:2380'
    // end open
    ...(metrics === undefined ? {} : { metrics }),
  })
  cleanUps.push(() => node.close())
  return node
}

test('a member takes commands, waits when it is told to, reads and changes', async () => {
  const node = await openNode(await newDirectory())
  const applied: number[] = []
  const commands = ['hello', 'world'].map((text) => Buffer.from(text))
  await new Promise<void>((resolve, reject) => {
    node.read((error) => {
      if (error === undefined) resolve()
      else reject(error)
    })
  })
  const promise = new Promise<void>((resolve) => {
    const done = (error: Error | undefined, result: number | undefined): void => {
      expect(error).toBeUndefined()
      if (applied.push(result ?? 0) === commands.length) resolve()
    }
    // begin propose
    const queue = [...commands]
    const pump = (): void => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        if (!node.propose(next, done)) return // go on at 'drain'
      }
    }
    node.subscribe((event) => {
      if (event.type === 'drain') pump()
    })
    pump()
    // end propose
  })
  await promise
  expect(applied).toEqual([1, 2])
  const grow = async (): Promise<void> => {
    // begin change
    const voters = ['a', 'b', 'c'] as NodeId[]
    const peers = new Map([
      ['b' as NodeId, 'http://10.0.0.2:2380'],
      ['c' as NodeId, 'http://10.0.0.3:2380'],
    ])
    await node.changeMembership({ voters, votersOutgoing: [], learners: [] }, peers)
    await node.transferLeadership()
    // end change
  }
  expect(grow).toBeInstanceOf(Function)
  await expect(node.transferLeadership()).rejects.toThrow(RangeError)
})

test('an observer counts, and a lost quorum is recovered from', async () => {
  const directory = await newDirectory()
  // begin metrics
  let committed = 0
  const metrics: RaftMetrics = {
    committed: (commands) => {
      committed += commands
    },
  }
  // end metrics
  const node = await openNode(directory, metrics)
  await new Promise((resolve) => {
    node.propose(Buffer.from('a'), resolve)
  })
  expect(committed).toBe(1)
  await node.close()
  // begin recover
  const survivor = { id: 'a' as NodeId, clusterId: 'demo', directory }
  const { isNeeded, text } = await recoverLostQuorum(survivor) // only looks
  process.stdout.write(`${text}\n`)
  if (isNeeded) await recoverLostQuorum({ ...survivor, confirm: 'demo' })
  // end recover
  expect(isNeeded).toBe(false)
})

interface Disk {
  write(persist: Persist | undefined, done: () => void): void
}
interface Network {
  send(messages: readonly Message[]): void
}
interface Machine {
  apply(entry: Entry): void
  answer(read: ReadState): void
}

// begin loop
function turn(core: Core, disk: Disk, network: Network, machine: Machine): void {
  const ready = core.ready()
  network.send(ready.send) // at once: the leader sends entries while it writes its own
  disk.write(ready.persist, () => {
    core.persisted(ready.sequence) // in the order of the Readys, each after its sync
    network.send(ready.sendAfterPersist) // votes and acknowledgements
  })
  for (const entry of ready.apply) {
    machine.apply(entry) // committed, and durable here
    const membership = entry.type === entryType.membership && decodeMembership(entry.data)
    if (membership) core.applyMembership(membership)
    core.applied(entry.index)
  }
  for (const read of ready.reads) machine.answer(read)
}
// end loop

/** Three cores, whose disks and network take until everybody has had a turn. */
class World {
  readonly cores = new Map<NodeId, RaftCore>()
  readonly applied = new Map<NodeId, string[]>()
  readonly reads: ReadState[] = []
  #later: (() => void)[] = []

  constructor(ids: readonly NodeId[]) {
    const membership = { voters: ids, votersOutgoing: [], learners: [] }
    let draws = 0
    for (const id of ids) {
      const config = {
        id,
        electionTicks: 10,
        heartbeatTicks: 1,
        messageSizeBytesMax: 1024,
        inflightMessagesMax: 8,
        inflightSizeBytesMax: 8192,
        uncommittedSizeBytesMax: 1 << 20,
        random: () => (draws++ * 0.37) % 1,
      }
      const hardState = { term: 0, vote: undefined, commit: 0 }
      const snapshot = { index: 0, term: 0, membership }
      const restored = { hardState, snapshot, entries: [], appliedIndex: 0 }
      this.cores.set(id, new RaftCore(config, restored))
      this.applied.set(id, [])
    }
  }

  settle(): void {
    do {
      for (const actions = this.#later.splice(0); actions.length > 0;) actions.shift()?.()
      for (const [id, core] of this.cores) if (core.hasReady()) this.#turn(id, core)
    } while (this.#later.length > 0)
  }

  #turn(id: NodeId, core: RaftCore): void {
    const disk: Disk = {
      write: (_persist, done) => {
        this.#later.push(done)
      },
    }
    const network: Network = {
      send: (messages) => {
        for (const message of messages) {
          this.#later.push(() => this.cores.get(message.to)?.step(message))
        }
      },
    }
    const machine: Machine = {
      apply: ({ data }) => {
        if (data.length > 0) this.applied.get(id)?.push(Buffer.from(data).toString())
      },
      answer: (read) => this.reads.push(read),
    }
    turn(core, disk, network, machine)
  }
}

test('the core needs no more than the loop of the README', () => {
  const world = new World(['a', 'b', 'c'] as NodeId[])
  const cores = [...world.cores.values()]
  const leader = (): RaftCore | undefined => cores.find((core) => core.status().role === 'leader')
  for (let i = 0; i < 50 && leader() === undefined; i++) {
    for (const core of cores) core.tick()
    world.settle()
  }
  leader()?.propose([Buffer.from('one'), Buffer.from('two')])
  leader()?.readIndex(1)
  world.settle()
  for (const core of cores) core.tick()
  world.settle()
  for (const applied of world.applied.values()) expect(applied).toEqual(['one', 'two'])
  expect(world.reads).toMatchObject([{ context: 1 }])
})

test('the examples in the README are these', async () => {
  const read = (path: string): Promise<string> =>
    readFile(fileURLToPath(new URL(path, import.meta.url)), 'utf8')
  const readme = await read('../packages/raft/README.md')
  const source = await read('raft-readme.test.ts')
  const regions = [...source.matchAll(/^( *)\/\/ begin \w+\n([^]*?)\n *\/\/ end/gm)]
  expect(regions).toHaveLength(7)
  for (const [, indent = '', text = ''] of regions) {
    const example = text.replaceAll(`\n${indent}`, '\n').slice(indent.length)
    expect(readme).toContain(example)
  }
})
