// Transports over real sockets in one process for tests, and what they deliver.
import type { Message, NodeId, SnapshotMeta } from '../../core/types.ts'
import type { RaftError } from '../../errors.ts'
import type { TransportHandler } from '../../node/ports.ts'
import { createWsTransport, type WsTransport, type WsTransportOptions } from '../ws-transport.ts'

export const a: NodeId = 'a' as NodeId
export const b: NodeId = 'b' as NodeId
export const meta: SnapshotMeta = {
  index: 9,
  term: 2,
  membership: { voters: [a, b], votersOutgoing: [], learners: [] },
}

export const heartbeat = (readSequence: number): Message => ({
  type: 'heartbeat',
  from: a,
  to: b,
  term: 1,
  commit: 0,
  readSequence,
  number: 0,
})

export const append = (prevLogIndex: number, size: number): Message => ({
  type: 'appendEntries',
  from: a,
  to: b,
  term: 1,
  prevLogIndex,
  prevLogTerm: 1,
  commit: 0,
  entries: [{ term: 1, index: prevLogIndex + 1, type: 0, data: Buffer.alloc(size, prevLogIndex) }],
})

export class Recorder implements TransportHandler {
  readonly messages: Message[] = []
  readonly unreachables: NodeId[] = []
  readonly connections: NodeId[] = []
  readonly refusals: RaftError[] = []
  snapshot: TransportHandler['snapshot'] = () => Promise.reject(new Error('not expected'))
  message(message: Message): void {
    this.messages.push(message)
  }
  unreachable(id: NodeId): void {
    this.unreachables.push(id)
  }
  connected(id: NodeId): void {
    this.connections.push(id)
  }
}

const open: WsTransport[] = []

export async function closeTransports(): Promise<void> {
  for (const transport of open.splice(0)) await transport.close()
}

export async function start(
  id: NodeId,
  extra: Partial<WsTransportOptions> = {},
): Promise<{ transport: WsTransport; recorder: Recorder; url: string }> {
  const recorder = new Recorder()
  const transport = createWsTransport({
    id,
    clusterId: 'c',
    onRefused: (error) => recorder.refusals.push(error),
    ...extra,
  })
  open.push(transport)
  await transport.start(recorder)
  return { transport, recorder, url: `http://127.0.0.1:${transport.address()?.port}` }
}

export async function startPair(extra: Partial<WsTransportOptions> = {}): Promise<{
  from: WsTransport
  fromRecorder: Recorder
  to: Recorder
  toTransport: WsTransport
}> {
  const receiver = await start(b, extra)
  const sender = await start(a)
  sender.transport.setPeers(new Map([[b, receiver.url]]))
  return {
    from: sender.transport,
    fromRecorder: sender.recorder,
    to: receiver.recorder,
    toTransport: receiver.transport,
  }
}
