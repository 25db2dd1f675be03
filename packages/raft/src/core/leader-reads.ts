// The leader's side of linearizable reads: which round a read joins, when a quorum has confirmed it, and who gets the answer.
import type { Outbox } from './outbox.ts'
import { ReadRounds, type ConfirmedRead, type ReadRequest } from './read-index.ts'
import type { LogIndex, NodeId, Term } from './types.ts'

export interface LeaderReadsOptions {
  readonly id: NodeId
  readonly term: Term
  readonly outbox: Outbox
}

export class LeaderReads {
  readonly #options: LeaderReadsOptions
  readonly #rounds = new ReadRounds()

  constructor(options: LeaderReadsOptions) {
    this.#options = options
  }

  /** Heartbeats must leave now: somebody waits for their answer. */
  get isOpen(): boolean {
    return this.#rounds.isOpen
  }

  /** The highest round that somebody waits for, 0 for none. */
  get sequence(): number {
    return this.#rounds.sequence
  }

  /** `readyAt` is the commit index, or undefined before an entry of the term is committed. False when too many reads wait already. */
  add(request: ReadRequest, readyAt: LogIndex | undefined): boolean {
    if (this.#rounds.isFull) return false
    if (readyAt === undefined) this.#rounds.addEarly(request)
    else this.#rounds.add(request, readyAt)
    return true
  }

  /** An entry of the term is committed. */
  releaseEarly(commitIndex: LogIndex): void {
    this.#rounds.releaseEarly(commitIndex)
  }

  /** Heartbeats leave now; returns the number that they carry. */
  close(): number {
    this.#rounds.close()
    return this.#rounds.sequence
  }

  /** Nobody else can lead at this moment. */
  answerByLease({ from, context }: ReadRequest, index: LogIndex): void {
    if (from === undefined) this.#options.outbox.answerRead({ context, index, byLease: true })
    else this.answer({ from, context, index })
  }

  /** A quorum has confirmed every round up to `sequence`. */
  confirm(sequence: number): void {
    for (const read of this.#rounds.confirm(sequence)) this.answer(read)
  }

  answer({ from, context, index }: ConfirmedRead): void {
    const { id, term, outbox } = this.#options
    if (from === undefined) outbox.answerRead({ context, index })
    else outbox.send({ type: 'readIndexResult', from: id, to: from, term, context, index })
  }

  /** The role is lost: the member's own reads must be asked again; followers see it by themselves. */
  abandon(): void {
    for (const { from, context } of this.#rounds.abandon()) {
      if (from === undefined) this.#options.outbox.answerRead({ context, index: undefined })
    }
  }

  verify(): void {
    this.#rounds.verify()
  }
}
