import { afterEach, expect, test } from 'vitest'
import { nodeClock } from './clock-node.ts'
import type { Clock } from './ports.ts'
import { propose, read, TestMembers } from './testing/test-members.ts'

let members: TestMembers | undefined
/** Ticks are real, what leases are measured by stands still for most of the test. */
let stoppedAtMs: number | undefined
const now = (): number => stoppedAtMs ?? nodeClock.now()
const clock: Clock = { ...nodeClock, now, wallMs: now }

afterEach(async () => {
  stoppedAtMs = undefined
  await members?.close()
})

test('a leader whose lease holds answers a read although it cannot reach anybody', async () => {
  const leaseReads = { maxDriftRate: 0.1 }
  members = await TestMembers.create(3)
  await members.startAll({ clock, leaseReads, electionTimeoutMs: 1_000 })
  await members.leader()
  stoppedAtMs = nodeClock.now()
  const leader = await members.leader()
  await propose(leader.node, 'x')
  await read(leader.node)
  members.network.setIsolated(leader.id, true)
  await read(leader.node)
  expect(leader.node.status().role).toBe('leader')
  expect(leader.machine.commands).toEqual(['x'])
})
