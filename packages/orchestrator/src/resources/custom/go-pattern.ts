// Go's regular expressions, which upstream's schemas and CEL are written in, searched in linear time by a port of RE2. What is left is the size of
// the text times that of the pattern, and that has a bound here.
import { RE2JS, RE2JSSyntaxException } from 're2js'

/** What searches may cost together: characters times instructions of the pattern. */
export interface SearchBudget {
  steps: number
}

/** There is no budget left. */
export class SearchError extends Error {
  constructor() {
    super('the search for a pattern takes too long')
  }
}

/** What is wrong with a pattern, in Go's words. */
export class PatternError extends Error {}

/** Most searches look at a character once; the worst ones take a second for so many. */
export const newSearchBudget = (): SearchBudget => ({ steps: 10_000_000 })

const patternLengthMax = 20_000
const patternsMax = 1000
/** Instructions of all patterns that are kept. */
const instructionsMax = 100_000

const compile = (text: string): RE2JS => {
  if (text.length > patternLengthMax)
    throw new PatternError('error parsing regexp: expression too large')
  try {
    return RE2JS.compile(text)
  } catch (reason) {
    if (reason instanceof RE2JSSyntaxException) throw new PatternError(reason.message)
    throw reason
  }
}

export class GoPattern {
  /** Instructions of its program. */
  readonly size: number
  readonly #compiled: RE2JS

  /** Throws PatternError. */
  constructor(text: string) {
    this.#compiled = compile(text)
    this.size = this.#compiled.programSize()
  }

  /** Whether it is found anywhere. Throws SearchError. */
  test(text: string, budget: SearchBudget = newSearchBudget()): boolean {
    this.#spend(text, budget)
    return this.#compiled.test(text)
  }

  /** The first that is found. Throws SearchError. */
  find(text: string, budget: SearchBudget = newSearchBudget()): string | undefined {
    return this.findAll(text, 1, budget)[0]
  }

  /** All that do not overlap, `most` at most. Throws SearchError. */
  findAll(
    text: string,
    most: number = Number.POSITIVE_INFINITY,
    budget: SearchBudget = newSearchBudget(),
  ): string[] {
    this.#spend(text, budget)
    const matcher = this.#compiled.matcher(text)
    const all: string[] = []
    let lastEnd = -1
    while (all.length < most && matcher.find()) {
      const start = matcher.start()
      const end = matcher.end()
      // An empty one right after another is none.
      if (end > start || start !== lastEnd) all.push(text.slice(start, end))
      lastEnd = end
    }
    return all
  }

  #spend(text: string, budget: SearchBudget): void {
    budget.steps -= (text.length + 1) * this.size
    if (budget.steps < 0) throw new SearchError()
  }
}

const kept = new Map<string, GoPattern>()
let keptInstructions = 0

/** Throws PatternError. Patterns that were asked for before are kept. */
export const goPattern = (text: string): GoPattern => {
  const known = kept.get(text)
  if (known !== undefined) return known
  const made = new GoPattern(text)
  if (kept.size >= patternsMax || keptInstructions + made.size > instructionsMax) {
    kept.clear()
    keptInstructions = 0
  }
  kept.set(text, made)
  keptInstructions += made.size
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
