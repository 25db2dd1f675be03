// What the clients of a run asked and were told, in the order in which it happened.
import type { LogIndex, NodeId } from '../../core/types.ts'

/** A request of a client. Calls and returns have ranks in one order; no two have the same. */
export interface Operation {
  /** Unique in the run. */
  readonly number: number
  readonly client: number
  readonly member: NodeId
  readonly isRead: boolean
  readonly input: unknown
  readonly calledAt: number
  /** Infinity while the outcome is unknown: a write may then take effect at any time, or never. */
  readonly returnedAt: number
  readonly output: unknown
  /** Where the simulator saw a write take effect; for a read what the state machine that answered had applied. */
  readonly index: LogIndex | undefined
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export class History {
  readonly #operations: (Mutable<Operation> | undefined)[] = []
  #rank = 0

  /** Those that may have had an effect, or were answered, in the order of their calls. */
  operations(): readonly Operation[] {
    return this.#operations.filter((operation) => operation !== undefined)
  }

  call(call: Pick<Operation, 'client' | 'member' | 'isRead' | 'input'>): Operation {
    const operation: Operation = {
      ...call,
      number: this.#operations.length,
      calledAt: this.#rank++,
      returnedAt: Infinity,
      output: undefined,
      index: undefined,
    }
    this.#operations.push(operation)
    return operation
  }

  /** A write counts at the index where it was applied, a read at what was applied when it was answered. */
  answer(call: Operation, output: unknown, index: LogIndex): Operation {
    const operation = { ...call, output, index, returnedAt: this.#rank++ }
    this.#operations[call.number] = operation
    return operation
  }

  /** It has had no effect and never will have one. */
  refuse(operation: Operation): void {
    this.#operations[operation.number] = undefined
  }
}
