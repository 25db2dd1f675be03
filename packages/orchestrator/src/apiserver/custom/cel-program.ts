// A compiled expression, with a bound for what it may cost. The language has no such bound of its own: loops within loops over a large
// object would hold up the whole process. So every round of a loop is counted and, now and then, the clock is looked at.
import type { Environment } from '@marcbachmann/cel-js'
import {
  type GoPattern,
  goPattern,
  newSearchBudget,
  type SearchBudget,
  SearchError,
} from '../../resources/custom/go-pattern.ts'

/** What several expressions may cost together. */
export interface CelBudget {
  /** Rounds of loops. */
  rounds: number
  /** Of performance.now(). */
  readonly deadline: number
  /** Of searches for patterns. */
  readonly search: SearchBudget
}

export type CelProgram = (context: Readonly<Record<string, unknown>>, budget?: CelBudget) => unknown

/** An expression that does not compile. The message shows where, as upstream's does. */
export class CelProblem extends Error {}

/** There is no budget left. */
export class CelBudgetError extends Error {}

const roundsMax = 1_000_000
const millisecondsMax = 1000
/** A round may be dear: splitting or searching a text of megabytes. */
const roundsBetweenClocks = 16
/** Made once: a loop within a loop may throw it often. */
const spent = new CelBudgetError(
  'validation failed due to running out of cost budget, no further validation rules will be run',
)
spent.stack = ''

export const newBudget = (): CelBudget => ({
  rounds: roundsMax,
  deadline: performance.now() + millisecondsMax,
  search: newSearchBudget(),
})

/** That of the expression that runs: nothing else runs meanwhile. */
let running = newBudget()

/** `types`: what it must evaluate to, where that is known before it runs. Throws CelProblem. */
export const compileCel = (
  environment: Environment,
  text: string,
  types: readonly string[] = [],
): CelProgram => {
  let program: ReturnType<Environment['parse']>
  let found: string | undefined
  try {
    program = environment.parse(text)
    countRounds(program.ast, new Set())
    const { valid, error, type } = program.check()
    if (!valid) throw error ?? new Error('the types do not fit')
    found = type
  } catch (reason) {
    throw new CelProblem(`compilation failed: ${problemText(reason, text)}`, { cause: reason })
  }
  if (found !== undefined && found !== 'dyn' && types.length > 0 && !types.includes(found)) {
    const [only, ...others] = types
    throw new CelProblem(
      others.length === 0
        ? `must evaluate to ${only ?? ''} but got ${found}`
        : `must evaluate to one of [${types.join(' ')}]`,
    )
  }
  return (context, budget = newBudget()) => {
    const outer = running
    running = budget
    try {
      const value: unknown = program(context)
      // Operators forgive errors on one side; not this one.
      if (budget.rounds < 0) throw spent
      return value
    } finally {
      running = outer
    }
  }
}

/** What is certainly wrong with the types of an expression that compiles without them; undefined: nothing. `type`: what it evaluates to. */
export const checkTypes = (
  environment: Environment,
  text: string,
): { readonly type: string; readonly problem: string | undefined } => {
  const { valid, error, type = 'dyn' } = environment.parse(text).check()
  const isWrong = !valid && isCertain(error)
  return { type, problem: isWrong ? problemText(error, text) : undefined }
}

const overload = /^no such overload: (.+) (==|!=|<=|>=|[<>+*/%-]) (.+)$/
const primitive = /^(?:int|uint|double|string|bool|bytes)$/

/** The package compares fewer types than upstream: what it says of texts and numbers holds. */
const isCertain = (error: unknown): boolean => {
  const { code, summary = '' } = (error ?? {}) as {
    readonly code?: string
    readonly summary?: string
  }
  if (code === 'no_such_key') return true
  const [, left = '', , right = ''] = overload.exec(summary) ?? []
  return code === 'no_such_overload' && primitive.test(left) && primitive.test(right)
}

const spend = (): void => {
  const left = (running.rounds -= 1)
  if (left < 0) throw spent
  if (left % roundsBetweenClocks === 0 && performance.now() > running.deadline) {
    running.rounds = -1
    throw spent
  }
}

/** Searches for a pattern on the budget of the expression that runs. Throws PatternError. */
export const searchFor = <T>(
  pattern: string,
  search: (made: GoPattern, budget: SearchBudget) => T,
): T => {
  try {
    return search(goPattern(pattern), running.search)
  } catch (reason) {
    if (!(reason instanceof SearchError)) throw reason
    running.rounds = -1
    throw spent
  }
}

/** Stands for the package's own `matches`, which knows JavaScript's patterns alone. */
export const matchesFunction = 'matchesInLinearTime'

