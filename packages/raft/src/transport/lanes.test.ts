// Heartbeats and votes do not wait behind entries, whatever becomes of the connection for entries.
import { afterEach, expect, test } from 'vitest'
import type { NodeId } from '../core/types.ts'
import { propose, TestMembers, waitFor } from '../node/testing/test-members.ts'
import { TestProxy } from './testing/test-proxy.ts'
import { a, append, b, closeTransports, heartbeat, start } from './testing/transports.ts'
import { createWsTransport, type WsTransport } from './ws-transport.ts'

afterEach(closeTransports)

test('small messages arrive while the connection for large ones stands still', async () => {
  const receiver = await start(b)
  const proxy = await TestProxy.before(Number(new URL(receiver.url).port))
  const sender = await start(a)
  sender.transport.setPeers(new Map([[b, proxy.url]]))
  await waitFor(() => proxy.opened.control === 1 && proxy.opened.bulk === 1)
  proxy.stall('bulk')
  sender.transport.send(Array.from({ length: 20 }, (_, i) => append(i, 1_000_000)))
  sender.transport.send([heartbeat(1)])
  await waitFor(() => receiver.recorder.messages.length === 1)
  expect(receiver.recorder.messages).toEqual([heartbeat(1)])
  proxy.flow('bulk')
  await waitFor(() => receiver.recorder.messages.length === 21)
  await proxy.close()
})

test('a peer whose bulk connection breaks is reported, and its control connection stays', async () => {
  const receiver = await start(b)
  const proxy = await TestProxy.before(Number(new URL(receiver.url).port))
  const sender = await start(a)
  sender.transport.setPeers(new Map([[b, proxy.url]]))
  await waitFor(() => proxy.opened.control === 1 && proxy.opened.bulk === 1)
  const before = sender.recorder.unreachables.length
  proxy.cut('bulk')
  await waitFor(() => sender.recorder.unreachables.length > before && proxy.opened.bulk === 2)
  expect(proxy.opened.control).toBe(1)
  await proxy.close()
})

test('a follower whose bulk connection stands still elects nobody, and catches up when it flows again', async () => {
  const members = await TestMembers.create(3)
  const transports = new Map<NodeId, WsTransport>()
  for (const id of members.voters) {
    const transport = createWsTransport({ id, clusterId: 'test' })
    transports.set(id, transport)
    await members.start(id, { transport, electionTimeoutMs: 500 })
  }
  const urls = new Map<NodeId, string>()
  for (const [id, transport] of transports) {
    urls.set(id, `http://127.0.0.1:${transport.address()?.port ?? 0}`)
  }
  for (const transport of transports.values()) transport.setPeers(urls)
  const leader = await members.leader()
  await propose(leader.node, 'first')
  const follower = members.follower(leader)
  const proxy = await TestProxy.before(Number(new URL(urls.get(follower.id) ?? '').port))
  transports.get(leader.id)?.setPeers(new Map([...urls, [follower.id, proxy.url]]))
  await waitFor(() => proxy.opened.control === 1 && proxy.opened.bulk === 1)
  const { term } = leader.node.status()
  proxy.stall('bulk')
  const large = 'x'.repeat(1_000_000)
  const count = 24
  for (let i = 0; i < count; i++) await propose(leader.node, `${i} ${large}`)
  // Longer than several election timeouts, told by the heartbeats that went through.
  const heard = proxy.bytes.control
  await waitFor(() => proxy.bytes.control - heard > 100 * 40)
  expect(follower.machine.commands.length).toBeLessThan(count)
  expect([leader.node.status().role, leader.node.status().term]).toEqual(['leader', term])
  expect([follower.node.status().leader, follower.node.status().term]).toEqual([leader.id, term])
  proxy.flow('bulk')
  await waitFor(() => follower.machine.commands.length === count + 1)
  expect(leader.node.status().term).toBe(term)
  await members.close()
  await proxy.close()
})
