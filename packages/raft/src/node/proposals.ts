// Commands on their way to the log. Those of one turn of the event loop share an entry. A batch is either waiting (certainly in no
// log) or in flight (in the log of a leader, or lost); one in flight is proposed again only when its term is over, so that
// nothing is applied twice.
import { assert } from '../core/assert.ts'
import type { ProposeOutcome, Term } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import { commandOverheadBytes, encodeBatch, type Origin } from './batch-codec.ts'
import type { RaftMetrics } from './metrics.ts'
import type { Clock } from './ports.ts'
import type { ProposalDone, RaftLimits } from './types.ts'

/** Of the limits: from the first part on the caller should wait, below the second it may go on. */
const fullShare = 1 / 2
const drainedShare = 1 / 4

interface PendingBatch<Result> {
  readonly firstSequence: number
  readonly payload: Uint8Array
  readonly dones: readonly ProposalDone<Result>[]
  /** Of the commands, as they count for the limits. */
  readonly sizeBytes: number
  readonly deadline: number
  /** In which it was proposed last. */
  term: Term
}

export interface ProposalsOptions {
  readonly origin: Origin
  readonly limits: RaftLimits
  readonly timeoutMs: number
  readonly clock: Pick<Clock, 'now'>
  /** add() has returned false before, and now there is room. */
  readonly onDrain: () => void
  readonly metrics?: RaftMetrics
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
  #pendingSizeBytes = 0
  /** Somebody was told to wait. */
  #isFull = false

  constructor(options: ProposalsOptions) {
    this.#options = options
  }

  /** Commands whose caller has not been answered. */
  get count(): number {
    return this.#count
  }

  /** Their bytes. */
  get sizeBytes(): number {
    return this.#pendingSizeBytes
  }

  get isWaiting(): boolean {
    return this.#commands.length > 0 || this.#waiting.length > 0
  }

  /** Returns whether the caller may go on at once; if not, onDrain says when. */
  add(command: Uint8Array, done: ProposalDone<Result>, now: number): boolean {
    const { entryCommandsMax, entrySizeBytesMax } = this.#options.limits
    const size = command.length + commandOverheadBytes
    const refusal = this.#refusal(command.length, size)
    if (refusal !== undefined) {
      this.#options.metrics?.failed?.(1, refusal.code)
      done(refusal, undefined)
      // One that is too large says nothing about the next one.
      return !this.#isFull
    }
    const isFull = this.#sizeBytes + size > entrySizeBytesMax
    if (isFull || this.#commands.length >= entryCommandsMax) this.#seal(now)
    this.#commands.push(command)
    this.#dones.push(done)
    this.#sizeBytes += size
    this.#count++
    this.#pendingSizeBytes += size
    this.#isFull ||= this.#isAbove(fullShare)
    return !this.#isFull
  }

  #refusal(length: number, size: number): RaftError | undefined {
    const { commandSizeBytesMax, pendingCommandsMax, pendingSizeBytesMax } = this.#options.limits
    if (length > commandSizeBytesMax) {
      const text = `Command has ${length} bytes, at most ${commandSizeBytesMax} are allowed`
      return new RaftError('TOO_LARGE', text)
    }
    const isTooMuch = this.#count > 0 && this.#pendingSizeBytes + size > pendingSizeBytesMax
    if (this.#count < pendingCommandsMax && !isTooMuch) return undefined
    this.#isFull = true
    const text = `${this.#count} commands of ${this.#pendingSizeBytes} bytes are waiting already, no more are taken`
    return new RaftError('OVERLOADED', text)
  }

  #isAbove(share: number): boolean {
    const { pendingCommandsMax, pendingSizeBytesMax } = this.#options.limits
    return (
      this.#count > pendingCommandsMax * share ||
      this.#pendingSizeBytes > pendingSizeBytesMax * share
    )
  }

  /** These are answered. */
  #release(count: number, sizeBytes: number): void {
    this.#count -= count
    this.#pendingSizeBytes -= sizeBytes
  }

  /** After the callers were answered: they may propose again from there. */
  #maybeDrained(): void {
    if (!this.#isFull || this.#isAbove(drainedShare)) return
    this.#isFull = false
    this.#options.onDrain()
  }

  #seal(now: number): void {
    if (this.#commands.length === 0) return
    const firstSequence = this.#nextSequence
    const { origin, timeoutMs, metrics } = this.#options
    const payload = encodeBatch({ origin, firstSequence, commands: this.#commands })
    metrics?.proposed?.(this.#commands.length, payload.length)
    this.#waiting.push({
      firstSequence,
      payload,
      dones: this.#dones,
      sizeBytes: this.#sizeBytes,
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
    this.#release(batch.dones.length, batch.sizeBytes)
    const { metrics, clock, timeoutMs } = this.#options
    if (metrics?.committed !== undefined) {
      metrics.committed(batch.dones.length, clock.now() - (batch.deadline - timeoutMs))
    }
    for (const [i, done] of batch.dones.entries()) done(undefined, results[i])
    this.#maybeDrained()
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
    this.#release(gathered.length, this.#sizeBytes)
    this.#commands = []
    this.#dones = []
    this.#sizeBytes = 0
    if (gathered.length > 0) this.#options.metrics?.failed?.(gathered.length, error.code)
    for (const done of gathered) done(error, undefined)
    const waiting = this.#waiting
    this.#waiting = []
    this.#fail([...this.#takeInFlight(() => true), ...waiting], error)
    assert(this.#count === 0, 'every caller is answered')
  }

  #fail(batches: readonly PendingBatch<Result>[], error: RaftError): void {
    for (const batch of batches) {
      this.#release(batch.dones.length, batch.sizeBytes)
      this.#options.metrics?.failed?.(batch.dones.length, error.code)
      for (const done of batch.dones) done(error, undefined)
    }
    this.#maybeDrained()
  }
}
