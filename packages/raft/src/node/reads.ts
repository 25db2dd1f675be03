// Linearizable reads without a log entry: one read index round at a time serves everybody who asked before it began; whoever asks
// meanwhile waits for the next one. A round that fails (no leader, leader changed) is asked again.
import type { LogIndex, ReadState } from '../core/types.ts'
import { RaftError } from '../errors.ts'
import { pendingReadsMax } from './defaults.ts'
import type { RaftMetrics } from './metrics.ts'
import type { Clock } from './ports.ts'

export type ReadDone = (error: Error | undefined) => void

interface WaitingRead {
  readonly done: ReadDone
  readonly deadline: number
}

interface IndexedReads {
  readonly index: LogIndex
  readonly how: 'readIndex' | 'lease'
  readonly reads: readonly WaitingRead[]
}

export interface ReadsOptions {
  readonly timeoutMs: number
  readonly clock: Pick<Clock, 'now'>
  readonly metrics?: RaftMetrics
}

export class Reads {
  readonly #options: ReadsOptions
  #gathering: WaitingRead[] = []
  #round: { readonly context: number; readonly reads: readonly WaitingRead[] } | undefined
  /** The last round failed: ask again at the next tick or when there is a leader, not at once. */
  #isHeldBack = false
  #context = 0
  /** Wait until the index is applied. Ascending. */
  #indexed: IndexedReads[] = []
  #count = 0

  constructor(options: ReadsOptions) {
    this.#options = options
  }

  add(done: ReadDone, now: number): void {
    if (this.#count >= pendingReadsMax) {
      this.#options.metrics?.readsFailed?.(1, 'OVERLOADED')
      done(new RaftError('OVERLOADED', `${this.#count} reads are waiting already`))
      return
    }
    this.#count++
    this.#gathering.push({ done, deadline: now + this.#options.timeoutMs })
  }

  /** Reads without an answer. */
  get count(): number {
    return this.#count
  }

  /** Whether flush() would begin a round. */
  get isDue(): boolean {
    return this.#round === undefined && !this.#isHeldBack && this.#gathering.length > 0
  }

  /** Begins a round if one is due. */
  flush(readIndex: (context: number) => void): void {
    if (!this.isDue) return
    this.#round = { context: ++this.#context, reads: this.#gathering }
    this.#gathering = []
    readIndex(this.#context)
  }

  answered(state: ReadState): void {
    const round = this.#round
    if (round === undefined || round.context !== state.context) return
    this.#round = undefined
    if (state.index === undefined) {
      this.#gathering = [...round.reads, ...this.#gathering]
      this.#isHeldBack = true
    } else {
      const how = state.byLease === true ? 'lease' : 'readIndex'
      this.#indexed.push({ index: state.index, how, reads: round.reads })
    }
  }

  retry(): void {
    this.#isHeldBack = false
  }

  applied(index: LogIndex): void {
    let count = 0
    for (const { index: wanted } of this.#indexed) {
      if (wanted > index) break
      count++
    }
    if (count === 0) return
    for (const { reads, how } of this.#indexed.splice(0, count)) this.#answer(reads, undefined, how)
  }

  #answer(
    reads: readonly WaitingRead[],
    error: RaftError | undefined,
    how: 'readIndex' | 'lease' = 'readIndex',
  ): void {
    const [first] = reads
    if (first === undefined) return
    this.#count -= reads.length
    if (error === undefined) this.#measure(reads.length, first.deadline, how)
    else this.#options.metrics?.readsFailed?.(reads.length, error.code)
    for (const { done } of reads) done(error)
  }

  /** The first one of a round has waited longest. */
  #measure(count: number, deadline: number, how: 'readIndex' | 'lease'): void {
    const { metrics, clock, timeoutMs } = this.#options
    if (metrics?.readsServed === undefined) return
    metrics.readsServed(how, count, clock.now() - (deadline - timeoutMs))
  }

  expire(now: number): void {
    const expired = this.#gathering.filter((read) => read.deadline <= now)
    if (expired.length > 0) {
      this.#gathering = this.#gathering.filter((read) => read.deadline > now)
      this.#answer(expired, new RaftError('NO_LEADER', 'No leader confirmed the read in time'))
    }
    const round = this.#round
    if (round !== undefined && round.reads.every((read) => read.deadline <= now)) {
      // Its answer, should it still come, finds nobody.
      this.#round = undefined
      this.#answer(round.reads, new RaftError('TIMEOUT', 'The read was not confirmed in time'))
    }
    this.#expireIndexed(now)
  }

  #expireIndexed(now: number): void {
    const isLate = (read: WaitingRead): boolean => read.deadline <= now
    if (!this.#indexed.some(({ reads }) => reads.some(isLate))) return
    const late = this.#indexed.flatMap(({ reads }) => reads.filter(isLate))
    this.#indexed = this.#indexed.map(({ index, how, reads }) => ({
      index,
      how,
      reads: reads.filter((read) => !isLate(read)),
    }))
    this.#answer(late, new RaftError('TIMEOUT', 'The state machine did not catch up in time'))
  }

  failAll(error: RaftError): void {
    const indexed = this.#indexed.flatMap(({ reads }) => reads)
    const all = [...indexed, ...(this.#round?.reads ?? []), ...this.#gathering]
    this.#indexed = []
    this.#round = undefined
    this.#gathering = []
    this.#answer(all, error)
  }
}
