import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ApiError } from './api-client.ts'
import { LeaderElection } from './leader-election.ts'
import { FakeApiClient } from './testing/fake-api-client.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const lease = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' }

function candidate(client: FakeApiClient, identity: string, log: string[]): LeaderElection {
  const election = new LeaderElection({
    client,
    namespace: 'kube-system',
    name: 'scheduler',
    identity,
    onStartedLeading: () => log.push(`${identity} leads`),
    onStoppedLeading: () => log.push(`${identity} stops`),
    onError: () => undefined,
  })
  election.start()
  return election
}

test('one of two leads, and the other follows at once when it gives the lease up', async () => {
  const client = new FakeApiClient()
  const log: string[] = []
  const a = candidate(client, 'a', log)
  await vi.advanceTimersByTimeAsync(10)
  const b = candidate(client, 'b', log)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(log).toEqual(['a leads'])
  await a.close()
  await vi.advanceTimersByTimeAsync(4_000)
  expect(log).toEqual(['a leads', 'a stops', 'b leads'])
  expect(client.all(lease)[0]).toMatchObject({ spec: { holderIdentity: 'b', leaseTransitions: 1 } })
  await b.close()
})

test('a leader that cannot renew has stopped before the next one starts', async () => {
  const client = new FakeApiClient()
  const log: string[] = []
  const a = candidate(client, 'a', log)
  await vi.advanceTimersByTimeAsync(10)
  const b = candidate(client, 'b', log)
  await vi.advanceTimersByTimeAsync(3_000)
  const aWrites = vi.fn(() => new ApiError(503, 'ServiceUnavailable', 'gone'))
  vi.spyOn(client, 'update').mockImplementation(async (ref, object) => {
    const { spec } = object as unknown as { spec: { holderIdentity: string } }
    if (spec.holderIdentity === 'a') throw aWrites()
    return FakeApiClient.prototype.update.call(client, ref, object) as never
  })
  await vi.advanceTimersByTimeAsync(12_000)
  expect(log).toEqual(['a leads', 'a stops'])
  await vi.advanceTimersByTimeAsync(10_000)
  expect(log).toEqual(['a leads', 'a stops', 'b leads'])
  expect(aWrites.mock.calls.length).toBeGreaterThan(1)
  expect([a.isLeader, b.isLeader]).toEqual([false, true])
  await a.close()
  await b.close()
})

test('an answer that comes after the deadline does not make a leader', async () => {
  const client = new FakeApiClient()
  const log: string[] = []
  vi.spyOn(client, 'create').mockImplementation(async (ref, object) => {
    const made = await FakeApiClient.prototype.create.call(client, ref, object)
    await new Promise((resolve) => setTimeout(resolve, 11_000))
    return made as never
  })
  const a = candidate(client, 'a', log)
  await vi.advanceTimersByTimeAsync(12_000)
  expect(log).toEqual([])
  await vi.advanceTimersByTimeAsync(3_000)
  expect(log).toEqual(['a leads'])
  await a.close()
})

test('a deadline that is no shorter than the lease is refused', () => {
  const client = new FakeApiClient()
  const options = { client, namespace: 'x', name: 'y', identity: 'z' }
  expect(
    () =>
      new LeaderElection({
        ...options,
        leaseDurationMs: 1000,
        renewDeadlineMs: 1000,
        onStartedLeading: () => undefined,
      }),
  ).toThrow('two may lead')
})
