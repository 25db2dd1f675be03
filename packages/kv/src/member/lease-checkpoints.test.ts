// Leases of a member whose time is the test's: what is left of them goes through the log, and outlives a restart.
import { expect, test } from 'vitest'
import { MemoryBackend } from '../backend/memory-backend.ts'
import { encodeLeaseGrantRequest } from '../proto/index.ts'
import type { LeaseGrantResponse, LeaseKeepAliveResponse } from '../proto/messages.ts'
import type { MemberClock } from './member-clock.ts'
import { ask, openTestMember } from './testing/test-member.ts'

class TestClock implements MemberClock {
  #nowMs = 0
  #timers: { atMs: number; run: () => void }[] = []

  now(): number {
    return this.#nowMs
  }

  setTimer(ms: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, run }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  defer(run: () => void): void {
    setImmediate(run)
  }

  pass(ms: number): void {
    const endMs = this.#nowMs + ms
    for (;;) {
      const due = this.#timers.filter(({ atMs }) => atMs <= endMs)
      const next = due.sort((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined) break
      this.#timers = this.#timers.filter((timer) => timer !== next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.run()
    }
    this.#nowMs = endMs
  }
}

test('after a restart a long lease goes on where it was, unless it was renewed', async () => {
  const backend = new MemoryBackend()
  const clock = new TestClock()
  const before = await openTestMember({ backend, clock })
  const ids = [11n, 12n]
  for (const id of ids) {
    const body = encodeLeaseGrantRequest({ id, ttl: 1800 })
    await ask<LeaseGrantResponse>((done) => before.core.leaseGrant(body, done))
  }
  // Two checkpoints, and one that the end comes before.
  clock.pass(14 * 60_000)
  const renewed = await ask<LeaseKeepAliveResponse>((done) => before.core.leaseKeepAlive(12n, done))
  expect(renewed.ttl).toBe(1800)
  clock.pass(30_000)

  const { log } = before.consensus
  const after = await openTestMember({ backend, clock: new TestClock(), log })
  // The first entry of its term starts the time.
  const another = encodeLeaseGrantRequest({ id: 13n, ttl: 10 })
  await ask<LeaseGrantResponse>((done) => after.core.leaseGrant(another, done))
  const left = ids.map((id) => after.stateMachine.lessor.timeToLive(id, 0)?.ttlSeconds)
  // Each leader adds an election timeout, a second.
  expect(left).toEqual([1 + 1800 - 600 + 1, 1800 + 1])
})
