import { expect, test } from 'vitest'
import { Lessor } from '../lease/lessor.ts'
import { LeaseKeeper } from './lease-keeper.ts'

const tables = { get: () => undefined, put: () => undefined, delete: () => undefined }

test('a leader that does not know a lease waits for what is committed before it says so', () => {
  const lessor = new Lessor(tables, 1)
  const confirmed: (() => void)[] = []
  const keeper = new LeaseKeeper({
    lessor: () => lessor,
    clock: { now: () => 0, setTimer: () => () => undefined, defer: (callback) => callback() },
    electionTimeoutMs: 1000,
    settings: { revokesPerSecond: 1000, checkpoints: true },
    checkpoint: () => undefined,
    revoke: () => undefined,
    confirm: (done) => void confirmed.push(() => done(undefined)),
    link: { renew: () => undefined, timeToLive: () => undefined },
  })
  keeper.leaderChanged(true, 1)
  keeper.applied(1)
  const answers: (number | undefined)[] = []
  // A follower has applied the grant and told its client; this member's disk is slow.
  keeper.renew(7n, (_, ttl) => void answers.push(ttl))
  expect(answers).toEqual([])
  lessor.grant(7n, 5, 0)
  for (const answer of confirmed) answer()
  expect(answers).toEqual([5])
  // From then on it is known, and nobody is asked.
  keeper.renew(7n, (_, ttl) => void answers.push(ttl))
  expect(answers).toEqual([5, 5])
})
