// Rounds of reads against a naive model: every read remembers when it was asked, every broadcast when it left. A read is confirmed when a
// quorum has answered a broadcast that left after it was asked, and its index is what was committed when it was asked.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ReadRounds } from './read-index.ts'

interface NaiveRead {
  readonly context: number
  index: number | undefined
  /** Broadcasts with a higher number than this left after it was asked. */
  asked: number
}

class Pair {
  readonly rounds = new ReadRounds()
  #waiting: NaiveRead[] = []
  #broadcasts = 0
  /** What each broadcast carried on the wire. */
  readonly #carried: number[] = []
  #commitIndex = 0
  #isReady = false
  #contexts = 0

  read(): void {
    const context = this.#contexts++
    const request = { from: undefined, context }
    const index = this.#isReady ? this.#commitIndex : undefined
    if (index === undefined) this.rounds.addEarly(request)
    else this.rounds.add(request, index)
    this.#waiting.push({ context, index, asked: this.#broadcasts })
  }

  /** The first commit of the term lets the early reads begin. */
  commit(): void {
    this.#commitIndex++
    if (this.#isReady) return
    this.#isReady = true
    this.rounds.releaseEarly(this.#commitIndex)
    for (const read of this.#waiting) {
      read.index = this.#commitIndex
      read.asked = this.#broadcasts
    }
  }

  broadcast(): void {
    this.rounds.close()
    this.#broadcasts++
    this.#carried.push(this.rounds.sequence)
  }

  /** A quorum has answered the broadcast that left `back` before the newest. */
  answer(back: number): void {
    const number = this.#carried.length - back
    const carried = this.#carried[number - 1]
    if (carried === undefined) return
    const isDone = (read: NaiveRead): boolean => read.index !== undefined && read.asked < number
    const expected = this.#waiting.filter(isDone)
    this.#waiting = this.#waiting.filter((read) => !isDone(read))
    const confirmed = this.rounds.confirm(carried).map(({ context, index }) => ({ context, index }))
    expect(confirmed).toEqual(expected.map(({ context, index }) => ({ context, index })))
  }

  check(): void {
    this.rounds.verify()
    const isAsked = (read: NaiveRead): boolean => read.index !== undefined
    expect(this.rounds.sequence > 0).toBe(this.#waiting.some(isAsked))
    // Somebody whose heartbeat has not left yet: it is due.
    const isDue = this.#waiting.some((read) => isAsked(read) && read.asked === this.#broadcasts)
    expect(this.rounds.isOpen).toBe(isDue)
  }

  abandon(): void {
    const contexts = this.rounds.abandon().map(({ context }) => context)
    expect(contexts.toSorted((a, b) => a - b)).toEqual(this.#waiting.map((read) => read.context))
    this.#waiting = []
  }
}

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('read' as const), back: fc.constant(0) }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('commit' as const), back: fc.constant(0) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('broadcast' as const), back: fc.constant(0) }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('answer' as const), back: fc.nat(4) }) },
  ),
  { maxLength: 80, size: 'max' },
)

test('reads are confirmed by answers to broadcasts that left after they were asked, at the index of that time', () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const pair = new Pair()
      for (const step of sequence) {
        pair[step.do](step.back)
        pair.check()
      }
      pair.abandon()
    }),
    { seed: 21, numRuns: 500 },
  )
})
