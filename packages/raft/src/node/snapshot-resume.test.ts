// A follower that was away gets a large snapshot over sockets that are cut again and again, while writes go on: it is sent about once.
import { afterEach, expect, test } from 'vitest'
import type { NodeId } from '../core/types.ts'
import { TestProxy } from '../transport/testing/test-proxy.ts'
import { createWsTransport, type WsTransport } from '../transport/ws-transport.ts'
import { ListMachine } from './testing/list-machine.ts'
import { propose, TestMembers, waitFor, type TestMember } from './testing/test-members.ts'
import type { StateSnapshot } from './types.ts'

let members: TestMembers
let proxy: TestProxy | undefined
afterEach(async () => {
  await members.close()
  await proxy?.close()
})

/** In pieces of a size that is worth a frame. */
class LargeListMachine extends ListMachine {
  override snapshot(): StateSnapshot {
    const bytes = Buffer.from(JSON.stringify(this.commands))
    return {
      index: this.appliedIndex,
      async *chunks() {
        for (let at = 0; at < bytes.length; at += 64 * 1024) {
          yield await Promise.resolve(bytes.subarray(at, at + 64 * 1024))
        }
      },
      release() {},
    }
  }
}

const options = { snapshotEntries: 20, catchUpEntries: 5, electionTimeoutMs: 1000 }

test('a snapshot that is cut five times, and whose receiver restarts, is sent about once while writes go on', async () => {
  members = await TestMembers.create(3)
  const transports = new Map<NodeId, WsTransport>()
  const start = async (id: NodeId): Promise<TestMember> => {
    const transport = createWsTransport({ id, clusterId: 'test' })
    transports.set(id, transport)
    return await members.start(id, { ...options, stateMachine: new LargeListMachine(), transport })
  }
  const portOf = (id: NodeId): number => transports.get(id)?.address()?.port ?? 0
  const meet = (except?: ReadonlyMap<NodeId, string>): void => {
    const urls = new Map<NodeId, string>()
    for (const id of members.voters) urls.set(id, `http://127.0.0.1:${portOf(id)}`)
    for (const transport of transports.values()) {
      transport.setPeers(new Map([...urls, ...(except ?? [])]))
    }
  }
  for (const id of members.voters) await start(id)
  meet()
  const leader = await members.leader()
  const away = members.follower(leader)
  await members.stop(away.id)
  const large = 'x'.repeat(200_000)
  for (let i = 0; i < 60; i++) await propose(leader.node, `${i} ${large}`)
  // For a while the leader keeps the log for who was there a moment ago: not a snapshot, but entries would be sent.
  while (leader.node.status().firstIndex <= 60) await propose(leader.node, 'more')
  const size = leader.machine.commands.join().length

  const writes = { isOver: false, count: 0 }
  const writing = (async () => {
    while (!writes.isOver) await propose(leader.node, `meanwhile ${writes.count++}`)
  })()
  await start(away.id)
  const cuts = { left: 5 }
  proxy = await TestProxy.before(portOf(away.id))
  const between = proxy
  proxy.cutAfter = (kind, bytes) => {
    const isCut = kind === 'snapshot' && cuts.left > 0 && bytes > size / 7
    if (isCut) cuts.left--
    return isCut
  }
  meet(new Map([[away.id, proxy.url]]))
  await waitFor(() => cuts.left <= 2)
  await members.stop(away.id)
  const back = await start(away.id)
  between.target = portOf(away.id)
  meet(new Map([[away.id, proxy.url]]))
  await waitFor(() => back.machine.restores === 1)
  writes.isOver = true
  await writing
  await waitFor(() => back.machine.commands.length === leader.machine.commands.length)
  expect(back.machine.commands).toEqual(leader.machine.commands)
  expect([cuts.left, writes.count > 10]).toEqual([0, true])
  expect(proxy.opened.snapshot).toBeGreaterThan(5)
  // What was on the way when it was cut, and pieces that were not whole, come twice.
  expect(proxy.bytes.snapshot).toBeLessThan(size * 1.5)
})
