// One member of the cluster of raft-put.ts, in a process of its own: real files, loopback sockets, a state machine that does nothing. The
// member that leads also plays the client, and measures the bare disk between its puts.
import { join } from 'node:path'
import { RaftNode, createWsTransport } from '@balsa/raft'
import type { NodeId, StateMachine } from '@balsa/raft'
import { BareFile } from './bare-file.ts'

export interface MemberOrder {
  readonly type: 'start'
  readonly id: NodeId
  readonly ports: Readonly<Record<NodeId, number>>
  readonly directory: string
}

export type Order =
  | MemberOrder
  | { readonly type: 'lead' }
  | { readonly type: 'put'; readonly count: number }

export interface Latencies {
  readonly puts: readonly number[]
  readonly syncs: readonly number[]
}

const valueSizeBytes = 256

let node: RaftNode<undefined> | undefined

const nothing: StateMachine<undefined> = {
  apply: ({ commands }) => commands.map(() => undefined),
  membershipChanged() {},
  snapshot: () => ({ index: node?.status().appliedIndex ?? 0, chunks: noChunks, release() {} }),
  async restore(_index, chunks) {
    for await (const chunk of chunks) void chunk
  },
}

// eslint-disable-next-line @typescript-eslint/require-await
async function* noChunks(): AsyncGenerator<Uint8Array> {}

async function start({ id, ports, directory }: MemberOrder): Promise<void> {
  const ids = Object.keys(ports) as NodeId[]
  const clusterId = 'raft-put'
  const peers = ids.filter((other) => other !== id)
  node = await RaftNode.open({
    id,
    clusterId,
    directory,
    initialMembership: { voters: ids, votersOutgoing: [], learners: [] },
    peers: new Map(peers.map((peer) => [peer, `http://127.0.0.1:${ports[peer]}`])),
    stateMachine: nothing,
    transport: createWsTransport({ id, clusterId, listen: { port: ports[id] ?? 0 } }),
  })
}

function put(): Promise<number> {
  const command = Buffer.alloc(valueSizeBytes, 'x')
  return new Promise((resolve, reject) => {
    const startedAt = performance.now()
    node?.propose(command, (error) => {
      if (error === undefined) resolve(performance.now() - startedAt)
      else reject(error)
    })
  })
}

/** Blocks of puts and of bare syncs take turns, so that a slow moment of the disk hits both. */
async function measure(count: number, directory: string): Promise<Latencies> {
  const bare = new BareFile(join(directory, 'bare'))
  await bare.append()
  const puts: number[] = []
  const syncs: number[] = []
  for (let i = 0; i < count; i++) {
    puts.push(await put())
    if (i % 100 === 99) for (let j = 0; j < 50; j++) syncs.push(await bare.append())
  }
  return { puts, syncs }
}

let directory = ''
process.on('message', (order: Order) => {
  void obey(order).catch((error: unknown) => {
    console.error(error)
    process.exit(1)
  })
})

async function obey(order: Order): Promise<void> {
  if (order.type === 'start') {
    directory = order.directory
    await start(order)
    process.send?.('started')
  } else if (order.type === 'lead') {
    process.send?.(node?.status().role === 'leader')
  } else process.send?.(await measure(order.count, directory))
}
