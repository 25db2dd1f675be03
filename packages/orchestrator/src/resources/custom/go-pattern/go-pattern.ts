// Searches with Go's patterns in linear time: all ways through a pattern are followed at once, so there is no way back to take. What is left is
// the size of the text times that of the pattern, which has a bound too.
import { CharacterSet, perlRanges } from './character-set.ts'
import { type Assertion, parsePattern } from './parse-pattern.ts'
import { compileProgram, opcode, type PatternProgram } from './pattern-program.ts'
import { PatternError } from './pattern-reader.ts'

/** What searches may cost together, in states that are looked at. */
export interface SearchBudget {
  steps: number
}

/** There is no budget left. */
export class SearchError extends Error {
  constructor() {
    super('the search for a pattern takes too long')
  }
}

/** Half a second or so. */
export const newSearchBudget = (): SearchBudget => ({ steps: 30_000_000 })

const patternsMax = 1000
/** Of all patterns that are kept. */
const statesMax = 500_000

/** Threads in the order in which they are preferred. */
class Threads {
  readonly states: Int32Array
  /** Where the text began to match. */
  readonly starts: Int32Array
  count = 0

  constructor(size: number) {
    this.states = new Int32Array(size)
    this.starts = new Int32Array(size)
  }
}

export class GoPattern {
  readonly #program: PatternProgram
  /** The round in which a state was last added. */
  readonly #marks: Uint32Array
  #round = 0
  /** States since it was last asked for. */
  #looked = 0
  #current: Threads
  #next: Threads
  readonly #stack: number[] = []

  /** Throws PatternError. */
  constructor(text: string) {
    this.#program = compileProgram(parsePattern(text), text)
    const size = this.#program.states.length
    this.#marks = new Uint32Array(size)
    this.#current = new Threads(size)
    this.#next = new Threads(size)
  }

  get size(): number {
    return this.#program.states.length
  }

  /** Whether it is found anywhere. Throws SearchError. */
  test(text: string, budget: SearchBudget = newSearchBudget()): boolean {
    return this.#search(text, { from: 0, isFirstEnough: true, budget }) !== undefined
  }

  /** The first that is found. Throws SearchError. */
  find(text: string, budget: SearchBudget = newSearchBudget()): string | undefined {
    const found = this.#search(text, { from: 0, isFirstEnough: false, budget })
    return found === undefined ? undefined : text.slice(found.start, found.end)
  }

  /** All that do not overlap, `most` at most. Throws SearchError. */
  findAll(
    text: string,
    most: number = Number.POSITIVE_INFINITY,
    budget: SearchBudget = newSearchBudget(),
  ): string[] {
    const all: string[] = []
    let lastEnd = -1
    for (let from = 0; from <= text.length && all.length < most;) {
      const found = this.#search(text, { from, isFirstEnough: false, budget })
      if (found === undefined) break
      const { start, end } = found
      // An empty one right after another is none.
      if (end > start || start !== lastEnd) all.push(text.slice(start, end))
      lastEnd = end
      from = end > start ? end : end + widthAt(text, end)
    }
    return all
  }

  #search(
    text: string,
    {
      from,
      isFirstEnough,
      budget,
    }: { readonly from: number; readonly isFirstEnough: boolean; readonly budget: SearchBudget },
  ): { readonly start: number; readonly end: number } | undefined {
    const { states, start, isAnchored } = this.#program
    let found: { readonly start: number; readonly end: number } | undefined
    this.#current.count = 0
    this.#newRound()
    for (let position = from; ;) {
      // Only the threads that are preferred to a match go on after it.
      if (found === undefined) this.#add(this.#current, start, position, text, position)
      const { count } = this.#current
      budget.steps -= count + this.#looked
      this.#looked = 1
      if (budget.steps < 0) throw new SearchError()
      if (count === 0 && (found !== undefined || isAnchored)) return found
      const code = text.codePointAt(position)
      const after = position + widthAt(text, position)
      this.#newRound()
      this.#next.count = 0
      for (let index = 0; index < count; index++) {
        const state = states[this.#current.states[index] ?? 0]
        const begun = this.#current.starts[index] ?? 0
        if (state === undefined || state.op === opcode.match) {
          found = { start: begun, end: position }
          if (isFirstEnough) return found
          break
        }
        if (code !== undefined && state.set?.has(code) === true)
          this.#add(this.#next, state.next, begun, text, after)
      }
      if (code === undefined) return found
      const spare = this.#current
      this.#current = this.#next
      this.#next = spare
      position = after
    }
  }

  #newRound(): void {
    this.#round++
    if (this.#round < 0xffff_ffff) return
    this.#marks.fill(0)
    this.#round = 1
  }

  /** Adds a state and all that follow from it without a character, the preferred first. */
  #add(threads: Threads, first: number, begun: number, text: string, position: number): void {
    const { states } = this.#program
    const stack = this.#stack
    stack.push(first)
    for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
      const state = states[index]
      if (state === undefined || this.#marks[index] === this.#round) continue
      this.#marks[index] = this.#round
      this.#looked++
      if (state.op === opcode.split) stack.push(state.other, state.next)
      else if (state.op === opcode.assert) {
        const { assertion } = state
        if (assertion !== undefined && holds(assertion, text, position)) stack.push(state.next)
      } else {
        threads.states[threads.count] = index
        threads.starts[threads.count++] = begun
      }
    }
  }
}

const widthAt = (text: string, position: number): number =>
  (text.codePointAt(position) ?? 0) > 0xffff ? 2 : 1

const holds = (assertion: Assertion, text: string, position: number): boolean => {
  switch (assertion) {
    case 'beginText':
      return position === 0
    case 'endText':
      return position === text.length
    case 'beginLine':
      return position === 0 || text.charCodeAt(position - 1) === newline
    case 'endLine':
      return position === text.length || text.charCodeAt(position) === newline
    case 'wordBoundary':
      return isWordAt(text, position - 1) !== isWordAt(text, position)
    case 'noWordBoundary':
      return isWordAt(text, position - 1) === isWordAt(text, position)
  }
}

const newline = 10
const wordCharacters = new CharacterSet([
  { ranges: perlRanges.w, isNegated: false, isFolded: false },
])
const isWordAt = (text: string, position: number): boolean =>
  wordCharacters.has(text.charCodeAt(position))

const kept = new Map<string, GoPattern>()
let keptStates = 0

/** Throws PatternError. Patterns that were asked for before are kept. */
export const goPattern = (text: string): GoPattern => {
  const known = kept.get(text)
  if (known !== undefined) return known
  const made = new GoPattern(text)
  if (kept.size >= patternsMax || keptStates + made.size > statesMax) {
    kept.clear()
    keptStates = 0
  }
  kept.set(text, made)
  keptStates += made.size
  return made
}

/** What is wrong with a pattern, in Go's words; undefined: nothing. */
export const patternProblem = (text: string): string | undefined => {
  try {
    goPattern(text)
    return undefined
  } catch (reason) {
    if (reason instanceof PatternError) return reason.message
    throw reason
  }
}