/** As the package has the nodes of an expression, beyond what its types tell. */
interface Step {
  readonly maybeAsync: boolean
  readonly input: string
  readonly pos: number
  readonly start: number
  readonly end: number
}
interface Checker {
  check(step: unknown, context: unknown): unknown
}
interface Evaluator {
  run(step: unknown, context: unknown): unknown
}

/** Puts a counted step in place of the step of each loop below `node`, and searches with a bound in place of the package's. */
const countRounds = (node: unknown, seen: Set<unknown>): void => {
  if (typeof node !== 'object' || node === null || seen.has(node)) return
  seen.add(node)
  if (Array.isArray(node)) {
    for (const one of node) countRounds(one, seen)
    return
  }
  const { op, args, meta } = node as {
    readonly op?: unknown
    readonly args?: unknown
    readonly meta?: { readonly alternate?: unknown; readonly macro?: object }
  }
  if (op === 'rcall' && Array.isArray(args) && args[0] === 'matches') args[0] = matchesFunction
  if (op === 'comprehension') {
    const loop = args as { step: Step }
    for (const part of Object.values(loop)) countRounds(part, seen)
    loop.step = counted(loop.step) as unknown as Step
  } else countRounds(args, seen)
  if (op === 'call' && Array.isArray(args) && args[0] === 'has') widenHas(meta?.macro)
  countRounds(meta?.alternate, seen)
  for (const part of Object.values(meta?.macro ?? {})) countRounds(part, seen)
}

interface HasMacro {
  readonly args: readonly unknown[]
  /** What is selected, the last first, and what it is selected of. */
  macroHasProps?: readonly unknown[]
  typeCheck(checker: Checker, macro: HasMacro, context: unknown): unknown
}
interface Node {
  readonly op?: unknown
  readonly args?: readonly unknown[]
}

/** has() of the package takes members of variables alone; in CEL they may be of anything, such as `self.list[0].name`. */
const widenHas = (macro: object | undefined): void => {
  if (macro === undefined) return
  const has = macro as HasMacro
  const selected: Node[] = []
  let of = has.args[0] as Node
  while (of.op === '.' || of.op === '.?') {
    selected.push(of)
    of = of.args?.[0] as Node
  }
  if (of.op === 'id' || selected[0]?.op !== '.') return
  const check = has.typeCheck
  has.macroHasProps = [...selected, of]
  has.typeCheck = (checker, self, context) => {
    checker.check(of, context)
    return check(checker, self, context)
  }
}

const counted = (step: Step): object => ({
  op: 'counted',
  // Known when the types are.
  get maybeAsync(): boolean {
    return step.maybeAsync
  },
  input: step.input,
  pos: step.pos,
  start: step.start,
  end: step.end,
  check: (checker: Checker, _node: unknown, context: unknown) => checker.check(step, context),
  evaluate: (evaluator: Evaluator, _node: unknown, context: unknown) => {
    spend()
    return evaluator.run(step, context)
  },
})

/** `ERROR: <input>:LINE:COLUMN: TEXT`, with the line and a mark below it. */
const problemText = (reason: unknown, text: string): string => {
  const { code, summary, message, range } = reason as {
    readonly code?: string
    readonly summary?: string
    readonly message?: string
    readonly range?: { readonly start: number }
  }
  const start = range?.start ?? 0
  const before = text.slice(0, start).split('\n')
  const column = before.at(-1)?.length ?? 0
  const line = text.split('\n')[before.length - 1] ?? ''
  const what = wording(code ?? '', summary ?? message?.split('\n', 1)[0] ?? String(reason))
  return `ERROR: <input>:${before.length}:${column + 1}: ${what}\n | ${line}\n | ${'.'.repeat(column)}^`
}

/** In the words of the language's first implementation. */
const wording = (code: string, given: string): string => {
  const text = given.replaceAll(matchesFunction, 'matches')
  const [, name] = /^(?:Unknown variable|No such key): (.*)$/.exec(text) ?? []
  if (code === 'unknown_variable' && name !== undefined) {
    return `undeclared reference to '${name}' (in container '')`
  }
  if (code === 'no_such_key' && name !== undefined) return `undefined field '${name}'`
  const [, left, operator, right] = overload.exec(text) ?? []
  if (operator !== undefined) {
    return `found no matching overload for '_${operator}_' applied to '(${left ?? ''}, ${right ?? ''})'`
  }
  const [, called] = /^found no matching overload for '((?:\w+\.)?\w+)\(/.exec(text) ?? []
  return called === undefined
    ? text
    : text.replace(`'${called}(`, `'${called.split('.').at(-1) ?? called}' applied to '(`)
}

/** What went wrong while an expression ran, in a line. */
export const celFailure = (reason: unknown): string => {
  if (!(reason instanceof Error)) return String(reason)
  const [line = ''] = reason.message.split('\n', 1)
  const text = line.replaceAll(matchesFunction, 'matches')
  return text.replace(/^No such key/, 'no such key')
}
