// Which term each entry of a log has, without the entries: where runs of one term begin. Small enough for the whole log, whose entries
// are only partly in memory. Covers the positions from the base (what stands before the first entry) to the last entry.
import { assert } from './assert.ts'
import type { LogIndex, Term } from './types.ts'

interface Position {
  readonly index: LogIndex
  readonly term: Term
}

export class TermRuns {
  #baseIndex: LogIndex
  #lastIndex: LogIndex
  /** Where runs begin, ascending; the first one covers the base. Never empty. */
  #starts: Position[]

  constructor({ index, term }: Position) {
    this.#baseIndex = index
    this.#lastIndex = index
    this.#starts = [{ index, term }]
  }

  get baseIndex(): LogIndex {
    return this.#baseIndex
  }

  get lastIndex(): LogIndex {
    return this.#lastIndex
  }

  get lastTerm(): Term {
    return this.#starts[this.#starts.length - 1]?.term ?? 0
  }

  /** Undefined for what lies before the base or after the end. */
  termAt(index: LogIndex): Term | undefined {
    if (index < this.#baseIndex || index > this.#lastIndex) return undefined
    return this.#starts[this.#runOf(index)]?.term
  }

  /** The run that holds `index`: mostly the last one. */
  #runOf(index: LogIndex): number {
    let run = this.#starts.length - 1
    while (run > 0 && (this.#starts[run]?.index ?? 0) > index) run--
    return run
  }

  append(term: Term): void {
    this.#lastIndex++
    if (term === this.lastTerm) return
    assert(term > this.lastTerm, 'terms never fall along the log')
    this.#starts.push({ index: this.#lastIndex, term })
  }

  /** Drops `index` and everything after it. */
  cut(index: LogIndex): void {
    assert(index > this.#baseIndex, 'what the base covers stays')
    if (index > this.#lastIndex) return
    this.#lastIndex = index - 1
    this.#starts.length = this.#runOf(this.#lastIndex) + 1
  }

  /** Moves the base forward. */
  compact(index: LogIndex): void {
    assert(index >= this.#baseIndex && index <= this.#lastIndex, 'the base moves within the log')
    this.#starts = this.#starts.slice(this.#runOf(index))
    this.#baseIndex = index
  }

  /** The last position at or before `index` (base included) whose term is at most `term`; the base if there is none. */
  lastUpTo(index: LogIndex, term: Term): Position {
    let at = Math.min(index, this.#lastIndex)
    if (at <= this.#baseIndex) return { index: at, term: this.termAt(at) ?? 0 }
    let run = this.#runOf(at)
    while (run > 0 && (this.#starts[run]?.term ?? 0) > term) {
      at = (this.#starts[run]?.index ?? 0) - 1
      run--
    }
    const found = this.#starts[run]?.term ?? 0
    if (found > term) at = this.#baseIndex
    return { index: at, term: found }
  }

  verify(): void {
    let previous: Position | undefined
    for (const start of this.#starts) {
      if (previous !== undefined) {
        assert(start.index > previous.index && start.term > previous.term, 'runs of terms rise')
        assert(start.index > this.#baseIndex, 'one run covers the base')
      }
      previous = start
    }
    assert((previous?.index ?? 0) <= this.#lastIndex, 'runs begin within the log')
  }
}
