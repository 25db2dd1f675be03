// Looks for an order of operations that explains every answer: each takes effect at one moment between its call and its return. The algorithm
// of Wing and Gong with Lowe's memory of what was tried: a set of operations done and the state they led to. An operation without a
// return may take effect at any time after its call, or never.
import { isDeepStrictEqual } from 'node:util'
import { assert } from '../../core/assert.ts'
import type { Specification } from '../workload.ts'
import type { Operation } from './history.ts'

/** Tried steps; a history that needs more is given up undecided. */
const searchStepsMax = 200_000

export type SearchOutcome = 'linearizable' | 'notLinearizable' | 'undecided'

/** A call or a return in a doubly linked list, in the order in which they happened. */
interface Event {
  readonly operation: Operation
  /** Of a call: its return, if it has one. Undefined for a return. */
  readonly match: Event | undefined
  readonly isCall: boolean
  readonly position: number
  before: Event | undefined
  after: Event | undefined
}

interface Tried<State> {
  readonly call: Event
  readonly state: State
}

export function findLinearOrder<State>(
  operations: readonly Operation[],
  specification: Specification<unknown, unknown, State>,
): SearchOutcome {
  if (operations.length === 0) return 'linearizable'
  return new LinearSearch(operations, specification).run()
}

class LinearSearch<State> {
  readonly #specification: Specification<unknown, unknown, State>
  readonly #head: Event
  readonly #tried: Tried<State>[] = []
  readonly #seen = new Set<string>()
  readonly #done: Uint32Array
  /** Answered operations that are not in the order yet. */
  #left = 0
  #state: State

  constructor(
    operations: readonly Operation[],
    specification: Specification<unknown, unknown, State>,
  ) {
    this.#specification = specification
    this.#state = specification.initial
    this.#done = new Uint32Array(Math.ceil(operations.length / 32))
    this.#head = this.#link(operations)
  }

  #link(operations: readonly Operation[]): Event {
    const events = operations.flatMap((operation, position): Event[] => {
      const base = { operation, position, before: undefined, after: undefined }
      if (operation.returnedAt === Infinity) return [{ ...base, match: undefined, isCall: true }]
      this.#left++
      const match: Event = { ...base, match: undefined, isCall: false }
      return [{ ...base, match, isCall: true }, match]
    })
    events.sort((a, b) => rankOf(a) - rankOf(b))
    const [first] = operations
    assert(first !== undefined, 'there is something to order')
    const head: Event = {
      operation: first,
      match: undefined,
      isCall: true,
      position: -1,
      before: undefined,
      after: undefined,
    }
    let last = head
    for (const event of events) {
      last.after = event
      event.before = last
      last = event
    }
    return head
  }

  run(): SearchOutcome {
    let event = this.#head.after
    for (let steps = 0; this.#left > 0; steps++) {
      if (steps === searchStepsMax) return 'undecided'
      if (event?.isCall === true) {
        event = this.#maybeTake(event) ? this.#head.after : event.after
        continue
      }
      // Its return comes before anything else can: some earlier choice was wrong.
      const last = this.#tried.pop()
      if (last === undefined) return 'notLinearizable'
      this.#giveBack(last)
      event = last.call.after
    }
    return 'linearizable'
  }

  #maybeTake(call: Event): boolean {
    const { operation, match, position } = call
    const { state, output } = this.#specification.step(this.#state, operation.input)
    if (match !== undefined && !isDeepStrictEqual(output, operation.output)) return false
    this.#flip(position)
    const key = `${this.#done.join()} ${JSON.stringify(state)}`
    if (this.#seen.has(key)) {
      this.#flip(position)
      return false
    }
    this.#seen.add(key)
    this.#tried.push({ call, state: this.#state })
    this.#state = state
    unlink(call)
    if (match !== undefined) {
      unlink(match)
      this.#left--
    }
    return true
  }

  #giveBack({ call, state }: Tried<State>): void {
    this.#flip(call.position)
    this.#state = state
    if (call.match !== undefined) {
      relink(call.match)
      this.#left++
    }
    relink(call)
  }

  #flip(position: number): void {
    const word = position >> 5
    this.#done[word] = (this.#done[word] ?? 0) ^ (1 << (position & 31))
  }
}

function rankOf({ isCall, operation }: Event): number {
  return isCall ? operation.calledAt : operation.returnedAt
}

function unlink({ before, after }: Event): void {
  if (before !== undefined) before.after = after
  if (after !== undefined) after.before = before
}

/** Undoes unlink(); in reverse order. */
function relink(event: Event): void {
  if (event.before !== undefined) event.before.after = event
  if (event.after !== undefined) event.after.before = event
}
