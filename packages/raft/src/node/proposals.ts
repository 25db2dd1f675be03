// Commands on their way to the log. Those of one turn of the event loop share an entry. A batch is either waiting (certainly in no
// log) or in flight (in the log of a leader, or lost); one in flight is proposed again only when its term is over, so that
// nothing is applied twice.
import { assert } from '../core/assert.ts'
import type { ProposeOutcome, Term } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import { commandOverheadBytes, encodeBatch, type Origin } from './batch-codec.ts'
import type { ProposalDone, RaftLimits } from './types.ts'

interface PendingBatch<Result> {
  readonly firstSequence: number
  readonly payload: Uint8Array
  readonly dones: readonly ProposalDone<Result>[]
  readonly deadline: number
  /** In which it was proposed last. */
  term: Term
}

export interface ProposalsOptions {
  readonly origin: Origin
  readonly limits: RaftLimits
  readonly timeoutMs: number
}

export class Proposals<Result> {
  readonly #options: ProposalsOptions
  #commands: Uint8Array[] = []
  #dones: ProposalDone<Result>[] = []
  #sizeBytes = 0
  #nextSequence = 1
  #waiting: PendingBatch<Result>[] = []
  readonly #inFlight = new Map<number, PendingBatch<Result>>()
  #count = 0

  constructor(options: ProposalsOptions) {
    this.#options = options
  }

  /** Commands whose caller has not been answered. */
  get count(): number {
    return this.#count
  }

  get isWaiting(): boolean {
    return this.#commands.length > 0 || this.#waiting.length > 0
  }

  add(command: Uint8Array, done: ProposalDone<Result>, now: number): void {
    const { commandSizeBytesMax, pendingCommandsMax, entryCommandsMax, entrySizeBytesMax } =
      this.#options.limits
    if (command.length > commandSizeBytesMax) {
      const text = `Command has ${command.length} bytes, at most ${commandSizeBytesMax} are allowed`
      done(new RaftError('TOO_LARGE', text), undefined)
      return
    }
    if (this.#count >= pendingCommandsMax) {
      const text = `${this.#count} commands are waiting already, no more are taken`
      done(new RaftError('OVERLOADED', text), undefined)
      return
    }
    const size = command.length + commandOverheadBytes
    const isFull = this.#sizeBytes + size > entrySizeBytesMax
    if (isFull || this.#commands.length >= entryCommandsMax) this.#seal(now)
    this.#commands.push(command)
    this.#dones.push(done)
    this.#sizeBytes += size
    this.#count++
  }

  #seal(now: number): void {
    if (this.#commands.length === 0) return
    const firstSequence = this.#nextSequence
    const { origin, timeoutMs } = this.#options
    this.#waiting.push({
      firstSequence,
      payload: encodeBatch({ origin, firstSequence, commands: this.#commands }),
      dones: this.#dones,
      deadline: now + timeoutMs,
      term: 0,
    })
    this.#nextSequence += this.#commands.length
    this.#commands = []
    this.#dones = []
    this.#sizeBytes = 0
  }

  /** Hands everything that waits to the core, as far as it takes it. */
  flush(now: number, propose: (payload: Uint8Array) => ProposeOutcome): void {
    this.#seal(now)
    let taken = 0
    for (const batch of this.#waiting) {
      const outcome = propose(batch.payload)
      if (!outcome.accepted) break
      batch.term = outcome.term
      this.#inFlight.set(batch.firstSequence, batch)
      taken++
    }
    if (taken > 0) this.#waiting.splice(0, taken)
  }

  isOwn(origin: Origin): boolean {
    return origin.high === this.#options.origin.high && origin.low === this.#options.origin.low
  }

  /** The batch of this member was applied. It may have been given up before. */
  complete(firstSequence: number, results: readonly Result[]): void {
    const batch = this.#inFlight.get(firstSequence)
    if (batch === undefined) return
    assert(batch.dones.length === results.length, 'every command of a batch has a result')
    this.#inFlight.delete(firstSequence)
    this.#count -= batch.dones.length
    for (const [i, done] of batch.dones.entries()) done(undefined, results[i])
  }

  /**
   * The first entry of `term` is about to be applied: what was proposed in an older term and is not applied yet is in no log
   * that matters (see Propose in core/types.ts), so it waits again.
   */
  termApplied(term: Term): void {
    const lost = this.#takeInFlight((batch) => batch.term < term)
    if (lost.length > 0) this.#waiting = [...lost, ...this.#waiting]
  }

  /** A snapshot took the place of entries up to `term`: whether those of this member were among them cannot be told. */
  skipped(term: Term): void {
    const text = 'A snapshot was installed meanwhile: the command may be applied'
    const error = new RaftError('TIMEOUT', text)
    this.#fail(
      this.#takeInFlight((batch) => batch.term <= term),
      error,
    )
  }

  #takeInFlight(isTaken: (batch: PendingBatch<Result>) => boolean): PendingBatch<Result>[] {
    const taken: PendingBatch<Result>[] = []
    for (const batch of this.#inFlight.values()) if (isTaken(batch)) taken.push(batch)
    for (const batch of taken) this.#inFlight.delete(batch.firstSequence)
    return taken.sort((a, b) => a.firstSequence - b.firstSequence)
  }

  expire(now: number): void {
    const waiting = this.#waiting.filter((batch) => batch.deadline <= now)
    if (waiting.length > 0) {
      this.#waiting = this.#waiting.filter((batch) => batch.deadline > now)
      const text = 'No leader took the command in time: it is not applied'
      this.#fail(waiting, new RaftError('NO_LEADER', text))
    }
    const inFlight = this.#takeInFlight((batch) => batch.deadline <= now)
    if (inFlight.length > 0) {
      const text = 'The command was not committed in time: it may still be applied'
      this.#fail(inFlight, new RaftError('TIMEOUT', text))
    }
  }

  failAll(error: RaftError): void {
    const gathered = this.#dones
    this.#commands = []
    this.#dones = []
    this.#count -= gathered.length
    for (const done of gathered) done(error, undefined)
    const waiting = this.#waiting
    this.#waiting = []
    this.#fail([...this.#takeInFlight(() => true), ...waiting], error)
    assert(this.#count === 0, 'every caller is answered')
  }

  #fail(batches: readonly PendingBatch<Result>[], error: RaftError): void {
    for (const batch of batches) {
      this.#count -= batch.dones.length
      for (const done of batch.dones) done(error, undefined)
    }
  }
}
