// A cluster that was recovered from the loss of its quorum, and members of before: who is let in, and who learns what.
import { afterEach, expect, test } from 'vitest'
import type { Message, NodeId } from '../core/types.ts'
import type { RaftError } from '../errors.ts'
import { waitFor } from '../node/testing/test-members.ts'
import { createWsTransport, type WsTransport } from './ws-transport.ts'

const a = 'a' as NodeId
const b = 'b' as NodeId
const heartbeat: Message = {
  type: 'heartbeat',
  from: a,
  to: b,
  term: 1,
  commit: 0,
  readSequence: 0,
}

const open: WsTransport[] = []
afterEach(async () => {
  for (const transport of open.splice(0)) await transport.close()
})

class Side {
  readonly refusals: RaftError[] = []
  readonly messages: Message[] = []
  generation: number | undefined

  constructor(generation: number | undefined) {
    this.generation = generation
  }

  async start(id: NodeId): Promise<WsTransport> {
    const transport = createWsTransport({
      id,
      clusterId: 'c',
      onRefused: (error) => this.refusals.push(error),
    })
    open.push(transport)
    await transport.start({
      generation: () => this.generation,
      joined: (generation) => {
        this.generation = generation
      },
      message: (message) => this.messages.push(message),
      snapshot: () => Promise.reject(new Error('not expected')),
      unreachable() {},
    })
    return transport
  }
}

async function startPair(
  from: number | undefined,
  to: number | undefined,
): Promise<{ sender: WsTransport; from: Side; to: Side }> {
  const sides = { from: new Side(from), to: new Side(to) }
  const sender = await sides.from.start(a)
  const receiver = await sides.to.start(b)
  sender.setPeers(new Map([[b, `http://127.0.0.1:${receiver.address()?.port}`]]))
  return { sender, ...sides }
}

test.each([
  [0, 1, 'Member a'],
  [2, 1, 'Member b'],
])(
  'generation %i is refused by generation %i, and both are told who is the old one',
  async (old, own, text) => {
    const { from, to } = await startPair(old, own)
    await waitFor(() => from.refusals.length > 0 && to.refusals.length > 0)
    expect(from.refusals[0]).toMatchObject({ code: 'OLD_GENERATION' })
    expect(from.refusals[0]?.message).toContain(`${text} belongs to the cluster as it was before`)
    expect(from.refusals[0]?.message).toContain('add it as a new member')
    expect(to.refusals[0]?.message).toBe(from.refusals[0]?.message)
  },
)

test('a member without a log takes on the generation of the first peer, and then keeps to it', async () => {
  const { sender, to } = await startPair(2, undefined)
  sender.send([heartbeat])
  await waitFor(() => to.messages.length === 1)
  expect(to.generation).toBe(2)
  const [, receiver] = open
  const old = new Side(1)
  const oldTransport = await old.start('x' as NodeId)
  oldTransport.setPeers(new Map([[b, `http://127.0.0.1:${receiver?.address()?.port}`]]))
  await waitFor(() => old.refusals.length > 0)
  expect(old.refusals[0]).toMatchObject({ code: 'OLD_GENERATION' })
})

test('a member without a log is let in by any generation', async () => {
  const { sender, from, to } = await startPair(undefined, 5)
  sender.send([heartbeat])
  await waitFor(() => to.messages.length === 1)
  expect([from.generation, from.refusals]).toEqual([undefined, []])
})
