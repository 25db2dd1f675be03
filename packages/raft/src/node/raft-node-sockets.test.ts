// Three members as in production: real files, real sockets.
import { afterEach, expect, test } from 'vitest'
import type { NodeId } from '../core/types.ts'
import { createWsTransport, type WsTransport } from '../transport/ws-transport.ts'
import {
  nth,
  propose,
  read,
  TestMembers,
  waitFor,
  type TestMember,
} from './testing/test-members.ts'

let members: TestMembers
afterEach(async () => {
  await members.close()
})

const ports = new Map<NodeId, number>()

function transportOf(id: NodeId): WsTransport {
  return createWsTransport({ id, clusterId: 'test', listen: { port: ports.get(id) ?? 0 } })
}

/** Addresses are known only once everybody listens. */
function connect(transports: ReadonlyMap<NodeId, WsTransport>): Map<NodeId, string> {
  const peers = new Map<NodeId, string>()
  for (const [id, transport] of transports) {
    const { port = 0 } = transport.address() ?? {}
    ports.set(id, port)
    peers.set(id, `http://127.0.0.1:${port}`)
  }
  for (const transport of transports.values()) transport.setPeers(peers)
  return peers
}

test('a cluster over sockets agrees, outlives its leader, and brings it back with a snapshot', async () => {
  members = await TestMembers.create(3)
  const options = { snapshotEntries: 20, catchUpEntries: 5, limits: { logRetentionEntriesMax: 0 } }
  const transports = new Map<NodeId, WsTransport>()
  for (const id of members.voters) {
    const transport = transportOf(id)
    transports.set(id, transport)
    await members.start(id, { ...options, transport })
  }
  const peers = connect(transports)
  const old = await members.leader()
  const commands = Array.from({ length: 30 }, (_, i) => `before ${i}`)
  const all: readonly TestMember[] = [...members.members.values()]
  await Promise.all(commands.map((text, i) => propose(nth(all, i % 3).node, text)))
  await members.stop(old.id)
  const next = await members.leader()
  for (let i = 0; i < 60; i++) await propose(next.node, `after ${i} ${'x'.repeat(5000)}`)
  const back = await members.start(old.id, { ...options, transport: transportOf(old.id), peers })
  await waitFor(() => back.machine.commands.length === 90)
  expect(back.machine.restores).toBe(1)
  await read(back.node)
  expect(back.machine.commands).toEqual(next.machine.commands)
})
