// A follower's side of read index (thesis 6.4): reads it has forwarded to the leader. On the wire they have numbers of their own that start
// at random: an answer to a read of an earlier life of this member, which may still be on its way, must not be taken for one to
// a read of this life.
import type { Outbox } from './outbox.ts'
import { readsPendingMax } from './read-index.ts'
import type { NodeId, ReadIndexResult, Term } from './types.ts'

/** Numbers of messages start at random below this, so that two lives of a member do not use the same. */
export const numbersStartMax: number = 2 ** 48

interface ForwardedRead {
  readonly context: number
  /** The tick at which it is given up. */
  readonly expiresAt: number
}

export interface ForwardedReadsOptions {
  readonly id: NodeId
  readonly outbox: Outbox
  /** How long an answer may take: longer than any round of a leader that still leads. */
  readonly patienceTicks: number
  readonly firstNumber: number
}

export class ForwardedReads {
  readonly #options: ForwardedReadsOptions
  /** Oldest first. */
  readonly #reads = new Map<number, ForwardedRead>()
  #nextNumber: number
  #ticks = 0

  constructor(options: ForwardedReadsOptions) {
    this.#options = options
    this.#nextNumber = options.firstNumber
  }

  /** Asks the leader, or gives the read back at once if there is none or too many wait. */
  ask(context: number, leader: NodeId | undefined, term: Term): void {
    const { id, outbox, patienceTicks } = this.#options
    if (leader === undefined || this.#reads.size >= readsPendingMax) {
      this.refuse(context)
      return
    }
    const number = this.#nextNumber++
    this.#reads.set(number, { context, expiresAt: this.#ticks + patienceTicks })
    outbox.send({ type: 'readIndex', from: id, to: leader, term, context: number })
  }

  answered(message: ReadIndexResult): void {
    const read = this.#reads.get(message.context)
    if (read === undefined) return
    this.#reads.delete(message.context)
    this.#options.outbox.answerRead({ context: read.context, index: message.index })
  }

  /** The read must be asked again. */
  refuse(context: number): void {
    this.#options.outbox.answerRead({ context, index: undefined })
  }

  /** Gives back the reads whose request or answer got lost. */
  tick(): void {
    this.#ticks++
    for (const [number, read] of this.#reads) {
      if (read.expiresAt > this.#ticks) break
      this.#reads.delete(number)
      this.refuse(read.context)
    }
  }

  /** Another leader, or none: nobody will answer. */
  abandon(): void {
    for (const read of this.#reads.values()) this.refuse(read.context)
    this.#reads.clear()
  }
}
