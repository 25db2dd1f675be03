// One member of the cluster of raft-failover.ts, in a process of its own: real files, loopback sockets, a state machine that does nothing,
// and a writer that puts one value after the other as long as the member runs.
import { RaftNode, createWsTransport } from '@balsa/raft'
import type { NodeId, StateMachine } from '@balsa/raft'
import { now, type Answers, type Order } from './raft-failover-orders.ts'

const valueSizeBytes = 256
const acksKeptMax = 20_000

interface Ack {
  readonly startedAt: number
  readonly at: number
}

let node: RaftNode<undefined> | undefined
let isClosing = false
const failures: number[] = []
let acks: Ack[] = []
let waiting: { readonly since: number; readonly resolve: (at: number) => void }[] = []

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

async function start({ id, ports, directory }: Extract<Order, { type: 'start' }>): Promise<void> {
  const ids = Object.keys(ports) as NodeId[]
  const clusterId = 'raft-failover'
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
  write(node)
}

function write(member: RaftNode<undefined>): void {
  const startedAt = now()
  member.propose(Buffer.alloc(valueSizeBytes, 'x'), (error) => {
    const at = now()
    if (error === undefined) acked({ startedAt, at })
    else failures.push(at)
    if (!isClosing) write(member)
  })
}

function acked(ack: Ack): void {
  acks.push(ack)
  if (acks.length > acksKeptMax) acks = acks.slice(-acksKeptMax / 2)
  const ready = waiting.filter(({ since }) => ack.startedAt > since)
  if (ready.length === 0) return
  waiting = waiting.filter((each) => !ready.includes(each))
  for (const { resolve } of ready) resolve(ack.at)
}

function gapSince(since: number): Answers['gap'] {
  let last = since
  let gapMs = 0
  for (const { at } of acks) {
    if (at < since) continue
    gapMs = Math.max(gapMs, at - last)
    last = at
  }
  return { gapMs, failed: failures.filter((at) => at >= since).length }
}

async function close(): Promise<number> {
  const startedAt = now()
  const closed = node?.close()
  isClosing = true
  await closed
  return failures.filter((at) => at >= startedAt).length
}

async function obey(order: Order): Promise<Answers[Order['type']]> {
  switch (order.type) {
    case 'start':
      await start(order)
      return true
    case 'lead':
      return node?.status().role === 'leader'
    case 'transfer':
      await node?.transferLeadership()
      return true
    case 'close':
      return await close()
    case 'acked':
      return await new Promise((resolve) => waiting.push({ since: order.since, resolve }))
    case 'gap':
      return gapSince(order.since)
  }
}

process.on('message', ({ id, order }: { readonly id: number; readonly order: Order }) => {
  const answer = async (): Promise<void> => {
    process.send?.({ id, answer: await obey(order) })
  }
  answer().catch((error: unknown) => {
    console.error(error)
    process.exit(1)
  })
})
