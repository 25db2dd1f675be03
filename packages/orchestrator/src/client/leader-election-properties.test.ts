// Whatever happens to candidates and to what they ask and hear, two never lead at the same time; and when all is well again, one does.
import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Lease } from '../resources/lease.ts'
import { ApiError, type ApiClient } from './api-client.ts'
import { LeaderElection } from './leader-election.ts'
import { FakeApiClient } from './testing/fake-api-client.ts'
import { severableClient } from './testing/severable-client.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const lease = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' }
const count = 3

/** What lies between a candidate and the server. */
interface Way {
  /** Before the server has it, and before the answer is back. */
  thereMs: number
  backMs: number
  state: 'open' | 'lost' | 'deaf'
}
const openWay = (): Way => ({ thereMs: 0, backMs: 0, state: 'open' })
const pause = (ms: number): Promise<void> =>
  ms === 0 ? Promise.resolve() : new Promise((resolve) => void setTimeout(resolve, ms))

/** Requests over `way`: late, lost, or done without an answer. */
const over = (inner: ApiClient, way: Way): ApiClient => {
  const pass = async <T>(request: () => Promise<T>): Promise<T> => {
    const gone = new ApiError(503, 'ServiceUnavailable', 'gone')
    const { thereMs, backMs, state } = way
    await pause(thereMs)
    if (state === 'lost') throw gone
    const answer = await request()
    await pause(backMs)
    if (state === 'deaf') throw gone
    return answer
  }
  return Object.assign(Object.create(inner) as ApiClient, {
    get: (...args: Parameters<ApiClient['get']>) => pass(() => inner.get(...args)),
    create: (...args: Parameters<ApiClient['create']>) => pass(() => inner.create(...args)),
    update: (...args: Parameters<ApiClient['update']>) => pass(() => inner.update(...args)),
  })
}

class Candidates {
  readonly server = new FakeApiClient()
  readonly ways: Way[] = Array.from({ length: count }, openWay)
  readonly #running: ({ election: LeaderElection; crash(): void } | undefined)[] = []
  readonly #skewMs: readonly number[]
  /** By term: the fencing token that its leader could hand on. */
  readonly transitions: number[] = []
  #names = 0

  constructor(skewMs: readonly number[]) {
    this.#skewMs = skewMs
    for (let index = 0; index < count; index++) this.start(index)
  }

  get leaders(): number {
    return this.#running.filter((each) => each?.election.isLeader === true).length
  }

  /** -1: nobody. */
  get leader(): number {
    return this.#running.findIndex((each) => each?.election.isLeader === true)
  }

  start(index: number): void {
    if (this.#running[index] !== undefined) return
    const { client, sever } = severableClient(over(this.server, this.ways[index] ?? openWay()))
    const election = new LeaderElection({
      client,
      namespace: 'kube-system',
      name: 'scheduler',
      identity: `candidate-${++this.#names}`,
      now: () => Date.now() + (this.#skewMs[index] ?? 0),
      onStartedLeading: () => {
        expect(this.leaders).toBe(1)
        this.transitions.push(this.#lease()?.spec.leaseTransitions ?? 0)
      },
      onError: () => undefined,
    })
    const crash = (): void => {
      sever()
      void election.close()
    }
    this.#running[index] = { election, crash }
    election.start()
  }
  /** Without a word. */
  crash(index: number): void {
    this.#running[index]?.crash()
    this.#running[index] = undefined
  }
  /** As on SIGTERM: it says that it goes. */
  close(index: number): void {
    void this.#running[index]?.election.close()
    this.#running[index] = undefined
  }

  #lease(): Lease | undefined {
    return this.server.all(lease)[0] as unknown as Lease | undefined
  }
}

const which = fc.nat(count - 1)
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.nat(9000) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('way' as const),
      which,
      thereMs: fc.constantFrom(0, 0, 500, 3000, 9000, 14_000),
      backMs: fc.constantFrom(0, 0, 500, 3000, 9000, 14_000),
      state: fc.constantFrom('open' as const, 'open' as const, 'lost' as const, 'deaf' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('crash' as const), which }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('close' as const), which }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('start' as const), which }) },
)

test('two never lead at a time, whatever is late, lost, wrong by the clock, or crashes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: -86_400_000, max: 86_400_000 }), {
        minLength: count,
        maxLength: count,
      }),
      fc.array(step, { maxLength: 60 }),
      async (skewMs, steps) => {
        const candidates = new Candidates(skewMs)
        for (const each of steps) {
          if (each.type === 'wait') await vi.advanceTimersByTimeAsync(each.ms)
          else if (each.type === 'way') Object.assign(candidates.ways[each.which] ?? {}, each)
          else if (each.type === 'crash') candidates.crash(each.which)
          else if (each.type === 'close') candidates.close(each.which)
          else candidates.start(each.which)
          expect(candidates.leaders).toBeLessThanOrEqual(1)
        }
        for (const [index, way] of candidates.ways.entries()) {
          Object.assign(way, openWay())
          candidates.start(index)
        }
        await vi.advanceTimersByTimeAsync(90_000)
        expect(candidates.leaders).toBe(1)
        // Every term has a higher number than those before, except that a leader which lost touch may get its own Lease back.
        const { transitions } = candidates
        expect(transitions).toEqual(transitions.toSorted((a, b) => a - b))
        for (let index = 0; index < count; index++) candidates.crash(index)
        await vi.advanceTimersByTimeAsync(60_000)
      },
    ),
    { seed: 20_261_121, numRuns: 150 },
  )
}, 60_000)

test('a question that was long under way does not make the wait for another leader shorter', async () => {
  const candidates = new Candidates([0, 0, 0])
  await vi.advanceTimersByTimeAsync(5000)
  const index = candidates.leader
  for (const [each, way] of candidates.ways.entries()) if (each !== index) way.thereMs = 9000
  // By then all that the others ask arrives late, and what they ask next arrives at once.
  await vi.advanceTimersByTimeAsync(3000)
  for (const way of candidates.ways) way.thereMs = 0
  await vi.advanceTimersByTimeAsync(9000)
  Object.assign(candidates.ways[index] ?? {}, { state: 'lost' })
  for (let elapsedMs = 0; elapsedMs < 20_000; elapsedMs += 50) {
    await vi.advanceTimersByTimeAsync(50)
    expect(candidates.leaders).toBeLessThanOrEqual(1)
  }
  expect(candidates.leader).not.toBe(index)
})
