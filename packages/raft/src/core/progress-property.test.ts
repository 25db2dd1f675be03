// Progress and its window against a naive model that keeps a full list of what is on its way and forgets nothing until it is answered.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Progress } from './progress.ts'
import { nodeId } from './testing/test-cluster.ts'

const limits = { messagesMax: 4, sizeBytesMax: 100 }

interface InFlight {
  readonly last: number
  readonly sizeBytes: number
}

/** What the follower is sent and answers; the states and numbers as etcd/raft documents them. */
class NaiveProgress {
  state: 'probe' | 'replicate' | 'snapshot' = 'probe'
  match = 0
  next: number
  inFlight: InFlight[] = []
  isProbeOut = false
  snapshot = 0

  constructor(next: number) {
    this.next = next
  }

  get isFull(): boolean {
    const bytes = this.inFlight.reduce((sum, each) => sum + each.sizeBytes, 0)
    return this.inFlight.length >= limits.messagesMax || bytes >= limits.sizeBytesMax
  }

  get isPaused(): boolean {
    if (this.state === 'replicate') return this.isFull
    return this.state === 'snapshot' || this.isProbeOut
  }

  enter(state: NaiveProgress['state'], next: number): void {
    this.state = state
    this.next = next
    this.inFlight = []
    this.isProbeOut = false
    this.snapshot = 0
  }

  send(count: number, sizeBytes: number): void {
    if (this.state === 'probe') this.isProbeOut = true
    else if (count > 0) {
      this.next += count
      this.inFlight.push({ last: this.next - 1, sizeBytes })
    }
  }

  acknowledge(index: number): void {
    this.isProbeOut = false
    this.inFlight = this.inFlight.filter((each) => each.last > index)
    this.match = Math.max(this.match, index)
    this.next = Math.max(this.next, index + 1)
  }

  reject(index: number, meet: number): void {
    if (this.state === 'replicate' && index > this.match) this.enter('probe', this.match + 1)
    // At match itself it refuses what it had acknowledged: nothing moves.
    else if (this.state === 'probe' && index === this.next - 1 && index !== this.match) {
      this.next = Math.max(Math.min(index, meet + 1), this.match + 1)
      this.isProbeOut = false
    }
  }

  alive(last: number): void {
    this.isProbeOut = false
    if (this.state === 'replicate' && this.match < last && this.isFull) this.inFlight.shift()
  }
}

class Pair {
  readonly #peer = new Progress({ id: nodeId('b'), nextIndex: 6, limits })
  readonly #naive = new NaiveProgress(6)

  /** Whatever `what` cannot do now is left out. */
  take(what: string, x: number, y: number): void {
    const { state } = this.#naive
    if (what === 'send' && !this.#naive.isPaused) {
      this.#peer.sent({ count: x, sizeBytes: x * y * 4, commit: 0 })
      this.#naive.send(x, x * y * 4)
    } else if (what === 'acknowledge') this.#acknowledge(Math.max(0, this.#naive.next - 1 - x))
    else if (what === 'reject') this.#reject(Math.max(0, this.#naive.next - 1 - x), y)
    else if (what === 'alive') {
      this.#peer.alive(this.#naive.next + x)
      this.#naive.alive(this.#naive.next + x)
    } else if (what === 'replicate' && state === 'probe') {
      this.#peer.becomeReplicate()
      this.#naive.enter('replicate', this.#naive.match + 1)
    } else if (what === 'unreachable' && state === 'replicate') {
      this.#peer.becomeProbe()
      this.#naive.enter('probe', this.#naive.match + 1)
    } else if (what === 'snapshot') this.#snapshot(x)
  }

  #acknowledge(index: number): void {
    const isNews = index > this.#naive.match
    expect(this.#peer.acknowledge(index)).toBe(isNews)
    this.#naive.acknowledge(index)
  }

  #reject(index: number, meet: number): void {
    this.#peer.reject(index, meet)
    this.#naive.reject(index, meet)
  }

  #snapshot(x: number): void {
    const naive = this.#naive
    if (naive.state !== 'snapshot') {
      this.#peer.becomeSnapshot(naive.next + x)
      naive.enter('snapshot', naive.next)
      naive.snapshot = naive.next + x
    } else if (x === 0) {
      this.#peer.snapshotFailed()
      naive.enter('probe', naive.match + 1)
      naive.isProbeOut = true
    } else {
      this.#peer.becomeProbe()
      naive.enter('probe', Math.max(naive.match, naive.snapshot) + 1)
    }
  }

  check(): void {
    this.#peer.verify()
    const { state, match, next, isPaused } = this.#naive
    const { matchIndex, nextIndex } = this.#peer
    expect({
      state: this.#peer.state,
      matchIndex,
      nextIndex,
      isPaused: this.#peer.isPaused(),
    }).toEqual({
      state,
      matchIndex: match,
      nextIndex: next,
      isPaused,
    })
  }
}

const step = fc.record({
  what: fc.constantFrom(
    'send',
    'send',
    'send',
    'acknowledge',
    'acknowledge',
    'reject',
    'alive',
    'replicate',
    'replicate',
    'unreachable',
    'snapshot',
  ),
  x: fc.nat(4),
  y: fc.nat(8),
})

test('state, match, next and the window agree with a naive model after any sequence of events', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
      const pair = new Pair()
      for (const { what, x, y } of steps) {
        pair.take(what, x, y)
        pair.check()
      }
    }),
    { seed: 41, numRuns: 500 },
  )
})
