// Linearizability of the clients' history: there is an order of all reads, writes and compare-and-swaps, each at one moment between its call
// and its return, in which every answer is right. The order of the log is tried first and almost always is one; only if it is
// not, all others are searched. Each part (register) alone: linearizability is local.
import { isDeepStrictEqual } from 'node:util'
import type { LogIndex } from '../../core/types.ts'
import type { Specification } from '../workload.ts'
import { Violation, type AppliedEntry, type Checker, type ObservedMember } from './checker.ts'
import type { History, Operation } from './history.ts'
import { findLinearOrder } from './linear-search.ts'

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
    const outcome = findLinearOrder(operations, this.#specification)
    if (outcome === 'linearizable') return
    const doubt = outcome === 'undecided' ? ' (within the steps of the search)' : ''
    throw new Violation(
      this.property,
      `no order of the requests to ${part} explains every answer${doubt}; up to the first one that cannot be:\n` +
        describePrefix(this.#shortestPrefix(operations)),
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

  /** Up to the first answer after which there is no order any more; what was not answered by then counts as unknown. */
  #shortestPrefix(operations: readonly Operation[]): readonly Operation[] {
    const returns = operations.map(({ returnedAt }) => returnedAt).sort((a, b) => a - b)
    let low = 0
    let high = returns.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      const prefix = cutAfter(operations, returns[middle] ?? Infinity)
      const isFine = findLinearOrder(prefix, this.#specification) === 'linearizable'
      if (isFine) low = middle + 1
      else high = middle
    }
    return cutAfter(operations, returns[low] ?? Infinity)
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
