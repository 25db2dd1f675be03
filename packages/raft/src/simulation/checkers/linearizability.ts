// Linearizability of the clients' history: there is an order of all reads, writes and compare-and-swaps, each at one moment between its call
// and its return, in which every answer is right. The order of the log is tried first and almost always is one; only if it is
// not, all others are searched. Each part (register) alone: linearizability is local.
import { isDeepStrictEqual } from 'node:util'
import type { LogIndex } from '../../core/types.ts'
import type { Specification } from '../workload.ts'
import { Violation, type AppliedEntry, type Checker, type ObservedMember } from './checker.ts'
import type { History, Operation } from './history.ts'
import { findLinearOrder } from './linear-search.ts'

/** Answers in the first prefix that is searched; twice as many in each that follows. */
const prefixStep = 8
/** What is shown of a history that has no order. */
const shownMax = 12

interface Placed {
  readonly operation: Operation
  readonly index: LogIndex
  /** Among those of one index. */
  readonly position: number
}

export class Linearizability<State> implements Checker {
  readonly property = 'linearizability'
  readonly #history: History
  readonly #specification: Specification<unknown, unknown, State>
  /** Where each write took effect. */
  readonly #places = new Map<number, Omit<Placed, 'operation'>>()

  constructor(history: History, specification: Specification<unknown, unknown, State>) {
    this.#history = history
    this.#specification = specification
  }

  applied(_member: ObservedMember, { index, numbers }: AppliedEntry): void {
    for (const [position, number] of numbers.entries()) {
      if (!this.#places.has(number)) this.#places.set(number, { index, position })
    }
  }

  finished(): void {
    const parts = new Map<string, Operation[]>()
    for (const operation of this.#history.operations()) {
      if (operation.isRead && operation.returnedAt === Infinity) continue
      const part = this.#specification.partOf?.(operation.input) ?? 'the history'
      const operations = parts.get(part)
      if (operations === undefined) parts.set(part, [operation])
      else operations.push(operation)
    }
    for (const [part, operations] of parts) this.#check(part, operations)
  }

  #check(part: string, operations: readonly Operation[]): void {
    if (this.#isExplained(this.#inOrderOfLog(operations))) return
    const bad = this.#shortestBadPrefix(operations)
    if (bad === undefined) return
    throw new Violation(
      this.property,
      `no order of the requests to ${part} explains every answer; up to the first one that cannot be:\n` +
        describePrefix(bad),
    )
  }

  /** An unanswered write that is not in the log has had no effect. */
  #inOrderOfLog(operations: readonly Operation[]): readonly Operation[] {
    const placed: Placed[] = []
    for (const operation of operations) {
      const { isRead, number, index } = operation
      const place = isRead ? { index: index ?? 0, position: Infinity } : this.#places.get(number)
      if (place !== undefined) placed.push({ operation, ...place })
    }
    placed.sort((a, b) => {
      if (a.index !== b.index) return a.index - b.index
      if (a.position !== b.position) return a.position - b.position
      return a.operation.calledAt - b.operation.calledAt
    })
    return placed.map(({ operation }) => operation)
  }

  /** Whether operations in this order give the answers that were given, and none comes after one that was called after its return. */
  #isExplained(order: readonly Operation[]): boolean {
    let { initial: state } = this.#specification
    let calledAt = -1
    for (const operation of order) {
      calledAt = Math.max(calledAt, operation.calledAt)
      if (operation.returnedAt < calledAt) return false
      const next = this.#specification.step(state, operation.input)
      const isKnown = operation.returnedAt !== Infinity
      if (isKnown && !isDeepStrictEqual(next.output, operation.output)) return false
      state = next.state
    }
    return true
  }

  /**
   * Up to the first answer after which there is no order any more (none within the steps of the search); what was not answered
   * by then counts as unknown. Short prefixes first: they are easier to refute than the whole.
   */
  #shortestBadPrefix(operations: readonly Operation[]): readonly Operation[] | undefined {
    const ranks = operations.map(({ returnedAt }) => returnedAt).filter(Number.isFinite)
    const returns = ranks.sort((a, b) => a - b)
    const prefix = (count: number): readonly Operation[] => {
      return cutAfter(operations, returns[count - 1] ?? -1)
    }
    const isFine = (count: number): boolean => {
      return findLinearOrder(prefix(count), this.#specification) === 'linearizable'
    }
    let fine = 0
    let bad = Math.min(prefixStep, returns.length)
    while (isFine(bad)) {
      if (bad === returns.length) return undefined
      fine = bad
      bad = Math.min(2 * bad, returns.length)
    }
    while (bad - fine > 1) {
      const middle = (fine + bad) >> 1
      if (isFine(middle)) fine = middle
      else bad = middle
    }
    return prefix(bad)
  }
}

function cutAfter(operations: readonly Operation[], rank: number): readonly Operation[] {
  return operations
    .filter(({ calledAt, isRead, returnedAt }) => {
      return calledAt <= rank && (!isRead || returnedAt <= rank)
    })
    .map((operation) => {
      return operation.returnedAt <= rank ? operation : { ...operation, returnedAt: Infinity }
    })
}

/** The last ones to return, oldest first, and those that may still take effect. */
function describePrefix(prefix: readonly Operation[]): string {
  const shown = [...prefix].sort((a, b) => a.returnedAt - b.returnedAt)
  const answered = shown.filter(({ returnedAt }) => returnedAt !== Infinity).slice(-shownMax)
  const open = shown.filter(({ returnedAt }) => returnedAt === Infinity).slice(-shownMax)
  return [...answered, ...open].map(describeOperation).join('\n')
}

function describeOperation(operation: Operation): string {
  const { number, client, member, input, output, calledAt, returnedAt } = operation
  const answer = returnedAt === Infinity ? 'unknown' : JSON.stringify(output)
  const time = `[${calledAt}, ${returnedAt === Infinity ? '...' : returnedAt}]`
  return `  ${time} request ${number} of client ${client} at ${member}: ${JSON.stringify(input)} -> ${answer}`
}
